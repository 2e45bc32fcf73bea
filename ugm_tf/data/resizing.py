"""Images of one size."""

import numpy as np
import tensorflow as tf

__all__ = ["check_image_size", "square"]


def check_image_size(image_size: int | None) -> None:
    """Refuses a size that no image can have.

    Args:
        image_size: Height and width in pixels, or None.

    Raises:
        ValueError: If it is below 1.
    """
    if image_size is not None and image_size < 1:
        raise ValueError(f"image_size must be at least 1. Received: image_size={image_size}.")


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
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    centre = images[:, top : top + side, left : left + side]
    return _resized(centre, tf.constant([image_size, image_size])).numpy()


@tf.function(
    input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8), tf.TensorSpec([2], tf.int32)], autograph=False
)
def _resized(images, size):  # one program for all shapes: op by op takes several times as long for single images
    resized = tf.round(tf.image.resize(images, size, antialias=True))
    return tf.cast(tf.clip_by_value(resized, 0.0, 255.0), tf.uint8)
