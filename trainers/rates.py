"""Learning rates that change over a run, or are of one phase, by the text of a flag: "cosine(1e-3)"."""

import dataclasses
import math
import re

import keras

__all__ = ["AnyRate", "PhaseRates", "Rate", "falls", "parse_rate", "rate_of"]

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

    def schedule(self, updates: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Keras's schedule, a function of an optimizer's `iterations`.

        Args:
            updates: How often the optimizer updates over the run.
        """
        if self.shape == "cosine":
            return keras.optimizers.schedules.CosineDecay(self.start, updates)
        return keras.optimizers.schedules.PolynomialDecay(self.start, updates, end_learning_rate=0.0)


@dataclasses.dataclass(frozen=True)
class PhaseRates:
    """A learning rate for each of some phases.

    Args:
        by_phase: Names of phases, and their rates.

    >>> str(PhaseRates((("discriminate", 0.0004), ("generate", Rate("linear", 0.0001)))))
    'discriminate=0.0004,generate=linear(0.0001)'
    """

    by_phase: tuple[tuple[str, float | Rate], ...]

    def __str__(self) -> str:
        return ",".join(f"{phase}={rate}" for phase, rate in self.by_phase)


AnyRate = float | Rate | PhaseRates


def rate_of(rates: AnyRate, phase: str) -> float | Rate | None:
    """The rate of a phase; None if nothing is said of it."""
    return dict(rates.by_phase).get(phase) if isinstance(rates, PhaseRates) else rates


def falls(rates: AnyRate | None) -> bool:
    """Whether one falls over the run."""
    each = [rate for _, rate in rates.by_phase] if isinstance(rates, PhaseRates) else [rates]
    return any(isinstance(rate, Rate) for rate in each)


def parse_rate(text: str) -> AnyRate:
    """A number, or a rate that falls; or one of them for each of some phases.

    >>> parse_rate("1e-3"), parse_rate("constant(1e-3)"), parse_rate("linear(2e-4)")
    (0.001, 0.001, Rate(shape='linear', start=0.0002))
    >>> parse_rate("generate=1e-3").by_phase
    (('generate', 0.001),)

    Raises:
        ValueError: If it is neither, a phase is named twice or not at all, or a number is negative or not finite.
    """
    if "=" not in text:
        return _parse(text, text)
    pairs = [part.partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError(f"--learning_rate has one rate for a phase, by its name. Received: '{text}'.")
    return PhaseRates(tuple((name, _parse(rate, text)) for name, (_, _, rate) in zip(names, pairs, strict=True)))


def _parse(text: str, whole: str) -> float | Rate:
    match = re.fullmatch(r"\s*(?:(\w+)\s*\((.+)\)|([^()]+))\s*", text)
    shape = (match[1] or "constant") if match else ""
    try:
        value = float(match[2] or match[3]) if match else math.nan
    except ValueError:
        value = math.nan
    if shape not in ("constant", *_SHAPES) or not (math.isfinite(value) and value >= 0.0):
        raise ValueError(
            "--learning_rate is a number from 0 on, or constant, cosine or linear with the first one in brackets, such "
            "as 1e-3 or cosine(1e-3); or one for each of some phases, such as discriminate=4e-4,generate=1e-4. "
            f"Received: '{whole}'."
        )
    return value if shape == "constant" else Rate(shape, value)
