"""DCGAN's convolutional networks, for images of any size."""

from collections.abc import Sequence
from typing import Any

import keras

from ugm_tf.networks.fast import FusedBatchNormalization, ImageConv2D, ImageConv2DTranspose
from ugm_tf.networks.layers import AppendVector, SpectralNorm, full_precision
from ugm_tf.networks.mlp import mlp

__all__ = ["NORMALIZATIONS", "dcgan"]

NORMALIZATIONS = ("batch", "spectral", "none")
_SMALLEST = 7  # images are halved until no side is longer: 28 -> 14 -> 7, 32 -> 16 -> 8 -> 4

Shape = tuple[int, ...]


def dcgan(
    inputs: Sequence[Shape],
    output: Shape,
    filters: int = 64,
    normalization: str = "batch",
    kernel_size: int = 5,
    bounded: bool = False,
    name: str | None = None,
) -> keras.Model:
    """An untrained DCGAN network: a decoder where the output is an image, else an encoder or discriminator.

    Strided convolutions, no pooling and no dense hidden layers; leaky ReLU of slope 0.2 on the way down and ReLU
    on the way up; weights from N(0, 0.02).  Images are in [0, 1] outside the network and in [-1, 1] inside, so that
    a bounded output is the published tanh.  Vectors beside an image enter as constant channels; an image to an
    image goes down and up again.  Between vectors there is nothing to convolve: that is a dense network.

    Args:
        inputs: Shape of each input without the batch axis: (H, W, C) or (n,).
        output: Shape of the output without the batch axis.
        filters: Channels at the largest scale; doubled at each halving.
        normalization: "batch", "spectral" or "none".  As published, neither the first layer from an image
            nor the last layer is batch-normalised; spectral normalisation is on every layer but a decoder's last.
        kernel_size: Side of the kernels.
        bounded: Whether to hold an output image in [0, 1].
        name: Name of the network.

    Raises:
        ValueError: If `normalization` is not known, or images are of several sizes.

    References:
        Alec Radford, Luke Metz, Soumith Chintala. Unsupervised Representation Learning with Deep
        Convolutional Generative Adversarial Networks. ICLR 2016. https://arxiv.org/abs/1511.06434, section 3.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization is one of {', '.join(NORMALIZATIONS)}. Received: {normalization!r}.")
    images = [shape for shape in inputs if len(shape) == 3]
    sizes = {tuple(shape[:2]) for shape in (*images, *([output] if images and len(output) == 3 else ()))}
    if len(sizes) > 1:
        raise ValueError(
            f"A dcgan network has one image size on all its sides. Received: {tuple(inputs)} to {output}. "
            "Resize the images, or use 'mlp' or a network of your own."
        )
    if not images and len(output) != 3:
        return mlp(inputs, output, activation="leaky_relu", name=name)
    tensors = [keras.Input(shape) for shape in inputs]
    vectors = [t for t, shape in zip(tensors, inputs, strict=True) if len(shape) != 3]
    vector = keras.layers.Concatenate()(vectors) if len(vectors) > 1 else (vectors[0] if vectors else None)
    layer = _Layers(normalization, kernel_size)
    if images:
        y = _down(
            layer, [t for t, shape in zip(tensors, inputs, strict=True) if len(shape) == 3], vector, images[0], filters
        )
    else:
        y = vector
    y = (
        _up(layer, y, output, filters, bounded)
        if len(output) == 3
        else layer.dense(keras.layers.Flatten()(y), output[0], dtype=full_precision())
    )
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], y, name=name)


class _Layers:
    """Makes the layers of one network, with its normalisation and DCGAN's initialisation."""

    def __init__(self, normalization: str, kernel_size: int):
        self.normalization, self.kernel_size = normalization, kernel_size

    def _apply(self, make: Any, y: Any, *args: Any, bias: bool, spectral: bool = True, **kwargs: Any) -> Any:
        options = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), **kwargs}
        if self.normalization == "spectral" and spectral:
            return SpectralNorm(make(*args, use_bias=False, **options), bias=bias, dtype=options.get("dtype"))(y)
        return make(*args, use_bias=bias, **options)(y)

    def normalise(self, y: Any) -> Any:
        if self.normalization != "batch":
            return y
        gamma = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
        return FusedBatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma)(y)

    def dense(self, y: Any, size: int, normalised: bool = False, **options: Any) -> Any:
        bias = not (normalised and self.normalization == "batch")
        return self._apply(keras.layers.Dense, y, size, bias=bias, **options)

    def convolve(self, y: Any, filters: int, normalised: bool) -> Any:
        bias = not (normalised and self.normalization == "batch")
        return self._apply(ImageConv2D, y, filters, self.kernel_size, strides=2, padding="same", bias=bias)

    def deconvolve(self, y: Any, filters: int, last: bool) -> Any:
        return self._apply(
            ImageConv2DTranspose,
            y,
            filters,
            self.kernel_size,
            strides=2,
            padding="same",
            bias=last or self.normalization != "batch",
            spectral=not last,
        )


def _halvings(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes from the image's own down to the smallest."""
    sizes = [(height, width)]
    while max(sizes[-1]) > _SMALLEST:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _down(layer: _Layers, images: list[Any], vector: Any, shape: Shape, filters: int) -> Any:
    y = keras.layers.Concatenate()(images) if len(images) > 1 else images[0]
    y = keras.layers.Rescaling(2.0, -1.0)(y)
    if vector is not None:
        y = AppendVector()([y, vector])
    for i in range(len(_halvings(*shape[:2])) - 1):
        y = layer.convolve(y, filters * 2**i, normalised=i > 0)
        y = layer.normalise(y) if i > 0 else y
        y = keras.layers.LeakyReLU(0.2)(y)
    return y


def _up(layer: _Layers, y: Any, output: Shape, filters: int, bounded: bool) -> Any:
    sizes = _halvings(*output[:2])
    height, width = sizes[-1]
    stages = len(sizes) - 1
    if len(y.shape) == 2:
        widest = filters * 2 ** max(stages - 1, 0)
        y = layer.dense(y, height * width * widest, normalised=True)
        y = keras.layers.Reshape((height, width, widest))(y)
        y = keras.layers.ReLU()(layer.normalise(y))
    for i, (height, width) in enumerate(reversed(sizes[:-1])):
        last = i == stages - 1
        y = layer.deconvolve(y, output[-1] if last else filters * 2 ** (stages - 2 - i), last)
        if y.shape[1:3] != (height, width):
            y = keras.layers.Cropping2D(((0, y.shape[1] - height), (0, y.shape[2] - width)))(y)
        if not last:
            y = keras.layers.ReLU()(layer.normalise(y))
    if not stages:
        y = layer.dense(y, output[-1])
    if bounded:
        y = keras.layers.Rescaling(0.5, 0.5)(keras.layers.Activation("tanh")(y))
    return y
