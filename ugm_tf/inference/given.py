"""What a caller gives an answer: by position or by name, as tensors of the shapes that are wanted."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.arrays import of_numbers
from ugm_tf.inference import guards
from ugm_tf.joint import Joint

__all__ = ["inputs"]


def inputs(
    joint: Joint,
    name: str,
    wanted: Mapping[str, tf.TensorSpec],
    first: tuple[Any, ...],
    given: Mapping[str, Any],
    rows: int | None = None,
    unused: Iterable[str] = (),
) -> dict[str, tf.Tensor]:
    """The inputs that are `wanted`, by name.

    Args:
        joint: The densities and the recipe.
        name: Who takes them, as messages call it.
        wanted: Their specifications.
        first: Those that are not given by name.
        given: The others.
        rows: How many rows there are to be; by default those of the first.
        unused: Names that may be given and are not wanted.

    Raises:
        ValueError: If they are others, of other shapes, or no numbers.
    """
    free = [variable for variable in wanted if variable not in given]
    if len(free) != len(first) or not set(given) <= {*wanted, *unused}:
        which = f"{', '.join(wanted)}{', the others by name' if first else ' by name'}" if wanted else "nothing by name"
        noise = "".join(_of_noise(joint, v, wanted[v]) for v in free[len(first) :])
        raise ValueError(f"{name}() takes {which}. Received by name: {', '.join(given) or 'nothing'}.{noise}")
    values: dict[str, tf.Tensor] = {}
    for variable, value in {**dict(zip(free, first, strict=True)), **given}.items():
        if variable not in wanted:
            continue
        spec, class_numbers = wanted[variable], guards.classes(joint, variable)
        value = tf.convert_to_tensor(of_numbers(value, f"{variable} of {name}()"))
        validation.check_bytes(joint.recipe, joint.densities, {variable: value})
        if class_numbers and value.dtype.is_integer and value.shape.rank in (0, 1):
            lead = next(iter(values.values()), None)
            number = rows if lead is None else lead.shape[0] if lead.shape[0] is not None else tf.shape(lead)[0]
            value = _one_hot(name, variable, value, spec.shape[-1], number)
        values[variable] = tf.cast(value, spec.dtype)
        if not spec.shape.is_compatible_with(values[variable].shape):
            hint = " Give classes as one-hot rows, or by their numbers as integers." if class_numbers else ""
            raise ValueError(
                f"{name}() takes {variable} of shape {_shape(spec.shape)}, where B is the number of examples. "
                f"Received shape {_shape(values[variable].shape)}.{hint}"
            )
    counts = {variable: value.shape[0] for variable, value in values.items()}
    if len({n for n in counts.values() if n is not None}) > 1:
        raise ValueError(f"{name}() takes as many rows of each input. Received: {counts}.")
    return values


def _of_noise(joint: Joint, variable: str, spec: tf.TensorSpec) -> str:
    """What a variable that was not given is, where a density of the model draws it from nothing."""
    found = [name for name, role in joint.roles.items() if role.of == variable and not role.given]
    draw = f"model.densities['{found[0]}'].distribution().sample(B)" if found else ""
    return f" {variable}, {_shape(spec.shape)}, is drawn by {draw}." if found else ""


def _one_hot(name: str, variable: str, numbers: tf.Tensor, classes: int, rows: Any) -> tf.Tensor:
    """One-hot rows of class numbers; of one number, as many rows of it as there are."""
    if not tf.is_symbolic_tensor(numbers):
        wrong = [int(n) for n in np.ravel(numbers) if not 0 <= n < classes]
        if wrong:
            raise ValueError(
                f"{name}() takes {variable}, a class from 0 to {classes - 1} or one-hot rows. Received: {wrong[0]}."
            )
    if numbers.shape.rank == 0:
        numbers = tf.fill([1 if rows is None else rows], numbers)
    return tf.one_hot(tf.cast(numbers, tf.int64), classes)


def _shape(shape: tf.TensorShape) -> str:
    return f"[{', '.join('B' if i == 0 and n is None else str(n) for i, n in enumerate(shape))}]"
