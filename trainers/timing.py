"""The time that a run took over all its processes, in timing.json."""

import contextlib
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
    """Adds the time of this process to that of those before, at the end of each epoch, so that a killed one counts.

    Args:
        directory: The run's.
        progress: Measures this process.
    """

    def __init__(self, directory: rundir.RunDirectory, progress: Progress):
        super().__init__()
        self._directory, self._progress = directory, progress
        self._before = read(directory)

    def _write(self) -> None:
        rate = self._progress.examples_per_second or self._before["examples_per_second"]
        seconds = (self._before["seconds"] or 0.0) + self._progress.seconds
        self._directory.write_json(_FILE, {"seconds": seconds, "examples_per_second": rate})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._write()

    def close(self) -> None:
        """Writes the time of an epoch that was not ended, where the run directory is still there."""
        with contextlib.suppress(OSError):
            self._write()
