"""What the likelihood side asks of a model: its densities, its data, and whether to compile."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.algebra import JointSample, Recipe
from ugm_tf.arrays import of_examples
from ugm_tf.densities import Density, Prior
from ugm_tf.evaluation.checks import check_rows
from ugm_tf.training import execution

__all__ = ["Jointly", "bounding", "codes_at_once", "collect", "compiles", "start", "variables"]

_MOST_CODES, _MOST_NUMBERS = 2048, 2**21


class Jointly(Protocol):
    """Densities that fill the roles of a recipe: a `UnifiedModel`, trained or not."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def densities(self) -> Mapping[str, Density | Prior]: ...


def bounding(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The densities whose ratio bounds log p(x): those of p(x, z), the decoder first, and those of q(z | x).

    Raises:
        ValueError: If there are none, or one of them has no log-probability.
    """
    names = model.recipe.bound()
    if names is None or not all(model.densities[name].family.has_log_prob for part in names for name in part):
        parts = ", ".join(f"{role} ({model.densities[name].family})" for name, role in model.recipe.roles.items())
        raise ValueError(
            "A bound takes a prior, an encoder and a decoder that have a log-probability and need nothing but data "
            f"and the code. This model has: {parts}. Without an encoder, or with a point decoder, `annealed` estimates "
            "the log-likelihood under an observation model."
        )
    return names


def variables(model: Any, names: Iterable[str], inferred: Iterable[str]) -> tuple[str, ...]:
    """Variables that these densities are of or given, without those that are inferred; the decoder's first."""
    roles, names = model.recipe.roles, tuple(names)
    asked = {variable for name in names for variable in (*roles[name].given, roles[name].of)} - set(inferred)
    first = roles["decoder"].of
    return tuple(dict.fromkeys((first, *sorted(asked))))


def collect(model: Any, what: str, asked: tuple[str, ...], x: Any, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The data by variable, float32 [N, ...], or a refusal.

    Raises:
        ValueError: If a variable is missing, unknown, of another length, or outside what a likelihood takes.
    """
    first, *others = asked
    if set(given) != set(others):
        raise ValueError(
            f"{what}() takes {first}{', and by name ' + ', '.join(others) if others else ' alone'}. "
            f"Received by name: {', '.join(given) or 'nothing'}."
        )
    arrays = {v: check_rows(f"The data of {v} in {what}()", a, least=1) for v, a in {first: x, **given}.items()}
    of_examples(arrays)
    recipe = copy.copy(model.recipe)
    object.__setattr__(recipe, "data", asked)  # of these alone, and of all of these
    validation.check_data(recipe, model.densities, arrays)
    validation.check_bytes(recipe, model.densities, arrays)
    return {variable: array.astype(np.float32) for variable, array in arrays.items()}


def start(model: Any, values: Mapping[str, Any]) -> JointSample:
    """The joint sample of these values alone."""
    return JointSample(model.densities, model.recipe.roles, values, training=False)


def codes_at_once(x: np.ndarray) -> int:
    """How many codes to decode at once: a few thousand, fewer of large images."""
    return max(1, min(_MOST_CODES, _MOST_NUMBERS // max(1, int(np.prod(x.shape[1:])))))


def compiles(model: Any, jit_compile: bool | str, on_cpu: bool = True) -> bool:
    """Whether to compile with XLA: as told, or by device and layers.

    Args:
        model: Densities that fill the roles of a recipe.
        jit_compile: A switch, or "auto".
        on_cpu: Whether that gains on a CPU at all.

    Raises:
        ValueError: If it is neither a switch nor "auto".
    """
    if jit_compile == "auto":
        layers = [layer for density in model.densities.values() for layer in density._flatten_layers()]
        return execution.choose_jit(layers)[0] and (on_cpu or bool(tf.config.list_logical_devices("GPU")))
    if not isinstance(jit_compile, bool):
        raise ValueError(f"jit_compile is True, False or 'auto'. Received: {jit_compile!r}.")
    return jit_compile
