"""What `UnifiedModel.compile` accepts: its arguments, and an optimizer for each phase."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from ugm_tf.algebra import Recipe
from ugm_tf.joint import Joint
from ugm_tf.training.health import ON_NAN

__all__ = ["ByPhase", "by_phase", "check", "inner"]


def check(
    recipe: Recipe,
    unknown: Mapping[str, Any],
    schedule: str,
    jit_compile: bool | str,
    steps_per_execution: int | str,
    run_eagerly: bool,
    check_values: bool,
    on_nan: str,
    accumulate: int,
    remat: bool,
) -> None:
    """Refuses arguments of `compile` that make no sense for this recipe.

    Raises:
        ValueError: For the first one.
    """
    if unknown:
        raise ValueError(
            f"compile() does not take {', '.join(sorted(unknown))}: the losses and metrics are the recipe's phases. "
            "It takes optimizer, schedule, jit_compile, steps_per_execution, run_eagerly, check_values, on_nan, "
            "accumulate and remat."
        )
    if schedule not in ("alternating", "simultaneous"):
        raise ValueError(f"schedule is 'alternating' or 'simultaneous'. Received: {schedule!r}.")
    repeated = [phase.name for phase in recipe.phases if phase.repeats > 1 or recipe.phases.count(phase) > 1]
    if schedule == "simultaneous" and repeated:
        raise ValueError(
            f"Phase '{repeated[0]}' runs several times in a step, which schedule='simultaneous' cannot run: use "
            "'alternating'."
        )
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f"jit_compile is True, False or 'auto'. Received: {jit_compile!r}.")
    if steps_per_execution != "auto" and not (isinstance(steps_per_execution, int) and steps_per_execution >= 1):
        raise ValueError(f"steps_per_execution is 'auto' or at least 1. Received: {steps_per_execution!r}.")
    for name, value in {"run_eagerly": run_eagerly, "check_values": check_values, "remat": remat}.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is True or False. Received: {value!r}.")
    if on_nan not in ON_NAN:
        raise ValueError(f"on_nan is 'stop' or 'skip'. Received: {on_nan!r}.")
    if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
        raise ValueError(
            f"accumulate is in how many parts a step takes its batch, at least 1. Received: {accumulate!r}."
        )


def by_phase(
    joint: Joint, optimizer: Any, layers: Iterable[keras.layers.Layer] = ()
) -> dict[str, keras.optimizers.Optimizer]:
    """An optimizer for each phase, with its slots.

    Args:
        joint: The densities and the recipe.
        optimizer: One, or its name, of which each phase gets a copy; or a dict by phase.
        layers: All layers; where one computes in mixed_float16, the losses are scaled, as Keras does.

    Raises:
        ValueError: If a phase has none, one has no phase, two phases share one, or one has no config to copy.
    """
    names = list(dict.fromkeys(phase.name for phase in joint.recipe.phases))
    if isinstance(optimizer, Mapping) and "class_name" not in optimizer:
        missing, unused = [n for n in names if n not in optimizer], [n for n in optimizer if n not in names]
        if missing or unused:
            raise ValueError(
                f"Give one optimizer, or one for each phase: {', '.join(names)}. "
                f"Missing: {', '.join(missing) or 'none'}. Not used: {', '.join(unused) or 'none'}."
            )
        out = {name: _optimizer(optimizer[name]) for name in names}
        if len({id(o) for o in out.values()}) < len(names):
            raise ValueError(
                "Two phases cannot share one optimizer, whose slots are of one phase's variables. Make two."
            )
    else:
        out = _copies(names, _optimizer(optimizer))
    scaled = any(layer.dtype_policy.name == "mixed_float16" for layer in layers)
    for name, one in out.items():
        if scaled and not isinstance(one, keras.optimizers.LossScaleOptimizer):
            one = out[name] = keras.optimizers.LossScaleOptimizer(one)
        if inner(one).gradient_accumulation_steps:
            raise ValueError(
                f"The optimizer of phase '{name}' accumulates gradients over steps, while the other phases go on. "
                f"Leave gradient_accumulation_steps={inner(one).gradient_accumulation_steps} out, and use "
                "compile(accumulate=...), which takes each batch in parts."
            )
        one.name = inner(one).name = name
    for phase in joint.recipe.phases:
        if not out[phase.name].built:
            out[phase.name].build(joint.variables_of(phase))
    return out


def _optimizer(given: Any) -> keras.optimizers.Optimizer:
    """An optimizer, or that of a name or a config."""
    if given is None:  # which keras.optimizers.get returns as it is
        raise ValueError(
            "A model is compiled with an optimizer, or a dict with one for each phase, such as "
            f"keras.optimizers.Adam(1e-3). Received: {given!r}."
        )
    return keras.optimizers.get(given)


def _copies(names: list[str], one: keras.optimizers.Optimizer) -> dict[str, keras.optimizers.Optimizer]:
    """A copy of an optimizer by its config for each name; itself, where there is one name and it cannot be copied."""
    try:
        out = {name: type(one).from_config(one.get_config()) for name in names}
    except (NotImplementedError, TypeError, ValueError) as error:
        if len(names) == 1 and not one.built:
            return {names[0]: one}
        reason = str(error).split(".")[0]
        raise ValueError(
            f"Each phase gets a copy of the optimizer by its config, and this {type(one).__name__} has none that can "
            f"be read: {reason}. Give a dict with an optimizer of its own for each phase: "
            f"{', '.join(names)}. (Or register a class of your own with @keras.saving.register_keras_serializable().)"
        ) from error
    for copy in out.values():
        _exclude_alike(inner(copy), inner(one))
    return out


def _exclude_alike(copy: keras.optimizers.Optimizer, one: keras.optimizers.Optimizer) -> None:
    """Gives a copy what no config holds: the variables whose weights do not decay."""
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        if hasattr(one, name):
            setattr(copy, name, getattr(one, name))


def inner(optimizer: Any) -> Any:
    """The optimizer that updates, within one that scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


class ByPhase:
    """The phases' optimizers, as Keras's callbacks and summaries ask a model of several for them.

    Attributes:
        optimizers: All of them, each named after its phase.
        built: Whether they have their slots.
        variables: The slots of all.
    """

    built = True

    def __init__(self, optimizers: Mapping[str, keras.optimizers.Optimizer], steps: Any):
        self.optimizers = [inner(optimizer) for optimizer in optimizers.values()]
        self.variables = [variable for optimizer in optimizers.values() for variable in optimizer.variables]
        self._steps = steps

    @property
    def iterations(self) -> tf.Tensor:
        """Training steps so far, int64, as TensorBoard takes steps."""
        return tf.cast(self._steps.value, tf.int64)
