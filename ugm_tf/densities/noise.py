"""Standard noise, from stateless seeds: one seed and the number of a row for training, a seed a row for serving.

What is drawn here is many small operations, so it is traced once a shape and called from then on by every graph of the
process: a third to a half of the time to trace a training step was noise.
"""

import functools
import math
from typing import Any

import tensorflow as tf

from ugm_tf.splitmix import next_word
from ugm_tf.traced import traced

__all__ = ["fold", "noise_by_row", "standard_noise"]

_MULTIPLIERS, _WEYL = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)  # of Philox4x32
_HALF_A_STEP = 2.0**-24  # uniform numbers are multiples of 2**-23, 0 among them; half a step more is inside (0, 1)


def fold(seed: Any, *numbers: Any) -> tf.Tensor:
    """A seed of its own for each tuple of numbers, int32 [2]: of one seed, two numbers never have the same.

    It is SplitMix64 of the two words as one of 64 bits.  (`stateless_fold_in` is two rounds of Philox, hundreds of
    operations a number: with XLA it took a third of the time to compile a step.)

    Args:
        seed: int32 [2].
        *numbers: Whole numbers, such as the step and the place of a phase, of 32 bits each.
    """
    tensors = [tf.convert_to_tensor(number, tf.int32) for number in (seed, *numbers)]
    return _folding(len(numbers))(*tensors) if numbers else tensors[0]


@functools.cache
def _folding(count: int) -> Any:
    @traced()
    def folded(seed: tf.Tensor, *numbers: tf.Tensor) -> tf.Tensor:
        word = tf.bitcast(seed, tf.uint64)
        for number in numbers:
            word = next_word(word, tf.cast(tf.bitcast(number, tf.uint32), tf.uint64))
        return tf.bitcast(word, tf.int32)

    return folded


def standard_noise(
    kind: str | None,
    shape: Any,
    seed: tf.Tensor,
    axes: int = 1,
    first_row: int | tf.Tensor = 0,
    draws: tuple[int | tf.Tensor, int] | None = None,
) -> tf.Tensor | None:
    """Noise of which row i is a function of the seed and of i alone, however many rows there are: the same with and
    without XLA, up to the rounding of `ndtri`.

    So a batch that several devices share has the noise that it has on one: the counter of Philox4x32-10 is
    (block, row, 0, 0), over all draws and elements of a row.

    (The generator that XLA picks on a CPU by itself costs 30 times more per number, and the philox that
    `tf.random.stateless_uniform` becomes there 6 times more.  TensorFlow's own take different bits of a word with
    and without XLA, even with philox; so numbers are made of the bits here.)

    Args:
        kind: "normal", "uniform" on the open interval (0, 1), or None for no noise.
        shape: Shape of the noise, [*draws, rows, *event].
        seed: int32 [2].
        axes: How many axes lie before those of an event: the last of them are rows, and all others draws.  With 0,
            the noise is one row's.
        first_row: Number of the first row.
        draws: Of the first axis, which is of draws, the number of this part of them and how many equal parts there
            are: the noise is that part of the whole.  None if it is the whole.  A part of a multiple of 4 draws has as
            many of each quarter of the whole, which are the four words of philox's blocks; other parts are draws one
            after the other, and take four times the work.
    """
    if kind is None:
        return None
    shape = tf.convert_to_tensor(shape, tf.int32)
    known = tuple(shape.numpy().tolist()) if tf.executing_eagerly() else tuple(tf.fill(shape, 0).shape)
    axes = min(axes, len(known))  # a scalar is one row
    part, parts = draws or (0, 1)
    others = [tf.convert_to_tensor(number, tf.int32) for number in (seed, first_row, part)]
    noise = _standard_noise(kind, known, axes, parts)(shape, *others)
    return tf.ensure_shape(noise, known)


@functools.cache
def _standard_noise(kind: str, known: tuple[int | None, ...], axes: int, parts: int) -> Any:
    """The function that draws it; `known` is as much of the shape as is known when it is traced."""

    @traced()
    def noise(shape: tf.Tensor, seed: tf.Tensor, first_row: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
        if known:
            shape = tf.stack([shape[i] if size is None else size for i, size in enumerate(known)])
        rows = shape[axes - 1] if axes else tf.constant(1)
        draws, event = tf.reduce_prod(shape[: max(axes - 1, 0)]), tf.reduce_prod(shape[axes:])
        size = draws * event
        key, streams = tf.reshape(seed, [1, 2]), first_row + tf.range(rows)
        if parts == 1:
            bits = philox(key, (size + 3) // 4, streams)[:, :size]
        elif known[0] is not None and known[0] % 4 == 0:
            bits = philox(key, part * (size // 4) + tf.range(size // 4), streams)
        else:
            bits = _words_of(key, part * size + tf.range(size), (parts * size + 3) // 4, streams)
        out = _of_kind(kind, bits)
        if axes > 1:
            out = tf.transpose(tf.reshape(out, tf.stack([rows, draws, event])), [1, 0, 2])
        return tf.reshape(out, shape)

    return noise


def noise_by_row(kind: str | None, shape: tuple[int, ...], seeds: tf.Tensor, stream: int = 0) -> tf.Tensor | None:
    """Noise of which row i is a function of seed i alone, [B, *shape], in whatever batch it comes.

    (Normal numbers up to the last bit: TensorFlow rounds them by their place in the batch.)

    TensorFlow's generators take one seed a call, so this is Philox4x32-10 written in integer arithmetic
    over all rows at once: the seed is the key, and the counter is (block, stream, 0, 0).

    Args:
        kind: "normal", "uniform" on the open interval (0, 1), or None for no noise.
        shape: Shape of the noise of one row.
        seeds: int32 [B, 2].
        stream: Tells apart several kinds of noise from one seed.

    References:
        John Salmon et al. Parallel Random Numbers: As Easy as 1, 2, 3. SC 2011, section 4.3.
    """
    if kind is None:
        return None
    return _noise_by_row(kind, tuple(shape), stream)(tf.convert_to_tensor(seeds, tf.int32))


@functools.cache
def _noise_by_row(kind: str, shape: tuple[int, ...], stream: int) -> Any:
    size = math.prod(shape)

    @traced(input_signature=[tf.TensorSpec([None, 2], tf.int32)])
    def noise(seeds: tf.Tensor) -> tf.Tensor:
        rows = tf.shape(seeds)[0]
        bits = philox(seeds, -(-size // 4), tf.fill([rows], stream))[:, :size]
        return _of_kind(kind, tf.reshape(bits, [rows, *shape]))

    return noise


def _of_kind(kind: str, bits: tf.Tensor) -> tf.Tensor:
    """Words of 32 random bits, the upper 23 of each, as float32 numbers of a kind."""
    uniform = tf.cast(tf.bitwise.right_shift(bits, _word(9)), tf.float32) * 2.0**-23 + _HALF_A_STEP
    return uniform if kind == "uniform" else tf.math.ndtri(uniform)


def _words_of(key: tf.Tensor, places: tf.Tensor, blocks: tf.Tensor, streams: tf.Tensor) -> tf.Tensor:
    """The words at some places, [n], of those that `philox` makes of so many blocks, uint32 [B, n]."""
    four = tf.reshape(philox(key, places % blocks, streams), [tf.size(streams), 4, tf.size(places)])
    words = tf.unstack(four, axis=1)
    which = places // blocks
    return functools.reduce(lambda rest, i: tf.where(which == i, words[i], rest), range(1, 4), words[0])


def philox(seeds: tf.Tensor, blocks: int | tf.Tensor, streams: tf.Tensor) -> tf.Tensor:
    """Random bits by Philox4x32-10, uint32 [B, 4 * blocks]: the first words of all blocks, then the second ones, ...

    (In this order no step moves words about, so XLA runs it all as one loop of vector instructions.)

    Args:
        seeds: int32 [B, 2], the keys; or [1, 2], one for all rows.
        blocks: Number of blocks of four words a row; or the numbers of those to make, int32 [n].
        streams: Second word of each row's counter, int32 [B].
    """
    keys = tf.bitcast(seeds, tf.uint32)
    blocks = tf.convert_to_tensor(blocks)
    numbers = blocks if blocks.shape.rank else tf.range(blocks)
    zeros = tf.zeros([tf.size(streams), tf.size(numbers)], tf.uint32)
    if seeds.shape[0] == 1:
        key = [keys[:, :1], keys[:, 1:]]
    else:
        key = [keys[:, :1] + zeros, keys[:, 1:] + zeros]  # operands of one shape: broadcasting rows is slower
    block = tf.bitcast(numbers, tf.uint32)[None, :]
    counter = [block + zeros, tf.bitcast(streams, tf.uint32)[:, None] + zeros, zeros, zeros]
    for _ in range(10):
        first, second = (tf.cast(counter[i], tf.uint64) * m for i, m in zip((0, 2), _MULTIPLIERS, strict=True))
        counter = [
            tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(_upper(second), counter[1]), key[0]),
            tf.cast(second, tf.uint32),
            tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(_upper(first), counter[3]), key[1]),
            tf.cast(first, tf.uint32),
        ]
        key = [k + w for k, w in zip(key, _WEYL, strict=True)]
    return tf.concat(counter, 1)


def _word(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)


def _long(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint64)


def _upper(product: tf.Tensor) -> tf.Tensor:
    """The upper 32 of 64 bits."""
    return tf.cast(tf.bitwise.right_shift(product, _long(32)), tf.uint32)
