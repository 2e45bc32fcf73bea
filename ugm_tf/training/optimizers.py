"""What `UnifiedModel.compile` accepts: its arguments, and an optimizer for each phase."""

from collections.abc import Mapping
from typing import Any

import keras

from ugm_tf.algebra import Recipe
from ugm_tf.joint import Joint

__all__ = ["by_phase", "check"]


def check(
    recipe: Recipe,
    unknown: Mapping[str, Any],
    schedule: str,
    jit_compile: bool | str,
    steps_per_execution: int | str,
    run_eagerly: bool,
) -> None:
    """Refuses arguments of `compile` that make no sense for this recipe.

    Raises:
        ValueError: For the first one.
    """
    if unknown:
        raise ValueError(
            f"compile() does not take {', '.join(sorted(unknown))}: the losses and metrics are the recipe's phases. "
            "It takes optimizer, schedule, jit_compile, steps_per_execution and run_eagerly."
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
    if not isinstance(run_eagerly, bool):
        raise ValueError(f"run_eagerly is True or False. Received: {run_eagerly!r}.")


def by_phase(joint: Joint, optimizer: Any) -> dict[str, keras.optimizers.Optimizer]:
    """An optimizer for each phase, with its slots.

    Args:
        joint: The densities and the recipe.
        optimizer: One, or its name, of which each phase gets a copy; or a dict by phase.

    Raises:
        ValueError: If a phase has none, one has no phase, or two phases share one.
    """
    names = list(dict.fromkeys(phase.name for phase in joint.recipe.phases))
    if isinstance(optimizer, Mapping) and "class_name" not in optimizer:
        missing, unused = [n for n in names if n not in optimizer], [n for n in optimizer if n not in names]
        if missing or unused:
            raise ValueError(
                f"Give one optimizer, or one for each phase: {', '.join(names)}. "
                f"Missing: {', '.join(missing) or 'none'}. Not used: {', '.join(unused) or 'none'}."
            )
        out = {name: keras.optimizers.get(optimizer[name]) for name in names}
        if len({id(o) for o in out.values()}) < len(names):
            raise ValueError(
                "Two phases cannot share one optimizer, whose slots are of one phase's variables. Make two."
            )
    else:
        one = keras.optimizers.get(optimizer)
        out = {name: type(one).from_config(one.get_config()) for name in names}
    for phase in joint.recipe.phases:
        if not out[phase.name].built:
            out[phase.name].build(joint.variables_of(phase))
    return out
