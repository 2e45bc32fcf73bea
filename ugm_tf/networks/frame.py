"""The frame of every convolutional network: ranges of images, vectors beside them, and the ends."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from ugm_tf.networks.fast import FusedBatchNormalization
from ugm_tf.networks.layers import AppendVector, Modulate, SpectralNorm, full_precision
from ugm_tf.networks.mlp import mlp

__all__ = ["VECTORS", "Frame", "Shape", "halvings"]

VECTORS = ("channels", "normalization")

Shape = tuple[int, ...]


class Frame:
    """A convolutional network: a decoder where the output is an image, else an encoder or discriminator.

    Images are in [0, 1] outside the network and in [-1, 1] inside, so that a bounded output is the published tanh.
    Several images are joined by their channels.  An image to an image goes down and up again.  Between vectors there
    is nothing to convolve: that is a dense network.  The last layer computes in the type of the variables, in mixed
    precision too.

    A kind has `down`, `up`, and maybe `features` or `ended`.

    Args:
        normalization: One of the kind's `normalizations`.
        vectors: How a vector beside another input enters; see `VECTORS`.  "channels": as constant channels of an
            image, or joined to a code.  "normalization": as the scale and the offset of each normalisation, a code
            being the first vector then; as channels where nothing is normalised.

    Raises:
        ValueError: If one of them is not known.
    """

    kind: ClassVar[str]
    normalizations: ClassVar[tuple[str, ...]]
    epsilon: ClassVar[float] = 1e-5  # of batch and instance normalisation

    def __init__(self, normalization: str, vectors: str):
        if normalization not in self.normalizations:
            raise ValueError(f"normalization is one of {', '.join(self.normalizations)}. Received: {normalization!r}.")
        if vectors not in VECTORS:
            raise ValueError(f"vectors is one of {', '.join(VECTORS)}. Received: {vectors!r}.")
        self.normalization = normalization
        self.modulates = vectors == "normalization" and normalization in ("batch", "instance")
        self.condition: Any = None

    def down(self, y: Any, through: bool) -> Any:
        """From an image in [-1, 1] to its features, [B, h, w, n]; `through`, if it is to go `up` again."""
        raise NotImplementedError

    def up(self, y: Any, output: Shape) -> Any:
        """From features [B, h, w, n], or from a code [B, n], to an image of unbounded numbers."""
        raise NotImplementedError

    def initializer(self) -> Any:
        """Of a layer's kernel."""
        return "glorot_uniform"

    def features(self, y: Any) -> Any:
        """From the features of an image to a vector, [B, n]."""
        return keras.layers.Flatten()(y)

    def ended(self, y: Any, output: Shape) -> Any:
        """From the features of an image to the output, a vector; to the features as a vector, if it is ()."""
        y = self.features(y)
        return self.dense(y, output[0], dtype=full_precision()) if output else y

    def network(
        self, inputs: Sequence[Shape], output: Shape, bounded: bool = False, name: str | None = None
    ) -> keras.Model:
        """The untrained network.

        Args:
            inputs: Shape of each input without the batch axis: (H, W, C) or (n,).
            output: Shape of the output without the batch axis; () for the features of an image as a vector.
            bounded: Whether to hold an output image in [0, 1].
            name: Name of the network.

        Raises:
            ValueError: If images are of several sizes.
        """
        shapes = [shape for shape in inputs if len(shape) == 3]
        sizes = {tuple(shape[:2]) for shape in (*shapes, *([output] if shapes and len(output) == 3 else ()))}
        if len(sizes) > 1:
            raise ValueError(
                f"A {self.kind} network has one image size on all its sides. Received: {tuple(inputs)} to {output}. "
                "Resize the images, or use 'mlp' or a network of your own."
            )
        if not shapes and len(output) != 3:
            return mlp(inputs, output, activation="leaky_relu", name=name)
        tensors = [keras.Input(shape) for shape in inputs]
        images = [t for t, shape in zip(tensors, inputs, strict=True) if len(shape) == 3]
        vectors = [t for t, shape in zip(tensors, inputs, strict=True) if len(shape) != 3]
        y = self._entered(images, vectors)
        if images:
            y = self.down(y, through=len(output) == 3)
        if len(output) == 3:
            y = self._bounded(self.up(y, output), bounded)
        else:
            y = self.ended(y, output)
        return keras.Model(tensors if len(tensors) > 1 else tensors[0], y, name=name)

    def _entered(self, images: list[Any], vectors: list[Any]) -> Any:
        """What goes into the first layer; a vector that conditions normalisations is kept for them."""
        if not images and self.modulates:
            code, *vectors = vectors
        self.condition = _joined(vectors) if self.modulates else None
        if not images:
            return code if self.modulates else _joined(vectors)
        y = keras.layers.Rescaling(2.0, -1.0)(_joined(images))
        return y if self.modulates or not vectors else AppendVector()([y, _joined(vectors)])

    def _bounded(self, y: Any, bounded: bool) -> Any:
        if not bounded:
            return y
        last = full_precision()
        y = keras.layers.Activation("tanh", dtype=last)(y)
        return keras.layers.Rescaling(0.5, 0.5, dtype=last)(y)

    def apply(self, make: Any, y: Any, *args: Any, bias: bool = True, spectral: bool = True, **options: Any) -> Any:
        """A dense or convolutional layer of the network, spectrally normalised where the network is.

        Args:
            make: Its class.
            y: Its input.
            *args: Its arguments.
            bias: Whether it has one.
            spectral: Whether it is normalised, where others are.
            **options: Its options.
        """
        options = {"kernel_initializer": self.initializer(), **options}
        if self.normalization == "spectral" and spectral:
            return SpectralNorm(make(*args, use_bias=False, **options), bias=bias, dtype=options.get("dtype"))(y)
        return make(*args, use_bias=bias, **options)(y)

    def dense(self, y: Any, size: int, **options: Any) -> Any:
        """A dense layer; see `apply`."""
        return self.apply(keras.layers.Dense, y, size, **options)

    def normalise(self, y: Any, conditional: bool = True, **options: Any) -> Any:
        """A batch or instance normalisation, by the vector beside the input if there is one; else y as it is.

        Args:
            y: [B, h, w, n].
            conditional: Whether a vector may scale and shift it.
            **options: Those of the layer.
        """
        own = self.condition is None or not conditional
        if self.normalization == "batch":
            options = {"momentum": 0.9, "epsilon": self.epsilon, "center": own, "scale": own, **options}
            y = FusedBatchNormalization(**options)(y)
        elif self.normalization == "instance":
            y = keras.layers.GroupNormalization(-1, epsilon=self.epsilon, center=False, scale=False)(y)
        return y if own else Modulate()([y, self.condition])

    def cropped(self, y: Any, size: Sequence[int]) -> Any:
        """An image without the rows and columns by which it is larger than this size."""
        if tuple(y.shape[1:3]) == tuple(size[:2]):
            return y
        return keras.layers.Cropping2D(((0, y.shape[1] - size[0]), (0, y.shape[2] - size[1])))(y)


def halvings(shape: Sequence[int], smallest: int) -> list[tuple[int, int]]:
    """Sizes from an image's own down, halved until no side is longer than `smallest`: (28, 28), (14, 14), (7, 7)."""
    sizes = [(shape[0], shape[1])]
    while max(sizes[-1]) > smallest:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _joined(tensors: list[Any]) -> Any:
    """Tensors side by side on the last axis; None of none."""
    if len(tensors) < 2:
        return tensors[0] if tensors else None
    return keras.layers.Concatenate()(tensors)
