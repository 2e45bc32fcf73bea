"""Learning rates that change over a run, by the text of a flag: "cosine(1e-3)"."""

import dataclasses
import math
import re

import keras

__all__ = ["Rate", "parse_rate"]

_SHAPES = ("cosine", "linear")


@dataclasses.dataclass(frozen=True)
class Rate:
    """A learning rate that falls from `start` to 0 over the whole run.

    Args:
        shape: "cosine" or "linear".
        start: The rate of the first step.

    >>> str(Rate("cosine", 0.001))
    'cosine(0.001)'
    """

    shape: str
    start: float

    def __str__(self) -> str:
        return f"{self.shape}({self.start})"

    def capped(self, most: float) -> "Rate":
        """The same shape, from at most `most`."""
        return dataclasses.replace(self, start=min(self.start, most))

    def schedule(self, updates: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Keras's schedule, a function of an optimizer's `iterations`.

        Args:
            updates: How often the optimizer updates over the run.
        """
        if self.shape == "cosine":
            return keras.optimizers.schedules.CosineDecay(self.start, updates)
        return keras.optimizers.schedules.PolynomialDecay(self.start, updates, end_learning_rate=0.0)


def parse_rate(text: str) -> float | Rate:
    """A number, or a rate that falls.

    >>> parse_rate("1e-3"), parse_rate("constant(1e-3)"), parse_rate("linear(2e-4)")
    (0.001, 0.001, Rate(shape='linear', start=0.0002))

    Raises:
        ValueError: If it is neither, or the number is negative or not finite.
    """
    match = re.fullmatch(r"\s*(?:(\w+)\s*\((.+)\)|([^()]+))\s*", text)
    shape = (match[1] or "constant") if match else ""
    try:
        value = float(match[2] or match[3]) if match else math.nan
    except ValueError:
        value = math.nan
    if shape not in ("constant", *_SHAPES) or not (math.isfinite(value) and value >= 0.0):
        raise ValueError(
            "--learning_rate is a number from 0 on, or constant, cosine or linear with the first one in brackets, such "
            f"as 1e-3 or cosine(1e-3). Received: '{text}'."
        )
    return value if shape == "constant" else Rate(shape, value)
