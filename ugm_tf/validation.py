"""What a model refuses: densities that do not fit its recipe, and data that do not fit its densities."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from ugm_tf.algebra import Ancestral, Draw, Enumerate, Phase, Recipe, Rename
from ugm_tf.densities import Density, Family, Logit, OneHot, Prior, families

__all__ = ["check_classes", "check_data", "check_densities", "check_lengths"]

_SUPPORTS = {
    "binary": "0 or 1: binarise it, with observation='binarised' in ugm_tf.data.batches",
    "unit": "in [0, 1]: divide 8-bit images by 255",
    "levels": "a multiple of 1/(levels-1) in [0, 1]: divide 8-bit images by 255, and do not dequantise them",
    "one_hot": "a one-hot vector: use keras.ops.one_hot",
    "simplex": "a vector of probabilities that sum to 1",
    "label": "an integer label, 0 or more",
}


def check_densities(recipe: Recipe, densities: Mapping[str, Any]) -> None:
    """Refuses densities that are missing, left over, of the wrong shape or of a family that a phase cannot use.

    Raises:
        ValueError: For the first that does not fit, saying what was expected.
    """
    missing = [name for name in recipe.densities if name not in densities]
    unused = [name for name in densities if name not in recipe.densities]
    if missing or unused:
        roles = ", ".join(f"'{name}': {role}" for name, role in recipe.roles.items())
        raise ValueError(
            f"The recipe is made of {roles}. Missing: {', '.join(missing) or 'none'}. Not used: "
            f"{', '.join(unused) or 'none'}."
        )
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    for name, role in recipe.roles.items():
        density = densities[name]
        if not isinstance(density, Density | Prior):
            raise ValueError(f"'{name}' must be a ugm_tf.Density or a ugm_tf.Prior. Received: {density!r}.")
        if bool(role.given) == isinstance(density, Prior):
            raise ValueError(
                f"'{name}' is {role}, so it must be a "
                f"{'Density(network, family)' if role.given else 'Prior(shape, family)'}. "
                f"Received: {density!r}."
            )
        given = density.given_shapes
        if given is not None and len(given) != len(role.given):
            raise ValueError(
                f"'{name}' is {role}, so its network takes {len(role.given)} inputs, in that order. "
                f"Received a network of {len(given)}: {given}."
            )
        found = [(role.of, density.event_shape), *zip(role.given, given or (), strict=False)]
        for variable, shape in found:
            if shape is None:
                continue
            known, other = shapes.setdefault(variable, (tuple(shape), name))
            if known != tuple(shape):
                raise ValueError(
                    f"{variable} has shape {known} in '{other}', which is {recipe.roles[other]}, and shape "
                    f"{tuple(shape)} in "
                    f"'{name}', which is {role}. Make their networks agree."
                )
    _check_steps(recipe, shapes)
    for by in recipe.judges:
        if not isinstance(densities[by].family, Logit):
            raise ValueError(
                f"The recipe asks '{by}' for a discriminator's logit. Give it the family 'logit'. "
                f"Received: {densities[by].family}."
            )
    for phase in dict.fromkeys(recipe.phases):
        _check_families(recipe, phase, densities)


def _check_steps(recipe: Recipe, shapes: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """What a sampler makes of a variable, such as a pack of examples, must have the shape that a density takes."""
    known = {variable: shape for variable, (shape, _) in shapes.items()}
    for step in recipe.steps:
        for variable, shape in step.shape(known).items():
            known.setdefault(variable, shape)
            other, name = shapes.get(variable, (shape, ""))
            if other == shape:
                continue
            origins = (f"{v} has shape {known[v]} in '{shapes[v][1]}'" for v in step.needs(recipe.roles) if v in shapes)
            raise ValueError(
                f"A sampler sets {variable} {step.source(recipe.roles)}, of shape {shape}, as {', '.join(origins)}. "
                f"Received '{name}', which is {recipe.roles[name]}, of shape {other} of {variable}. Build "
                f"'{name}' for {variable} of shape {shape}."
            )


def _check_families(recipe: Recipe, phase: Phase, densities: Mapping[str, Any]) -> None:
    for e in phase.minimise:
        for name in e.scored:
            if not densities[name].family.has_log_prob:
                raise ValueError(
                    f"Phase '{phase.name}' minimises {e.of}, but '{name}' is a point density, which has no "
                    "log-probability. "
                    "Give it a family with a spread, such as 'laplace' or 'unit_gaussian', or judge its draws by a "
                    "discriminator."
                )
        for side in e.under.sides:
            _check_gradients(recipe, phase, side, densities)


def _check_gradients(recipe: Recipe, phase: Phase, sampler: Ancestral, densities: Mapping[str, Any]) -> None:
    """Every density that learns from what it draws must have draws that carry its gradient."""
    live: list[str] = []
    for step in sampler.steps:
        if step.holds:
            live = []
        elif isinstance(step, Enumerate):
            if not isinstance(densities[step.density].family, OneHot):
                raise ValueError(
                    f"Phase '{phase.name}' enumerates '{step.density}', which must be of family 'one_hot'. "
                    f"Received: {densities[step.density].family}."
                )
        elif isinstance(step, Draw) and step.density in phase.updates:
            live.append(step.density)
    for name in live:
        if not densities[name].family.reparameterised:
            role = recipe.roles[name]
            raise ValueError(
                f"Phase '{phase.name}' updates '{name}', which is {role}, through its draws of {role.of}, but the "
                "family "
                f"{densities[name].family} has no reparameterised draws: no gradient can reach it. Use 'point' or "
                "'laplace' for "
                "images, 'relaxed_one_hot' for classes, an Enumerate step for an exact sum, or score it instead of "
                "drawing from it."
            )


def check_data(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses data of the wrong shape, without an example, with NaN, or outside the support of a likelihood.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays by variable, each [B, ...].

    Raises:
        ValueError: For the first variable that does not fit, with the value found and the way to mend it.
    """
    # What a sampler renames, such as labelled to x, is to fit as what it becomes.
    names: dict[str, list[str]] = {v: [v] for v in recipe.data}
    for step in recipe.steps:
        if isinstance(step, Rename) and step.old in names:
            names[step.old].append(step.new)
    for name, role in recipe.roles.items():
        density = densities[name]
        pairs = dict([(role.of, density.event_shape), *zip(role.given, density.given_shapes or (), strict=False)])
        for variable, aliases in names.items():
            shape = next((pairs[alias] for alias in aliases if pairs.get(alias) is not None), None)
            array = np.asarray(values[variable])
            if shape is not None and array.shape[1:] != tuple(shape):
                raise ValueError(
                    f"'{name}', which is {role}, takes {variable} of shape {tuple(shape)} for each example. "
                    f"Received data of shape {array.shape[1:]}: reshape the data or build the networks for it."
                )
    for variable in recipe.data:
        array = np.asarray(values[variable])
        if not len(array):
            raise ValueError(f"The data of {variable} hold no example: shape {array.shape}. Give at least one.")
        if not np.issubdtype(array.dtype, np.number):
            raise ValueError(f"The data of {variable} must be numbers. Received dtype {array.dtype}.")
        if not np.all(np.isfinite(array)):
            bad = int(np.argmax(~np.isfinite(array).reshape(len(array), -1).all(-1)))
            raise ValueError(
                f"The data of {variable} hold NaN or infinity, first in example {bad}. Remove or mend such examples."
            )
        for who, family, mend in _scored_as(recipe, densities, variable, names[variable]):
            _check_support(variable, array, who, family, mend)


def check_lengths(values: Mapping[str, Any]) -> None:
    """Refuses arrays of different lengths, which no batch can be cut from.

    Args:
        values: Arrays by variable.

    Raises:
        ValueError: With the lengths.
    """
    lengths = {variable: len(array) for variable, array in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "Arrays hold as many examples of each variable. Received: "
            f"{', '.join(f'{n} of {variable}' for variable, n in lengths.items())}. Cut the longer ones or repeat the "
            "shorter ones, or give a tf.data.Dataset of batches, such as ugm_tf.data.batches makes of several sources."
        )


def check_classes(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses conditions that are to be one-hot rows and are not.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays by variable, each [B, ...].

    Raises:
        ValueError: For the first variable that does not fit, as `check_data`.
    """
    for variable, array in values.items():
        for who, family, mend in _scored_as(recipe, densities, variable, (variable,)):
            if family.support == "one_hot":
                _check_support(variable, np.asarray(array), who, family, mend)


def _scored_as(
    recipe: Recipe, densities: Mapping[str, Any], variable: str, aliases: Collection[str]
) -> Iterator[tuple[str, Family, str]]:
    """The families that tell what values a variable has: who has them, and what else than the data may be changed."""
    if variable in recipe.families and variable not in recipe.densities:
        family = families.get(recipe.families[variable])
        yield f"The recipe, whose {variable} is of family {family}, takes", family, "the recipe's `families`"
    for name, role in recipe.roles.items():
        family = densities[name].family
        if role.of in aliases and family.has_log_prob:
            yield f"'{name}', which is {role} of family {family}, has a likelihood for", family, "the family"


def _check_support(variable: str, array: np.ndarray, who: str, family: Family, mend: str) -> None:
    inside = _inside(array, family).reshape(len(array), -1).all(-1)
    if not np.all(inside):
        raise ValueError(
            f"{who} values that are {_SUPPORTS[family.support]}; those of example {int(np.argmin(inside))} are not. "
            f"Received data of {variable} between {array.min():g} and {array.max():g}. Change the data or {mend}."
        )


def _inside(array: np.ndarray, family: Family) -> np.ndarray:
    """Where values are inside of the family's support; a vector's own are inside or outside together."""
    if family.support == "binary":
        return (array == 0) | (array == 1)
    if family.support in ("unit", "levels"):
        steps = array * (getattr(family, "levels", 256) - 1)
        whole = family.support == "unit" or np.abs(steps - np.round(steps)) < 1e-3
        return whole & (array >= 0) & (array <= 1)
    if family.support in ("one_hot", "simplex"):
        if array.ndim < 2:  # numbers, no vectors
            return np.zeros(array.shape, bool)
        sums = np.abs(array.sum(-1, keepdims=True) - 1) < 1e-3
        return sums & ((array == 0) | (array == 1) if family.support == "one_hot" else array >= 0)
    if family.support == "label":
        return (array >= 0) & (array == np.round(array))
    return np.ones(array.shape, bool)
