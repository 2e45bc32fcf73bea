"""The command: its flags, its help, its refusals; and a run of it that is killed and goes on to the same bits."""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import pytest
from absl.testing import absltest

from trainers import run
from trainers.settings import Settings

ROOT = pathlib.Path(run.__file__).parents[1]


def finish(module, *flags):
    """A script as a process of its own: its exit status, and its output in one stream."""
    process = subprocess.run(
        [sys.executable, "-m", module, *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.returncode, process.stdout


class CommandTest(absltest.TestCase):
    def test_help_shows_examples_and_each_of_our_flags_and_no_others(self):
        _, out = finish("trainers.train", "--help")
        examples, ours = out.split("trainers/train.py:\n")
        self.assertIn("python -m trainers.train --recipe=iwgan --dataset=mnist", examples)
        names = re.findall(r"^  --(?:\[no\])?(\w+): \S", ours, re.MULTILINE)  # with what it does
        settings = [field.name for field in dataclasses.fields(Settings)]
        places = ["workdir", "data_dir", "manual_dir", "checkpoint_steps"]
        self.assertCountEqual(names, ["hyperparameter" if n == "hyperparameters" else n for n in [*settings, *places]])

    def test_an_unknown_flag_is_named(self):
        status, out = finish("trainers.train", "--no_such_flag=3")
        self.assertNotEqual(status, 0)
        self.assertIn("Unknown command line flag 'no_such_flag'", out)
        self.assertNotIn("Traceback", out)

    def test_a_refusal_is_its_message_without_a_traceback(self):
        workdir = f"--workdir={self.create_tempdir().full_path}/run"
        status, out = finish("trainers.train", "--hyperparameter=betta=4", workdir)
        self.assertEqual(status, 2)
        self.assertIn("error: Recipe 'vae' has no hyperparameter 'betta'. It takes: beta", out)
        self.assertNotIn("Traceback", out)


@pytest.mark.slow
class KillTest(absltest.TestCase):
    def test_killed_at_two_moments_it_ends_with_the_same_bits(self):
        flags = ["--recipes=aavae", "--kills=2", "--train=--epochs=20", "--train=--hidden=8", "--train=--xla=off"]
        status, out = finish("benchmarks.resume", *flags, "--train=--checkpoint_steps=7")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"aavae: 400 steps; killed, it went on from \d+, \d+: identical")


if __name__ == "__main__":
    absltest.main()
