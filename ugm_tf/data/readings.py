"""What was read of a data set and what was not, in one line."""

import dataclasses
import functools
import logging
from collections.abc import Mapping
from typing import Any

__all__ = ["ARCHIVE", "HIDDEN", "Reading", "say"]

HIDDEN, ARCHIVE = "hidden files", "folders called __MACOSX"  # what systems leave in folders and nobody misses

_LOG = logging.getLogger(__package__)


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read of a data set, all splits together, and what was passed over.

    Args:
        title: The data set's name.
        sizes: Number of examples of each split.
        classes: Number of classes; None where there are no labels.
        passed_over: Why something was not read, and how much of it: {"files ending in .txt": 2}.
        notes: What else to know about how it was read.

    Example:

    >>> print(Reading("folder:a", {"train": 80, "validation": 10, "test": 10}, 2, {"files ending in .txt": 3}))
    folder:a: 100 examples read (train 80, validation 10, test 10) in 2 classes. Passed over: files ending in .txt (3).
    """

    title: str
    sizes: Mapping[str, int]
    classes: int | None = None
    passed_over: Mapping[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        number = sum(self.sizes.values())
        parts = ", ".join(f"{split} {size:,}" for split, size in self.sizes.items())
        classes = "" if self.classes is None else f" in {self.classes} class{'' if self.classes == 1 else 'es'}"
        lines = [f"{self.title}: {number:,} examples read ({parts}){classes}", *self.notes]
        if self.passed_over:
            lines.append("Passed over: " + ", ".join(f"{why} ({n:,})" for why, n in self.passed_over.items()))
        return ". ".join(lines) + "."

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "title": self.title,
            "sizes": dict(self.sizes),
            "classes": self.classes,
            "passed_over": dict(self.passed_over),
            "notes": list(self.notes),
        }


def say(reading: Reading) -> None:
    """Logs the line once a process, however many splits are loaded; a warning if images may have been passed over."""
    unusual = set(reading.passed_over) - {HIDDEN, ARCHIVE}
    _say(str(reading), logging.WARNING if unusual else logging.INFO)


@functools.lru_cache(maxsize=1_000)
def _say(line: str, level: int) -> None:
    _LOG.log(level, "%s", line)
