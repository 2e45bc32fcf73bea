"""Arrays of an .npz file that are read a few rows at a time, since they may be larger than memory."""

import contextlib
import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ugm_tf.data.checks import checked_data
from ugm_tf.data.fingerprints import digest, in_words

__all__ = ["NpzArray", "readable"]

_UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error),
    *(KeyError, OverflowError, RuntimeError),  # of headers, of sizes, of what is encrypted or packed otherwise
)
_CHUNK = 2**24  # bytes read at once
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@contextlib.contextmanager
def readable(path: str) -> Iterator[None]:
    """Within it, whatever NumPy and zip say of a file is a refusal of that file.

    Raises:
        ValueError: If it cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        raise ValueError(f"There is no file '{path}' (data 'npz:{path}').") from None
    except _UNREADABLE as error:
        raise ValueError(f"'{path}' is not an .npz file that NumPy can read without pickle: {error}.") from error


class NpzArray:
    """Examples as they lie in an open .npz file, checked.

    Images without channels get one, and vectors of double precision become single.

    Args:
        file: What `np.load` gave.
        key: The array's name in it.
        path: The file's path, and
        title: the name of the examples, for messages.

    Attributes:
        shape: Of the examples, [N, H, W, C] or [N, D].
        dtype: Theirs, uint8 or float32.
        largest: The largest number.
        identity: What identifies the array as it is stored; see `fingerprints.array_digest`.

    Raises:
        ValueError: If they are neither images nor vectors, or the file is damaged.
    """

    def __init__(self, file: Any, key: str, path: str, title: str):
        self._file, self._path, self._whole = file, path, None
        names = file.zip.namelist()
        self._member = key if key in names else f"{key}.npy"
        with readable(path):
            self._stored, self._dtype, by_columns = self._header()
            if by_columns or self._dtype.hasobject:  # the latter is refused by NumPy
                self._whole = file[key]
        grey = len(self._stored) == 3 and self._dtype == np.uint8
        double = len(self._stored) == 2 and self._dtype == np.float64
        self.shape = (*self._stored, 1) if grey else self._stored
        self.dtype = np.dtype(np.float32) if double else self._dtype
        images = len(self.shape) == 4 and self.dtype == np.uint8 and self.shape[-1] in (1, 3)
        vectors = len(self.shape) == 2 and self.dtype == np.float32
        if not (images or vectors) or not math.prod(self.shape) or not self._looked_through():
            with readable(path):
                x = file[key]
            checked_data(x.astype(self.dtype, copy=False).reshape(self.shape), title)  # which says what is wrong

    def __len__(self) -> int:
        return self.shape[0]

    def chunks(self) -> Iterator[np.ndarray]:
        """The examples in order, some at a time."""
        for chunk in self._chunks():
            yield chunk.astype(self.dtype, copy=False).reshape(-1, *self.shape[1:])

    def digests(self) -> list[str]:
        """What identifies each example, [N]; of equal ones by their number among their like, since rows of a table may
        be equal by chance."""
        each = b"".join(hashlib.sha256(row.tobytes()).digest()[:8] for chunk in self.chunks() for row in chunk)
        contents = np.frombuffer(each, ">u8")
        order, places = np.argsort(contents, kind="stable"), np.arange(len(contents))
        first = np.append(True, np.diff(contents[order]) != 0)
        numbers = np.empty_like(places)
        numbers[order] = places - np.maximum.accumulate(np.where(first, places, 0))
        pairs = zip(contents.tolist(), numbers.tolist(), strict=True)
        return [digest(f"{content:016x} {number}".encode()) for content, number in pairs]

    def _header(self) -> tuple[tuple[int, ...], np.dtype, bool]:
        with self._file.zip.open(self._member) as opened:
            version = np.lib.format.read_magic(opened)
            if version not in _HEADERS:
                raise ValueError(f"an array has a header of version {version[0]}.{version[1]}")
            shape, by_columns, dtype = _HEADERS[version](opened)
            if any(size < 0 for size in shape):
                raise ValueError(f"an array has a header of the shape {list(shape)}")
            return shape, dtype, by_columns

    def _chunks(self) -> Iterator[np.ndarray]:
        """The array as it is stored."""
        number, row = self._stored[0], math.prod(self._stored[1:]) * self._dtype.itemsize
        most = max(1, _CHUNK // row)
        if self._whole is not None:
            yield from (self._whole[start : start + most] for start in range(0, number, most))
            return
        with self._file.zip.open(self._member) as opened:
            _HEADERS[np.lib.format.read_magic(opened)](opened)
            for start in range(0, number, most):
                with readable(self._path):
                    content = opened.read(min(most, number - start) * row)
                    chunk = np.frombuffer(content, self._dtype).reshape(-1, *self._stored[1:])
                    if len(chunk) < min(most, number - start) or (start + most >= number and opened.read(1)):
                        raise EOFError("an array is longer or shorter than its header says")  # or its checksum wrong
                yield chunk

    def _looked_through(self) -> bool:
        """Finds all that takes a look at each number; returns whether all are finite."""
        found = hashlib.sha256()
        self.largest = -np.inf
        for stored in self._chunks():
            found.update(np.ascontiguousarray(stored).tobytes())
            chunk = stored.astype(self.dtype, copy=False)
            if self.dtype != np.uint8 and not np.isfinite(chunk).all():
                return False
            self.largest = max(self.largest, chunk.max())
        self.identity = in_words(self._dtype, self._stored, found.hexdigest())
        return True
