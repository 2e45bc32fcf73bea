"""The command: its flags, its help, its refusals; and a run of it that is killed and goes on to the same bits."""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
from absl.testing import absltest, parameterized

from trainers import run
from trainers.settings import Settings

ROOT = pathlib.Path(run.__file__).parents[1]


def finish(module, *flags):
    """A script as a process of its own: its exit status, and its output in one stream."""
    process = subprocess.run(
        [sys.executable, "-m", module, *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.returncode, process.stdout


class CommandTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_help_shows_examples_and_each_of_our_flags_and_no_others(self):
        _, out = finish("trainers.train", "--help")
        examples, ours = out.split("trainers/train.py:\n")
        self.assertIn("python -m trainers.train --recipe=iwgan --dataset=mnist", examples)
        names = re.findall(r"^  --(?:\[no\])?(\w+): \S", ours, re.MULTILINE)  # with what it does
        settings = [field.name for field in dataclasses.fields(Settings)]
        places = ["workdir", "data_dir", "manual_dir", "cache_dir", "checkpoint_steps", "keep_checkpoints", "seeds"]
        places += ["strategy", "form_seconds", "probe_every", "probe_budget"]
        self.assertCountEqual(names, ["hyperparameter" if n == "hyperparameters" else n for n in [*settings, *places]])

    @pytest.mark.slow
    def test_an_unknown_flag_is_named(self):
        status, out = finish("trainers.train", "--no_such_flag=3")
        self.assertEqual(status, 2)
        self.assertEqual(out, "error: Unknown command line flag 'no_such_flag'. See --help.\n")
        self.assertNotIn("Traceback", out)

    @pytest.mark.slow
    def test_a_flag_without_a_value_of_a_recipe_or_named_otherwise_is_said(self):
        for flag, said in {
            "--init_from=": "--init_from= says nothing. Leave it out, or give it a value.",
            "--fraction=nan": "--fraction=nan says nothing. Leave it out, or give it a value.",
            "--beta=2": "There is no flag 'beta'. A recipe's own: --hyperparameter=beta=VALUE. See --help.",
            "--image_size=16,24": "flag --image_size=16,24: takes a whole number. Received: '16,24'. See --help.",
            "--lr=2": "There is no flag 'lr'. Here it is --learning_rate. See --help.",
        }.items():
            self.assertEqual(finish("trainers.train", flag), (2, f"error: {said}\n"))

    @pytest.mark.slow
    def test_what_does_not_fit_into_memory_is_said_without_a_traceback(self):
        workdir = f"--workdir={self.create_tempdir().full_path}/run"
        status, out = finish("trainers.train", "--image_size=100000", workdir)
        self.assertEqual(status, 2)
        self.assertRegex(out, r"^error: Out of memory: .*alloc.*\. A smaller --batch_size, --image_size or ")
        self.assertNotIn("Traceback", out)

    @pytest.mark.slow
    def test_a_refusal_is_its_message_without_a_traceback(self):
        workdir = f"--workdir={self.create_tempdir().full_path}/run"
        status, out = finish("trainers.train", "--hyperparameter=betta=4", workdir)
        self.assertEqual(status, 2)
        self.assertStartsWith(out, "error: Recipe 'vae' has no hyperparameter 'betta'. It takes: beta")
        self.assertLen(out.splitlines(), 1)  # no Traceback, and no remark of TensorFlow's

    @parameterized.parameters(
        (("--probe_budget=0.5",), "--probe_budget=0.5 says nothing without --probe_every"),
        (("--probe_every=5", "--probe_budget=1.5"), "--probe_budget is a share .* at most 1. Received: 1.5"),
    )
    @pytest.mark.slow
    def test_a_budget_of_nothing_or_too_much_is_refused(self, asked, message):
        status, out = finish("trainers.train", *asked, f"--workdir={self.create_tempdir().full_path}/run")
        self.assertEqual(status, 2)
        self.assertRegex(out, f"^error: {message}")

    @pytest.mark.slow
    def test_what_the_system_says_of_a_file_is_a_line(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("a", "b"):
            (folder / name).mkdir()
            (folder / name / "flags.txt").write_text(f"--recipe=vae\n--dataset=digits\n--seed={ord(name)}\n")
            (folder / name / "metrics.csv").write_text("epoch,wake/loss\n0,1\n1,0.5\n")
        status, out = finish("trainers.compare", str(folder / "a"), str(folder / "b"), f"--out={folder}")
        self.assertEqual((status, len(out.splitlines())), (2, 1), out)
        self.assertRegex(out, f"^error: .*{folder.name}.*: Is a directory")


def saved_step(directory):
    """Step of the latest checkpoint of a run, 0 if there is none."""
    return max((int(path.stem[5:]) for path in (directory / "checkpoints").glob("step-*.state")), default=0)


@pytest.mark.slow
class SignalTest(parameterized.TestCase):
    @parameterized.parameters((signal.SIGINT, 130), (signal.SIGTERM, 143))
    def test_ends_a_run_with_its_state_saved_and_one_line(self, number, status):
        directory = pathlib.Path(self.create_tempdir().full_path) / "run"
        flags = ["--epochs=100000", "--checkpoint_steps=20", "--hidden=8", "--xla=off", f"--workdir={directory}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "trainers.train", *flags], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        while saved_step(directory) < 20 and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, err)
        step = re.search(r"^Stopped at step (\d+) of 2000000, which is saved: the same command goes on.$", err, re.M)
        self.assertIsNotNone(step, err)
        self.assertEqual(saved_step(directory), int(step[1]))
        self.assertNotIn("Traceback", err)


@pytest.mark.slow
class KillTest(absltest.TestCase):
    def test_killed_at_two_moments_it_ends_with_the_same_bits(self):
        flags = ["--recipes=aavae", "--kills=2", "--train=--epochs=20", "--train=--hidden=8", "--train=--xla=off"]
        status, out = finish("benchmarks.resume", *flags, "--train=--checkpoint_steps=7")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"aavae: 400 steps; killed, it went on from \d+w?e?, \d+w?e?: identical")


if __name__ == "__main__":
    absltest.main()
