"""DCGAN's convolutional networks, for images of any size."""

from collections.abc import Sequence
from typing import Any

import keras

from ugm_tf.networks.fast import ImageConv2D, ImageConv2DTranspose
from ugm_tf.networks.frame import Frame, Shape, halvings
from ugm_tf.networks.layers import full_precision

__all__ = ["dcgan"]

_SMALLEST = 7  # images are halved until no side is longer: 28 -> 14 -> 7, 32 -> 16 -> 8 -> 4


def dcgan(
    inputs: Sequence[Shape],
    output: Shape,
    filters: int = 64,
    normalization: str = "batch",
    kernel_size: int = 5,
    vectors: str = "channels",
    bounded: bool = False,
    name: str | None = None,
) -> keras.Model:
    """An untrained DCGAN network: a decoder where the output is an image, else an encoder or discriminator.

    Strided convolutions, no pooling and no dense hidden layers; leaky ReLU of slope 0.2 on the way down and ReLU
    on the way up; weights from N(0, 0.02).  Images, vectors and ends are those of every `Frame`.

    Args:
        inputs: Shape of each input without the batch axis: (H, W, C) or (n,).
        output: Shape of the output without the batch axis.
        filters: Channels at the largest scale; doubled at each halving.
        normalization: "batch", "spectral" or "none".  As published, neither the first layer from an image
            nor the last layer is batch-normalised; spectral normalisation is on every layer but a decoder's last.
        kernel_size: Side of the kernels.
        vectors: How a vector beside another input enters: as constant "channels" of an image, or by conditional
            "normalization"; see `Frame`.
        bounded: Whether to hold an output image in [0, 1].
        name: Name of the network.

    Raises:
        ValueError: If an option is not known, or images are of several sizes.

    References:
        Alec Radford, Luke Metz, Soumith Chintala. Unsupervised Representation Learning with Deep
        Convolutional Generative Adversarial Networks. ICLR 2016. https://arxiv.org/abs/1511.06434, section 3.
    """
    return _Dcgan(normalization, vectors, filters, kernel_size).network(inputs, output, bounded, name)


class _Dcgan(Frame):
    kind = "dcgan"
    normalizations = ("batch", "spectral", "none")

    def __init__(self, normalization: str, vectors: str, filters: int, kernel_size: int):
        super().__init__(normalization, vectors)
        self.filters, self.kernel_size = filters, kernel_size

    def initializer(self) -> Any:
        return keras.initializers.RandomNormal(stddev=0.02)

    def down(self, y: Any, through: bool) -> Any:
        for i in range(len(halvings(y.shape[1:3], _SMALLEST)) - 1):
            y = self._strided(ImageConv2D, y, self.filters * 2**i, normalised=i > 0)
            y = keras.layers.LeakyReLU(0.2)(self._normalised(y) if i > 0 else y)
        return y

    def up(self, y: Any, output: Shape) -> Any:
        *sizes, (height, width) = halvings(output, _SMALLEST)
        stages, last = len(sizes), full_precision()
        if len(y.shape) == 2:
            widest = self.filters * 2 ** max(stages - 1, 0)
            y = self.dense(y, height * width * widest, bias=self.normalization != "batch")
            y = keras.layers.Reshape((height, width, widest))(y)
            y = keras.layers.ReLU()(self._normalised(y))
        for i, size in enumerate(reversed(sizes[1:])):
            y = self._strided(ImageConv2DTranspose, y, self.filters * 2 ** (stages - 2 - i), normalised=True)
            y = keras.layers.ReLU()(self._normalised(self.cropped(y, size)))
        if not stages:
            return self.dense(y, output[-1], dtype=last)
        y = self._strided(ImageConv2DTranspose, y, output[-1], normalised=False, spectral=False, dtype=last)
        return self.cropped(y, output)

    def _strided(self, make: Any, y: Any, filters: int, normalised: bool, **options: Any) -> Any:
        bias = not (normalised and self.normalization == "batch")
        return self.apply(make, y, filters, self.kernel_size, strides=2, padding="same", bias=bias, **options)

    def _normalised(self, y: Any) -> Any:
        return self.normalise(y, gamma_initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02))
