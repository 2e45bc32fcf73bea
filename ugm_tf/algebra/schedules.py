"""Schedules by name, and what stands for one."""

import functools
import inspect
import math
import numbers
import typing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import keras

from ugm_tf.algebra import keras_schedule
from ugm_tf.algebra.keras_schedule import FromKeras
from ugm_tf.algebra.schedule import Cyclical, Linear, Scale, Scaled, Schedule
from ugm_tf.arguments import call, did_you_mean

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


def linear(start: float, end: float, steps: int) -> Linear:
    """From `start` to `end` over the first `steps` training steps; see `Linear`."""
    return Linear(start, end, steps)


def warmup(steps: int, to: float = 1.0) -> Linear:
    """From 0 to `to` over the first `steps` training steps: of the KL term of a VAE, against a collapsed posterior.

    References:
        Samuel Bowman et al. Generating Sentences from a Continuous Space. CoNLL 2016.
        https://arxiv.org/abs/1511.06349, section 3.1 (KL cost annealing).
    """
    return Linear(0.0, to, steps)


def cyclical(steps: int, cycles: int = 4, share: float = 0.5, low: float = 0.0, high: float = 1.0) -> Cyclical:
    """From `low` to `high`, `cycles` times over the first `steps` training steps; see `Cyclical`."""
    return Cyclical(steps, cycles, share, low, high)


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
    hint = ""
    try:
        name, values, named = call(text)
        if "(" not in text:
            raise ValueError
        hint = _nearest(name, list(_BY_NAME))
        signature = inspect.signature(_BY_NAME[name])
        hint = next(
            (_nearest(each, list(signature.parameters)) for each in named if each not in signature.parameters), ""
        )
        bound = signature.bind(*values, **named)
    except (KeyError, TypeError, ValueError):
        takes = "; ".join(f"{name}{inspect.signature(make)}".split(" ->")[0] for name, make in _BY_NAME.items())
        raise ValueError(
            "A schedule is written by its name with its arguments in brackets, such as 'warmup(1000)'. "
            f"There are: {takes}. Received: '{text}'.{hint}"
        ) from None
    return _BY_NAME[name](*bound.args, **bound.kwargs)


def _nearest(word: str, known: list[str]) -> str:
    return "" if word in known else did_you_mean(word, known)


def of(scale: Any) -> float | Schedule:
    """A number, a schedule, Keras's schedule or the name of one, as a number or a `Schedule`.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(scale, Schedule):
        scale.check()
        return scale
    if isinstance(scale, str):
        return get(scale)
    if isinstance(scale, keras.optimizers.schedules.LearningRateSchedule):
        return keras_schedule.of(scale)
    if isinstance(scale, numbers.Real) and not math.isfinite(scale):
        raise ValueError(f"The scale of an expectation is finite. Received: {scale!r}.")
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
            if isinstance(value, Schedule):
                value.check()  # before the function compares it
            named = isinstance(value, str) and "(" in value
            if isinstance(value, str) and not named:
                made = function.__name__
                owner = f"{made}()" if made == "contested" else f"recipe '{made}'"
                raise ValueError(
                    f"'{name}' of {owner} is of type float or Schedule or LearningRateSchedule, "
                    f"such as 1.0 or 'warmup(1000)'. Received: {value!r}."
                )
            if named or isinstance(value, keras.optimizers.schedules.LearningRateSchedule):
                try:
                    bound.arguments[name] = of(value)
                except ValueError as error:
                    raise ValueError(f"'{name}' of {function.__name__}: {error}") from error
        return function(*bound.args, **bound.kwargs)

    return converted
