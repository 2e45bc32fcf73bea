"""Batches by name: batch t is a pure function of (seed, t)."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.data.augmentation import check_augmentation
from ugm_tf.data.examples import Examples
from ugm_tf.data.image_files import ImageFiles
from ugm_tf.data.observations import static_bits, support
from ugm_tf.data.readers import STREAMS, Reader, Rows, key
from ugm_tf.data.sources import check_sources, check_variables, in_batches, order
from ugm_tf.data.storage import as_tensor

__all__ = ["batches", "rows_of", "steps_per_epoch", "supports_of"]

_ORDER, _STATIC = 0x0D0, 0x0D2  # what a seed is for, beside what it is for in a `Reader`: keeps the streams apart
_PARALLEL_CALLS = 2
_SUPPORTS, _ROWS = "_ugm_tf_supports", "_ugm_tf_rows"  # attributes of the dataset
_LARGE = 2**28  # bytes


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
    labelled: Examples | None = None,
    target: Examples | None = None,
    augment: str | Sequence[str] = (),
) -> tf.data.Dataset:
    """Batches of named variables, ready for `fit`.

    The order is a permutation drawn from (seed, epoch), by philox, and the noise of an observation is
    drawn from (seed, step), by SplitMix64: both count, and keep no state.  So `start_step=t` gives
    bit for bit what the first t batches would have been followed by, at no cost.

    To evaluate, take `shuffle=False, epochs=1, drop_remainder=False`: every pass then gives
    the same batches, the same binarisation included.

    An epoch is one of x.  "labelled" and "target" come from sources of their own, each in its own endless order, so
    that nothing pairs them with x; a source smaller than a batch is passed over as often as a batch needs.  To
    evaluate, give the evaluated examples as `labelled`: not shuffled, its rows are those of x.

    Args:
        examples: The data.
        batch_size: Examples in a batch, B.
        observation: How images become x; see `support`. "raw" for vectors.
        variables: Which variables a batch has: "x"; "labelled", examples whose class is known; "target", examples of
            a second domain; and "c", labels as one-hot rows: of "labelled" where there is one, else of "x".
        seed: Fixes the order and the noise; from 0 to 2**31 - 1.
        shuffle: Whether each epoch has an order of its own; otherwise the order of the examples.
        start_step: Global step of the first batch.
        epochs: Passes over the data, counted from step 0; None never ends.
        drop_remainder: Leaves the last, smaller batch of an epoch out, so that B is static.
        labelled: The source of "labelled" and of its labels, exactly where it is asked for.
        target: The source of "target", likewise.
        augment: Changes of each image before it is observed, of every source on its own: "flip", half of them with left
            and right exchanged; "shift(n)", by up to n pixels, repeating the border; or both.

    Returns:
        A dataset of dicts: "x", "labelled" and "target" float32 [B, H, W, C] or [B, D], "c" float32 [B, C].

    Raises:
        ValueError: If a batch is larger than the data, labels or a source are asked for and absent, shapes of the
            sources differ, an observation does not fit, or a number is out of range.

    Example:

    >>> dataset = ugm_tf.data.batches(ugm_tf.data.ring(), 500, observation="raw")
    >>> next(iter(dataset))["x"].shape
    TensorShape([500, 2])
    """
    names = check_variables(variables)
    sources = check_sources(examples, names, observation, labelled, target)
    steps = steps_per_epoch(examples, batch_size, drop_remainder=drop_remainder)
    changes = {name: check_augmentation(source, augment) for name, source in sources.items()}
    _check_range(seed, start_step, epochs, steps)

    owner = "labelled" if "labelled" in sources else "x"
    classes = sources[owner].num_classes if "c" in names else None
    others = tuple(name for name in sources if name != "x")
    reader = Reader(names, others, owner, observation, examples.shape, classes, _texts(augment), changes)
    with tf.device("CPU:0"):  # where the input pipeline reads, on a machine with a GPU too
        tables = {name: _table(source, observation, seed) for name, source in sources.items() if name in names}
        if "c" in names:
            tables["c"] = tf.constant(sources[owner].c)

    @tf.autograph.experimental.do_not_convert
    def batch(of_x, *of_others) -> dict[str, Any]:
        step, rows = of_x
        chosen = {"x": rows} | {name: r[: tf.size(rows)] for name, r in zip(others, of_others, strict=True)}
        if drop_remainder:
            chosen = {name: tf.ensure_shape(r, [batch_size]) for name, r in chosen.items()}
        taken = {name: _take(table, chosen[reader.of(name)]) for name, table in tables.items()}
        return reader.see(taken, key(seed, 0, step))

    rows_of_x = _rows_of_steps(len(examples), batch_size, steps, seed, shuffle, start_step, epochs)
    keys = {name: functools.partial(key, seed, _ORDER + STREAMS[name]) for name in others}
    rows_of_others = [order(len(sources[n]), batch_size, shuffle, steps, start_step, keys[n]) for n in others]
    rows = tf.data.Dataset.zip((rows_of_x, *rows_of_others))
    dataset = rows.map(batch, num_parallel_calls=_PARALLEL_CALLS, deterministic=True)
    size = tf.data.INFINITE_CARDINALITY if epochs is None else epochs * steps - start_step
    held = sum(source.x.nbytes for source in sources.values())
    out, rows = (
        each.prefetch(4).apply(tf.data.experimental.assert_cardinality(size)).with_options(_options(held))
        for each in (dataset, rows)
    )
    in_memory = all(isinstance(table, tf.Tensor) for table in tables.values())
    if in_memory and drop_remainder and not reader.augment:  # TensorFlow's noise, which moves images, is other with XLA
        setattr(out, _ROWS, Rows(rows, (tables, tf.constant(seed, tf.int64)), reader))
    kinds = {name: "one_hot" if name == "c" else support(observation) for name in names}
    setattr(out, _SUPPORTS, kinds)  # of this dataset alone: what is made from it may hold anything
    return out


def supports_of(dataset: Any) -> dict[str, str]:
    """The support of each variable of a dataset that `batches` has made, as `support` calls it; empty of any other."""
    return getattr(dataset, _SUPPORTS, {})


def rows_of(dataset: Any) -> Rows | None:
    """The rows of a dataset that `batches` has made of arrays in memory, each batch of one size; None of any other."""
    return getattr(dataset, _ROWS, None)


def _table(source: Examples, observation: str, seed: int) -> Any:
    """These examples as they lie in memory or in files, of which rows are taken; nothing is copied."""
    if observation == "static":
        return as_tensor(static_bits(source.x, seed + (_STATIC << 32)))
    return source.x if isinstance(source.x, ImageFiles) else as_tensor(source.x)


def _take(table: Any, rows: tf.Tensor) -> tf.Tensor:
    return table.gather(rows) if isinstance(table, ImageFiles) else tf.gather(table, rows)


def _texts(augment: str | Sequence[str]) -> tuple[str, ...]:
    return (augment,) if isinstance(augment, str) and augment else tuple(augment)


def _rows_of_steps(n, batch_size, steps, seed, shuffle, start_step, epochs) -> tf.data.Dataset:
    """(step, its rows of x) from `start_step` on; `steps` make an epoch of n examples."""

    @tf.autograph.experimental.do_not_convert  # nothing to convert, and it takes its time
    def epoch_of_x(epoch):
        rows = tf.range(n)
        if shuffle:
            rows = tf.random.experimental.stateless_shuffle(rows, key(seed, _ORDER, epoch), alg="philox")
        first = tf.maximum(start_step - epoch * steps, 0)  # above 0 in the first epoch only
        numbers = tf.data.Dataset.range(epoch * steps + first, (epoch + 1) * steps)
        return tf.data.Dataset.zip((numbers, in_batches(rows[: steps * batch_size], batch_size, first)))

    last = np.iinfo(np.int64).max if epochs is None else epochs
    return tf.data.Dataset.range(start_step // steps, last).flat_map(epoch_of_x)


def _options(size: int) -> tf.data.Options:
    options = tf.data.Options()
    if size > _LARGE:
        options.experimental_optimization.apply_default_optimizations = False  # they copy all data once more
    options.autotune.enabled = False  # its thread may block the end of an epoch for a second
    return options


def _check_range(seed: int, start_step: int, epochs: int | None, steps: int) -> None:
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed must be from 0 to 2**31 - 1. Received: seed={seed}.")
    if epochs is not None and epochs < 1:
        raise ValueError(f"epochs must be at least 1, or None for no end. Received: epochs={epochs}.")
    if start_step < 0 or (epochs is not None and start_step > epochs * steps):
        end = "" if epochs is None else f" and at most {epochs * steps}, the steps of epochs={epochs}"
        raise ValueError(f"start_step must be at least 0{end}. Received: start_step={start_step}.")
