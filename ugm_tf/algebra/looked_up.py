"""Values of schedules, as they are looked up before training."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["LOOKED_UP", "MOST", "values"]

MOST = 2**31 - 1  # the number of a training step is an int32
LOOKED_UP = (0, *(2**i for i in range(31)), MOST)  # the steps at which a schedule is looked at before training


def values(name: str, function: Callable[[tf.Tensor], Any], steps: Iterable[int], of: str = "") -> dict[int, float]:
    """The values of a schedule by step, computed as training does, in a graph.

    Args:
        name: Of the schedule, for messages.
        function: From the number of a step to the value there.
        steps: Numbers of training steps.
        of: Between which values it is to be, for messages.

    Raises:
        ValueError: If it is no function that TensorFlow can trace, or no float32 scalar, or if it has other values when
            it is asked again, as one that draws random numbers does.
    """

    def traced(step: tf.Tensor) -> tf.Tensor:
        try:
            value = function(step)
        except Exception as error:
            raise ValueError(
                f"The schedule {name} cannot be computed in a TensorFlow graph, as training does it: "
                f"{str(error).splitlines()[0] if str(error) else repr(error)} Compute it by TensorFlow's functions "
                "from the step, an int32 scalar: 0.1 * tf.cast(step, tf.float32); and choose between values by "
                "tf.where(step < 5, a, b) in place of `if`."
            ) from error
        if not tf.is_tensor(value) or value.dtype != tf.float32 or value.shape.rank not in (0, None):
            found = f"{value.dtype.name} of shape {value.shape}" if tf.is_tensor(value) else f"{value!r}, no tensor"
            advice = "Write tf.constant(1.0), or tf.cast(value, tf.float32)."
            raise ValueError(f"The schedule {name} is to give a float32 scalar{of}. Received: {found}. {advice}")
        return value

    steps = tuple(steps)
    with tf.init_scope():
        one, other = (
            tf.function(traced, autograph=False).get_concrete_function(tf.TensorSpec([], tf.int32)) for _ in range(2)
        )
        # A graph with a seed begins alike each time that it is traced, and one with Python's numbers stays as it is.
        found, again, anew = (
            {step: float(graph(tf.constant(step, tf.int32))) for step in steps} for graph in (one, one, other)
        )
    for step in steps:
        if not np.array_equal([found[step]] * 2, [again[step], anew[step]], equal_nan=True):
            values_there = f"{found[step]!r}, {again[step]!r} and {anew[step]!r}"
            raise ValueError(
                f"The schedule {name} is a function of the step alone, so that training can be repeated and resumed. "
                f"Received at step {step}, where it was asked three times: {values_there}. For noise write "
                "tf.random.stateless_uniform([], [seed, step])."
            )
    return found
