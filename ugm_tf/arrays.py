"""Arrays and tensors of numbers, or a refusal that says what came in their place."""

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["give_batches", "is_rows", "of_data", "of_numbers"]


def of_numbers(value: Any, whose: str) -> Any:
    """A value as an array or a tensor of real numbers or truth values; what is one already is returned as it is.

    Args:
        value: An array, a tensor, a number, or lists of numbers in one another.
        whose: Whose it is, as the start of a sentence: "The data of x".

    Raises:
        ValueError: If it is something else, with what was received.
    """
    if isinstance(value, tf.RaggedTensor | tf.SparseTensor):
        raise ValueError(f"{whose} must be a dense tensor. Received: a {type(value).__name__}; use its to_tensor().")
    kind = _kind(getattr(value, "dtype", None))
    if kind is None:
        value = _array(value, whose)
        kind = _kind(value.dtype)
    if kind is None or not (kind.is_floating or kind.is_integer or kind.is_bool):
        raise ValueError(f"{whose} must be numbers. Received {_received(value)}")
    return value


def of_data(data: Any, owner: str, variables: Sequence[str]) -> Any:
    """Data as Keras's loops take them, with lists of numbers as arrays; datasets and generators are left as they are.

    Args:
        data: An array of a variable, a dict by variable, a tuple or a list of arrays, or what gives batches.
        owner: Who takes them, as messages call it: "fit()".
        variables: Names, in the order of a tuple.

    Raises:
        ValueError: If there are none, or they are no numbers.
    """
    if data is None:
        raise ValueError(f"{owner} takes data of {', '.join(variables)}. Received: None.")
    if give_batches(data):
        return data
    if isinstance(data, Mapping):
        return {name: of_numbers(value, f"The data of {name}") for name, value in data.items()}
    if isinstance(data, tuple) or (isinstance(data, list) and not (len(variables) == 1 and is_rows(data))):
        names = [*variables, *(f"part {i + 1}" for i in range(len(variables), len(data)))]
        parts = [
            part if part is None else of_numbers(part, f"The data of {name}")  # Keras's tuples end with None
            for name, part in zip(names, data, strict=False)
        ]
        return type(data)(parts) if type(data) in (tuple, list) else tuple(parts)
    return of_numbers(data, f"The data of {variables[0]}" if variables else f"What {owner} takes")


def is_rows(data: Any) -> bool:
    """Whether lists hold numbers or words, or more lists of them, and no array: the rows of one."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return data is None or isinstance(data, numbers.Number | str | bytes | np.generic | list | tuple)


def give_batches(data: Any) -> bool:
    """Whether something is gone through batch by batch: a dataset, a generator, or another library's loader."""
    if isinstance(data, list | tuple | Mapping | str | bytes) or hasattr(data, "__array__") or hasattr(data, "dtype"):
        return False
    return hasattr(data, "__iter__") or hasattr(data, "__next__") or hasattr(data, "__getitem__")


def _array(value: Any, whose: str) -> np.ndarray:
    if value is None:
        raise ValueError(f"{whose} must be numbers. Received: None.")
    try:
        return np.asarray(value)
    except ValueError:  # NumPy's of lists of several lengths
        raise ValueError(
            f"{whose} must be numbers in rows of one length. Received a {type(value).__name__} of {len(value)} whose "
            "parts differ in shape. Make them alike, and one array of them with np.stack."
        ) from None


def _kind(dtype: Any) -> tf.DType | None:
    """TensorFlow's own of a type, which is that of strings for objects too; None where it has none, as for dates."""
    try:
        return tf.as_dtype(dtype)
    except TypeError:
        return None


def _received(value: Any) -> str:
    if _kind(value.dtype) != tf.string:
        return f"dtype {getattr(value.dtype, 'name', value.dtype)}."
    if (
        isinstance(value, np.ndarray)
        and value.dtype == object
        and value.size
        and not isinstance(value.flat[0], str | bytes)
    ):
        return f"dtype object, of which the first is a {type(value.flat[0]).__name__}."
    return (
        "strings. Make numbers of names with np.unique(names, return_inverse=True), and of digits with astype(float)."
    )
