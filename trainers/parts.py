"""The parts of a run's end, each on its own: one that fails costs none of the others."""

import logging
import os
import pathlib
import traceback
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ugm_tf import files

__all__ = ["Failure", "Parts"]

_LOG = logging.getLogger("ugm_tf.trainers")
_T = TypeVar("_T")


class Failure(NamedTuple):
    """A part that failed.

    Args:
        part: What it was to make.
        error: The error's kind and its message.
        traceback: Where it was raised.
    """

    part: str
    error: str
    traceback: str


class Parts:
    """Runs parts and keeps what failed.

    Attributes:
        failures: The parts that failed, in order.
    """

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def attempt(self, part: str, make: Callable[[], _T]) -> _T | None:
        """What `make` returns; None if it raises an error, which is kept and logged.

        Args:
            part: What is made, in words.
            make: Makes it.
        """
        try:
            return make()
        except Exception as error:  # whatever it is: the others are to be made
            words = " ".join(str(error).split())
            failure = Failure(part, f"{type(error).__name__}: {words}", traceback.format_exc())
            self.failures.append(failure)
            _LOG.error("Failed: %s. %s", failure.part, failure.error)
            return None

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the tracebacks to a file; without any it is removed."""
        path = pathlib.Path(path)
        if self.failures:
            text = "\n".join(f"{failure.part}\n\n{failure.traceback}" for failure in self.failures)
            files.write(path, text.encode())
        else:
            path.unlink(missing_ok=True)
