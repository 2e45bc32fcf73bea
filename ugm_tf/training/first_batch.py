"""A look at whatever `fit`, `evaluate` and `predict` were given, before they start."""

import dataclasses
import types
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import arguments, validation
from ugm_tf.arrays import give_batches
from ugm_tf.data.batching import supports_of
from ugm_tf.joint import Joint
from ugm_tf.training.batches import fits, known

__all__ = ["First", "check_counts", "check_end", "check_first", "check_held_out", "check_some", "opened"]


@dataclasses.dataclass(frozen=True)
class First:
    """What is known from a first look.

    Attributes:
        bytes: Size of a batch.
        batches: Number of batches; None if unknown or infinite.
        known: Whether values that the densities do not take cannot come: arrays were looked at as a whole, and batches
            of `ugm_tf.data.batches` are made so.
        rows: Number of examples of arrays; None of what gives batches.
    """

    bytes: int
    batches: int | None
    known: bool
    rows: int | None = None


# What counts things in `fit`, `evaluate` and `predict`, with the least that makes sense; None is the default of all but
# the first three.
_COUNTS = {"epochs": 1, "initial_epoch": 0, "validation_freq": 1, "batch_size": 1, "validation_batch_size": 1}
_COUNTS |= {"steps_per_epoch": 1, "validation_steps": 1, "steps": 1, "whole_epoch": 1}
_ENDLESS = 2**40  # batches: at a thousand a second a lifetime
_NO_BATCH = "The dataset holds no batch. Is the batch larger than the data, with drop_remainder=True?"
_NEVER_NONE = ("epochs", "initial_epoch", "validation_freq")


def check_counts(owner: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, with what counts things as an int: NumPy's integers and whole floats are taken.

    Args:
        owner: Whose they are, as messages call it: "fit()".
        options: By name; others are left as they are.

    Raises:
        ValueError: For the first that is no number of things.
    """
    out = dict(options)
    for name, least in _COUNTS.items():
        if name not in out or (out[name] is None and name not in _NEVER_NONE):
            continue
        if name == "validation_freq" and isinstance(out[name], list | tuple | set):  # the epochs to evaluate at
            continue
        out[name] = arguments.count(owner, name, out[name], least)
    return out


def check_end(data: Any, steps: int | None, advice: str) -> None:
    """Refuses data that are known to be endless, without a number of steps.

    Args:
        data: What is to be gone through.
        steps: How many steps of it, or None for all of it.
        advice: What to give.

    Raises:
        ValueError: If there are to be all steps of what has no end.
    """
    if steps is not None:
        return
    number = int(data.cardinality()) if isinstance(data, tf.data.Dataset) else 0
    if number == tf.data.INFINITE_CARDINALITY or number > _ENDLESS:
        raise ValueError(
            f"This dataset never ends, so {advice}; or make one that ends, with epochs=1 in ugm_tf.data.batches, or "
            "without repeat()."
        )
    if isinstance(data, keras.utils.PyDataset) and data.num_batches is None:
        raise ValueError(f"This PyDataset says no number of batches, so it never ends: {advice}.")


def check_some(data: Any) -> None:
    """Refuses data that are known to hold nothing.

    Raises:
        ValueError: If there is no example, or no batch.
    """
    if isinstance(data, tf.data.Dataset):
        if int(data.cardinality()) == 0:
            raise ValueError(_NO_BATCH)
    elif tuple(getattr(next(iter(tf.nest.flatten(data)), None), "shape", ()))[:1] == (0,):
        raise ValueError("The data hold no example. Give at least one.")


def opened(data: Any) -> Any:
    """Data as Keras goes through them: a generator's batches as tuples, whatever they were; others as they are."""
    if not isinstance(data, types.GeneratorType):
        return data
    return (tuple(batch) if isinstance(batch, tuple | list) else (batch,) for batch in data)


def check_first(joint: Joint, x: Any, y: Any, batch_size: int | None) -> First | None:
    """Checks arrays whole, and of a dataset the first batch; None for a generator, which Keras itself looks into.

    Raises:
        ValueError: If the data do not fit the model's densities.
    """
    batches: int | None
    if isinstance(x, tf.data.Dataset):
        batches = int(x.cardinality())
        batches = batches if batches > 0 else None
        if not supports_of(x):  # of a pipeline of one's own a look takes a batch away, or shuffles once more
            check_some(x)
            joint.values(tf.nest.map_structure(lambda part: tf.zeros([1], part.dtype), x.element_spec))
            fits(joint, x.element_spec)
            return First(_bytes(x.element_spec), batches, False)
        data = next(iter(x.take(1)), None)
        if data is None:
            raise ValueError(_NO_BATCH)
    elif isinstance(x, keras.utils.PyDataset):
        batches = x.num_batches
        data = x[0]
    elif give_batches(x):
        return None
    else:
        data = x if y is None else (x, y)
        size = batch_size or 32
        batches = -(-len(tf.nest.flatten(x)[0]) // size)
    values = {name: np.asarray(value) for name, value in joint.values(data).items()}
    validation.check_data(joint.recipe, joint.densities, values)
    validation.check_bytes(joint.recipe, joint.densities, joint.named(data))
    total = sum(value.nbytes for value in values.values())
    whole = not isinstance(x, tf.data.Dataset | keras.utils.PyDataset)
    if whole:
        total //= batches or 1
    rows = len(tf.nest.flatten(x)[0]) if whole else None
    return First(total, batches, whole or known(joint, supports_of(x)), rows)


def _bytes(spec: Any) -> int:
    """How many bytes a batch has, as far as its specification says."""
    shapes = [(part.shape, part.dtype.size) for part in tf.nest.flatten(spec)]
    return sum(size * shape.num_elements() for shape, size in shapes if shape.is_fully_defined())


def check_held_out(joint: Joint, data: Any, batch_size: int | None, steps: int | None = None) -> None:
    """As `check_first`, of what `fit` was given as `validation_data`: None, data, or a tuple of them.

    Raises:
        ValueError: If the data do not fit the model's densities, or never end and there is no number of steps.
    """
    if data is not None:
        parts = data if isinstance(data, tuple) else (data,)
        check_end(parts[0], steps, "give fit() validation_steps")
        check_first(joint, parts[0], parts[1] if len(parts) > 1 else None, batch_size)
