"""The one training step and the one evaluation step: the phases of a recipe on a batch."""

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from ugm_tf.algebra import JointSample, Phase

if TYPE_CHECKING:
    from ugm_tf.model import UnifiedModel

__all__ = ["evaluate", "train"]

_EVALUATION = -1  # keeps the noise of evaluation apart from that of every training step


def train(model: "UnifiedModel", data: Any) -> dict[str, tf.Tensor]:
    """Runs the phases in turn, or at once, and updates who learns.

    Draws and forward passes are shared between phases as long as no density behind them has learned, so a
    generated batch is decoded once for the discriminator's phase and the decoder's.

    Args:
        model: The compiled model.
        data: A batch.

    Returns:
        The metrics' values by name, scalars in nats.
    """
    start = model.joint_sample(data, training=True)
    drawn: dict[Any, JointSample] = {}
    values: dict[str, tf.Tensor] = {}
    pending: list[tuple[Phase, tf.Tensor]] = []
    with tf.GradientTape(persistent=True) as tape:
        for i, phase in enumerate(model.recipe.phases):
            for repeat in range(phase.repeats):
                if repeat:
                    drawn = {}
                values |= phase.values(start, _fold(model.seed, model.steps.value, i, repeat), drawn)
                values[f"{phase.name}/loss"] = loss = phase.loss(values)
                if model.schedule == "simultaneous":
                    pending.append((phase, loss))
                    continue
                with tape.stop_recording():
                    _apply(model, phase, tape.gradient(loss, model.variables_of(phase)), [loss])
                start = start.after_update(phase.updates) or start  # nothing draws the data: it is never None
                left = {sampler: sample.after_update(phase.updates) for sampler, sample in drawn.items()}
                drawn = {sampler: sample for sampler, sample in left.items() if sample is not None}
    gradients = [tape.gradient(loss, model.variables_of(phase)) for phase, loss in pending]
    for (phase, _), gradient in zip(pending, gradients, strict=True):
        _apply(model, phase, gradient, [loss for _, loss in pending])
    model.steps.assign_add(1)
    return values


def evaluate(model: "UnifiedModel", data: Any, batch: tf.Tensor) -> dict[str, tf.Tensor]:
    """The metrics' values on a batch, by name, scalars in nats; nothing learns.

    Args:
        model: The model.
        data: A batch.
        batch: Its number, which gives it noise of its own, int32.
    """
    start = model.joint_sample(data, training=False)
    drawn: dict[Any, JointSample] = {}
    values: dict[str, tf.Tensor] = {}
    for i, phase in enumerate(model.recipe.phases):
        values |= phase.values(start, _fold(model.seed, _EVALUATION, batch, i), drawn)
        values[f"{phase.name}/loss"] = phase.loss(values)
    return values


def _fold(seed: int, *numbers: Any) -> tf.Tensor:
    folded = tf.constant([seed, 0], tf.int32)
    for number in numbers:
        folded = tf.random.experimental.stateless_fold_in(folded, tf.convert_to_tensor(number, tf.int32), alg="philox")
    return folded


def _apply(model: "UnifiedModel", phase: Phase, gradients: list[Any], losses: list[tf.Tensor]) -> None:
    variables = model.variables_of(phase)
    reached = {id(v) for v, gradient in zip(variables, gradients, strict=True) if gradient is not None}
    for name in phase.updates:
        own = getattr(model, name).trainable_variables
        if own and not any(id(v) in reached for v in own):
            raise ValueError(
                f"Phase '{phase.name}' updates '{name}', but what it minimises does not depend on it: "
                f"{', '.join(e.label for e in phase.minimise)}. Leave it out of `updates`, or add a term."
            )
    # TensorFlow's dependency optimizer drops the order of a read before the update when the gradient depends on what
    # was read, and another pass then finds that it does not, by its value: without this an update may come first.
    with tf.control_dependencies(losses):
        model.optimizers[phase.name].apply(gradients, variables)
