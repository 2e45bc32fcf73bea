"""Files that hold a split as it is trained on: prepared once, and mapped into memory."""

import contextlib
import functools
import hashlib
import json
import logging
import math
import os
import pathlib
import shutil
import time
from collections.abc import Iterable, Iterator

import numpy as np

from ugm_tf import files
from ugm_tf.data.fingerprints import Fingerprint

__all__ = ["Placed", "mapped", "whole"]

Placed = tuple[slice | np.ndarray, np.ndarray]  # where some examples belong, and these

_CHUNK = 2**24  # bytes hashed at once
_FORMAT = 1  # of the file and of what is written into it; another one is prepared anew
_SAID = 10.0  # seconds between two lines on progress
_LONG = 2**30  # bytes that take a while to be read through
_WAIT = 0.5  # seconds between two looks at whether another process is done
_LOG = logging.getLogger(__package__)


def mapped(
    chunks: Iterable[Placed],
    shape: tuple[int, ...],
    dtype: np.dtype,
    cache_dir: str | None,
    origin: Fingerprint,
    title: str,
    split: str,
) -> np.ndarray:
    """Examples in a file of the cache folder, which is written at the first time and mapped from then on.

    The file is written beside its place and moved there when it is whole and on the disk, so that it is there whole or
    not at all; its checksum is compared before it is used.  Its name is that of the data's fingerprint: other data, or
    the same read otherwise, have another file.  One process prepares it, and others that want it wait.

    Args:
        chunks: The examples and their places; not read where the file is there.
        shape: Of all of them.
        dtype: Theirs.
        cache_dir: Where the file lies; None is `ugm_tf` in the user's cache folder.
        origin: What identifies the data and how they are read.
        title: The data set's name, for messages.
        split: The split's name.

    Returns:
        The mapped array, which cannot be written to.

    Raises:
        ValueError: If the file cannot be written.
    """
    folder = files.cache_folder(cache_dir)
    file = folder / f"{origin.derived(split=split, format=_FORMAT).digest}.npy"
    try:
        if not _is_whole(file):
            with _alone(file):
                if not _is_whole(file):  # else another process has just prepared it
                    if file.exists() and _note(file).exists():
                        _LOG.warning("The prepared file '%s' is damaged. It is prepared anew.", file)
                    _write(file, chunks, shape, dtype, f"{title}/{split}")
        return np.load(file, mmap_mode="r")
    except OSError as error:
        raise ValueError(
            f"'{title}' cannot be prepared in '{folder}': {error.strerror or error}. Make room there, or give "
            "another folder: cache_dir=DIR (--cache_dir=DIR)."
        ) from error


def whole(chunks: Iterable[Placed], size: int, words: str) -> Iterator[Placed]:
    """The chunks as they are, with a line on progress now and then.

    Args:
        chunks: Some examples and their places.
        size: Number of all examples.
        words: The line, with a place for how many there are already, and for how many there will be.

    Raises:
        ValueError: If there are more or less than all.
    """
    done, said = 0, time.monotonic()
    for places, chunk in chunks:
        yield places, chunk
        done += len(chunk)
        if time.monotonic() - said >= _SAID:
            said = time.monotonic()
            _LOG.info(words, f"{done:,}", f"{size:,}")
    if done != size:
        raise ValueError(f"{words % (f'{done:,}', f'{size:,}')} Were the data changed meanwhile?")


def _write(file: pathlib.Path, chunks: Iterable[Placed], shape: tuple[int, ...], dtype: np.dtype, title: str) -> None:
    """Prepares a file; its lock is held."""
    for draft in file.parent.glob(f".{file.stem}.*.tmp*"):  # of one that was killed
        draft.unlink(missing_ok=True)
    number = math.prod(shape) * dtype.itemsize
    if shutil.disk_usage(file.parent).free < number:
        raise OSError(f"{number / 2**30:.1f} GiB are needed there, and there are less")
    _LOG.info("%s: preparing %s examples in '%s' (%.2f GiB), once.", title, f"{shape[0]:,}", file, number / 2**30)
    with files.replacing(file) as draft:
        with open(draft, "w+b", buffering=0) as opened:
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(opened, header)  # its length is a multiple of 64
            first, row = opened.tell(), number // shape[0]
            for places, chunk in whole(chunks, shape[0], f"{title}: %s of %s examples are prepared."):
                content = np.ascontiguousarray(chunk, dtype)
                if isinstance(places, slice):
                    _put(opened.fileno(), content.tobytes(), first + places.start * row)
                    continue
                for place, example in zip(places.tolist(), content, strict=True):
                    _put(opened.fileno(), example.tobytes(), first + place * row)
        found = {"sha256": _checksum(draft), "bytes": draft.stat().st_size, "data": title}
    files.write(_note(file), json.dumps(found).encode())


def _put(descriptor: int, content: bytes, offset: int) -> None:
    while content:  # a disk that is nearly full takes a part of it, and then none
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written


@contextlib.contextmanager
def _alone(file: pathlib.Path) -> Iterator[None]:
    """Within it, no other process prepares the file: whoever began first is waited for."""
    with contextlib.ExitStack() as stack:
        said = False
        while True:
            try:
                stack.enter_context(files.locked(file.with_name(f".{file.stem}.lock")))
                break
            except files.Locked as locked:
                if not said:
                    _LOG.info("'%s' is being prepared by %s: waiting for it.", file, locked.holder)
                said = True
                time.sleep(_WAIT)
        yield


def _note(file: pathlib.Path) -> pathlib.Path:
    return file.with_suffix(".json")


def _is_whole(file: pathlib.Path) -> bool:
    try:
        note, status = json.loads(_note(file).read_text()), file.stat()
        return (
            status.st_size == note["bytes"]
            and _checked(str(file), status.st_size, status.st_mtime_ns) == note["sha256"]
        )
    except (OSError, ValueError, KeyError, TypeError):  # it is not there, or what cannot be read is as good as damaged
        return False


@functools.cache
def _checked(file: str, size: int, changed: int) -> str:
    del changed  # a part of the key: a file is read through once a process, if it stays the same
    if size > _LONG:
        _LOG.info("Reading '%s' through (%.1f GiB), to compare its checksum.", file, size / 2**30)
    return _checksum(pathlib.Path(file))


def _checksum(file: pathlib.Path) -> str:
    found = hashlib.sha256()
    with open(file, "rb") as opened:
        while content := opened.read(_CHUNK):
            found.update(content)
    return found.hexdigest()
