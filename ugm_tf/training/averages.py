"""Averages of the weights over training, which Keras's optimizers keep with `use_ema=True`."""

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from ugm_tf.joint import Joint
from ugm_tf.training import keras_internals
from ugm_tf.training.optimizers import inner

__all__ = ["averaged", "averages", "warming_up"]

Optimizers = Mapping[str, keras.optimizers.Optimizer]

# The decays of optimizers within `warming_up`, and how many are within: replicas are traced in turns, not one by one.
_DECAYS: weakref.WeakKeyDictionary[keras.optimizers.Optimizer, tuple[float, int]] = weakref.WeakKeyDictionary()


def averages(joint: Joint, optimizers: Optimizers) -> list[tuple[Any, Any]]:
    """Each variable that has an average, with the average: the last phase's, where several phases update it.

    Args:
        joint: The densities and the recipe.
        optimizers: The phases' optimizers by name; there is an average after the first step.
    """
    out: dict[int, tuple[Any, Any]] = {}
    for phase in dict.fromkeys(joint.recipe.phases):
        optimizer = inner(optimizers.get(phase.name))
        if optimizer is None or not optimizer.use_ema or not int(optimizer.iterations.numpy()):
            continue
        kept = keras_internals.moving_averages(optimizer)
        out |= {id(v): (v, average) for v, average in zip(joint.variables_of(phase), kept, strict=True)}
    return list(out.values())


@contextlib.contextmanager
def warming_up(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within it, an update of the optimizer's average decays by min(ema_momentum, (1 + t) / (10 + t)) at its step t.

    So an average is over about the last tenth of a short run, where Keras's own would be of the first weights for a
    good part: after t steps of a constant decay m these have the share m^t, 0.28 for 1,287 steps of 0.999.  What is
    traced within it has the decay in its graph; the optimizer's own, which is saved, stays.

    References:
        `tf.train.ExponentialMovingAverage(num_updates=)`, whose rule it is.
    """
    most, within = _DECAYS.get(optimizer, (optimizer.ema_momentum if optimizer.use_ema else None, 0))
    if most is None:
        yield
        return
    _DECAYS[optimizer] = (most, within + 1)
    t = keras.ops.cast(optimizer.iterations, "float32")
    optimizer.ema_momentum = keras.ops.minimum(most, (1.0 + t) / (10.0 + t))
    try:
        yield
    finally:
        _, within = _DECAYS[optimizer]
        if within > 1:
            _DECAYS[optimizer] = (most, within - 1)
        else:
            del _DECAYS[optimizer]
            optimizer.ema_momentum = most


@contextlib.contextmanager
def averaged(joint: Joint, optimizers: Optimizers) -> Iterator[None]:
    """Within it, the weights are the averages; see `UnifiedModel.averaged`.

    Raises:
        ValueError: If no optimizer keeps averages, or nothing was trained yet.
    """
    pairs = averages(joint, optimizers)
    if not pairs and any(inner(optimizer).use_ema for optimizer in optimizers.values()):
        raise ValueError("Averages of the weights are there after the first training step. Train the model first.")
    if not pairs:
        raise ValueError(
            "This model keeps no averages of its weights. Give an optimizer that does, as in "
            "compile(keras.optimizers.Adam(1e-4, use_ema=True, ema_momentum=0.999)); in the trainer, --ema=0.999."
        )
    current = [variable.numpy() for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(average)
    try:
        yield
    finally:
        for (variable, _), value in zip(pairs, current, strict=True):
            variable.assign(value)
