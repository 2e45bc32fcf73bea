"""The time that a run took over all its processes."""

import json
import os
import pathlib
import shutil
import signal
from unittest import mock

from absl.testing import absltest

from tests.trainers import test_run
from tests.trainers.test_run import SMALL
from trainers import fitting, rundir, stopping, timing
from ugm_tf.training import execution


class TimingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "run"
        self.directory = rundir.RunDirectory(self.path, SMALL)

    def after(self, seconds, rate=None):
        return timing.Timing(self.directory, mock.Mock(seconds=seconds, examples_per_second=rate), every=2)

    def test_nothing_is_known_of_a_run_that_has_not_begun(self):
        self.assertEqual(timing.read(self.directory), {"seconds": None, "examples_per_second": None})

    def test_processes_add_up_and_an_epoch_of_one_counts_once(self):
        first = self.after(3.0, 10.0)
        first.on_epoch_end(0)  # of two epochs between writings
        self.assertEqual(timing.read(self.directory)["seconds"], None)
        first.on_epoch_end(1)
        first.on_epoch_end(3)
        self.assertEqual(timing.read(self.directory), {"seconds": 3.0, "examples_per_second": 10.0})
        second = self.after(2.0)
        second.on_epoch_end(5)
        second.on_train_end()
        self.assertEqual(timing.read(self.directory), {"seconds": 5.0, "examples_per_second": 10.0})

    def test_a_directory_that_was_removed_is_not_made_anew(self):
        path = self.path.parent / "removed"

        def removed(self, epoch, logs=None):
            shutil.rmtree(path)
            os.mkdir(path)

        with mock.patch.object(fitting.metrics.Log, "on_epoch_end", removed), test_run.without_an_end():
            with self.assertRaises(rundir.Lost):
                test_run.train(SMALL, path)
        self.assertFalse((path / "timing.json").exists())

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


if __name__ == "__main__":
    absltest.main()
