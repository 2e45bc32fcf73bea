"""Where examples lie: in memory, or in a file that is mapped into it and may be larger."""

import functools
import hashlib
import json
import logging
import math
import os
import pathlib
import shutil
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from ugm_tf import files
from ugm_tf.data.examples import check_memory
from ugm_tf.data.fingerprints import Fingerprint

__all__ = ["STORAGES", "as_tensor", "check_storage", "stored"]

STORAGES = ("memory", "mapped")
_ALIGNED = 64  # bytes; TensorFlow copies arrays that begin elsewhere
_CHUNK = 2**24  # bytes hashed at once
_FORMAT = 1  # of the file and of what is written into it; another one is prepared anew
_LOG = logging.getLogger(__package__)


def check_storage(storage: str) -> None:
    """Refuses a storage that there is not.

    Args:
        storage: "memory" or "mapped".

    Raises:
        ValueError: If it is another.
    """
    if storage not in STORAGES:
        raise ValueError(f"A storage is one of {', '.join(STORAGES)}. Received: storage={storage!r}.")


def stored(
    chunks: Iterable[np.ndarray],
    size: int,
    shape: Sequence[int],
    *,
    storage: str,
    cache_dir: str | None,
    origin: Fingerprint,
    title: str,
    split: str,
) -> np.ndarray:
    """Images in memory, or in a file of the cache folder, which is written at the first time and mapped from then on.

    The file is written beside its place and moved there when it is whole and on the disk, so that it is there whole or
    not at all; its checksum is compared before it is used.  Its name is that of the data's fingerprint: other data, or
    the same read otherwise, have another file.

    Args:
        chunks: The images in order, uint8 [n, H, W, C] each; not read where the file is there.
        size: How many there are, N.
        shape: (H, W, C) of one.
        storage: "memory" or "mapped".
        cache_dir: Where the file lies; None is `ugm_tf` in the user's cache folder.
        origin: What identifies the data and how they are read.
        title: The data set's name, for messages.
        split: The split's name.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        ValueError: If they do not fit in memory, or the file cannot be written.
    """
    if storage == "memory":
        check_memory(title, size, shape)
        x = _empty((size, *shape))
        at = 0
        for chunk in chunks:
            x[at : at + len(chunk)] = chunk
            at += len(chunk)
        return x
    folder = files.cache_folder(cache_dir)
    file = folder / f"{origin.derived(split=split, format=_FORMAT).digest}.npy"
    if not _is_whole(file):
        try:
            _write(file, chunks, (size, *shape), f"{title}/{split}")
        except OSError as error:
            raise ValueError(
                f"'{title}' cannot be prepared in '{folder}': {error.strerror or error}. Make room there, or give "
                "another folder: cache_dir=DIR (--cache_dir=DIR)."
            ) from error
    return np.load(file, mmap_mode="r")


def as_tensor(x: np.ndarray) -> tf.Tensor:
    """A tensor on the CPU that shares an array's memory, mapped or not; of an array that is not aligned, a copy's.

    Args:
        x: Any numbers; not to be changed as long as the tensor is used.
    """
    if not x.flags.c_contiguous or x.ctypes.data % _ALIGNED or not x.size:
        copy = _empty(x.shape, x.dtype)
        copy[...] = x
        x = copy
    return tf.experimental.dlpack.from_dlpack(np.asarray(_Lent(x)).__dlpack__())


class _Lent:
    """An array as it is, but for the flag that says that it is read-only, with which NumPy lends it to nobody."""

    def __init__(self, x: np.ndarray):
        self.kept = x
        self.__array_interface__ = {**x.__array_interface__, "data": (x.ctypes.data, False)}


def _empty(shape: Sequence[int], dtype: np.typing.DTypeLike = np.uint8) -> np.ndarray:
    number = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(number + _ALIGNED, np.uint8)
    first = -raw.ctypes.data % _ALIGNED
    return raw[first : first + number].view(dtype).reshape(shape)


def _write(file: pathlib.Path, chunks: Iterable[np.ndarray], shape: tuple[int, ...], title: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft, number = file.with_name(f".{file.stem}.{os.getpid()}.tmp"), math.prod(shape)
    if shutil.disk_usage(file.parent).free < number:
        raise OSError(f"{number / 2**30:.1f} GiB are needed there, and there are less")
    _LOG.info("%s: preparing %s images in '%s' (%.2f GiB), once.", title, f"{shape[0]:,}", file, number / 2**30)
    try:
        with open(draft, "wb") as opened:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(opened, header)  # its length is a multiple of 64
            done, said = 0, 1
            for chunk in chunks:
                opened.write(np.ascontiguousarray(chunk).tobytes())
                done += len(chunk)
                if done >= said * shape[0] / 10 and done < shape[0]:
                    _LOG.info("%s: %s of %s images are prepared.", title, f"{done:,}", f"{shape[0]:,}")
                    said = 1 + 10 * done // shape[0]
            opened.flush()
            os.fsync(opened.fileno())
        found = {"sha256": _checksum(draft), "bytes": draft.stat().st_size, "data": title}
        note = draft.with_suffix(".json")
        note.write_text(json.dumps(found))
        os.replace(draft, file)
        os.replace(note, file.with_suffix(".json"))
    finally:
        draft.unlink(missing_ok=True)
        draft.with_suffix(".json").unlink(missing_ok=True)


def _is_whole(file: pathlib.Path) -> bool:
    try:
        note = json.loads(file.with_suffix(".json").read_text())
        status = file.stat()
        if (
            status.st_size == note["bytes"]
            and _checked(str(file), status.st_size, status.st_mtime_ns) == note["sha256"]
        ):
            return True
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):  # what cannot be read is as good as damaged
        pass
    _LOG.warning("The prepared file '%s' is damaged. It is prepared anew.", file)
    return False


@functools.cache
def _checked(file: str, size: int, changed: int) -> str:
    del size, changed  # parts of the key: a file is read through once a process, if it stays the same
    return _checksum(pathlib.Path(file))


def _checksum(file: pathlib.Path) -> str:
    found = hashlib.sha256()
    with open(file, "rb") as opened:
        while content := opened.read(_CHUNK):
            found.update(content)
    return found.hexdigest()
