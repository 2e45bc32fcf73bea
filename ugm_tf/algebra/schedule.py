"""Schedules: factors of an expectation that change with training, such as a beta that warms up."""

import json
import math

import keras
import tensorflow as tf

from ugm_tf.serialization import record

__all__ = ["Cyclical", "FromKeras", "Linear", "Scale", "Scaled", "Schedule"]


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
        return tf.cast(self.schedule()(step), tf.float32)

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

    def schedule(self):
        """Keras's own."""
        return keras.saving.deserialize_keras_object(json.loads(self.config))


def _check_steps(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"A schedule takes a number of training steps, at least 1. Received: {steps!r}.")
