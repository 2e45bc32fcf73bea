"""Files of named arrays with a checksum: whole, or known to be damaged."""

import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf import files

__all__ = ["Damaged", "read", "write"]

_MAGIC = b"ugm_tf.state.1\n"
_LENGTH = 8  # bytes of the header's length
_DIGEST = hashlib.sha256().digest_size


class Damaged(Exception):
    """A file is not what was written."""


def write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    about: Mapping[str, Any],
    over: pathlib.Path | None = None,
) -> None:
    """Writes arrays as one file, which is there whole or not at all.

    It holds a line that names the format; the length of the header in 8 bytes, lowest first; the header, JSON with
    `about` and each array's name, type and shape; the arrays' bytes; and the SHA-256 of all before.

    Args:
        path: The file.
        arrays: By name, in the order in which `read` gives them.
        about: What else to keep, as JSON has it.
        over: A file in whose place on the disk to write; see `files.replacing`.

    Raises:
        OSError: If it cannot be written; what was there is then still there.
    """
    kinds = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    header = json.dumps({**about, "arrays": kinds}).encode()
    digest = hashlib.sha256()
    with files.replacing(path, over) as draft, open(draft, "wb" if over is None else "r+b") as file:
        start = (_MAGIC, len(header).to_bytes(_LENGTH, "little"), header)
        for part in itertools.chain(start, (array.tobytes() for array in arrays.values())):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())
        file.truncate()


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and what was said about them.

    Raises:
        Damaged: If the file is not byte for byte what was written.
        OSError: If it cannot be read.
    """
    content = memoryview(pathlib.Path(path).read_bytes())
    if len(content) < len(_MAGIC) + _LENGTH + _DIGEST:
        raise Damaged(f"it has {len(content)} bytes only")
    if hashlib.sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
        raise Damaged(f"its checksum is not that of its {len(content)} bytes")
    if content[: len(_MAGIC)] != _MAGIC:
        raise Damaged("it is of another format")
    at = len(_MAGIC) + _LENGTH
    end = at + int.from_bytes(content[len(_MAGIC) : at], "little")
    about = json.loads(bytes(content[at:end]))
    arrays = {}
    for name, kind, shape in about.pop("arrays"):
        dtype = np.dtype(tf.as_dtype(kind).as_numpy_dtype)  # NumPy alone does not know bfloat16
        size = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(content, dtype, size, end).reshape(shape)
        end += size * dtype.itemsize
    return arrays, about
