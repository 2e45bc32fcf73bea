"""SNGAN's residual networks, for images of any size."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.networks.frame import Frame, Shape, halvings
from ugm_tf.networks.layers import full_precision

__all__ = ["POOLINGS", "resnet"]

POOLINGS = ("none", "sum")
_SMALLEST_UP, _SMALLEST_DOWN = 7, 8  # the longest side, below it: of a decoder, and of what goes down small images
_SMALL = 32  # up to this side all blocks are of one width
_DEEP = 5  # halvings of what goes down larger ones
_WIDEST = 16  # times the filters of the largest scale


def resnet(
    inputs: Sequence[Shape],
    output: Shape,
    filters: int | None = None,
    normalization: str = "batch",
    vectors: str = "normalization",
    pooling: str = "none",
    bounded: bool = False,
    name: str | None = None,
) -> keras.Model:
    """An untrained residual network: a decoder where the output is an image, else an encoder or discriminator.

    The blocks of SNGAN: two convolutions of 3x3, between them and on the way in a normalisation and ReLU; nearest
    neighbours on the way up, means on the way down.  At 32, 64 and 128 pixels these are the published networks, with
    normalization="batch" for a decoder, and "spectral" and pooling="sum" for a discriminator; `ugm_tf.networks.build`
    chooses so.  What lies between follows the same rules: up to 32 pixels all blocks are of one width; of larger
    images it doubles at each halving, up to 16 times.  Images, vectors and ends are those of every `Frame`.

    Args:
        inputs: Shape of each input without the batch axis: (H, W, C) or (n,).
        output: Shape of the output without the batch axis; () for the features of an image as a vector.
        filters: Channels at the largest scale.  None is as published: up to 32 pixels 256 of what ends in an image and
            128 of what does not, else 64.
        normalization: "batch", "spectral" or "none".  Spectral normalisation is on every layer but a decoder's last.
        vectors: How a vector beside another input enters: by conditional "normalization", as published, or as constant
            "channels" of an image; see `Frame`.
        pooling: How the features of an image become a vector: "sum" over places, or "none", side by side.
        bounded: Whether to hold an output image in [0, 1].
        name: Name of the network.

    Raises:
        ValueError: If an option is not known, or images are of several sizes.

    References:
        Takeru Miyato et al. Spectral Normalization for Generative Adversarial Networks. ICLR 2018.
        https://arxiv.org/abs/1802.05957, tables 4 to 6.
        Takeru Miyato, Masanori Koyama. cGANs with Projection Discriminator. ICLR 2018.
        https://arxiv.org/abs/1802.05637, figure 14.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"pooling is one of {', '.join(POOLINGS)}. Received: {pooling!r}.")
    return _Resnet(normalization, vectors, filters, pooling).network(inputs, output, bounded, name)


class _Resnet(Frame):
    kind = "resnet"
    normalizations = ("batch", "spectral", "none")
    epsilon = 2e-5

    def __init__(self, normalization: str, vectors: str, filters: int | None, pooling: str):
        super().__init__(normalization, vectors)
        self.filters, self.pooling = filters, pooling

    def down(self, y: Any, through: bool) -> Any:
        longest = max(y.shape[1:3])
        small = longest <= _SMALL
        if through:
            halves = len(halvings(y.shape[1:3], _SMALLEST_UP)) - 1
        elif small:
            halves = max(1, len(halvings(y.shape[1:3], _SMALLEST_DOWN)) - 1)
        else:
            halves = max(_DEEP, len(halvings(y.shape[1:3], 4)) - 1)
        width = self._width(small, image=through)
        widths = [width if small else width * min(2**i, _WIDEST) for i in range(halves)]
        y = self._first(y, widths[0] if widths else width, halve=halves > 0)
        for each in widths[1:]:
            y = self._block(y, each, y.shape[-1], down=True)
        plain = 0 if through else 2 if small else int(max(y.shape[1:3]) > 2)
        for _ in range(plain):
            y = self._block(y, y.shape[-1], y.shape[-1])
        return y

    def features(self, y: Any) -> Any:
        y = keras.layers.ReLU()(self.normalise(y))
        return SumOverPlaces(dtype=full_precision())(y) if self.pooling == "sum" else keras.layers.Flatten()(y)

    def up(self, y: Any, output: Shape) -> Any:
        *sizes, (height, width) = halvings(output, _SMALLEST_UP)
        small = max(output[:2]) <= _SMALL
        filters = self._width(small, image=True)
        widths = [filters if small else filters * min(2**i, _WIDEST) for i in range(len(sizes) + 1)]
        if len(y.shape) == 2:
            y = self.dense(y, height * width * widths[-1])
            y = keras.layers.Reshape((height, width, widths[-1]))(y)
        for size, each in zip(reversed(sizes), reversed(widths[:-1]), strict=True):
            y = self.cropped(self._block(y, each, each, up=True), size)
        y = keras.layers.ReLU()(self.normalise(y, conditional=False))
        return self._convolved(y, output[-1], spectral=False, dtype=full_precision())

    def _width(self, small: bool, image: bool) -> int:
        return ((256 if image else 128) if small else 64) if self.filters is None else self.filters

    def _first(self, y: Any, filters: int, halve: bool) -> Any:
        """The block next to an image, which begins with a convolution, and takes means first on the short way."""
        short = self._convolved(_mean(y) if halve else y, filters, 1)
        y = self._convolved(y, filters, gain=2.0)
        y = self._convolved(keras.layers.ReLU()(self.normalise(y)), filters, gain=2.0)
        return keras.layers.Add()([_mean(y) if halve else y, short])

    def _block(self, y: Any, filters: int, hidden: int, up: bool = False, down: bool = False) -> Any:
        """Two convolutions, and beside them one of 1x1, which is at the lower resolution: the same, at less cost."""
        short = _mean(y) if down else y
        if up or down or filters != y.shape[-1]:
            short = self._convolved(short, filters, 1)
        y = keras.layers.ReLU()(self.normalise(y))
        y = self._convolved(_doubled(y) if up else y, hidden, gain=2.0)
        y = self._convolved(keras.layers.ReLU()(self.normalise(y)), filters, gain=2.0)
        return keras.layers.Add()([_mean(y) if down else y, _doubled(short) if up else short])

    def _convolved(self, y: Any, filters: int, size: int = 3, gain: float = 1.0, **options: Any) -> Any:
        initializer = keras.initializers.VarianceScaling(gain, "fan_avg", "uniform")
        return self.apply(
            keras.layers.Conv2D, y, filters, size, padding="same", kernel_initializer=initializer, **options
        )


def _mean(y: Any) -> Any:
    return keras.layers.AveragePooling2D(2, padding="same")(y)


def _doubled(y: Any) -> Any:
    return keras.layers.UpSampling2D(2)(y)


@keras.saving.register_keras_serializable(package="ugm_tf")
class SumOverPlaces(keras.layers.Layer):
    """The sum of each channel over an image: [B, H, W, C] to [B, C]."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(inputs, [1, 2])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], input_shape[-1])
