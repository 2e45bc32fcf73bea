"""Keras's schedules as ours."""

import functools
import itertools
import json
import math
import numbers
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.algebra.looked_up import LOOKED_UP, MOST, values
from ugm_tf.algebra.schedule import Schedule
from ugm_tf.serialization import record

__all__ = ["FromKeras", "of"]


@record
class FromKeras(Schedule):
    """A `keras.optimizers.schedules.LearningRateSchedule`, by its configuration: so that equal ones are equal.

    Keras's schedules do not tell their range.  It is taken from their values at the powers of two, and next to each
    whole number of the configuration, such as `decay_steps`.

    Args:
        config: What `keras.saving.serialize_keras_object` makes of it, as JSON.

    Raises:
        ValueError: If a value is NaN, or infinite near a number of the configuration.
    """

    config: str

    def check(self):
        _values(self)

    def __call__(self, step):
        return tf.cast(self.schedule()(step), tf.float32)

    @property
    def range(self):
        found = _values(self).values()
        return min(found), max(found)

    def describe(self):
        config = json.loads(self.config)
        arguments = ", ".join(f"{k}={v}" for k, v in config["config"].items() if k != "name" and v is not None)
        return f"{config['class_name']}({arguments})"

    def schedule(self):
        """Keras's own."""
        return keras.saving.deserialize_keras_object(json.loads(self.config))


def of(scale: Any) -> FromKeras:
    """Keras's schedule as one of ours.

    Raises:
        ValueError: If it cannot be saved, or would be loaded as another.
    """
    name = type(scale).__name__
    mend = (
        "Give it a get_config() and @keras.saving.register_keras_serializable(), or write a ugm_tf.schedules.Schedule."
    )
    try:
        made = FromKeras(json.dumps(keras.saving.serialize_keras_object(scale), sort_keys=True))
        made.schedule()
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ValueError(f"The schedule {name} cannot be saved with the model: {error}. {mend}") from error
    loaded = _values(made)
    for step, value in values(name, lambda step: tf.cast(scale(step), tf.float32), loaded).items():
        if not np.isclose(value, loaded[step], rtol=1e-6, atol=0.0, equal_nan=True):
            raise ValueError(
                f"The schedule {name} is {value} at step {step}, and would be loaded as one that is {loaded[step]} "
                "there: its get_config() leaves something out. Return each argument of its __init__ there."
            )
    made.check()
    return made


@functools.lru_cache(maxsize=128)
def _values(schedule: FromKeras) -> dict[int, float]:
    """Its values at the powers of two and near the numbers of its configuration."""
    found = values(schedule.describe(), schedule, sorted({*LOOKED_UP, *_near(schedule)}))
    near = _near(schedule)
    for step, value in found.items():
        if math.isnan(value) or (math.isinf(value) and step in near):
            raise ValueError(f"The schedule {schedule.describe()} is {value} at step {step}. A scale is finite.")
    return found


def _near(schedule: FromKeras) -> set[int]:
    named = {number for number in _numbers(json.loads(schedule.config)["config"]) if 0 <= number < MOST}
    return {0, 1} | {min(max(number + i, 0), MOST) for number in named for i in (-1, 0, 1)}


def _numbers(config: Any) -> list[int]:
    """The whole numbers in a configuration."""
    if isinstance(config, dict | list | tuple):
        parts = config.values() if isinstance(config, dict) else config
        return list(itertools.chain.from_iterable(map(_numbers, parts)))
    whole = isinstance(config, numbers.Real) and not isinstance(config, bool) and float(config).is_integer()
    return [int(config)] if whole else []
