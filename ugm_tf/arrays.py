"""Arrays and tensors of numbers, or a refusal that says what came in their place."""

import numbers
import types
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

__all__ = ["give_batches", "is_rows", "is_symbolic", "of_examples", "of_numbers"]


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
    if isinstance(value, keras.KerasTensor | tf.TensorSpec):
        raise ValueError(f"{whose} must be numbers. Received: a {type(value).__name__}, which has none.")
    if isinstance(value, tf.Variable | keras.Variable):
        value = tf.convert_to_tensor(value)
    kind = _kind(getattr(value, "dtype", None))
    if kind is None:
        value = _array(value, whose)
        kind = _kind(value.dtype)
    if kind is None or not (kind.is_floating or kind.is_integer or kind.is_bool):
        raise ValueError(f"{whose} must be numbers. Received {_received(value)}")
    return value


def of_examples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by variable as arrays or tensors of numbers, each [N, ...] of one N.

    Raises:
        ValueError: If one is not, as `of_numbers` says, has no axis, or they are of several lengths.
    """
    out = {name: of_numbers(value, f"The data of {name}") for name, value in values.items()}
    for name, value in out.items():
        if getattr(value.shape, "rank", -1) is not None and not len(value.shape):
            raise ValueError(f"The data of {name} must be an array of examples, [N, ...]. Received: a single number.")
    lengths = {name: value.shape[0] for name, value in out.items()}
    if len(set(lengths.values())) > 1 and all(lengths.values()):  # what is empty is said by itself
        raise ValueError(
            "Arrays hold as many examples of each variable. Received: "
            f"{', '.join(f'{n} of {name}' for name, n in lengths.items())}. Cut the longer ones or repeat the "
            "shorter ones, or give a tf.data.Dataset of batches, such as ugm_tf.data.batches makes of several sources."
        )
    return out


def is_rows(data: Any) -> bool:
    """Whether lists hold numbers or words, or more lists of them, and no array: the rows of one."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return data is None or isinstance(data, numbers.Number | str | bytes | np.generic | list | tuple)


def give_batches(data: Any) -> bool:
    """Whether Keras goes through something batch by batch: a dataset, a generator, or another library's loader."""
    kinds = tf.data.Dataset | tf.distribute.DistributedDataset | keras.utils.PyDataset | types.GeneratorType
    if isinstance(data, kinds):
        return True
    modules = {kind.__module__.partition(".")[0] for kind in type(data).__mro__}
    return bool(modules & {"grain", "torch"}) and not hasattr(data, "dtype")


def is_symbolic(data: Any) -> bool:
    """Whether there are Keras's own tensors, of which functional models are built."""
    parts = data.values() if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else [data]
    return any(isinstance(part, keras.KerasTensor) for part in parts)


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
    convert = "Convert them, as astype('float32') does."
    if _kind(value.dtype) != tf.string:
        return f"dtype {getattr(value.dtype, 'name', value.dtype)}. {convert}"
    first = value.flat[0] if isinstance(value, np.ndarray) and value.size else ""
    if isinstance(first, str | bytes):
        return (
            "strings. Make numbers of names by their place, such as examples.class_names.index(name), or with "
            "np.unique(..., return_inverse=True); of digits with astype(float)."
        )
    mend = f" {convert}" if isinstance(first, numbers.Real) else ""
    return f"dtype object, of which the first is a {type(first).__name__}.{mend}"
