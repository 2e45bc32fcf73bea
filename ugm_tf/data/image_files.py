"""Images that stay in their files, and are read when they are asked for."""

import concurrent.futures
import contextlib
import functools
import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import PIL.Image
import tensorflow as tf

from ugm_tf.data.pixels import Colour, read
from ugm_tf.data.resizing import centre, resized, square

__all__ = ["ImageFiles", "Unread", "in_threads", "naming_files"]

_CHUNK = 256  # images read at once
_PORTION = 10_000
_THREADS = min(16, os.cpu_count() or 1)


class Unread(ValueError):
    """A file that was an image when the data were looked through is not the same any more."""


class ImageFiles:
    """An array of images, uint8 [N, H, W, C], whose rows are read from their files.

    It has the shape and the length of that array.  `images[3]` reads an image; `images[rows]`, of a slice or of rows,
    reads nothing yet; `np.asarray(images)` reads all.

    Args:
        files: The path of each.
        digests: The SHA-256 of each file, in hexadecimal digits: an image is that of the file that was looked at, or
            none.
        grey: Whether images have one channel, and not three.
        background: The colour behind transparent pixels.
        image_size: The size that the largest centred square of each is resized to; None where all have one size.
        shape: (H, W, C).
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(
        self,
        files: Sequence[str],
        digests: Sequence[str],
        grey: bool,
        background: Colour,
        image_size: int | None,
        shape: tuple[int, int, int],
    ):
        self._files, self._digests = np.asarray(files, object), np.asarray(digests, object)
        self._how = (grey, background, image_size, shape)
        self._grey, self._background, self._size, _ = self._how
        self.shape = (len(files), *shape)
        self.size = self.nbytes = int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            return self._read(np.array([rows]))[0]
        return ImageFiles(self._files[rows], self._digests[rows], *self._how)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = np.empty(self.shape, np.uint8)
        at = 0
        for chunk in self.chunks():
            found[at : at + len(chunk)] = chunk
            at += len(chunk)
        return found if dtype is None else found.astype(dtype, copy=False)

    def chunks(self) -> Iterator[np.ndarray]:
        """All images in order, a few at a time."""
        for start in range(0, len(self), _CHUNK):
            yield self._read(np.arange(start, min(start + _CHUNK, len(self))))

    def gather(self, rows: tf.Tensor) -> tf.Tensor:
        """Images in a graph, bit for bit those that `np.asarray` gives.

        Args:
            rows: Which ones, integers [B].

        Returns:
            uint8 [B, H, W, C].
        """
        if self._size is None:
            images = tf.numpy_function(self._read, [rows], tf.uint8, stateful=False)
        else:  # no program of TensorFlow is called from Python within one: they would wait for one another
            size = tf.constant([self._size, self._size])

            def one(row: tf.Tensor) -> tf.Tensor:
                image = tf.numpy_function(self._centre, [row], tf.uint8, stateful=False)
                return resized(tf.ensure_shape(image, [None, None, self.shape[-1]])[tf.newaxis], size)[0]

            spec = tf.TensorSpec(self.shape[1:], tf.uint8)
            images = tf.map_fn(one, rows, fn_output_signature=spec, parallel_iterations=2 * _THREADS)
        return tf.ensure_shape(images, [rows.shape[0], *self.shape[1:]])

    def _read(self, rows: np.ndarray) -> np.ndarray:
        images, size = in_threads(self._pixels, rows.tolist()), self._size
        if size is None:
            return np.stack(images)
        if len({image.shape for image in images}) == 1:
            return square(np.stack(images), size)
        return np.stack(in_threads(lambda image: square(image[np.newaxis], size)[0], images))

    def _centre(self, row: Any) -> np.ndarray:
        return centre(self._pixels(int(row))[np.newaxis])[0]

    def _pixels(self, row: int) -> np.ndarray:
        """One image as it is in its file."""
        file, problem = self._files[row], ""
        try:
            with open(file, "rb") as opened:
                content = opened.read()
            if hashlib.sha256(content).hexdigest() == self._digests[row]:
                return read(file, self._grey, self._background, content)
        except OSError as error:
            problem = f"cannot be read any more: {error.strerror or error}"
        raise Unread(
            f"'{file}' {problem or 'was changed since the data were looked through'}. Put it back as it was, and the "
            "same command goes on; or read the data anew, in another run."
        )


@contextlib.contextmanager
def naming_files() -> Iterator[None]:
    """Within it, an error of TensorFlow's that comes of a file is the one that names it.

    Raises:
        Unread: If a file was changed or taken away.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if found := re.search(rf"{Unread.__name__}: ([^\n]*)", error.message):
            raise Unread(found[1]) from None
        raise


def in_threads(function: Callable, items: Sequence) -> list:
    """What a function gives of each item, which several threads work on."""
    with warnings.catch_warnings():
        # Images that are large and no more than that are read; those that Pillow refuses are refused by name.
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        found: list = []
        for start in range(0, len(items), _PORTION):  # each item waits as an object of its own
            found += _threads().map(function, items[start : start + _PORTION])
        return found


@functools.cache
def _threads() -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(_THREADS)
