"""Versions that appear whole or not at all, whenever an exporter is killed and however many there are."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Collection, Iterator

import tensorflow as tf

__all__ = ["check_version", "drafted", "locked", "publish", "retire", "versions"]

_DRAFT = ".tmp-"  # on the same disk as the versions, and no number: servers pass it by
_HIGHEST = 2**63 - 1  # that a server has room for


def versions(base: pathlib.Path) -> list[int]:
    """The numbers of the versions below a base path, the lowest first."""
    names = [path.name for path in base.iterdir() if path.is_dir()] if base.is_dir() else []
    return sorted(int(name) for name in names if re.fullmatch("0|[1-9][0-9]*", name) and int(name) <= _HIGHEST)


def check_version(base: pathlib.Path, version: int | None, keep: int | None) -> None:
    """Refuses, before work starts, a version that cannot be written.

    Raises:
        ValueError: If `version` is no positive number or exists, or `keep` is no positive number.
    """
    if version is not None and (type(version) is not int or not 1 <= version <= _HIGHEST):
        raise ValueError(
            f"A version is a positive number, or None for the next one, and at most 2**63 - 1. Received: {version!r}."
        )
    if keep is not None and (type(keep) is not int or keep < 1):
        raise ValueError(f"keep is the number of versions to keep, at least 1, or None for all. Received: {keep!r}.")
    if version is None:
        _next(base)
    elif (base / str(version)).exists():
        raise ValueError(_taken(base, version))


@contextlib.contextmanager
def drafted(base: pathlib.Path) -> Iterator[pathlib.Path]:
    """A hidden folder in `base` to write a version to; it is gone at the end, unless it was published.

    This process holds a lock on it.  Drafts without one are of exporters that died, and are removed.

    Raises:
        ValueError: If `base` cannot be written to, at the beginning or later, as when the disk is full.
    """
    draft = base / f"{_DRAFT}{uuid.uuid4().hex}"
    lock, is_new = None, not base.exists()
    try:
        with contextlib.suppress(FileExistsError):  # a file of that name is found below to be no directory
            base.mkdir(parents=True, exist_ok=True)
        with locked(base):
            _clear(base)
            draft.mkdir(parents=True)  # another exporter that failed may have removed what was empty
            with contextlib.suppress(OSError):
                lock = _lock(draft)
        yield draft
    except OSError as error:
        raise ValueError(_unwritable(base, error.strerror or str(error))) from error
    except (
        tf.errors.ResourceExhaustedError,
        tf.errors.PermissionDeniedError,
    ) as error:  # the disk's
        raise ValueError(_unwritable(base, error.message.partition(";")[2].strip() or error.message)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # there is none if it was published
        if lock is not None:
            os.close(lock)
        if is_new:
            with contextlib.suppress(OSError):
                base.rmdir()  # of nothing that was published


def publish(draft: pathlib.Path, base: pathlib.Path, version: int | None, keep: int | None) -> pathlib.Path:
    """Moves a finished draft to its version, which exists from then on, whatever happens to the machine.

    Args:
        draft: The draft.
        base: Where the versions lie.
        version: Its number; one more than the highest there if it is None.
        keep: How many versions to keep, the highest ones and this one; None for all.

    Returns:
        The version directory.

    Raises:
        ValueError: If another exporter took that version meanwhile.
        OSError: If the disk refuses.
    """
    for path in (*draft.rglob("*"), draft):
        _sync(path)
    with locked(base):
        target = base / str(_next(base) if version is None else version)
        if target.exists():
            raise ValueError(_taken(base, int(target.name)))
        draft.rename(target)
        _sync(base)
        if keep is not None:
            _retire(base, keep, {int(target.name)})
    return target


def retire(base: pathlib.Path, keep: int, spare: Collection[int]) -> None:
    """Removes all versions but the highest and those to spare: each first loses its name, so none is there in part.

    Args:
        base: Where the versions lie.
        keep: How many of the highest to keep.
        spare: Numbers of versions that stay in any case.
    """
    with locked(base):
        _retire(base, keep, spare)


def _next(base: pathlib.Path) -> int:
    """One more than the highest version, or the first above that is free.

    Raises:
        ValueError: If the highest is the highest that there can be.
    """
    number = max(versions(base), default=0) + 1
    while os.path.lexists(base / str(number)):
        number += 1
    if number > _HIGHEST:
        raise ValueError(f"{base} has version {number - 1:,}, and servers know none above. Give a version.")
    return number


def _retire(base: pathlib.Path, keep: int, spare: Collection[int]) -> None:
    for number in versions(base)[:-keep]:
        if number not in spare:
            away = base / f"{_DRAFT}{uuid.uuid4().hex}"
            (base / str(number)).rename(away)
            shutil.rmtree(away, ignore_errors=True)


def _clear(base: pathlib.Path) -> None:
    for draft in base.glob(f"{_DRAFT}*"):
        with contextlib.suppress(OSError):  # alive, or gone meanwhile, or on a disk without locks
            lock = _lock(draft, wait=False)
            try:
                shutil.rmtree(draft, ignore_errors=True)
            finally:
                os.close(lock)


@contextlib.contextmanager
def locked(base: pathlib.Path) -> Iterator[None]:
    """One exporter at a time in a folder; on a disk without locks, each as it comes."""
    lock = None
    with contextlib.suppress(OSError):
        lock = _lock(base)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _lock(folder: pathlib.Path, wait: bool = True) -> int:
    """An open file that holds a lock on a folder until it is closed, or this process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sync(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _taken(base: pathlib.Path, version: int) -> str:
    return f"{base / str(version)} exists, and a served version is never changed. Give another version, or none."


def _unwritable(base: pathlib.Path, reason: str) -> str:
    return f"Cannot write to {base}: {reason.rstrip('.')}. Give a directory that can be written, on a disk with room."
