"""Batches by name: batch t is a pure function of (seed, t)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.data.examples import Examples
from ugm_tf.data.observations import check_observation, observe, static_bits

__all__ = ["batches", "steps_per_epoch"]

VARIABLES = ("x", "c")
_ORDER, _NOISE, _STATIC = 0x0D0, 0x0D1, 0x0D2  # what a seed is for: keeps the three streams apart
_PARALLEL_CALLS = 2


def steps_per_epoch(examples: Examples, batch_size: int, *, drop_remainder: bool = True) -> int:
    """How many batches one pass over the examples has.

    Args:
        examples: The data.
        batch_size: Examples in a batch, B.
        drop_remainder: Whether the last, smaller batch is left out.

    Returns:
        The number of steps, at least 1.

    Raises:
        ValueError: If a batch would be larger than the data, or smaller than one example.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1. Received: batch_size={batch_size}.")
    if drop_remainder and batch_size > len(examples):
        raise ValueError(
            f"{examples.title} has {len(examples)} examples, too few for one batch of batch_size={batch_size}. "
            f"Choose batch_size={len(examples)} or less, or drop_remainder=False."
        )
    return len(examples) // batch_size if drop_remainder else -(-len(examples) // batch_size)


def batches(
    examples: Examples,
    batch_size: int,
    *,
    observation: str,
    variables: Sequence[str] = ("x",),
    seed: int = 0,
    shuffle: bool = True,
    start_step: int = 0,
    epochs: int | None = None,
    drop_remainder: bool = True,
) -> tf.data.Dataset:
    """Batches of named variables, ready for `fit`.

    The order is a permutation drawn from (seed, epoch) and the noise of an observation is
    drawn from (seed, step), both by the counter-based philox generator.  So `start_step=t` gives
    bit for bit what the first t batches would have been followed by, at no cost.

    To evaluate, take `shuffle=False, epochs=1, drop_remainder=False`: every pass then gives
    the same batches, the same binarisation included.

    Args:
        examples: The data.
        batch_size: Examples in a batch, B.
        observation: How images become x; see `support`. "raw" for vectors.
        variables: Which variables a batch has: "x", and "c" for labels as one-hot rows.
        seed: Fixes the order and the noise; from 0 to 2**31 - 1.
        shuffle: Whether each epoch has an order of its own; otherwise the order of the examples.
        start_step: Global step of the first batch.
        epochs: Passes over the data, counted from step 0; None never ends.
        drop_remainder: Leaves the last, smaller batch of an epoch out, so that B is static.

    Returns:
        A dataset of dicts: "x" float32 [B, H, W, C] or [B, D], "c" float32 [B, C].

    Raises:
        ValueError: If a batch is larger than the data, labels are asked for and absent, an
            observation does not fit, or a number is out of range.

    Example:

    >>> dataset = ugm_tf.data.batches(ugm_tf.data.ring(), 500, observation="raw")
    >>> next(iter(dataset))["x"].shape
    TensorShape([500, 2])
    """
    check_observation(examples, observation)
    names = _checked_variables(examples, variables)
    steps = steps_per_epoch(examples, batch_size, drop_remainder=drop_remainder)
    _check_range(seed, start_step, epochs, steps)

    with tf.device("CPU:0"):  # where the input pipeline reads, on a machine with a GPU too
        x = tf.constant(examples.x)
        if observation == "static":
            x = static_bits(x, seed + (_STATIC << 32))
        c = None if examples.c is None else tf.constant(examples.c)

    @tf.autograph.experimental.do_not_convert  # nothing to convert, and it takes its time
    def order(epoch):
        """Rows of one epoch, from the first batch that is wanted."""
        rows = tf.range(len(examples))
        if shuffle:
            rows = tf.random.experimental.stateless_shuffle(rows, _key(seed, _ORDER, epoch), alg="philox")
        first = tf.maximum(start_step - epoch * steps, 0)  # above 0 in the first epoch only
        numbers = tf.data.Dataset.range(first, steps)
        return numbers.map(lambda i: (epoch * steps + i, rows[i * batch_size : (i + 1) * batch_size]))

    @tf.autograph.experimental.do_not_convert
    def batch(step, rows) -> dict[str, Any]:
        if drop_remainder:
            rows = tf.ensure_shape(rows, [batch_size])
        result = {}
        if "x" in names:
            result["x"] = observe(tf.gather(x, rows), observation, _key(seed, _NOISE, step))
        if "c" in names:
            result["c"] = tf.one_hot(tf.gather(c, rows), examples.num_classes)
        return result

    first_epoch = start_step // steps
    last = np.iinfo(np.int64).max if epochs is None else epochs
    dataset = tf.data.Dataset.range(first_epoch, last).flat_map(order)
    dataset = dataset.map(batch, num_parallel_calls=_PARALLEL_CALLS, deterministic=True).prefetch(4)
    size = tf.data.INFINITE_CARDINALITY if epochs is None else epochs * steps - start_step
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(size))
    options = tf.data.Options()
    options.autotune.enabled = False  # its thread may block the end of an epoch for a second
    return dataset.with_options(options)


def _key(seed, purpose, number):
    """Two integers that name one stream of random numbers."""
    return tf.stack([tf.constant(seed + (purpose << 32), tf.int64), tf.cast(number, tf.int64)])


def _checked_variables(examples: Examples, variables: Sequence[str]) -> tuple[str, ...]:
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    unknown = [name for name in names if name not in VARIABLES]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f"variables must be of x and c, each at most once. Received: variables={names}.")
    if "c" in names and examples.c is None:
        raise ValueError(
            f"{examples.title} has no labels, and variables={names} asks for c. "
            "Leave c out, or give the labels: Examples(x, c, num_classes)."
        )
    return names


def _check_range(seed: int, start_step: int, epochs: int | None, steps: int) -> None:
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed must be from 0 to 2**31 - 1. Received: seed={seed}.")
    if epochs is not None and epochs < 1:
        raise ValueError(f"epochs must be at least 1, or None for no end. Received: epochs={epochs}.")
    if start_step < 0 or (epochs is not None and start_step > epochs * steps):
        end = "" if epochs is None else f" and at most {epochs * steps}, the steps of epochs={epochs}"
        raise ValueError(f"start_step must be at least 0{end}. Received: start_step={start_step}.")
