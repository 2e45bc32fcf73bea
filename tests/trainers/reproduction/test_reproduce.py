"""The command: what it lists, and what it refuses in one line."""

import pathlib
import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

from trainers import run
from trainers.reproduction import catalogue

ROOT = pathlib.Path(run.__file__).parents[1]


def reproduce(*flags):
    """The command's exit status and what it says."""
    words = [sys.executable, "-m", "trainers.reproduce", *flags]
    process = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return process.returncode, process.stdout


@pytest.mark.slow
class CommandTest(parameterized.TestCase):
    def test_list_names_every_experiment_and_runs_nothing(self):
        status, out = reproduce("--list")
        self.assertEqual(status, 0)
        for name in catalogue.names():
            self.assertIn(f"{name}\n", out)

    @parameterized.parameters(
        ((), f"error: --experiment is one of {', '.join(catalogue.names())};"),
        (("--experiment=hu_iwgan", "--dataset=no_such_set"), "There is no data set"),
        (("--experiment=pacgan_modes", "--dataset=digits"), "so --dataset=digits is none of it"),
        (("--experiment=hu_iwgan", "--only=VAE"), "--only knows GAN; minimax GAN; IWGAN. Received: VAE"),
        (("--experiment=hu_iwgan", "--docs=README.md"), "There is no result of hu_iwgan_smoke"),
    )
    def test_a_refusal_is_its_message(self, flags, words):
        out_dir = f"--out={self.create_tempdir().full_path}"
        status, out = reproduce(*flags, out_dir)
        self.assertEqual(status, 2, out)
        self.assertIn(words, out)
        self.assertNotIn("Traceback", out)


if __name__ == "__main__":
    absltest.main()
