"""Images as a feature network takes them: resized with antialiasing, in its channels and its range."""

import numpy as np
import tensorflow as tf

from ugm_tf.evaluation.checks import check_count, check_images

__all__ = ["resize"]


def resize(images: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Images resized as clean-fid does it: bicubic with antialiasing, in floats, not rounded to 8 bits, clipped to [0,
    1].

    The kernel is Keys's with a = -1/2, widened by the factor of shrinking: that of Pillow.

    Args:
        images: In [0, 1], [N, H, W, C].
        size: Height and width of the result, in one number or two.

    Returns:
        float32 [N, height, width, C]; images of that size come back as they are.

    References:
        Gaurav Parmar, Richard Zhang, Jun-Yan Zhu. On Aliased Resizing and Surprising Subtleties in GAN Evaluation.
        CVPR 2022. https://arxiv.org/abs/2104.11222, section 3.
    """
    images = check_images("Images to resize", images, least=1).astype(np.float32)
    height, width = (size, size) if isinstance(size, int) else size
    check_count("The height to resize to", height)
    check_count("The width to resize to", width)
    if images.shape[1:3] == (height, width):
        return images
    resized = tf.image.resize(images, [height, width], method="bicubic", antialias=True)
    return np.clip(resized.numpy(), 0.0, 1.0)
