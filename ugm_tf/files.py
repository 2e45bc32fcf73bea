"""Files that are either the old ones or the new ones, whenever a process is killed, and folders of one writer."""

import contextlib
import fcntl
import os
import pathlib
import socket
from collections.abc import Callable, Iterator
from typing import TextIO

_HELD: set[TextIO] = set()  # files of the locks of this process

__all__ = ["Locked", "cache_folder", "locked", "remove_drafts", "replacing", "sync", "write"]


class Locked(Exception):
    """Another process holds the lock.

    Attributes:
        holder: What it has written about itself, such as "process 1234 on host".
    """

    def __init__(self, holder: str):
        super().__init__(f"Locked by {holder}.")
        self.holder = holder


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], over: pathlib.Path | None = None) -> Iterator[pathlib.Path]:
    """A draft to write a whole file to: it takes the file's name where the block ends well, and else is gone.

    The draft is a hidden file in the same folder, with the file's suffix.  It goes to the disk before it is renamed,
    and so does the folder after: a reader sees the old content or the new, never a part, after a power cut too.

    Args:
        path: The file; its folder is made if need be.
        over: A file of the same folder that becomes the draft, and is lost: what is written takes its room on the disk.

    Yields:
        The draft's path, where there is no file yet, unless it is that one.

    Raises:
        OSError: If the folder cannot be made or written to; what was there is then still there.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        if over is not None:
            os.replace(over, draft)
        yield draft
        sync(draft)
        os.replace(draft, path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write(path: str | os.PathLike[str], content: bytes) -> pathlib.Path:
    """Writes a whole file at once; see `replacing`.

    Args:
        path: The file; its folder is made if need be.
        content: All that it is to hold.

    Returns:
        The path.

    Raises:
        OSError: If the folder cannot be made or written to; what was there is then still there.
    """
    with replacing(path) as draft:
        draft.write_bytes(content)
    return pathlib.Path(path)


def cache_folder(folder: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """Where files lie that can be made again.

    Args:
        folder: Where the user wants them; None is `ugm_tf` in the user's cache folder.
    """
    usual = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "ugm_tf"
    return pathlib.Path(folder or usual).expanduser()


def sync(path: str | os.PathLike[str]) -> None:
    """Waits until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_drafts(folder: str | os.PathLike[str]) -> None:
    """Removes what writers that were killed have left in a folder; no other writer may be at work there."""
    for path in pathlib.Path(folder).glob(".*.tmp*"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[Callable[[], bool]]:
    """Holds a lock, which the system frees however the process ends, also where a fork of it lives on.

    Args:
        path: The lock's file, which is there as long as it is held; its folder is made if need be.

    Yields:
        Says whether that file is still there: no longer, where its folder was removed meanwhile.

    Raises:
        Locked: If another process holds it.
        OSError: If the file cannot be written.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _acquired(path)
    _HELD.add(file)

    def is_there() -> bool:
        if file.closed:  # in a fork, whose lock it is not
            return False
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
        except (FileNotFoundError, NotADirectoryError):
            return False

    try:
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield is_there
    finally:
        if is_there():  # else it may be another process's, in a folder that was made anew
            path.unlink(missing_ok=True)
        _HELD.discard(file)
        file.close()


def _let_go() -> None:
    """Closes the locks of the process that this one is a fork of, which would hold them after its end."""
    while _HELD:
        _HELD.pop().close()


os.register_at_fork(after_in_child=_let_go)


def _acquired(path: pathlib.Path) -> TextIO:
    """The open file of a lock, which is held."""
    while True:
        file = open(path, "a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise Locked(holder or "another process") from None
        except OSError:  # a file system without locks: to go on without one is better than not at all
            return file
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()  # whoever held it has just removed it
