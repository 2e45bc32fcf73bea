"""A look at the first batch of whatever `fit` was given, before training starts."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.joint import Joint

__all__ = ["First", "check_first", "check_held_out"]


@dataclasses.dataclass(frozen=True)
class First:
    """What is known from a first look.

    Attributes:
        bytes: Size of a batch.
        batches: Number of batches; None if unknown or infinite.
    """

    bytes: int
    batches: int | None


def check_first(joint: Joint, x: Any, y: Any, batch_size: int | None) -> First | None:
    """Checks arrays whole, and of a dataset the first batch; None for a generator, which a look would spoil.

    Raises:
        ValueError: If the data do not fit the model's densities.
    """
    batches: int | None
    if isinstance(x, tf.data.Dataset):
        batches = int(x.cardinality())
        batches = batches if batches > 0 else None
        data = next(iter(x.take(1)), None)
        if data is None:
            raise ValueError("The dataset holds no batch. Is the batch larger than the data, with drop_remainder=True?")
    elif isinstance(x, keras.utils.PyDataset):
        batches = x.num_batches
        data = x[0]
    elif x is None or hasattr(x, "__next__"):
        return None
    else:
        data = x if y is None else (x, y)
        size = batch_size or 32
        batches = -(-len(tf.nest.flatten(x)[0]) // size)
    values = {name: np.asarray(value) for name, value in joint.values(data).items()}
    validation.check_data(joint.recipe, joint.densities, values)
    total = sum(value.nbytes for value in values.values())
    if not isinstance(x, tf.data.Dataset | keras.utils.PyDataset):
        validation.check_lengths(values)
        total //= batches or 1
    return First(total, batches)


def check_held_out(joint: Joint, data: Any, batch_size: int | None) -> None:
    """As `check_first`, of what `fit` was given as `validation_data`: None, data, or a tuple of them.

    Raises:
        ValueError: If the data do not fit the model's densities.
    """
    if data is not None:
        parts = data if isinstance(data, tuple) else (data,)
        check_first(joint, parts[0], parts[1] if len(parts) > 1 else None, batch_size)
