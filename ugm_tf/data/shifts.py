"""A second domain from a first one: the same images, seen otherwise."""

import dataclasses
import zlib
from collections.abc import Callable

import numpy as np

from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.storage import check_memory, empty

__all__ = ["SHIFTS", "shifted"]

_CHUNK = 2**22  # numbers changed at once
_COARSE = 3  # points across a texture, between which it is smooth
_Shift = Callable[[np.ndarray, np.random.RandomState], np.ndarray]


def _background(x: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    return _difference(x, _texture(x.shape, rng))


def _noisy(x: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    return _difference(x, rng.randint(0, 128, x.shape))


_SHIFTS: dict[str, _Shift] = {
    "background": _background,
    "mirrored": lambda x, rng: x[:, :, ::-1],
    "negative": lambda x, rng: 255 - x,
    "noisy": _noisy,
    "rotated": lambda x, rng: np.rot90(x, axes=(1, 2)),
}
SHIFTS = tuple(_SHIFTS)


def shifted(examples: Examples, shift: str, seed: int = 0) -> Examples:
    """The same images in another domain.

    | shift | an image becomes |
    |---|---|
    | "background" | \\|x - texture\\|, with a smooth random texture of levels 0 to 127 for each image |
    | "mirrored" | itself, left and right exchanged |
    | "negative" | 255 - x |
    | "noisy" | \\|x - noise\\|, with a level from 0 to 127 for each pixel and channel |
    | "rotated" | itself, turned by 90 degrees against the clock |

    "background" is made after MNIST-M, whose textures are patches of photographs.  Labels are kept, so that a
    model that never saw them can be evaluated.

    Args:
        examples: Images.
        shift: One of `SHIFTS`.
        seed: Fixes textures and noise, with the name of the examples and their split; from 0 to 2**32 - 1.

    Returns:
        `Examples` of as many images, in the same order.

    Raises:
        ValueError: If there is no such shift, the examples are no images, images that are not square are
            to be rotated, or they do not fit in memory.

    Example:

    >>> digits = ugm_tf.data.load("digits", "test")
    >>> ugm_tf.data.shifted(digits, "negative")
    Examples(digits, negative/test: 250 of shape (8, 8, 1), uint8, 10 classes)

    References:
        Yaroslav Ganin et al. Domain-Adversarial Training of Neural Networks. JMLR 17, 2016.
        https://arxiv.org/abs/1505.07818, section 5.2.4: MNIST-M.
    """
    if shift not in _SHIFTS:
        raise ValueError(f"A shift is one of {', '.join(SHIFTS)}. Received: shift={shift!r}.")
    if not examples.is_image:
        raise ValueError(
            f"{examples.title} holds vectors, and shift='{shift}' is of images. Give a data set of images."
        )
    height, width = examples.shape[:2]
    if shift == "rotated" and height != width:
        raise ValueError(
            f"{examples.title} has images of {height}x{width}, and shift='rotated' is of square ones. Load them with "
            "image_size, or choose another shift."
        )
    rng = np.random.RandomState([seed, zlib.crc32(examples.title.encode())])  # its streams never change
    check_memory(f"{examples.title}, {shift}", examples.x.nbytes)
    x = empty(examples.x.shape)
    few = max(1, _CHUNK // x[0].size)
    for start in range(0, len(x), few):
        rows = slice(start, start + few)
        x[rows] = _SHIFTS[shift](np.asarray(examples.x[rows]), rng)
    result = dataclasses.replace(examples, x=x, name=f"{examples.name}, {shift}")
    return loaded(result, examples, shift=f"{shift} by seed {seed}")


def _difference(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(x.astype(np.int16) - other.astype(np.int16)).astype(np.uint8)


def _texture(shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    """Levels 0 to 127, [N, H, W, C]: random at a few points across, and linear between them."""
    number, height, width, channels = shape
    coarse = rng.randint(0, 128, (number, _COARSE, _COARSE, channels))
    down, right = _between(height), _between(width)
    return np.rint(np.einsum("hi,wj,nijc->nhwc", down, right, coarse, optimize=True))


def _between(size: int) -> np.ndarray:
    """Weights of the coarse points at each of `size` places, [size, _COARSE]: of at most two, and 1 in sum."""
    at = np.linspace(0, _COARSE - 1, size)
    return np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(_COARSE)))
