"""Schedules: factors of an expectation that change with training, such as a beta that warms up."""

import functools
import itertools
import json
import math
import numbers
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.serialization import record, shown

__all__ = ["Cyclical", "FromKeras", "Linear", "Scale", "Scaled", "Schedule"]

_MOST = 2**31 - 1  # the number of a training step is an int32


class Schedule:
    """A factor that is a function of the training step alone, t = 0 in the first step.

    A schedule compares and multiplies as the number in whose place it stands: it is at least 0 if each of its values
    is, and 0.5 times it is a schedule.  One of your own is a `record` with `__call__`, `range` and `describe`.
    """

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Its value, a float32 scalar.

        Args:
            step: Number of training steps before this one, an int32 scalar.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(self, step)`.")

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that it may have."""
        raise NotImplementedError(f"{type(self).__name__} does not define `range`.")

    @property
    def number(self) -> float:
        """The number that it is a multiple by, of a product of a number and a schedule; else 1."""
        return 1.0

    def describe(self) -> str:
        """How it is printed, without its argument t: "linear(0, 1, 1000)"."""
        return shown(self).lower()

    def check(self) -> None:
        """Refuses a class that does not say what it is, and one whose first value is no number.

        Raises:
            ValueError: With what is missing, or with the value.
        """
        name, own = type(self).__name__, type(self)
        if own.__call__ is Schedule.__call__ or own.range is Schedule.range:
            raise ValueError(
                f"The schedule {name} does not say what it is: define `__call__(self, step)`, which returns its value, "
                "a float32 scalar, and the property `range`, its lowest and its highest value."
            )
        low, high = self.range
        if math.isnan(low) or math.isnan(high) or low > high:
            raise ValueError(f"The `range` of a schedule is its lowest and its highest value. {name} has {self.range}.")
        value = self._at(0)
        fits = value.shape == () and value.dtype == np.float32
        if not fits or not (low <= value <= high or np.isclose(value, (low, high), rtol=1e-5).any()):
            raise ValueError(
                f"The schedule {name} is to give a float32 scalar between {low:g} and {high:g}, its `range`. Received "
                f"at step 0: {value!r}."
            )

    def _at(self, step: int) -> np.ndarray:
        with tf.init_scope():
            return np.asarray(self(tf.constant(step, tf.int32)))

    def __str__(self) -> str:
        return self.describe()

    def __ge__(self, number: float) -> bool:
        return self.range[0] >= number

    def __lt__(self, number: float) -> bool:
        return not self >= number

    def __mul__(self, factor: float) -> "Schedule":
        if isinstance(factor, bool) or not isinstance(factor, numbers.Real):
            return NotImplemented
        factor = self.number * _finite("factor", factor)
        whole = self.schedule if isinstance(self, Scaled) else self
        return whole if factor == 1.0 else Scaled(whole, factor)

    __rmul__ = __mul__


Scale = float | Schedule | keras.optimizers.schedules.LearningRateSchedule


@record
class Linear(Schedule):
    """From `start` to `end` in a straight line over the first `steps` training steps, and `end` from then on.

    Args:
        start: Value at t = 0.
        end: Value from t = `steps` on.
        steps: Number of training steps in between.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _set(self, start=_finite("start", self.start), end=_finite("end", self.end), steps=_count("steps", self.steps))

    def __call__(self, step):
        share = tf.minimum(tf.cast(step, tf.float32) / float(self.steps), 1.0)
        return tf.where(share < 1.0, self.start + (self.end - self.start) * share, self.end)

    @property
    def range(self):
        return min(self.start, self.end), max(self.start, self.end)

    def describe(self):
        return f"linear({self.start:g}, {self.end:g}, {self.steps})"


@record
class Cyclical(Schedule):
    """From `low` to `high` again and again: `cycles` times over the first `steps` training steps, `high` from then on.

    Args:
        steps: Number of training steps of all cycles.
        cycles: Number of cycles.
        share: Share of a cycle in which it rises, in a straight line; in the rest it is `high`.
        low: Value at the start of each cycle.
        high: Value at its end.

    References:
        Hao Fu et al. Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing. NAACL 2019.
        https://arxiv.org/abs/1903.10145, equations 6 and 7.
    """

    steps: int
    cycles: int = 4
    share: float = 0.5
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _set(self, steps=_count("steps", self.steps), cycles=_count("cycles", self.cycles))
        _set(self, **{name: _finite(name, getattr(self, name)) for name in ("share", "low", "high")})
        if not (self.cycles <= self.steps and 0.0 < self.share <= 1.0):
            raise ValueError(
                "A cyclical schedule has at least 1 cycle, of at least 1 step, and rises in a share of it between 0 "
                f"and 1. Received: {self.describe()}."
            )

    def __call__(self, step):
        step = tf.cast(step, tf.int64)  # at 2^31 steps and as many cycles their product still is one
        place = tf.cast(tf.math.floormod(step * self.cycles, self.steps), tf.float32) / float(self.steps)
        share = tf.minimum(place / self.share, 1.0)
        rising = tf.where(share < 1.0, self.low + (self.high - self.low) * share, self.high)
        return tf.where(step < self.steps, rising, self.high)

    @property
    def range(self):
        return min(self.low, self.high), max(self.low, self.high)

    def describe(self):
        ends = "" if (self.low, self.high) == (0.0, 1.0) else f", low={self.low:g}, high={self.high:g}"
        return f"cyclical({self.steps}, cycles={self.cycles}, share={self.share:g}{ends})"


@record
class Scaled(Schedule):
    """A number times a schedule.

    Args:
        schedule: The schedule.
        factor: The number.
    """

    schedule: Schedule
    factor: float

    def __post_init__(self) -> None:
        _set(self, factor=_finite("factor", self.factor))

    def __call__(self, step):
        return self.factor * self.schedule(step)

    @property
    def number(self):
        return self.factor * self.schedule.number

    @property
    def range(self):
        low, high = sorted(self.factor * end if end else 0.0 for end in self.schedule.range)
        return low, high

    def describe(self):
        return f"{self.factor:g} {self.schedule.describe()}"


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

    def __call__(self, step):
        return tf.cast(self.schedule()(step), tf.float32)

    @property
    def range(self):
        return _range(self)

    def describe(self):
        config = json.loads(self.config)
        arguments = ", ".join(f"{k}={v}" for k, v in config["config"].items() if k != "name" and v is not None)
        return f"{config['class_name']}({arguments})"

    def schedule(self):
        """Keras's own."""
        return keras.saving.deserialize_keras_object(json.loads(self.config))


@functools.lru_cache(maxsize=128)
def _range(schedule: FromKeras) -> tuple[float, float]:
    named = {number for number in _numbers(json.loads(schedule.config)["config"]) if 0 <= number < _MOST}
    near = {0, 1} | {min(max(number + i, 0), _MOST) for number in named for i in (-1, 0, 1)}
    values = {step: float(schedule._at(step)) for step in sorted(near | {2**i for i in range(31)})}
    for step, value in values.items():
        if math.isnan(value) or (math.isinf(value) and step in near):
            raise ValueError(f"The schedule {schedule.describe()} is {value} at step {step}. A scale is finite.")
    return min(values.values()), max(values.values())


def _numbers(config: Any) -> list[int]:
    """The whole numbers in a configuration."""
    if isinstance(config, dict | list | tuple):
        parts = config.values() if isinstance(config, dict) else config
        return list(itertools.chain.from_iterable(map(_numbers, parts)))
    whole = isinstance(config, numbers.Real) and not isinstance(config, bool) and float(config).is_integer()
    return [int(config)] if whole else []


def _set(schedule: Schedule, **fields: Any) -> None:
    for name, value in fields.items():
        object.__setattr__(schedule, name, value)


def _count(name: str, value: Any) -> int:
    """A number of training steps, or of cycles of them; NumPy's integers, too."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not 1 <= int(value) <= _MOST:
        what = "a number of training steps" if name == "steps" else f"a whole number of {name}"
        raise ValueError(f"A schedule takes {what}, at least 1 and below 2^31. Received: {name}={value!r}.")
    return int(value)


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"A schedule takes finite numbers. Received: {name}={value!r}.")
    return float(value)
