"""The one training step and the one evaluation step: the phases of a recipe on a batch."""

import functools
import itertools
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ugm_tf import replicas
from ugm_tf.algebra import Draws, JointSample, Phase
from ugm_tf.algebra.tapes import persistent_tape
from ugm_tf.densities import fold
from ugm_tf.joint import Joint
from ugm_tf.training import accumulation, averages
from ugm_tf.training.health import Watch
from ugm_tf.training.optimizers import inner

__all__ = ["evaluate", "train"]

Visit = tuple[int, Phase, int]  # the number of a phase, it, and how often it ran before
_EVALUATION = -1  # keeps the noise of evaluation apart from that of every training step


def train(
    joint: Joint,
    values: Mapping[str, tf.Tensor],
    seed: int,
    step: tf.Tensor,
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    schedule: str,
    watch: Watch | None = None,
    accumulate: int = 1,
) -> dict[str, tf.Tensor]:
    """Runs the phases in turn, or at once, and updates who learns.

    Draws and forward passes are shared between phases as long as no density behind them has learned, so a
    generated batch is decoded once for the discriminator's phase and the decoder's.

    Args:
        joint: The densities and the recipe.
        values: A batch of data, by variable.
        seed: Fixes every draw.
        step: Number of training steps before this one, int32.
        optimizers: An optimizer for each phase.
        schedule: "alternating" or "simultaneous".
        watch: Says whether an update may be made; None to make each.
        accumulate: In how many parts of the batch, one after the other, each phase's gradient is computed.

    Returns:
        The metrics' values by name, scalars in nats.
    """
    if accumulate > 1:
        return _train_in_parts(joint, values, seed, step, optimizers, schedule, watch, accumulate)
    draws = Draws(joint.sample(values, training=True))
    out: dict[str, tf.Tensor] = {}
    pending: list[tuple[int, Phase, tf.Tensor]] = []
    visits = itertools.count()
    with persistent_tape() as tape:
        for i, phase in enumerate(joint.recipe.phases):
            for repeat in range(phase.repeats):
                if repeat:
                    draws = draws.afresh()
                visit, (found, loss) = next(visits), _metrics(phase, draws, _fold(seed, step, i, repeat), step)
                out |= found
                if watch is not None:
                    watch.terms(visit, found)
                # Of an optimizer that scales: small gradients of float16 would be 0.  Of others it is the loss itself.
                loss = optimizers[phase.name].scale_loss(loss)
                if schedule == "simultaneous":
                    pending.append((visit, phase, loss))
                    continue
                with tape.stop_recording():
                    gradients = _total(tape.gradient(loss, joint.variables_of(phase)))
                    may = watch and watch.gradients(visit, phase, joint, gradients, optimizers[phase.name])
                    _apply(joint, phase, optimizers[phase.name], gradients, [loss], may)
                draws = draws.after_update(joint.changed_by(phase))
    at_once = [_total(tape.gradient(loss, joint.variables_of(phase))) for _, phase, loss in pending]
    if watch is not None:
        for (visit, phase, _), gradients in zip(pending, at_once, strict=True):
            watch.gradients(visit, phase, joint, gradients, optimizers[phase.name])
    for (_, phase, _), gradients in zip(pending, at_once, strict=True):
        losses = [loss for _, _, loss in pending]
        _apply(joint, phase, optimizers[phase.name], gradients, losses, watch and watch.good)
    return out


def _train_in_parts(
    joint: Joint,
    values: Mapping[str, tf.Tensor],
    seed: int,
    step: tf.Tensor,
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    schedule: str,
    watch: Watch | None,
    accumulate: int,
) -> dict[str, tf.Tensor]:
    """As `train`, with one part of the batch in memory at a time: each phase draws again what earlier ones drew."""
    visits = [(i, phase, repeat) for i, phase in enumerate(joint.recipe.phases) for repeat in range(phase.repeats)]
    groups = [visits] if schedule == "simultaneous" else [[visit] for visit in visits]
    out: dict[str, tf.Tensor] = {}
    done: list[Visit] = []
    for group in groups:
        run = functools.partial(_of_part, joint, optimizers, seed, step, tuple(done), group)
        names = [name for _, phase, _ in group for name in phase.metrics]
        variables = [joint.variables_of(phase) for _, phase, _ in group]
        found, gradients = accumulation.mean_over_parts(joint, values, accumulate, run, names, variables)
        out |= found
        for number, ((_, phase, _), own) in enumerate(zip(group, gradients, strict=True), len(done)):
            if watch is not None:
                watch.terms(number, {name: found[name] for name in phase.metrics})
                watch.gradients(number, phase, joint, own, optimizers[phase.name])
        for (_, phase, _), own in zip(group, gradients, strict=True):
            _apply(joint, phase, optimizers[phase.name], own, list(found.values()), watch and watch.good)
        done += group
    return out


def _of_part(
    joint: Joint,
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    seed: int,
    step: tf.Tensor,
    done: tuple[Visit, ...],
    group: list[Visit],
    start: JointSample,
) -> accumulation.Found:
    """Metrics and gradients of some phases on a part of a batch, where others are done."""
    draws, losses = Draws(start), []
    out: dict[str, tf.Tensor] = {}
    with persistent_tape() as tape:
        for i, phase, repeat in done:
            draws = draws.afresh() if repeat else draws
            list(phase.draw(draws, _fold(seed, step, i, repeat)))
            draws = draws.after_update(joint.changed_by(phase))
        for i, phase, repeat in group:
            draws = draws.afresh() if repeat else draws
            found, loss = _metrics(phase, draws, _fold(seed, step, i, repeat), step)
            out |= found
            losses.append(optimizers[phase.name].scale_loss(loss))
    own = [tape.gradient(loss, joint.variables_of(p)) for loss, (_, p, _) in zip(losses, group, strict=True)]
    return out, own


def evaluate(
    joint: Joint, values: Mapping[str, tf.Tensor], seed: int, step: tf.Tensor, batch: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The metrics' values on a batch, by name, scalars in nats; nothing learns.

    Args:
        joint: The densities and the recipe.
        values: A batch of data, by variable.
        seed: Fixes every draw.
        step: Number of training steps so far, int32, for the scales that follow a schedule.
        batch: Number of the batch, which gives it noise of its own, int32.
    """
    draws = Draws(joint.sample(values, training=False))
    out: dict[str, tf.Tensor] = {}
    for i, phase in enumerate(joint.recipe.phases):
        out |= _metrics(phase, draws, _fold(seed, _EVALUATION, batch, i), step)[0]
    return out


def _metrics(phase: Phase, draws: Draws, seed: tf.Tensor, step: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """The metrics of a phase; and its loss, which on one of several devices is its part of the sum."""
    values = phase.values(draws, seed)
    loss = phase.loss(values, step)
    *whole, whole_loss = replicas.total([*values.values(), loss])
    return {**dict(zip(values, whole, strict=True)), **phase.scales(step), f"{phase.name}/loss": whole_loss}, loss


def _total(gradients: list[Any]) -> list[Any]:
    """Gradients summed over replicas; None where there is none."""
    if replicas.count() == 1:
        return gradients
    given = [i for i, gradient in enumerate(gradients) if gradient is not None]
    sums = iter(replicas.total([tf.convert_to_tensor(gradients[i]) for i in given]))
    return [None if gradient is None else next(sums) for gradient in gradients]


def _fold(seed: int, *numbers: Any) -> tf.Tensor:
    return fold([seed, 0], *numbers)


def _apply(
    joint: Joint,
    phase: Phase,
    optimizer: keras.optimizers.Optimizer,
    gradients: list[Any],
    losses: list[tf.Tensor],
    may: tf.Tensor | None,
) -> None:
    variables = joint.variables_of(phase)
    reached = {id(v) for v, gradient in zip(variables, gradients, strict=True) if gradient is not None}
    for name in phase.updates:
        own = joint.densities[name].trainable_variables
        if own and not any(id(v) in reached for v in own):
            raise ValueError(
                f"Phase '{phase.name}' updates '{name}', but what it minimises does not depend on it: "
                f"{', '.join(e.label for e in phase.minimise)}. Leave it out of `updates`, or add a term."
            )
    # TensorFlow's dependency optimizer drops the order of a read before the update when the gradient depends on what
    # was read, and another pass then finds that it does not, by its value: without this an update may come first.
    with tf.control_dependencies(losses):
        several = tf.distribute.has_strategy()
        if may is not None and several:  # there no update can be left out, and the next step is not run
            gradients = [None if g is None else tf.where(may, g, tf.zeros_like(g)) for g in gradients]
        if may is None or several:
            _update(optimizer, gradients, variables)
        else:
            tf.cond(may, lambda: _update(optimizer, gradients, variables), lambda: tf.constant(False))


def _update(optimizer: keras.optimizers.Optimizer, gradients: list[Any], variables: list[Any]) -> tf.Tensor:
    with averages.warming_up(inner(optimizer)):
        optimizer.apply(gradients, variables)
    return tf.constant(True)
