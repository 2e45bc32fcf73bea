"""How training steps are run: with XLA or without, and how many in one call."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.traced import traced

__all__ = ["SHARE", "StepsLeft", "Unwatched", "choose_jit", "choose_steps", "make_function"]

# Beside a step's values of the metrics: 1.0, or 0.0 where it was skipped and they do not count.
SHARE = "share"
_MOST_BYTES = 2**26  # of data in one compiled call


def choose_jit(layers: list[keras.layers.Layer], jit_compile: bool | str = "auto") -> tuple[bool, str]:
    """Whether to compile training with XLA here, and the reason.

    On a GPU, yes.  On a CPU XLA gains for dense networks, and a great deal with the loop over steps
    inside the compiled program, but its convolutions in a loop are about 15 times slower than oneDNN's.

    Args:
        layers: Every layer of the model, nested ones too.
        jit_compile: True or False, which is then the answer; or "auto".
    """
    if jit_compile != "auto":
        return bool(jit_compile), f"jit_compile={jit_compile}"
    if tf.distribute.has_strategy():
        number = tf.distribute.get_strategy().num_replicas_in_sync
        of = f"{number} device{'s' if number > 1 else ''}"
        return False, f"no XLA: under a distribution strategy, here of {of}, collectives do not compile"
    if tf.config.list_logical_devices("GPU"):
        return True, "XLA: there is a GPU"
    convolutions = [layer.name for layer in layers if "Conv" in type(layer).__name__]
    if convolutions:
        return False, f"no XLA: on a CPU the convolutions of '{convolutions[0]}' are faster without"
    return True, "XLA: dense networks on a CPU"


def choose_steps(steps: int | None, batch_bytes: int, jit: bool) -> int:
    """How many steps to run in one call.

    Args:
        steps: Steps in an epoch; None if unknown.
        batch_bytes: Size of a batch of data.
        jit: Whether steps are compiled with XLA, and so quick that each call's overhead counts.
    """
    most = 100 if jit else 8
    if steps:  # calls of nearly equal length: 430 steps are 5 calls of 86, not 4 of 100 and one of 30
        calls = -(-steps // min(most, steps))
        most = -(-steps // calls)
    return max(1, min(most, _MOST_BYTES // max(1, batch_bytes)))


@dataclasses.dataclass
class StepsLeft:
    """What an epoch still has.

    Attributes:
        number: The number of its steps; None if it is unknown.
        looks: Whether its batches are to be looked at.
    """

    number: int | None = None
    looks: bool = True


@dataclasses.dataclass(frozen=True)
class Taken:
    """Batches that come as numbers of rows, of which all steps of a call take theirs at once, before they are run.

    Attributes:
        take: From what is given, and elements of a dataset on a leading axis of steps, to what a step takes.
        given: Says what is given, such as the tables that rows are of.
    """

    take: Callable[[Any, Any], Any]
    given: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Unwatched:
    """Steps of which none is looked at: a look at each, and updates that may be left out, take XLA a tenth of its time.

    Several of them are run in one program; where what they end with is not finite, they are run again from where they
    began, and each is looked at.

    Attributes:
        step_values: One step: from a batch to the values of the metrics.
        state: What it changes, and
        learned: what of that has to be finite.
    """

    step_values: Callable[[Any], dict[str, tf.Tensor]]
    state: Sequence[tf.Variable]
    learned: Sequence[tf.Variable]


def make_function(
    step_values: Callable[[Any], dict[str, tf.Tensor]],
    metrics: Sequence[keras.metrics.Metric],
    most: int,
    left: StepsLeft,
    jit: bool,
    good: Callable[[Any], tf.Tensor] | None = None,
    refuse: Callable[[Any], None] | None = None,
    fits: Callable[[Any], None] | None = None,
    unwatched: Unwatched | None = None,
    taken: Taken | None = None,
) -> Any:
    """A function from a `tf.data` iterator to metrics, that runs several steps.

    With XLA and batches of static shape the loop over steps is inside the compiled program (a superstep);
    otherwise it is outside.  Metrics are means over the examples of all its steps.

    Args:
        step_values: One step: from a batch to the values of the metrics.
        metrics: The metrics, in the order of their names.
        most: How many steps it runs at most.
        left: How many steps the epoch still has; the function counts them down.
        jit: Whether to compile steps with XLA.
        good: Whether a batch that is looked at may be used, a bool scalar; None to use every batch.
        refuse: Raises an error for a batch that may not; the steps before it are done by then, and no other.
        fits: Raises an error for batches whose specification is none that a step takes.
        unwatched: The same step without a look at it, to take its place in a superstep.
        taken: How a superstep has its batches, where the iterator gives rows; None where it gives batches.
    """
    names = [metric.name for metric in metrics]

    def one_step(data: Any, step_values: Callable[[Any], dict[str, tf.Tensor]] = step_values) -> tf.Tensor:
        values = step_values(data)
        return tf.stack([*(values[name] for name in names), values.get(SHARE, tf.constant(1.0))])

    watched, state = _superstep(one_step, len(names) + 1), [] if unwatched is None else unwatched.state
    run = _run_function(one_step, watched, len(names) + 1, most, jit, good, unwatched, taken)

    looked_at: list[Any] = []

    @traced()
    def update(sums: tf.Tensor) -> dict[str, tf.Tensor]:
        *totals, examples = tf.unstack(sums)
        for metric, total in zip(metrics, totals, strict=True):
            metric.update_state(tf.math.divide_no_nan(total, examples), sample_weight=examples)
        return {metric.name: metric.result() for metric in metrics}

    def function(iterator: Any) -> dict[str, tf.Tensor]:
        if not isinstance(iterator, tf.data.Iterator):  # the one batch of train_on_batch, a generator
            batch = tuple(part for part in next(iterator) if part is not None)
            iterator = iter(tf.data.Dataset.from_tensors(batch))
        if fits is not None and not (looked_at and looked_at[0] is iterator.element_spec):
            fits(iterator.element_spec)
            looked_at[:] = [iterator.element_spec]
        todo = most if left.number is None else min(most, left.number)
        before = [tf.identity(variable) for variable in state]
        given = None if taken is None else taken.given()
        sums, count, fine, batch, finite, batches = run(iterator, tf.constant(todo), tf.constant(left.looks), given)
        if not finite:
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)
            sums = watched(batches, count)
        done = int(count)
        if refuse is not None and not fine:
            refuse(batch.get_value())
        if done == 0:
            raise StopIteration
        if left.number is not None:
            left.number -= done
        return update(sums)

    return function


def _superstep(one_step: Callable[[Any], tf.Tensor], values: int) -> Any:
    """A compiled function from batches on a leading axis, and how many they are, to sums of values times examples."""

    @traced(jit_compile=True)
    def superstep(batches: Any, count: tf.Tensor) -> tf.Tensor:
        def body(i: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return i + 1, sums + one_step(tf.nest.map_structure(lambda batch: batch[i], batches))

        sums = tf.while_loop(lambda i, sums: i < count, body, (0, tf.zeros(values)))[1]
        return sums * tf.cast(tf.shape(tf.nest.flatten(batches)[0])[1], tf.float32)

    return superstep


def _run_function(
    one_step: Callable[..., tf.Tensor],
    superstep: Any,
    values: int,
    most: int,
    jit: bool,
    good: Callable[[Any], tf.Tensor] | None,
    unwatched: Unwatched | None,
    taken: Taken | None,
) -> Any:
    """A function from an iterator and a number of steps to what they gave.

    That is sums of values times examples, and steps; whether the batch that it looked at last may be used, with that
    batch; and whether what unwatched steps ended with is finite, with their batches.
    """
    one_step_function = traced(jit_compile=jit, reduce_retracing=True)(one_step)
    if unwatched is not None:
        superstep = _superstep(functools.partial(one_step, step_values=unwatched.step_values), values)

    @traced(reduce_retracing=True)
    def run(iterator: Any, todo: tf.Tensor, looks: tf.Tensor, given: Any) -> tuple[Any, ...]:
        spec = iterator.element_spec
        flat = tf.nest.flatten(spec)

        def more(i: tf.Tensor, batch: Any, ok: tf.Tensor, *_: Any) -> tf.Tensor:
            return tf.logical_and(i < todo, tf.logical_and(batch.has_value(), ok))

        def advance(i: tf.Tensor, batch: Any, ok: tf.Tensor) -> tuple[Any, tf.Tensor]:
            def following() -> tuple[Any, tf.Tensor]:
                upcoming = iterator.get_next_as_optional()
                return upcoming, _fine(upcoming, good, looks)

            return tf.cond(i + 1 < todo, following, lambda: (batch, ok))

        first = iterator.get_next_as_optional()
        if jit and all(part.shape.is_fully_defined() for part in flat):
            arrays = [tf.TensorArray(part.dtype, most, element_shape=part.shape) for part in flat]

            def gather(i: tf.Tensor, batch: Any, ok: tf.Tensor, *arrays: Any) -> Any:
                parts = tf.nest.flatten(batch.get_value())
                filled = [array.write(i, part) for array, part in zip(arrays, parts, strict=True)]
                return (i + 1, *advance(i, batch, ok), *filled)

            start = (0, first, _fine(first, good, looks), *arrays)
            count, batch, ok, *arrays = tf.while_loop(more, gather, start, parallel_iterations=1)
            batches = tf.nest.pack_sequence_as(spec, [array.stack() for array in arrays])
            batches = batches if taken is None else taken.take(given, batches)
            sums = superstep(batches, count)
            learned = [] if unwatched is None else [tf.reduce_sum(variable) for variable in unwatched.learned]
            finite = [tf.reduce_all(tf.math.is_finite(values)) for values in (sums, *learned)]
            finite = tf.constant(True) if unwatched is None else tf.reduce_all(tf.stack(finite))
            return sums, count, ok, batch, finite, batches

        def step(i: tf.Tensor, batch: Any, ok: tf.Tensor, sums: tf.Tensor) -> Any:
            data = batch.get_value()
            size = tf.cast(tf.shape(tf.nest.flatten(data)[0])[0], tf.float32)
            return i + 1, *advance(i, batch, ok), sums + size * one_step_function(data)

        # One after the other: by itself TensorFlow lets a step begin before the updates of the last one are all done.
        start = (0, first, _fine(first, good, looks), tf.zeros(values))
        count, batch, ok, sums = tf.while_loop(more, step, start, parallel_iterations=1)
        return sums, count, ok, batch, tf.constant(True), ()

    return run


def _fine(batch: Any, good: Callable[[Any], tf.Tensor] | None, looks: tf.Tensor) -> tf.Tensor:
    """Whether a batch, which may be none, may be used: where it is not looked at, it may."""
    if good is None:
        return tf.constant(True)

    def look() -> tf.Tensor:
        with tf.device("/CPU:0"):  # where batches come from: there the answer costs no transfer
            return good(batch.get_value())

    return tf.cond(tf.logical_and(looks, batch.has_value()), look, lambda: tf.constant(True))
