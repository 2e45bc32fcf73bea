"""Dense networks."""

import math
from collections.abc import Sequence

import keras

from ugm_tf.networks.layers import full_precision

__all__ = ["mlp"]

Shape = tuple[int, ...]


def mlp(
    inputs: Sequence[Shape],
    output: Shape,
    hidden: Sequence[int] = (512, 512),
    activation: str = "relu",
    bounded: bool = False,
    name: str | None = None,
) -> keras.Model:
    """An untrained dense network: flattens and joins its inputs, and shapes its output.

    Args:
        inputs: Shape of each input without the batch axis.
        output: Shape of the output without the batch axis.
        hidden: Sizes of the hidden layers.
        activation: Of the hidden layers; "leaky_relu" has slope 0.2.
        bounded: Whether to hold the output in [0, 1] by a sigmoid.
        name: Name of the network.

    Raises:
        ValueError: If a size is not positive.

    Example:

    >>> mlp([(28, 28, 1)], (40,), hidden=(500, 500)).output_shape
    (None, 40)
    """
    if not all(isinstance(size, int) and size >= 1 for size in hidden):
        raise ValueError(f"hidden lists sizes of at least 1, such as (500, 500). Received: {tuple(hidden)}.")
    tensors = [keras.Input(shape) for shape in inputs]
    flat = [keras.layers.Flatten()(t) if len(shape) > 1 else t for t, shape in zip(tensors, inputs, strict=True)]
    y = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    for size in hidden:
        y = keras.layers.Dense(size)(y)
        y = keras.layers.LeakyReLU(0.2)(y) if activation == "leaky_relu" else keras.layers.Activation(activation)(y)
    last = full_precision()
    y = keras.layers.Dense(math.prod(output), activation="sigmoid" if bounded else None, dtype=last)(y)
    if len(output) > 1:
        y = keras.layers.Reshape(output, dtype=last)(y)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], y, name=name)
