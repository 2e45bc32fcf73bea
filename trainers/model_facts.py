"""What a model is made of, for its report: densities with their families and sizes, and how each phase learns."""

import dataclasses
from typing import Any

import keras
import numpy as np

import ugm_tf

__all__ = ["densities", "optimizers", "parameters"]


def parameters(model: ugm_tf.UnifiedModel) -> int:
    """How many numbers the model learns; those of a density of two roles count once."""
    return _size([v for density in model.densities.values() for v in density.trainable_variables])


def densities(model: ugm_tf.UnifiedModel) -> list[tuple[str, str, str, int]]:
    """Of each density its name, its role, its family and how many numbers it learns."""
    return [
        (
            name,
            str(model.recipe.roles[name]),
            _family(density),
            _size(density.trainable_variables),
        )
        for name, density in model.densities.items()
    ]


def optimizers(model: ugm_tf.UnifiedModel) -> dict[str, str]:
    """Of each phase what it learns by, and which densities."""
    out = {}
    for phase in model.recipe.phases:
        optimizer = model.optimizers.get(phase.name)
        if optimizer is not None:
            out[phase.name] = f"{type(optimizer).__name__}({_rate(optimizer)}) of {', '.join(phase.updates)}"
    return out


def _size(variables: list[Any]) -> int:
    return sum(int(np.prod(variable.shape)) for variable in {id(v): v for v in variables}.values())


def _family(density: Any) -> str:
    family, bent = density.family, getattr(density, "flow", None)
    fields = dataclasses.fields(family) if dataclasses.is_dataclass(family) else ()
    words = [f"{f.name}={value!r}" for f in fields if (value := getattr(family, f.name)) is not None]
    text = type(family).__name__ + (f"({', '.join(words)})" if words else "")
    return text if bent is None else f"{text}, bent by {type(bent).__name__}"


def _rate(optimizer: keras.optimizers.Optimizer) -> str:
    rate = optimizer.get_config()["learning_rate"]
    if isinstance(rate, dict):  # a schedule
        known = rate.get("config", {})
        return f"{rate['class_name']} from {known.get('initial_learning_rate', '?'):.3g}"
    return f"{float(rate):.3g}"
