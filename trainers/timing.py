"""The time that a run took over all its processes, in timing.json."""

from typing import Any

import keras

from ugm_tf.callbacks import Progress

from . import rundir

__all__ = ["Timing", "read"]

_FILE = "timing"


def read(directory: rundir.RunDirectory) -> dict[str, float | None]:
    """Seconds of training, and examples a second of its latest process; each None where it is not known."""
    return {"seconds": None, "examples_per_second": None} | directory.read_json(_FILE)


class Timing(keras.callbacks.Callback):
    """Adds the time of this process to that of those before, time and again, so that one that is killed counts.

    It writes into the run directory, so it comes after what finds out whether that is still there.

    Args:
        directory: The run's.
        progress: Measures this process.
        every: Epochs between its writing.
    """

    def __init__(self, directory: rundir.RunDirectory, progress: Progress, every: int):
        super().__init__()
        self._directory, self._progress, self._every = directory, progress, every
        self._before = read(directory)

    def write(self) -> None:
        """Writes the time so far."""
        rate = self._progress.examples_per_second or self._before["examples_per_second"]
        seconds = (self._before["seconds"] or 0.0) + self._progress.seconds
        self._directory.write_json(_FILE, {"seconds": seconds, "examples_per_second": rate})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self._every == 0:
            self.write()

    def on_train_end(self, logs: Any = None) -> None:
        self.write()
