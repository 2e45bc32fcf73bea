"""Where examples lie: in memory, in a file that is mapped into it and may be larger, or in the files they came in."""

import logging
import math
import mmap
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.data import prepared
from ugm_tf.data.fingerprints import Fingerprint
from ugm_tf.data.image_files import ImageFiles

__all__ = ["STORAGES", "as_tensor", "check_memory", "check_storage", "empty", "in_order", "storage_of", "stored"]

STORAGES = ("memory", "mapped", "files")
MAX_BYTES = 8 * 2**30  # what is kept in memory unless it is asked for
_ALIGNED = 64  # bytes; TensorFlow copies arrays that begin elsewhere
_GROUP = pathlib.Path("/sys/fs/cgroup/memory.max")  # a container's own limit
_LOG = logging.getLogger(__package__)


def check_storage(storage: str | None) -> None:
    """Refuses a storage that there is not.

    Args:
        storage: "memory", "mapped" or "files"; or None.

    Raises:
        ValueError: If it is another.
    """
    if storage is not None and storage not in STORAGES:
        raise ValueError(f"A storage is one of {', '.join(STORAGES)}. Received: storage={storage!r}.")


def storage_of(x: Any) -> str:
    """Where examples lie that are given as an array: "memory"; "mapped", of a file; or "files"."""
    if isinstance(x, ImageFiles):
        return "files"
    while isinstance(x, np.ndarray):
        x = x.base
    return "mapped" if isinstance(x, mmap.mmap) else "memory"


def in_order(chunks: Iterable[np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
    """Each chunk with its place, where they come one after the other."""
    at = 0
    for chunk in chunks:
        yield slice(at, at + len(chunk)), chunk
        at += len(chunk)


def stored(
    chunks: Iterable[prepared.Placed],
    shape: Sequence[int],
    dtype: np.typing.DTypeLike = np.uint8,
    *,
    storage: str | None,
    cache_dir: str | None,
    origin: Fingerprint,
    title: str,
    split: str,
) -> np.ndarray:
    """Examples in memory, or in a file that is prepared at the first time and mapped from then on; see `prepared`.

    Args:
        chunks: The examples and their places, which cover all; not read where the file is there.
        shape: Of all of them: (N, H, W, C) or (N, D).
        dtype: Theirs.
        storage: "memory"; "mapped"; or None, which is memory for what it is large enough for.
        cache_dir: Where the file lies; None is `ugm_tf` in the user's cache folder.
        origin: What identifies the data and how they are read.
        title: The data set's name, for messages.
        split: The split's name.

    Returns:
        An array of this shape and dtype; not to be changed.

    Raises:
        ValueError: If they do not fit in memory, or the file cannot be written.
    """
    size, words = math.prod(shape) * np.dtype(dtype).itemsize, f"{title}/{split}"
    if storage is None:
        storage = "memory" if size <= _kept() else "mapped"
        if storage == "mapped":
            _LOG.info(
                "%s is larger than %.1f GiB: it is mapped from a file, and not kept in memory.", words, _kept() / 2**30
            )
    if storage == "mapped":
        return prepared.mapped(chunks, tuple(shape), np.dtype(dtype), cache_dir, origin, title, split)
    check_memory(title, size)
    x = empty(shape, dtype)
    for places, chunk in prepared.whole(chunks, shape[0], f"{words}: %s of %s examples are read."):
        x[places] = chunk
    return x


def check_memory(title: str, size: int) -> None:
    """Refuses data that plainly would not fit in this machine's memory, before they are read.

    Args:
        title: The data set's name, for messages.
        size: In bytes.

    Raises:
        ValueError: If they would take more than there is.
    """
    there = _memory()
    if size > there:
        raise ValueError(
            f"'{title}' would take {size / 2**30:.1f} GiB of memory, and this machine has {there / 2**30:.1f} GiB. "
            "Leave storage='memory' (--storage=memory) out, and what is read of a folder, a file or TFDS is mapped "
            "from a file; or choose smaller images, such as image_size=64 (--image_size=64)."
        )


def as_tensor(x: np.ndarray) -> tf.Tensor:
    """A tensor on the CPU that shares an array's memory, mapped or not; of an array that is not aligned, a copy's.

    Args:
        x: Any numbers; not to be changed as long as the tensor is used.
    """
    if not x.flags.c_contiguous or x.ctypes.data % _ALIGNED or not x.size:
        copy = empty(x.shape, x.dtype)
        copy[...] = x
        x = copy
    return tf.experimental.dlpack.from_dlpack(np.asarray(_Lent(x)).__dlpack__())


class _Lent:
    """An array as it is, but for the flag that says that it is read-only, with which NumPy lends it to nobody."""

    def __init__(self, x: np.ndarray):
        self.kept = x
        self.__array_interface__ = {**x.__array_interface__, "data": (x.ctypes.data, False)}


def empty(shape: Sequence[int], dtype: np.typing.DTypeLike = np.uint8) -> np.ndarray:
    """An array to be filled, which lies so that `as_tensor` need not copy it."""
    number = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(number + _ALIGNED, np.uint8)
    first = -raw.ctypes.data % _ALIGNED
    return raw[first : first + number].view(dtype).reshape(shape)


def _kept() -> int:
    """How many bytes are kept in memory unless it is asked for."""
    return min(MAX_BYTES, _memory() // 2)


def _memory() -> int:
    """Bytes of memory that this process may have."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = _GROUP.read_text().strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical
