"""Noise of a standard law, from stateless seeds: one seed a batch for training, one a row for serving."""

import math
from typing import Any

import tensorflow as tf

__all__ = ["noise_by_row", "standard_noise"]

_HALF_A_STEP = 2.0**-24  # uniform numbers are multiples of 2**-23, 0 among them; half a step more is inside (0, 1)


def standard_noise(law: str | None, shape: Any, seed: tf.Tensor) -> tf.Tensor | None:
    """Noise by the philox generator: the same with and without XLA, up to the rounding of `ndtri`.

    (The generator that XLA picks on a CPU by itself costs 30 times more per number.  TensorFlow's own laws take
    different bits of a word with and without XLA, even with philox; so the law is made of the bits here.)

    Args:
        law: "normal", "uniform" on the open interval (0, 1), or None for no noise.
        shape: Shape of the noise.
        seed: int32 [2].
    """
    if law is None:
        return None
    bits = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
    return _of_law(law, bits)


def noise_by_row(law: str | None, shape: tuple[int, ...], seeds: tf.Tensor, stream: int = 0) -> tf.Tensor | None:
    """Noise of which row i is a function of seed i alone, [B, *shape], in whatever batch it comes.

    (Normal numbers up to the last bit: TensorFlow rounds them by their place in the batch.)

    TensorFlow's generators take one seed a call, so this is Philox4x32-10 written in integer arithmetic
    over all rows at once: the seed is the key, and the counter is (block, stream, 0, 0).

    Args:
        law: "normal", "uniform" on the open interval (0, 1), or None for no noise.
        shape: Shape of the noise of one row.
        seeds: int32 [B, 2].
        stream: Tells apart several kinds of noise from one seed.

    References:
        John Salmon et al. Parallel Random Numbers: As Easy as 1, 2, 3. SC 2011, section 4.3.
    """
    if law is None:
        return None
    size = math.prod(shape)
    bits = philox(seeds, -(-size // 4), stream)[:, :size]
    return _of_law(law, tf.reshape(bits, [-1, *shape]))


def _of_law(law: str, bits: tf.Tensor) -> tf.Tensor:
    """Words of 32 random bits, the upper 23 of each, as float32 numbers of a law."""
    uniform = tf.cast(tf.bitwise.right_shift(bits, tf.constant(9, bits.dtype)), tf.float32) * 2.0**-23 + _HALF_A_STEP
    return uniform if law == "uniform" else tf.math.ndtri(uniform)


def philox(seeds: tf.Tensor, blocks: int, stream: int = 0) -> tf.Tensor:
    """Random bits by Philox4x32-10, uint64 [B, 4 * blocks] with values below 2**32.

    Args:
        seeds: int32 [B, 2], the keys.
        blocks: Number of blocks of four words a row.
        stream: Second word of the counter.
    """
    low, half = tf.constant(0xFFFFFFFF, tf.uint64), tf.constant(32, tf.uint64)
    keys = tf.bitwise.bitwise_and(tf.cast(tf.cast(seeds, tf.int64), tf.uint64), low)
    zeros = tf.zeros([tf.shape(seeds)[0], blocks], tf.uint64)  # operands of one shape: broadcasting is slower
    key = [keys[:, :1] + zeros, keys[:, 1:] + zeros]
    block = tf.cast(tf.range(blocks)[None, :], tf.uint64)
    counter = [block + zeros, tf.constant(stream, tf.uint64) + zeros, zeros, zeros]
    multipliers = [tf.constant(m, tf.uint64) for m in (0xD2511F53, 0xCD9E8D57)]
    weyl = [tf.constant(w, tf.uint64) for w in (0x9E3779B9, 0xBB67AE85)]
    for _ in range(10):
        first, second = multipliers[0] * counter[0], multipliers[1] * counter[2]
        counter = [
            tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(tf.bitwise.right_shift(second, half), counter[1]), key[0]),
            tf.bitwise.bitwise_and(second, low),
            tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(tf.bitwise.right_shift(first, half), counter[3]), key[1]),
            tf.bitwise.bitwise_and(first, low),
        ]
        key = [tf.bitwise.bitwise_and(k + w, low) for k, w in zip(key, weyl, strict=True)]
    return tf.reshape(tf.stack(counter, -1), [-1, 4 * blocks])
