"""Checkpoints where the disk fails."""

import errno
import pathlib
import shutil
import threading
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf.callbacks import Checkpoints, states
from ugm_tf.callbacks import checkpoints as implementation


def steps(directory):
    """Steps of the checkpoints that are there."""
    return sorted(int(path.stem.removeprefix("step-")) for path in directory.glob("step-*.state"))


class DiskTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path) / "checkpoints"
        self.model = table.model(*table.GAN[1:])
        self.checkpoints = Checkpoints(self.directory, 1, keep=3)
        self.checkpoints.restore(self.model)
        self.checkpoints.set_model(self.model)
        self.checkpoints.set_params({})

    def save(self, step):
        self.model.steps.assign(step)
        self.checkpoints.on_train_batch_end(0)
        return self.checkpoints.finish()

    def disk_of(self, checkpoints):
        """A disk with room for so many checkpoints."""
        write = states.write

        def limited(path, arrays, about, over=None):
            if over is None and len(steps(self.directory)) >= checkpoints:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(path, arrays, about, over)

        return mock.patch.object(states, "write", limited)

    def test_where_it_is_full_the_older_ones_make_room_with_one_warning(self):
        with self.disk_of(2), self.assertLogs("ugm_tf.callbacks", "WARNING") as logged:
            self.assertEqual([self.save(step) for step in (1, 2, 3, 4, 5)], [1, 2, 3, 4, 5])
        self.assertEqual(steps(self.directory), [4, 5])
        self.assertLen(logged.output, 1)
        self.assertRegex(
            logged.output[0], "No space left on device: in .* the oldest checkpoint makes room for each new"
        )

    def test_where_there_is_no_room_for_a_second_the_first_one_stays_and_training_goes_on(self):
        with self.disk_of(1), self.assertLogs("ugm_tf.callbacks", "WARNING") as logged:
            self.assertEqual([self.save(step) for step in range(1, 10)], [1] * 9)
            self.checkpoints.on_train_end()
        self.assertEqual(steps(self.directory), [1])
        self.assertLen(logged.output, 4)  # after 1, 2, 4 and 8 failures
        self.assertRegex(
            logged.output[0], "step 2 could not be written .*Training goes on. The latest one is of step 1"
        )
        self.assertEqual(self.save(10), 10)  # once there is room

    def test_a_directory_that_was_removed_ends_training_and_is_not_made_anew(self):
        self.save(1)
        shutil.rmtree(self.directory)
        with self.assertRaisesRegex(FileNotFoundError, "checkpoints"):
            self.save(2)
        self.assertFalse(self.directory.exists())

    def test_what_is_written_is_a_copy(self):
        before = self.model.trainable_variables[0].numpy()
        held = threading.Event()
        implementation._WRITER.submit(held.wait)  # the thread is busy
        self.model.steps.assign(1)
        self.checkpoints.on_train_batch_end(0)
        self.model.trainable_variables[0].assign(before + 1.0)
        held.set()
        self.assertEqual(self.checkpoints.finish(), 1)
        arrays, _ = states.read(self.directory / "step-0000000001.state")
        np.testing.assert_array_equal(arrays["model/1/kernel"], before)


if __name__ == "__main__":
    absltest.main()
