"""CycleGAN's networks: an instance-normalised translator of images, and a discriminator of patches."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.networks.frame import Frame, Shape
from ugm_tf.networks.layers import full_precision

__all__ = ["cyclegan"]

_SMALLEST = 8  # pixels a side
_MANY = 9  # blocks of images above 128 pixels, and fewer of others
_FEW, _LARGE = 6, 128


def cyclegan(
    inputs: Sequence[Shape],
    output: Shape,
    filters: int = 64,
    blocks: int | None = None,
    normalization: str = "instance",
    vectors: str = "channels",
    patches: bool = False,
    bounded: bool = False,
    name: str | None = None,
) -> keras.Model:
    """An untrained network of CycleGAN: from an image to an image, or to a map of logits.

    The translator is convolved at full size by 7x7, halved twice, goes through residual blocks and is doubled twice;
    borders are reflections.  The discriminator has a logit for each patch of 70x70, by three strided convolutions of
    4x4 and two that are not; of images below 32 pixels it has fewer strided ones, and sees all of the image.
    Leaky ReLU of slope 0.2 in the discriminator, ReLU in the translator; weights from N(0, 0.02).  Images, vectors and
    ends are those of every `Frame`.

    Args:
        inputs: Shape of each input without the batch axis: (H, W, C), or (n,) beside one.
        output: Shape of the output without the batch axis: (H, W, C), or (1,) of a discriminator.
        filters: Channels at the largest scale; doubled at each halving.
        blocks: Residual blocks; None is as published, 9 of images above 128 pixels and 6 of others.
        normalization: "instance", "batch" or "none".  As published, neither the discriminator's first layer nor a last
            one is normalised, and a scale and an offset are not learned.
        vectors: How a vector beside an image enters: as constant "channels", or by conditional "normalization"; see
            `Frame`.
        patches: Whether it is a discriminator, whose output is a map [h, w, 1]; `ugm_tf.networks.build` says so.
        bounded: Whether to hold an output image in [0, 1].
        name: Name of the network.

    Raises:
        ValueError: If an option is not known, or if there is no image to translate or to judge, or a small one.

    References:
        Jun-Yan Zhu et al. Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks. ICCV 2017.
        https://arxiv.org/abs/1703.10593, section 7.2 of the appendix.
    """
    images = [shape for shape in inputs if len(shape) == 3]
    if not images or len(output) != (1 if patches else 3):
        raise ValueError(
            "cyclegan networks go from images to images, and a discriminator's to logits of patches. Received: "
            f"{tuple(inputs)} to {tuple(output)}. Use 'dcgan' or 'resnet' for codes."
        )
    if min(images[0][:2]) < _SMALLEST:
        raise ValueError(
            f"cyclegan networks are of images of at least {_SMALLEST} pixels a side. Received: {images[0]}."
        )
    return _Cyclegan(normalization, vectors, filters, blocks).network(inputs, output, bounded, name)


class _Cyclegan(Frame):
    kind = "cyclegan"
    normalizations = ("instance", "batch", "none")

    def __init__(self, normalization: str, vectors: str, filters: int, blocks: int | None):
        super().__init__(normalization, vectors)
        self.filters, self.blocks = filters, blocks

    def initializer(self) -> Any:
        return keras.initializers.RandomNormal(stddev=0.02)

    def down(self, y: Any, through: bool) -> Any:
        return self._halved(y) if through else self._judged(y)

    def up(self, y: Any, output: Shape) -> Any:
        large = max(output[:2]) > _LARGE
        for _ in range((_MANY if large else _FEW) if self.blocks is None else self.blocks):
            short = y
            y = self._active(self._reflected(y, y.shape[-1], 3))
            y = keras.layers.Add()([short, self.normalise(self._reflected(y, y.shape[-1], 3))])
        sizes = [(-(-output[0] // 2), -(-output[1] // 2)), (output[0], output[1])]
        for i, size in enumerate(sizes):
            filters = self.filters * 2 ** (1 - i)
            y = self._apply(keras.layers.Conv2DTranspose, y, filters, 3, strides=2, padding="same")
            y = self._active(self.cropped(y, size))
        return self._reflected(y, output[-1], 7, last=True)

    def ended(self, y: Any, output: Shape) -> Any:
        return self._padded(y, 1, last=True)

    def _halved(self, y: Any) -> Any:
        y = self._active(self._reflected(y, self.filters, 7))
        for i in (1, 2):
            y = self._active(self._apply(keras.layers.Conv2D, y, self.filters * 2**i, 3, strides=2, padding="same"))
        return y

    def _judged(self, y: Any) -> Any:
        strided = next((n for n, side in ((3, 32), (2, 16)) if min(y.shape[1:3]) >= side), 1)
        for i in range(strided):
            y = self._apply(keras.layers.Conv2D, y, self.filters * 2**i, 4, i > 0, strides=2, padding="same")
            y = keras.layers.LeakyReLU(0.2)(self.normalise(y) if i else y)
        y = self._padded(y, self.filters * 2**strided)
        return keras.layers.LeakyReLU(0.2)(self.normalise(y))

    def _active(self, y: Any) -> Any:
        return keras.layers.ReLU()(self.normalise(y))

    def _apply(self, make: Any, y: Any, filters: int, size: int, normalised: bool = True, **options: Any) -> Any:
        return self.apply(make, y, filters, size, bias=not (normalised and self.normalization == "batch"), **options)

    def _reflected(self, y: Any, filters: int, size: int, last: bool = False) -> Any:
        y = Reflect(size // 2)(y)
        return self._apply(keras.layers.Conv2D, y, filters, size, not last, dtype=full_precision() if last else None)

    def _padded(self, y: Any, filters: int, last: bool = False) -> Any:
        y = keras.layers.ZeroPadding2D(1)(y)
        return self._apply(keras.layers.Conv2D, y, filters, 4, not last, dtype=full_precision() if last else None)


@keras.saving.register_keras_serializable(package="ugm_tf")
class Reflect(keras.layers.Layer):
    """Pads images [B, H, W, C] by so many pixels on each side, which mirror those behind the border.

    Args:
        size: Number of pixels, below H and W.
    """

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        y = inputs
        for axis in (1, 2):
            n = y.shape[axis]
            before = tf.gather(y, list(range(self.size, 0, -1)), axis=axis)
            after = tf.gather(y, list(range(n - 2, n - 2 - self.size, -1)), axis=axis)
            y = tf.concat([before, y, after], axis)
        return y

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, height, width, channels = input_shape
        return (batch, height + 2 * self.size, width + 2 * self.size, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
