"""What a model refuses of data: those that do not fit its densities."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.algebra import Recipe
from ugm_tf.arrays import of_numbers
from ugm_tf.supports import Support, aliases, inside, supports

__all__ = [
    "check_bytes",
    "check_classes",
    "check_data",
    "check_lengths",
    "check_shapes",
    "check_values",
    "known_shapes",
    "of_bytes",
    "together",
]


def check_data(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses data of the wrong shape, of different lengths, without an example, with NaN, or outside the support of a
    likelihood.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays by variable, each [B, ...].

    Raises:
        ValueError: For the first variable that does not fit, with the value found and the way to mend it.
    """
    arrays = {variable: np.asarray(values[variable]) for variable in recipe.data}
    check_shapes(recipe, densities, arrays)
    check_lengths(recipe, arrays)
    check_values(recipe, densities, arrays)


def check_values(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses numbers that are none, NaN, or outside the support of a likelihood; see `check_data`.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays by variable, each [B, ...]; of some of the recipe's data, and of conditions.

    Raises:
        ValueError: For the first variable that does not fit.
    """
    names = aliases(recipe)
    for variable, array in values.items():
        of_numbers(array, f"The data of {variable}")
        if not np.all(np.isfinite(array)):
            wrong = ~np.isfinite(array).reshape(len(array), -1)
            raise ValueError(
                f"The data of {variable} hold NaN or infinity, first in example {int(np.argmax(wrong.any(-1)))}. "
                f"Remove or mend such examples: {int(wrong.sum()):,} of {array.size:,} values are none."
            )
        for support in supports(recipe, densities, variable, names.get(variable, [variable])):
            _check_support(variable, array, support)


def check_bytes(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses images of bytes, or of other whole numbers, where nothing but densities of any real numbers has them.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays or tensors by variable as they were given, each [B, ...]; those of a graph are let by.

    Raises:
        ValueError: For the first variable of such.
    """
    for variable, value in values.items():
        if tf.is_symbolic_tensor(value) or not of_bytes(recipe, densities, variable, value):
            continue
        array = np.asarray(value)
        if array.size and (array.max() > 1 or array.min() < 0):
            kind = "bytes" if array.dtype == np.uint8 else f"whole numbers ({array.dtype})"
            raise ValueError(
                f"The data of {variable} are images of {kind}, between {array.min():g} and {array.max():g}: divide "
                "them by 255. Where these numbers are what you mean, give floats."
            )


def of_bytes(recipe: Recipe, densities: Mapping[str, Any], variable: str, value: Any) -> bool:
    """Whether these are images of whole numbers, of which there is a density, and none that says where they lie."""
    kind = getattr(getattr(value, "dtype", None), "name", "")
    if not kind.startswith(("int", "uint")) or len(getattr(value, "shape", ())) != 4:
        return False
    names = aliases(recipe).get(variable, [variable])
    told = {support.kind for support in supports(recipe, densities, variable, names)} - {"real"}
    return not told and any(role.of in names for role in recipe.roles.values())


def check_shapes(recipe: Recipe, densities: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuses data of the wrong shape, or without an example; tensors of a graph too, by what is known of their shapes.

    Args:
        recipe: The recipe.
        densities: Its densities.
        values: Arrays or tensors by variable, each [B, ...].

    Raises:
        ValueError: For the first variable that does not fit.
    """
    names = aliases(recipe)
    shapes = {variable: values[variable].shape for variable in recipe.data}
    for variable, shape in shapes.items():
        if getattr(shape, "rank", 0) is None:
            raise ValueError(
                f"The batches say nothing of the shape of {variable}. Say it in the dataset's output_signature, or by "
                "tf.ensure_shape in its map()."
            )
    known = {variable: tuple(shape) for variable, shape in shapes.items()}
    for name, variable, shape in known_shapes(recipe, densities):
        found = known[variable]
        if _compatible(found[1:], shape):
            continue
        classes = any(s.kind == "one_hot" for s in supports(recipe, densities, variable, names[variable]))
        mend = "make one-hot rows of class numbers, with keras.ops.one_hot" if classes else "reshape the data"
        raise ValueError(
            f"'{name}', which is {recipe.roles[name]}, takes {variable} of shape {shape} for each example. "
            f"Received data of shape {found[1:]}: {mend} or build the networks for it."
        )
    for variable, found in known.items():
        if not found or found[0] == 0:
            raise ValueError(f"The data of {variable} hold no example: shape {found}. Give at least one.")


def _compatible(found: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(found) == len(wanted) and all(n in (None, m) for n, m in zip(found, wanted, strict=True))


def check_lengths(recipe: Recipe, values: Mapping[str, Any]) -> None:
    """Refuses a batch of different numbers of rows of what one density takes together.

    Args:
        recipe: The recipe.
        values: Arrays, tensors or their specifications by variable, each [B, ...].

    Raises:
        ValueError: With the numbers.
    """
    for group in together(recipe):
        rows = {variable: values[variable].shape[0] for variable in group}
        if len({n for n in rows.values() if n is not None}) > 1:
            received = ", ".join(f"{n} of {variable}" for variable, n in rows.items())
            raise ValueError(f"A batch has as many rows of {' and '.join(group)}. Received: {received}.")


def together(recipe: Recipe) -> list[tuple[str, ...]]:
    """The variables of the data that one density is given together."""
    names = aliases(recipe)
    groups = [
        tuple(variable for variable in recipe.data if set(role.given) & set(names[variable]))
        for role in recipe.roles.values()
    ]
    return [group for group in dict.fromkeys(groups) if len(group) > 1]


def known_shapes(recipe: Recipe, densities: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """By density and variable of the data, the shape that it takes for each example, where that is known."""
    names = aliases(recipe)
    for name, role in recipe.roles.items():
        density = densities[name]
        pairs = dict([(role.of, density.event_shape), *zip(role.given, density.given_shapes or (), strict=False)])
        for variable in recipe.data:
            shape = next((pairs[alias] for alias in names[variable] if pairs.get(alias) is not None), None)
            if shape is not None:
                yield name, variable, tuple(shape)


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
        for support in supports(recipe, densities, variable, (variable,)):
            if support.kind == "one_hot":
                _check_support(variable, np.asarray(array), support)


def _check_support(variable: str, array: np.ndarray, support: Support) -> None:
    rows = inside(array, support).reshape(len(array), -1 if array.size else 0).all(-1)
    if not np.all(rows):
        raise ValueError(
            f"{support.who} values that are {support.values}; those of example {int(np.argmin(rows))} are not. "
            f"Received data of {variable} between {array.min():g} and {array.max():g}. Change the data or "
            f"{support.mend}."
        )
