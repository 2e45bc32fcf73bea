"""Networks with a structure that the density asks for: units from the others, and discriminators of pairs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.networks.layers import SpectralNorm, full_precision
from ugm_tf.networks.resnet import resnet

__all__ = ["PAIRED", "LeaveOneOut", "joint", "leave_one_out", "projection"]

Shape = tuple[int, ...]


@keras.saving.register_keras_serializable(package="ugm_tf")
class LeaveOneOut(keras.layers.Layer):
    """[B, n] to [B, n, 2 n]: row i is the input with unit i put to 0, and a one-hot row that says which it was."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        size = inputs.shape[-1]
        which = tf.eye(size, dtype=inputs.dtype)
        others = inputs[:, None, :] * (1.0 - which)
        return tf.concat([others, tf.broadcast_to(which, tf.shape(others))], -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], input_shape[-1], 2 * input_shape[-1])


def leave_one_out(size: int, hidden: Sequence[int] = (128,), name: str | None = None) -> keras.Model:
    """An untrained network of n units to n logits, the i-th from all units but the i-th.

    Args:
        size: n.
        hidden: Sizes of the hidden layers, which the units share.
        name: Name of the network.

    Raises:
        ValueError: If there are no others, n being below 2.
    """
    if size < 2:
        raise ValueError(f"A unit is predicted from the others, of at least 2 units. Received: size={size}.")
    inputs = keras.Input((size,))
    y = LeaveOneOut()(inputs)
    for units in hidden:
        y = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(units)(y))
    last = full_precision()
    y = keras.layers.Reshape((size,), dtype=last)(keras.layers.Dense(1, dtype=last)(y))
    return keras.Model(inputs, y, name=name)


def projection(
    builder: Callable[..., keras.Model],
    inputs: Sequence[Shape],
    features: int = 128,
    name: str | None = None,
    **options: Any,
) -> keras.Model:
    """An untrained discriminator of an image and a vector: logit = u . f(x) + c V f(x), with f from `builder`.

    Args:
        builder: `mlp`, `dcgan` or `resnet`, or one's own.
        inputs: Shapes of the image and of the vector, such as a one-hot class.
        features: Size of f(x); of no use to `resnet`, whose f(x) are its pooled features, as published.
        name: Name of the network.
        **options: Those of `builder`; with normalization="spectral", u and V are normalised as well.

    References:
        Takeru Miyato, Masanori Koyama. cGANs with Projection Discriminator. ICLR 2018.
        https://arxiv.org/abs/1802.05637, equation 3.
    """
    image, vector = keras.Input(inputs[0]), keras.Input(inputs[1])
    f = _features(builder, image, features, options)
    spectral, last = options.get("normalization") == "spectral", full_precision()
    direction = _dense(f.shape[-1], False, spectral)(vector)
    by_class = keras.layers.Dot(-1, dtype=last)([direction, f])
    logit = keras.layers.Add(dtype=last)([_dense(1, True, spectral, dtype=last)(f), by_class])
    return keras.Model([image, vector], logit, name=name)


def joint(
    builder: Callable[..., keras.Model],
    inputs: Sequence[Shape],
    features: int | None = None,
    name: str | None = None,
    **options: Any,
) -> keras.Model:
    """An untrained discriminator of an image and a vector: logit = h(f(x), g(c)), with f from `builder`, g and h dense.

    So are those of pairs of an image and its code: the code has layers of its own, where as channels of the image its
    numbers go through what is learned of colours.

    Args:
        builder: `mlp`, `dcgan` or `resnet`, or one's own.
        inputs: Shapes of the image and of the vector, such as a code.
        features: Size of f(x), but of `resnet`, whose f(x) are its pooled features, and of the two layers of g(c); the
            layer of h has twice as many; by default 256, or 8 for each of fewer than 32 `filters`.
        name: Name of the network.
        **options: Those of `builder`; with normalization="spectral", what is dense is normalised as well.

    References:
        Vincent Dumoulin et al. Adversarially Learned Inference. ICLR 2017.
        https://arxiv.org/abs/1606.00704, appendix A.
    """
    image, vector = keras.Input(inputs[0]), keras.Input(inputs[1])
    spectral = options.get("normalization") == "spectral"
    features = min(256, 8 * options.get("filters", 32)) if features is None else features
    y = vector
    for _ in range(2):
        y = keras.layers.LeakyReLU(0.2)(_dense(features, True, spectral)(y))
    y = keras.layers.Concatenate()([_features(builder, image, features, options), y])
    y = keras.layers.LeakyReLU(0.2)(_dense(2 * features, True, spectral)(y))
    return keras.Model([image, vector], _dense(1, True, spectral, dtype=full_precision())(y), name=name)


PAIRED = {"projection": projection, "joint": joint}  # by what `build` calls them


def _features(builder: Callable[..., keras.Model], image: Any, size: int, options: Mapping[str, Any]) -> Any:
    """f(x): a vector of this size, but where `builder` pools."""
    shape = tuple(image.shape[1:])
    if builder is resnet:
        return builder([shape], (), **options)(image)
    return keras.layers.LeakyReLU(0.2)(builder([shape], (size,), **options)(image))


def _dense(size: int, bias: bool, spectral: bool, dtype: str | None = None) -> keras.layers.Layer:
    if not spectral:
        return keras.layers.Dense(size, use_bias=bias, dtype=dtype)
    return SpectralNorm(keras.layers.Dense(size, use_bias=False, dtype=dtype), bias=bias, dtype=dtype)
