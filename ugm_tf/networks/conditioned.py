"""Networks with a structure that the density asks for: units from the others, and discriminators by projection."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.networks.layers import SpectralNorm, full_precision
from ugm_tf.networks.resnet import resnet

__all__ = ["LeaveOneOut", "leave_one_out", "projection"]

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
    if builder is resnet:
        f = builder([inputs[0]], (), **options)(image)
    else:
        f = keras.layers.LeakyReLU(0.2)(builder([inputs[0]], (features,), **options)(image))
    spectral, last = options.get("normalization") == "spectral", full_precision()
    direction = _dense(f.shape[-1], False, spectral)(vector)
    by_class = keras.layers.Dot(-1, dtype=last)([direction, f])
    logit = keras.layers.Add(dtype=last)([_dense(1, True, spectral, dtype=last)(f), by_class])
    return keras.Model([image, vector], logit, name=name)


def _dense(size: int, bias: bool, spectral: bool, dtype: str | None = None) -> keras.layers.Layer:
    if not spectral:
        return keras.layers.Dense(size, use_bias=bias, dtype=dtype)
    return SpectralNorm(keras.layers.Dense(size, use_bias=False, dtype=dtype), bias=bias, dtype=dtype)
