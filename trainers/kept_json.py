"""Files of names and values in a run directory, which may have been damaged since."""

import json
import os
import pathlib
from typing import Any

from . import commands

__all__ = ["damaged", "read"]


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a JSON file holds by name; nothing where there is none.

    Raises:
        ValueError: If it cannot be read, or holds something else.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # of the disk, of the encoding, or of JSON
        raise damaged(path, str(error)) from error
    if not isinstance(found, dict):
        raise damaged(path, f"it holds {found if len(str(found)) < 40 else type(found).__name__}, not values by name")
    return found


def damaged(path: pathlib.Path, reason: str) -> ValueError:
    """The refusal of a file of a run."""
    again = commands.of("report", f"--workdir={path.parent}")
    return ValueError(f"'{path}' is damaged: {reason.rstrip('.')}. Take it away; {again} makes the run's end again.")
