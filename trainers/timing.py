"""The time that a run took over all its processes, in timing.json."""

import contextlib
import json
import math
import os
import pathlib
from typing import Any

import keras

from ugm_tf import files
from ugm_tf.callbacks import Checkpoints, Progress

from . import kept_json

__all__ = ["Timing", "read"]

_FILE = "timing.json"


def read(directory: str | os.PathLike[str]) -> dict[str, float | None]:
    """Seconds of training, and examples a second of its latest process; each None where it is not known.

    Raises:
        ValueError: If the file is damaged.
    """
    path, again = pathlib.Path(directory, _FILE), "the run counts its time from then on"
    found = {"seconds": None, "examples_per_second": None} | kept_json.read(path, again)
    for name, value in found.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
        if value is not None and not number:
            raise kept_json.damaged(path, f"{name} is {value!r}, no number from 0 on", again)
    return found


class Timing(keras.callbacks.Callback):
    """Adds the time of this process to that of those before with each checkpoint, so that one that is killed counts.

    It writes into the run directory, so it comes after what finds out whether that is still there, and after the
    checkpoints.

    Args:
        directory: The run's.
        progress: Measures this process.
        checkpoints: The run's.
    """

    def __init__(self, directory: str | os.PathLike[str], progress: Progress, checkpoints: Checkpoints):
        super().__init__()
        self._path, self._progress, self._checkpoints = pathlib.Path(directory, _FILE), progress, checkpoints
        self._before, self._written = read(directory), checkpoints.saved_at

    def write(self) -> None:
        """Writes the time so far."""
        rate = self._progress.examples_per_second or self._before["examples_per_second"]
        seconds = (self._before["seconds"] or 0.0) + self._progress.seconds
        text = json.dumps({"seconds": seconds, "examples_per_second": rate}, indent=2)
        files.write(self._path, f"{text}\n".encode())
        self._written = self._checkpoints.saved_at

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._follow()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._follow()

    def _follow(self) -> None:
        if self._checkpoints.saved_at != self._written:
            with contextlib.suppress(OSError):  # training may go on without it, and the next call tries again
                self.write()

    def on_train_end(self, logs: Any = None) -> None:
        self.write()
