"""Schedules: factors of an expectation that change with training, such as a beta that warms up."""

import ast
import functools
import inspect
import json
import math
import numbers
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import keras
import tensorflow as tf

from ugm_tf.serialization import record

__all__ = [
    "Cyclical",
    "FromKeras",
    "Linear",
    "Scale",
    "Scaled",
    "Schedule",
    "cyclical",
    "get",
    "linear",
    "names",
    "of",
    "taken",
    "warmup",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")


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
        raise NotImplementedError

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that it may have."""
        raise NotImplementedError

    def describe(self) -> str:
        """How it is printed, without its argument t: "linear(0, 1, 1000)"."""
        return type(self).__name__.lower()

    def __ge__(self, number: float) -> bool:
        return self.range[0] >= number

    def __lt__(self, number: float) -> bool:
        return not self >= number

    def __mul__(self, factor: float) -> "Schedule":
        return Scaled(self, float(factor))

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
        _check_steps(self.steps)

    def __call__(self, step):
        share = tf.minimum(tf.cast(step, tf.float32) / float(self.steps), 1.0)
        return self.start + (self.end - self.start) * share

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
        _check_steps(self.steps)
        if not (1 <= self.cycles <= self.steps and 0.0 < self.share <= 1.0):
            raise ValueError(
                "A cyclical schedule has at least 1 cycle, of at least 1 step, and rises in a share of it between 0 "
                f"and 1. Received: {self.describe()}."
            )

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        place = tf.math.floormod(step * (float(self.cycles) / float(self.steps)), 1.0)
        rising = self.low + (self.high - self.low) * tf.minimum(place / self.share, 1.0)
        return tf.where(step < float(self.steps), rising, self.high)

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

    def __call__(self, step):
        return self.factor * self.schedule(step)

    @property
    def range(self):
        low, high = sorted(self.factor * end if end else 0.0 for end in self.schedule.range)
        return low, high

    def describe(self):
        return f"{self.factor:g} {self.schedule.describe()}"

    def __mul__(self, factor):
        return Scaled(self.schedule, self.factor * float(factor))

    __rmul__ = __mul__


@record
class FromKeras(Schedule):
    """A `keras.optimizers.schedules.LearningRateSchedule`, by its configuration: so that equal ones are equal.

    Args:
        config: What `keras.saving.serialize_keras_object` makes of it, as JSON.
    """

    config: str

    def __call__(self, step):
        return tf.cast(self._schedule()(step), tf.float32)

    @property
    def range(self):
        return -math.inf, math.inf

    def __ge__(self, number):
        return True  # Keras's schedules do not tell

    def __lt__(self, number):
        return False

    def describe(self):
        config = json.loads(self.config)
        arguments = ", ".join(f"{k}={v}" for k, v in config["config"].items() if k != "name" and v is not None)
        return f"{config['class_name']}({arguments})"

    def _schedule(self):
        return keras.saving.deserialize_keras_object(json.loads(self.config))


def linear(start: float, end: float, steps: int) -> Linear:
    """From `start` to `end` over the first `steps` training steps; see `Linear`."""
    return Linear(float(start), float(end), steps)


def warmup(steps: int, to: float = 1.0) -> Linear:
    """From 0 to `to` over the first `steps` training steps: of the KL term of a VAE, against a collapsed posterior.

    References:
        Samuel Bowman et al. Generating Sentences from a Continuous Space. CoNLL 2016.
        https://arxiv.org/abs/1511.06349, section 3.1 (KL cost annealing).
    """
    return Linear(0.0, float(to), steps)


def cyclical(steps: int, cycles: int = 4, share: float = 0.5, low: float = 0.0, high: float = 1.0) -> Cyclical:
    """From `low` to `high`, `cycles` times over the first `steps` training steps; see `Cyclical`."""
    return Cyclical(steps, cycles, float(share), float(low), float(high))


_BY_NAME: dict[str, Callable[..., Schedule]] = {"cyclical": cyclical, "linear": linear, "warmup": warmup}


def names() -> list[str]:
    """The schedules that can be given by name."""
    return sorted(_BY_NAME)


def get(text: str) -> Schedule:
    """The schedule that a text names, with its arguments: "warmup(1000)", "linear(0, 1, 5000)".

    Raises:
        ValueError: If there is none of that name, or its arguments are others.

    Example:

    >>> get("cyclical(1000, cycles=2)")
    Cyclical(steps=1000, cycles=2, share=0.5, low=0.0, high=1.0)
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in _BY_NAME:
            raise ValueError
        make = _BY_NAME[call.func.id]
        values = [ast.literal_eval(argument) for argument in call.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        bound = inspect.signature(make).bind(*values, **named)
    except (SyntaxError, TypeError, ValueError):
        takes = "; ".join(f"{name}{inspect.signature(make)}".split(" ->")[0] for name, make in _BY_NAME.items())
        raise ValueError(
            f"A schedule is written as a number of training steps and more in brackets, such as 'warmup(1000)'. There "
            f"are: {takes}. Received: '{text}'."
        ) from None
    return make(*bound.args, **bound.kwargs)


def of(scale: Any) -> float | Schedule:
    """A number, a schedule, Keras's schedule or the name of one, as a number or a `Schedule`.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(scale, Schedule):
        return scale
    if isinstance(scale, str):
        return get(scale)
    if isinstance(scale, keras.optimizers.schedules.LearningRateSchedule):
        try:
            made = FromKeras(json.dumps(keras.saving.serialize_keras_object(scale), sort_keys=True))
            made._schedule()
        except (NotImplementedError, TypeError, ValueError) as error:
            raise ValueError(
                f"The schedule {type(scale).__name__} cannot be saved with the model: {error}. Give it a get_config() "
                "and @keras.saving.register_keras_serializable(), or write a ugm_tf.schedules.Schedule."
            ) from error
        return made
    if isinstance(scale, bool) or not isinstance(scale, numbers.Real):
        raise ValueError(
            "The scale of an expectation is a number or a schedule, such as ugm_tf.schedules.warmup(1000). "
            f"Received: {scale!r}."
        )
    return float(scale)


def taken(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Lets a function that takes a `Scale` be given Keras's schedules, and ours by name: vae(beta="warmup(1000)")."""
    signature = inspect.signature(function)
    scales = {n for n, p in signature.parameters.items() if Schedule in typing.get_args(p.annotation)}

    @functools.wraps(function)
    def converted(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # something is missing or unknown, as the call itself says
            return function(*args, **kwargs)
        for name in scales & set(bound.arguments):
            value = bound.arguments[name]
            named = isinstance(value, str) and "(" in value
            if named or isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
                bound.arguments[name] = of(value)
        return function(*bound.args, **bound.kwargs)

    return converted


def _check_steps(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"A schedule takes a number of training steps, at least 1. Received: {steps!r}.")
