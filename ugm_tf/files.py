"""Files that are either the old ones or the new ones, whenever a process is killed."""

import os
import pathlib

__all__ = ["write"]


def write(path: str | os.PathLike[str], content: bytes) -> pathlib.Path:
    """Writes a whole file at once: a reader sees the old content or the new, never a part.

    The content goes to a hidden file in the same folder, to the disk, and only then takes the name.

    Args:
        path: The file; its folder is made if need be.
        content: All that it is to hold.

    Returns:
        The path.

    Raises:
        OSError: If the folder cannot be made or written to; what was there is then still there.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path
