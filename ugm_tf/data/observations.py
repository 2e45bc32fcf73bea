"""How a stored image becomes the x that a likelihood scores.

A likelihood has a support: a Bernoulli scores bits, a continuous Bernoulli scores [0, 1], a
discretised logistic scores the 256 levels.  The observation is therefore an explicit choice.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.data.examples import Examples
from ugm_tf.data.storage import empty
from ugm_tf.splitmix import next_word

__all__ = ["OBSERVATIONS", "observe", "static_bits", "support", "unpacked"]

_SUPPORTS = {"grey": "levels", "dequantised": "unit", "binarised": "binary", "static": "binary", "raw": "real"}
OBSERVATIONS = tuple(_SUPPORTS)
_STATIC_CHUNK = 1_000  # images binarised at once, and so a part of what "static" means


def support(observation: str) -> str:
    """The set of values that an observation can take, to be checked against a likelihood's support.

    | observation | x is | support |
    |---|---|---|
    | "grey" | n / 255 | "levels": n / 255 for n = 0...255 |
    | "dequantised" | (n + u) / 256, u uniform on [0, 1), fresh in each epoch | "unit": [0, 1] |
    | "binarised" | 1 with probability n / 255, fresh in each epoch | "binary": 0 or 1 |
    | "static" | the same, drawn once for each example | "binary": 0 or 1 |
    | "raw" | the vector as it is | "real": any number |

    Args:
        observation: One of `OBSERVATIONS`.

    Returns:
        "levels", "unit", "binary" or "real".

    Raises:
        ValueError: If there is no such observation.

    References:
        Ruslan Salakhutdinov, Iain Murray. On the Quantitative Analysis of Deep Belief
        Networks. ICML 2008 (binarised). Benigno Uria, Iain Murray, Hugo Larochelle. RNADE. NIPS
        2013. https://arxiv.org/abs/1306.0186 (dequantised).
    """
    if observation not in _SUPPORTS:
        raise ValueError(f"An observation is one of {', '.join(OBSERVATIONS)}. Received: observation={observation!r}.")
    return _SUPPORTS[observation]


def check_observation(examples: Examples, observation: str) -> None:
    """Refuses an observation that the examples cannot have.

    Args:
        examples: What is to be observed.
        observation: One of `OBSERVATIONS`.

    Raises:
        ValueError: If there is no such observation, or images are asked for raw, or
            vectors are asked for as an image is.
    """
    support(observation)
    if examples.is_image and observation == "raw":
        raise ValueError(
            f"{examples.title} holds images, and observation='raw' is for vectors. "
            "Choose one of grey, dequantised, binarised, static."
        )
    if not examples.is_image and observation != "raw":
        raise ValueError(
            f"{examples.title} holds vectors of {examples.shape[0]} real numbers, which cannot be "
            f"observed as observation={observation!r}. Choose observation='raw'."
        )


def observe(x: Any, observation: str, seed: Any) -> tf.Tensor:
    """Stored examples as a likelihood sees them.

    Noise has 16 bits a pixel, so a probability is exact to 2**-16, and 0 and 1 are exact.

    Args:
        x: uint8 [B, H, W, C]; float32 [B, D] for "raw"; for "static" the bits of `static_bits`, unpacked.
        observation: One of `OBSERVATIONS`.
        seed: Two integers; the noise is a pure function of them and of the shape of x.

    Returns:
        float32, of the shape of x.
    """
    x = tf.convert_to_tensor(x)
    if observation == "grey":
        return tf.cast(x, tf.float32) * (1.0 / 255.0)  # XLA would make this of a division, and other last bits
    if observation == "dequantised":
        return (tf.cast(x, tf.float32) + _bits(x, seed) / 65536.0) / 256.0  # 24 bits: exact, and below 1
    if observation == "binarised":
        return tf.cast(_bernoulli(x, seed), tf.float32)
    return tf.cast(x, tf.float32)


def static_bits(x: Any, seed: int) -> np.ndarray:
    """One fixed binarisation: 1 with probability n / 255, drawn once for each example.

    Args:
        x: uint8 [N, H, W, C].
        seed: An integer.

    Returns:
        Bits for `unpacked`, uint8 [N, P]: eight in a byte, D = H W C of an example in P = ceil(D / 8) bytes.  Example
        n's depend on the seed, on n and on its pixels only.
    """
    size = math.prod(x.shape[1:])
    packed = empty([len(x), -(-size // 8)])
    for start in range(0, len(x), _STATIC_CHUNK):
        chunk = np.asarray(x[start : start + _STATIC_CHUNK])
        padded = np.zeros([_STATIC_CHUNK, *chunk.shape[1:]], np.uint8)
        padded[: len(chunk)] = chunk
        bits = _bernoulli(tf.constant(padded), tf.constant([seed, start], tf.int64))[: len(chunk)]
        packed[start : start + len(chunk)] = np.packbits(bits.numpy().reshape(-1, size), axis=1)
    return packed


def unpacked(bits: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Bits of `static_bits` one by one.

    Args:
        bits: uint8 [B, P].
        shape: (H, W, C).

    Returns:
        0 and 1, uint8 [B, H, W, C].
    """
    places = tf.constant([7, 6, 5, 4, 3, 2, 1, 0], tf.uint8)
    each = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits[..., tf.newaxis], places), tf.constant(1, tf.uint8))
    flat = tf.reshape(each, [-1, 8 * bits.shape[1]])[:, : math.prod(shape)]
    return tf.ensure_shape(tf.reshape(flat, [-1, *shape]), [bits.shape[0], *shape])


def _bits(x, seed):
    """Uniform on 0...2**16 - 1, as floats in the shape of x."""
    size = tf.size(x) if x.shape.num_elements() is None else x.shape.num_elements()
    key = next_word(*tf.unstack(tf.bitcast(tf.cast(seed, tf.int64), tf.uint64)))
    words = next_word(key, tf.cast(tf.range((size + 3) // 4), tf.uint64))
    # 64 random bits serve four pixels, each of another quarter of the batch: XLA makes one vector loop of it.
    quarters = tf.bitwise.right_shift(words, tf.constant([[0], [16], [32], [48]], tf.uint64))
    bits = tf.bitwise.bitwise_and(tf.cast(quarters, tf.int32), tf.constant(0xFFFF))
    return tf.cast(tf.reshape(tf.reshape(bits, [-1])[:size], tf.shape(x)), tf.float32)


def _bernoulli(x, seed):
    return _bits(x, seed) < tf.cast(x, tf.float32) * (65536.0 / 255.0)
