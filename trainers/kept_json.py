"""Files of names and values in a run directory, which may have been damaged since."""

import json
import os
import pathlib
from typing import Any

from . import commands

__all__ = ["damaged", "read"]


def read(path: str | os.PathLike[str], again: str | None = None) -> dict[str, Any]:
    """What a JSON file holds by name; nothing where there is none.

    Args:
        path: The file.
        again: What there is without it, "COMMAND makes it again"; a run's end by its command if not given.

    Raises:
        ValueError: If it cannot be read, or holds something else.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # of the disk, of the encoding, or of JSON
        raise damaged(path, str(error), again) from error
    if not isinstance(found, dict):
        raise damaged(
            path, f"it holds {found if len(str(found)) < 40 else type(found).__name__}, not values by name", again
        )
    return found


def damaged(path: pathlib.Path, reason: str, again: str | None = None) -> ValueError:
    """The refusal of a file of a run, with what to do."""
    again = again or f"{commands.of('report', f'--workdir={path.parent}')} makes the run's end again"
    return ValueError(f"'{path}' is damaged: {reason.rstrip('.')}. Take it away; {again}.")
