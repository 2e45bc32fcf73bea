"""Schedules: factors of an expectation that change with training, such as a beta that warms up."""

import functools
import math
import numbers
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from ugm_tf import serialization
from ugm_tf.algebra.looked_up import LOOKED_UP, MOST, values
from ugm_tf.serialization import number, record, shown

__all__ = ["Cyclical", "Linear", "Scale", "Scaled", "Schedule"]


class Schedule:
    """A factor that is a function of the training step alone, t = 0 in the first step.

    A schedule stands where a number does: a number times it and it over a number are schedules, and it is at least (at
    most) a number if each of its values is.  One of your own is a `record` with `__call__`, the property `range` and,
    where it is to be printed otherwise, `describe`:

    >>> @ugm_tf.record
    ... class Halving(ugm_tf.schedules.Schedule):
    ...     steps: int
    ...
    ...     def __call__(self, step):
    ...         return 0.5 ** (tf.cast(step, tf.float32) / self.steps)
    ...
    ...     @property
    ...     def range(self):
    ...         return 0.0, 1.0
    >>> print(ugm_tf.recipes.vae(beta=Halving(100)).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + halving(steps=100)(t) E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))
    """

    __array_ufunc__ = None  # a number of NumPy leaves the product to the schedule

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
        """Refuses a class that does not say what it is, and one that is not what it says at some step.

        Raises:
            ValueError: With what is missing, or with the value.
        """
        name, own = type(self).__name__, type(self)
        if own.__call__ is Schedule.__call__ or own.range is Schedule.range:
            raise ValueError(
                f"The schedule {name} does not say what it is: define `__call__(self, step)`, which returns its value, "
                "a float32 scalar, and the property `range`, its lowest and its highest value."
            )
        serialization.check(self, "schedule")
        if not _is_pair(self.range):
            raise ValueError(
                "The `range` of a schedule is a property with two numbers, its lowest and its highest value. "
                f"{name} has {self.range!r}. Write it as `@property`, `def range(self): return 0.0, 1.0`."
            )
        low, high = self.range
        if math.isnan(low) or math.isnan(high) or low > high:
            raise ValueError(f"The `range` of a schedule is its lowest and its highest value. {name} has {self.range}.")
        _check_values(self)

    def __str__(self) -> str:
        return self.describe()

    def __ge__(self, number: float) -> bool:
        return self.range[0] >= number

    def __le__(self, number: float) -> bool:
        return self.range[1] <= number

    def _refuses_order(self, other: Any) -> bool:
        raise TypeError(
            f"A schedule has many values, so that max, min, < and > have no answer. Received: {self} and {other}. Its "
            "lowest and its highest value are `schedule.range`; `schedule >= 0` says whether each of them is."
        )

    def _refuses_sum(self, other: Any) -> "Schedule":
        raise TypeError(
            f"A schedule is multiplied and divided by a finite number, and no more. Received: {self} and {other!r}. "
            "For another function of the step write a ugm_tf.Schedule with its own `__call__` and `range`."
        )

    __lt__ = __gt__ = _refuses_order
    __add__ = __radd__ = __sub__ = __rsub__ = __rtruediv__ = __pow__ = __rpow__ = _refuses_sum

    def __mul__(self, factor: float) -> "Schedule":
        if isinstance(factor, bool) or not isinstance(factor, numbers.Real):
            return self._refuses_sum(factor)
        plain = type(self) is Scaled
        whole, factor = (self.schedule if plain else self), _finite("factor", factor) * (self.factor if plain else 1.0)
        return whole if factor == 1.0 else Scaled(whole, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Schedule":
        if isinstance(divisor, bool) or not isinstance(divisor, numbers.Real) or divisor == 0:
            return self._refuses_sum(divisor)
        return self * (1.0 / _finite("divisor", divisor))

    def __neg__(self) -> "Schedule":
        return -1.0 * self


@functools.lru_cache(maxsize=128)
def _check_values(schedule: Schedule) -> None:
    name, (low, high) = type(schedule).__name__, schedule.range
    between = f" between {number(low)} and {number(high)}, its `range`"
    for step, value in values(name, schedule, LOOKED_UP, between).items():
        if not (low <= value <= high or np.isclose(value, (low, high), rtol=1e-5).any()):
            raise ValueError(
                f"The schedule {name} is to give a float32 scalar{between}. Received at step {step}: {value!r}."
            )


Scale: TypeAlias = float | Schedule | keras.optimizers.schedules.LearningRateSchedule


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
        return f"linear({number(self.start)}, {number(self.end)}, {self.steps})"


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
        ends = "" if (self.low, self.high) == (0.0, 1.0) else f", low={number(self.low)}, high={number(self.high)}"
        return f"cyclical({self.steps}, cycles={self.cycles}, share={number(self.share)}{ends})"


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

    def check(self):
        self.schedule.check()
        if type(self) is Scaled:
            _check_values(self)
        else:
            super().check()

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
        return f"{number(self.factor)} {self.schedule.describe()}"


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, numbers.Real) for v in value)


def _set(schedule: Schedule, **fields: Any) -> None:
    for name, value in fields.items():
        object.__setattr__(schedule, name, value)


def _count(name: str, value: Any) -> int:
    """A number of training steps, or of cycles of them; NumPy's integers and whole floats, too."""
    whole = isinstance(value, numbers.Real) and not isinstance(value, bool) and float(value).is_integer()
    if not whole or not 1 <= value <= MOST:
        what = "training steps" if name == "steps" else name
        raise ValueError(
            f"A schedule takes a whole number of {what}, at least 1 and below 2^31. Received: {name}={value!r}."
        )
    return int(value)


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"A schedule takes finite numbers. Received: {name}={value!r}.")
    return float(value)
