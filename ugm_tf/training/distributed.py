"""How steps are run on several devices: one replica of the model on each, the same training as on one."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.joint import Joint
from ugm_tf.traced import traced
from ugm_tf.training import keras_internals
from ugm_tf.training.execution import StepsLeft
from ugm_tf.training.optimizers import inner

__all__ = ["check_here", "check_scope", "make_function", "prepare", "reduced_bytes"]

_LOG = logging.getLogger(__package__)


def reduced_bytes(joint: Joint) -> int:
    """Bytes of gradients that devices sum in one training step: of each phase's variables, as often as it runs.

    A ring of R devices sends and receives 2 (R - 1) / R times as many on each.  Beside them there are a few numbers a
    phase: its metrics, the rows of a batch, of importance weights a number a device, and the moments of batch
    normalisation.

    >>> recipe = ugm_tf.recipes.gan()
    >>> joint = ugm_tf.Joint(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (3,)}, hidden=(8,)))
    >>> reduced_bytes(joint)
    4548
    """
    phases = joint.recipe.phases
    return sum(
        p.repeats * int(np.prod(v.shape)) * tf.as_dtype(v.dtype).size for p in phases for v in joint.variables_of(p)
    )


def check_here(owner: str, strategy: Any) -> None:
    """Refuses the scope of another distribution strategy than a model's.

    Args:
        owner: What is called, for the message.
        strategy: The strategy in whose scope the model was made; None if there was none.

    Raises:
        ValueError: If it is called within another scope.
    """
    if tf.distribute.has_strategy() and tf.distribute.get_strategy() is not strategy:
        raise ValueError(
            f"{owner} is called within the scope of a distribution strategy in which the model was not made. Make the "
            "networks, the densities and the model within `with strategy.scope():`, or call it outside."
        )


def check_scope(strategy: Any, variables: Iterable[Any]) -> None:
    """Refuses variables that a strategy does not copy to its devices.

    Args:
        strategy: The distribution strategy in whose scope the model was made.
        variables: Every variable of the densities.

    Raises:
        ValueError: For the first one that was made elsewhere.
    """
    outside = next((v for v in variables if not strategy.extended.variable_created_in_scope(v.value)), None)
    if outside is not None:
        raise ValueError(
            f"The variable '{outside.path}' was made outside of the distribution strategy's scope. Make the networks, "
            "the densities and the model within `with strategy.scope():`."
        )


def prepare(
    layers: Iterable[keras.layers.Layer],
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    **options: Any,
) -> None:
    """Makes a model's layers and optimizers compute over the global batch, or refuses what cannot.

    Batch normalisation is synchronised, also a user's own; the optimizers leave it to the step to sum gradients, which
    it does before they clip.

    Args:
        layers: Every layer of the model, nested ones too.
        optimizers: The phases' optimizers.
        **options: Of `compile`: jit_compile, run_eagerly, on_nan and accumulate.

    Raises:
        ValueError: If something is not for several devices.
    """
    for name, value, why in (
        ("jit_compile", True, "collectives do not compile with XLA"),
        ("run_eagerly", True, "replicas run in a graph"),
        ("on_nan", "skip", "an update on several devices cannot be left out"),
    ):
        if options[name] is value or options[name] == value:
            raise ValueError(f"Under a distribution strategy there is no {name}={value!r}: {why}. Leave it out.")
    if options["accumulate"] > 1:
        raise ValueError(
            f"Under a distribution strategy there is no accumulate={options['accumulate']}: each device has a part of "
            "the batch. Leave it out, or take more devices."
        )
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    drawing = [layer.name for layer in layers if getattr(layer, "seed_generator", None) is not None]
    if drawing:
        _LOG.warning(
            "Layer '%s' draws by itself, on each device alike: this is not the training of one device.", drawing[0]
        )
    for name, optimizer in optimizers.items():
        own = inner(optimizer)
        if own is not optimizer:
            raise ValueError(
                f"The optimizer of phase '{name}' scales its loss, and leaves out updates, which several devices "
                "cannot do. Train in float32 or mixed_bfloat16."
            )
        keras_internals.leave_sums(own)


def _step_function(
    strategy: Any,
    step_values: Callable[[Any], dict[str, tf.Tensor]],
    metrics: Sequence[keras.metrics.Metric],
    good: Callable[[Any], tf.Tensor] | None,
) -> Callable[[Any], tf.Tensor]:
    """A function that runs a step on a batch of all replicas, unless it may not be used; and says whether it might."""

    def on_replica(data: Any) -> None:
        values = step_values(data)
        size = tf.shape(tf.nest.flatten(data)[0])[0]
        for metric in metrics:
            metric.update_state(values[metric.name], sample_weight=size)

    def fine(data: Any) -> tf.Tensor:
        if good is None:
            return tf.constant(True)

        def count(rows: Any) -> tf.Tensor:
            none = tf.equal(tf.shape(tf.nest.flatten(rows)[0])[0], 0)  # a replica may have no row of a last batch
            return tf.cast(tf.logical_or(none, good(rows)), tf.int32)

        passed = strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(count, args=(data,)), axis=None)
        return tf.equal(passed, strategy.num_replicas_in_sync)

    def step(data: Any) -> tf.Tensor:
        def run() -> tf.Tensor:
            strategy.run(on_replica, args=(data,))
            return tf.constant(True)

        return tf.cond(fine(data), run, lambda: tf.constant(False))

    return step


def _iterator_over(strategy: Any, batch: Any) -> Any:
    """An iterator over one batch, distributed."""
    parts = tuple(part for part in batch if part is not None)
    size = len(tf.nest.flatten(parts)[0])
    return iter(strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices(parts).batch(size)))


def _at_hand(iterator: Any, step: Callable[[Any], tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether there is a further batch, with which a step is run; and whether that may be used."""
    batch = iterator.get_next_as_optional()
    nothing = lambda: (tf.constant(False), tf.constant(True))  # noqa: E731
    return tf.cond(batch.has_value(), lambda: (tf.constant(True), step(batch.get_value())), nothing)


def make_function(
    strategy: Any,
    step_values: Callable[[Any], dict[str, tf.Tensor]],
    metrics: Sequence[keras.metrics.Metric],
    most: int,
    left: StepsLeft,
    good: Callable[[Any], tf.Tensor] | None,
    refuse: Callable[[Any], None],
    going_on: Callable[[], tf.Tensor] | None = None,
) -> Any:
    """As `execution.make_function`, from an iterator over batches that a strategy has distributed.

    Args:
        strategy: The distribution strategy.
        step_values: One step on a replica: from its rows to the values of the metrics, which are of the global batch.
        metrics: The metrics; each replica weighs them by its rows, and their sums are read over all.
        most: How many steps it runs at most.
        left: How many steps the epoch still has; the function counts them down.
        good: Whether a batch may be used, a bool scalar; None to use every batch.
        refuse: Raises an error for a batch that may not.
        going_on: Whether a further step may run after the last one, a bool scalar; None if it always may.
    """

    step = _step_function(strategy, step_values, metrics, good)

    @traced(reduce_retracing=True)
    def several(iterator: Any, todo: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def more(i: tf.Tensor, ok: tf.Tensor) -> tf.Tensor:
            further = tf.logical_and(i < todo, ok)
            return further if going_on is None else tf.logical_and(further, going_on())

        def more_of_it(i: tf.Tensor, there: tf.Tensor, ok: tf.Tensor) -> tf.Tensor:
            return tf.logical_and(there, more(i, ok))

        def body(i: tf.Tensor, _: tf.Tensor, ok: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            there, ok = _at_hand(iterator, step)
            return i + tf.cast(tf.logical_and(there, ok), tf.int32), there, ok

        start = (tf.constant(0), tf.constant(True), tf.constant(True))
        done, _, ok = tf.while_loop(more_of_it, body, start, parallel_iterations=1)
        return done, ok

    @traced(reduce_retracing=True)
    def one(iterator: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return _at_hand(iterator, step)

    @traced()
    def read() -> dict[str, tf.Tensor]:
        return {metric.name: metric.result() for metric in metrics}

    def function(iterator: Any) -> dict[str, tf.Tensor]:
        if not hasattr(iterator, "get_next_as_optional"):  # the one batch of train_on_batch, a generator
            iterator = _iterator_over(strategy, next(iterator))
        if left.number is None:
            done, ok = 0, True
            while done < most and ok:  # Keras counts on `most` steps in a call, if there are so many
                there, ok = (bool(flag) for flag in one(iterator))
                if not there:
                    break
                done += int(ok)
        else:
            steps, flag = several(iterator, tf.constant(min(most, left.number)))
            done, ok = int(steps), bool(flag)
            left.number -= done
        if not ok:
            refuse(None)
        if not done:
            raise StopIteration
        return read()

    return function
