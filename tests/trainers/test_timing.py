"""The time that a run took over all its processes."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
from unittest import mock

from absl.testing import absltest, parameterized

from tests.trainers import test_run
from tests.trainers.test_run import SMALL
from trainers import fitting, rundir, stopping, timing
from ugm_tf.training import execution


class TimingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "run"
        rundir.RunDirectory(self.path, SMALL)

    def after(self, seconds, rate=None):
        self.checkpoints = mock.Mock(saved_at=0)
        return timing.Timing(self.path, mock.Mock(seconds=seconds, examples_per_second=rate), self.checkpoints)

    def test_nothing_is_known_of_a_run_that_has_not_begun(self):
        self.assertEqual(timing.read(self.path), {"seconds": None, "examples_per_second": None})

    def test_processes_add_up_and_an_epoch_of_one_counts_once(self):
        first = self.after(3.0, 10.0)
        first.on_epoch_end(0)  # without a checkpoint
        self.assertEqual(timing.read(self.path)["seconds"], None)
        for step in (10, 20):
            self.checkpoints.saved_at = step
            first.on_train_batch_end(step)
        self.assertEqual(timing.read(self.path), {"seconds": 3.0, "examples_per_second": 10.0})
        second = self.after(2.0)
        self.checkpoints.saved_at = 30
        second.on_epoch_end(5)
        second.on_train_end()
        self.assertEqual(timing.read(self.path), {"seconds": 5.0, "examples_per_second": 10.0})

    @parameterized.parameters(
        ('{"seconds": "x"}', "seconds is 'x', no number from 0 on"),
        ('{"seconds": 5, "examples_per_second": "fast"}', "examples_per_second is 'fast', no number from 0 on"),
        ('{"seconds": NaN}', "seconds is nan, no number from 0 on"),
        ('{"seconds": -1}', "seconds is -1, no number from 0 on"),
        ('{"seconds": true}', "seconds is True, no number from 0 on"),
        ("[1]", r"it holds \[1\], not values by name"),
    )
    def test_a_damaged_file_is_refused_before_anything_is_moved(self, text, reason):
        (self.path / "timing.json").write_text(text)
        (self.path / "report.html").write_text("of the shorter run")
        with self.assertRaisesRegex(ValueError, f"{reason}. Take it away; the run counts its time from then on."):
            rundir.RunDirectory(self.path, dataclasses.replace(SMALL, epochs=(SMALL.epochs or 1) + 1))
        self.assertTrue((self.path / "report.html").exists())

    def test_a_directory_that_was_removed_is_not_made_anew(self):
        path = self.path.parent / "removed"

        def removed(self, epoch, logs=None):
            shutil.rmtree(path)
            os.mkdir(path)

        with mock.patch.object(fitting.metrics.Log, "on_epoch_end", removed), test_run.without_an_end():
            with self.assertRaises(rundir.Lost):
                test_run.train(SMALL, path)
        self.assertEqual(os.listdir(path), [])

    def test_a_run_that_was_stopped_counts_what_it_did(self):
        calls, path = [], self.path.parent / "stopped"

        def signalled(self, batch, logs=None):
            calls.append(batch)
            self.seconds += 100.0
            if len(calls) == 3:
                os.kill(os.getpid(), signal.SIGTERM)

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        with one_a_call, test_run.without_an_end():
            with mock.patch.object(fitting.Progress, "on_train_batch_end", signalled):
                with self.assertRaises(stopping.Stopped):
                    test_run.train(SMALL, path)
            self.assertEqual(json.loads((path / "timing.json").read_text())["seconds"], 300.0)
            test_run.train(SMALL, path)
        self.assertGreater(json.loads((path / "timing.json").read_text())["seconds"], 300.0)

    def test_a_run_that_diverges_counts_what_it_did(self):
        path = self.path.parent / "diverged"
        with mock.patch.object(fitting.Progress, "on_train_batch_end", side_effect=FloatingPointError("not finite")):
            with self.assertRaises(FloatingPointError):
                test_run.train(SMALL, path)
        self.assertTrue((path / "timing.json").exists())

    def test_a_process_that_is_killed_within_an_epoch_counts_up_to_its_checkpoint(self):
        class Killed(Exception):
            pass

        calls, path = [], self.path.parent / "killed"

        def killed(self, batch, logs=None):
            calls.append(batch)
            self.seconds += 100.0
            if len(calls) == 3:
                raise Killed

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        with one_a_call, mock.patch.object(fitting.Progress, "on_train_batch_end", killed), self.assertRaises(Killed):
            test_run.train(SMALL, path, checkpoint_steps=1)
        self.assertEqual(json.loads((path / "timing.json").read_text())["seconds"], 200.0)


if __name__ == "__main__":
    absltest.main()
