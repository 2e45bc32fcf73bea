"""Training on several devices is the training on one, on the same global batch."""

import json
import pathlib
import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).parents[2]
MOST = {"weights": 1e-6, "slots": 1e-5, "logs": 1e-4, "answers": 1e-5}

# The constant of ppo_gan's critic has no gradient: Adam would make steps of its rounding.
# What is asked of every kind of coupling within a batch: none, weights over it, within its classes, its moments, packs.
ROWS = (
    *("gan", "vae", "iwgan", "iwacgan", "aavae", "infogan", "iwae", "cyclegan", "semi_supervised_vae", "bigan"),
    *("wake_sleep", "ppo_gan:sgd", "adversarial_domain_adaptation", "gan_batch_norm", "iwgan_spectral_norm"),
    *("gan_gradient_penalty", "iwcgan_by_class", "gan_pack", "vae_free_bits", "gan_wasserstein"),
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

    def test_two_devices_are_one(self):
        self.check(2, "iwgan", "vae")

    @pytest.mark.slow
    def test_two_devices_are_one_for_every_coupling_within_a_batch(self):
        self.check(2, *(name for name in ROWS if name not in ("iwgan", "vae")))

    @pytest.mark.slow
    def test_four_devices_are_one(self):
        self.check(4, "iwgan", "vae", "gan_batch_norm")

    @pytest.mark.slow
    def test_a_run_goes_on_on_another_number_of_devices(self):
        for replicas in (2, 4):
            for name, found in distances(replicas, "vae", "iwgan", "--elastic").items():
                self.assertLess(found["weights"], MOST["weights"], f"{name} on {replicas}")

    @parameterized.parameters(("noise", "vae"), ("weights", "iwgan"), ("batch_norm", "gan_batch_norm"))
    @pytest.mark.slow
    def test_what_is_done_to_each_device_alone_is_seen(self, fault, name):
        self.assertGreater(distances(2, name, f"--break={fault}")[name]["weights"], 1e-4)


if __name__ == "__main__":
    absltest.main()
