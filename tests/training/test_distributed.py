"""Training on several devices is the training on one, on the same global batch."""

import json
import pathlib
import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).parents[2]
MOST = {"weights": 1e-6, "slots": 1e-5, "logs": 1e-4, "answers": 1e-5}

# Rows that are coupled within a batch: by weights within its classes, by moments.
ROWS = ("iwacgan", "gan_batch_norm")
# Further ones: two domains, floors of free bits, draws, packs, penalties, exact sums, changed images, permutations,
# pairs of codes, a prior of the encoder.  Others of the table were compared by `replica_runs.py`.  (The constant of
# ppo_gan's critic has no gradient, of whose rounding Adam would make steps: `ppo_gan:epsilon`.)
FURTHER = (
    *("iwae", "semi_supervised_vae", "adversarial_domain_adaptation", "gan_gradient_penalty", "iwgan_spectral_norm"),
    *("cyclegan", "vae_free_bits", "iwgan", "gan_pack", "gan_diffaugment", "ppo_gan:epsilon"),
    *("factor_vae", "beta_tc_vae", "info_vae", "vae_prior_vamp"),
)


def distances(replicas, *arguments):
    command = [sys.executable, "-m", "tests.training.replica_runs", str(replicas), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


class MirroredTest(parameterized.TestCase):
    def check(self, replicas, *names):
        for name, found in distances(replicas, *names).items():
            for kind, most in MOST.items():
                self.assertLess(found[kind], most, f"{kind} of {name}")

    @pytest.mark.slow
    def test_two_devices_are_one_for_every_coupling_within_a_batch(self):
        self.check(2, *ROWS)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_two_devices_are_one_for_further_couplings(self):
        self.check(2, *FURTHER)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_four_devices_are_one(self):
        self.check(4, "iwgan", "gan_batch_norm")

    @pytest.mark.slow
    def test_a_run_goes_on_on_another_number_of_devices(self):
        found = distances(4, "iwgan", "--elastic")["iwgan"]["weights"]
        self.assertLess(found, MOST["weights"])

    @pytest.mark.slow
    def test_every_door_of_a_model_on_two_is_that_of_one(self):
        self.check_doors("DoorsTest")

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_options_and_callbacks_of_a_model_on_two_are_those_of_one(self):
        self.check_doors("OptionsTest")

    def check_doors(self, tests):
        command = [sys.executable, "-m", "tests.training.replica_doors", tests]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertRegex(done.stderr, r"Ran [1-9]\d* tests")

    @pytest.mark.slow
    def test_noise_of_each_device_alone_is_seen(self):
        self.check_fault("noise", "vae")

    @parameterized.parameters(("weights", "iwgan"), ("batch_norm", "gan_batch_norm"))
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_what_is_done_to_each_device_alone_is_seen(self, fault, name):
        self.check_fault(fault, name)

    def check_fault(self, fault, name):
        self.assertGreater(distances(2, name, f"--break={fault}")[name]["weights"], 1e-4)


if __name__ == "__main__":
    absltest.main()
