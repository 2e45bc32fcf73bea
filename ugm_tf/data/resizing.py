"""Images of one size."""

import numpy as np
import tensorflow as tf

from ugm_tf import arguments

__all__ = ["centre", "check_image_size", "resized", "square"]


def check_image_size(image_size: int | None) -> None:
    """Refuses a size that no image can have.

    Args:
        image_size: Height and width in pixels, or None.

    Raises:
        ValueError: If it is no whole number of at least 1.
    """
    if image_size is not None:
        arguments.count("load()", "image_size", image_size)


def square(images, image_size: int) -> np.ndarray:
    """The largest centred square of each image, resized with antialiasing.

    Args:
        images: uint8 [N, H, W, C].
        image_size: Height and width S of the result; images of that size come back unchanged.

    Returns:
        uint8 [N, S, S, C].
    """
    height, width = images.shape[1:3]
    if (height, width) == (image_size, image_size):
        return np.asarray(images)
    return resized(centre(images), tf.constant([image_size, image_size])).numpy()


def centre(images: np.ndarray) -> np.ndarray:
    """The largest centred square of each image, uint8 [N, H, W, C]."""
    height, width = images.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[:, top : top + side, left : left + side]


@tf.function(
    input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8), tf.TensorSpec([2], tf.int32)], autograph=False
)
def resized(images, size):
    """Images of another size, with antialiasing.

    One program for all shapes: op by op takes several times as long for single images.

    Args:
        images: uint8 [N, H, W, C].
        size: Height and width, int32 [2].

    Returns:
        uint8 [N, *size, C]; those of that size already are not changed.
    """
    found = tf.round(tf.image.resize(images, size, antialias=True))
    return tf.cast(tf.clip_by_value(found, 0.0, 255.0), tf.uint8)
