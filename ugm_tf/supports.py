"""Where the values of a variable lie: what its likelihoods, the recipe and networks that only draw it say of it."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from ugm_tf.algebra import Recipe, Rename
from ugm_tf.densities import Family, families

__all__ = ["TOLERANCE", "Support", "aliases", "inside", "reach", "supports"]

TOLERANCE = 1e-3  # for the rounding of whoever made the values

_SUPPORTS = {
    "binary": "0 or 1: binarise it, with observation='binarised' in ugm_tf.data.batches",
    "unit": "in [0, 1]: divide 8-bit images by 255",
    "levels": "a multiple of 1/(levels-1) in [0, 1]: divide 8-bit images by 255, and do not dequantise them",
    "one_hot": "a one-hot vector: use keras.ops.one_hot",
    "simplex": "a vector of probabilities that sum to 1",
    "label": "an integer label, 0 or more",
}


@dataclasses.dataclass(frozen=True)
class Support:
    """Where the values of a variable lie, and who says so.

    Attributes:
        kind: A family's `support`; or "range", of what a network without a log-probability can reach.
        who: Who says so, as the start of a sentence.
        values: What the values are, in words, with the way to make them so.
        mend: What else than the data may be changed.
        least: The least value, and
        most: the largest, where there are such.
        levels: How many levels, where there are such.
    """

    kind: str
    who: str
    values: str
    mend: str
    least: float = 0.0
    most: float = 1.0
    levels: int = 256


def supports(
    recipe: Recipe, densities: Mapping[str, Any], variable: str, aliases: Collection[str]
) -> Iterator[Support]:
    """Where the values of a variable lie, as its likelihoods say, the recipe, and networks that only draw it.

    Args:
        recipe: The recipe.
        densities: Its densities.
        variable: The variable's name.
        aliases: Names under which densities have it, its own too.
    """
    if variable in recipe.families and variable not in recipe.densities:
        family = families.get(recipe.families[variable])
        yield _support_of(
            family, f"The recipe, whose {variable} is of family {family}, takes", "the recipe's `families`"
        )
    for name, role in recipe.roles.items():
        family = densities[name].family
        if role.of not in aliases:
            continue
        if family.has_log_prob:
            who = f"'{name}', which is {role} of family {family}, has a likelihood for"
            yield _support_of(family, who, "the family")
        elif variable in recipe.data and (ends := reach(densities[name].network)) is not None:
            least, most = ends
            advice = "divide 8-bit images by 255" if (least, most) == (0, 1) else "rescale the data"
            yield Support(
                "range",
                f"'{name}', which is {role}, draws only",
                f"in [{least:g}, {most:g}] by its last activation: {advice}",
                "the network's last activation",
                least,
                most,
            )


def _support_of(family: Family, who: str, mend: str) -> Support:
    return Support(
        family.support, who, _SUPPORTS.get(family.support, "finite"), mend, levels=getattr(family, "levels", 256)
    )


def aliases(recipe: Recipe) -> dict[str, list[str]]:
    """What a sampler renames each variable of the data to, such as labelled to x: it is to fit as that."""
    names: dict[str, list[str]] = {v: [v] for v in recipe.data}
    for step in recipe.steps:
        if isinstance(step, Rename) and step.old in names:
            names[step.old].append(step.new)
    return names


def inside(array: np.ndarray, support: Support) -> np.ndarray:
    """Where values are inside of a support; a vector's own are inside or outside together."""
    if support.kind == "binary":
        return (array == 0) | (array == 1)
    if support.kind == "range":
        return (array > support.least - TOLERANCE) & (array < support.most + TOLERANCE)
    if support.kind in ("unit", "levels"):
        steps = array * (support.levels - 1)
        whole = support.kind == "unit" or np.abs(steps - np.round(steps)) < TOLERANCE
        return whole & (array >= 0) & (array <= 1)
    if support.kind in ("one_hot", "simplex"):
        if array.ndim < 2:  # numbers, no vectors
            return np.zeros(array.shape, bool)
        sums = np.abs(array.sum(-1, keepdims=True) - 1) < TOLERANCE
        return sums & ((array == 0) | (array == 1) if support.kind == "one_hot" else array >= 0)
    if support.kind == "label":
        return (array >= 0) & (array == np.round(array))
    return np.ones(array.shape, bool)


def reach(network: keras.layers.Layer) -> tuple[float, float] | None:
    """The least and the largest value of a network's output, by its last activation; None where that has no bounds.

    Args:
        network: A layer, a Sequential or a functional model, of which what reshapes and rescales is looked through.
    """
    least, most = 1.0, 0.0
    scales: list[tuple[Any, Any]] = []
    for layer in _from_the_end(network):
        activation = getattr(layer, "activation", None)
        if isinstance(layer, keras.layers.Rescaling):
            scales.append((layer.scale, layer.offset))
        elif activation in _ACTIVATIONS:
            least, most = _ACTIVATIONS[activation]
            break
        elif not isinstance(layer, _SHAPING):
            return None
    for scale, offset in reversed(scales):
        if not (isinstance(scale, float | int) and isinstance(offset, float | int)):
            return None
        ends = least * scale + offset, most * scale + offset
        least, most = min(ends), max(ends)
    return (least, most) if least < most else None


def _from_the_end(network: Any) -> Iterator[Any]:
    """The layers that a network's output went through, the last first, as far as each follows one other alone."""
    if not isinstance(network, keras.Model) or not getattr(network, "layers", None):
        yield network
        return
    if isinstance(network, keras.Sequential):
        for layer in reversed(network.layers):
            yield from _from_the_end(layer)
        return
    try:
        wanted = network.outputs[0]
        for layer in reversed(network.layers):
            if layer.output is wanted:
                yield from _from_the_end(layer)
                wanted = layer.input
    except (AttributeError, IndexError, ValueError):  # a subclass, or a layer that is called twice
        return


_ACTIVATIONS = {
    keras.activations.sigmoid: (0.0, 1.0),
    keras.activations.hard_sigmoid: (0.0, 1.0),
    keras.activations.softmax: (0.0, 1.0),
    keras.activations.tanh: (-1.0, 1.0),
}
_SHAPING = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Permute, keras.layers.Cropping2D)
