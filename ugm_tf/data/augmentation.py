"""Images that are flipped and shifted as they are read: functions of a seed, a step and a row's place in the batch."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ugm_tf.data.examples import Examples

__all__ = ["AUGMENTATIONS", "augmented", "check_augmentation"]

AUGMENTATIONS = ("flip", "shift")
_Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # of images and words of random bits, int32 [B, 2]


def check_augmentation(examples: Examples, augment: str | Sequence[str]) -> tuple[_Change, ...]:
    """The changes that are asked for, in their order.

    Args:
        examples: What is to be changed.
        augment: "flip", an image with left and right exchanged in half of all cases; "shift(n)", one that is moved by
            up to n pixels down and to the right, each number from -n to n being as likely as another, where its border
            is repeated.  Or several of them.

    Returns:
        Functions for `augmented`.

    Raises:
        ValueError: If one is not known or comes twice, the examples are no images, or would be shifted out of sight.
    """
    texts = (augment,) if isinstance(augment, str) else tuple(augment)
    if texts and not examples.is_image:
        raise ValueError(
            f"{examples.title} holds vectors, and augment={texts} is of images. Leave it out, or give a data set of "
            "images."
        )
    found = [re.fullmatch(r"\s*(?:(flip)|(shift)\((\d+)\))\s*", text) for text in texts]
    names = [match[1] or match[2] for match in found if match]
    if len(names) < len(texts) or len(set(names)) < len(names):
        raise ValueError(
            "augment takes 'flip' and 'shift(n)' with a number of pixels, such as 'shift(2)', each at most once. "
            f"Received: augment={texts}."
        )
    return tuple(_change(examples, int(match[3]) if match[2] else None) for match in found if match)


def augmented(x: tf.Tensor, changes: Sequence[_Change], seed: Any) -> tf.Tensor:
    """Images with each change made.

    Args:
        x: [B, H, W, C], of any type.
        changes: From `check_augmentation`.
        seed: Two integers; row i is a function of them, of i and of the image alone.

    Returns:
        Images of the shape and type of x.
    """
    if not changes:
        return x
    shape = [tf.shape(x)[0], 4]  # four words are a block of philox: one for each row
    words = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.int32, alg="philox")
    for i, change in enumerate(changes):
        x = tf.ensure_shape(change(x, words[:, 2 * i : 2 * i + 2]), x.shape)
    return x


def _change(examples: Examples, most: int | None) -> _Change:
    """A shift by so many pixels at most; a flip of None."""
    if most is None:
        return _flipped
    if not 1 <= most < min(examples.shape[:2]):
        raise ValueError(
            f"shift(n) is by 1 pixel at least, and by less than a side: {examples.title} has images of "
            f"{examples.shape[0]}x{examples.shape[1]}. Received: shift({most})."
        )
    return lambda x, words: _shifted(x, _uniform(words, most))


def _flipped(x: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
    return tf.where((words[:, 0] < 0)[:, None, None, None], x[:, :, ::-1], x)


def _uniform(words: tf.Tensor, most: int) -> tf.Tensor:
    """Whole numbers from -most to most."""
    bits = tf.cast(tf.bitcast(words, tf.uint32), tf.int64)
    return tf.cast(tf.bitwise.right_shift(bits * (2 * most + 1), tf.constant(32, tf.int64)), tf.int32) - most


def _shifted(x: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
    """Images moved by [B, 2] pixels down and to the right."""
    for axis in (1, 2):
        size = x.shape[axis]
        places = tf.clip_by_value(tf.range(size)[None] - by[:, axis - 1, None], 0, size - 1)
        x = tf.gather(x, places, axis=axis, batch_dims=1)
    return x
