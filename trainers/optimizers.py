"""Optimizers of Keras by the text of a flag, "muon" or "adam(epsilon=1e-4)"; of all phases, or of each of some."""

import dataclasses
import inspect
import math
import re
from typing import Any

import keras

from ugm_tf import arguments

__all__ = ["NAMES", "PhaseOptimizers", "make", "optimizer_of", "parse_optimizer"]

NAMES = ("adafactor", "adagrad", "adam", "adamax", "adamw", "lamb", "lion", "muon", "nadam", "rmsprop", "sgd")
_CLASSES = {name.lower(): name for name in dir(keras.optimizers) if name.lower() in NAMES}
_OFF_BY_NONE = ("weight_decay", "adam_weight_decay", "rms_rate")
_DECAYS = ("beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "momentum", "rho")
_LIMITS = ("clipnorm", "clipvalue", "global_clipnorm")
_ELSEWHERE = {
    "learning_rate": "--learning_rate",
    "use_ema": "--ema",
    "ema_momentum": "--ema",
    "ema_overwrite_frequency": "--ema",
    "gradient_accumulation_steps": "--accumulate",
    "loss_scale_factor": "--precision",
    "name": "the name of the phase",
}


@dataclasses.dataclass(frozen=True)
class PhaseOptimizers:
    """An optimizer for each of some phases; others have Adam.

    Args:
        by_phase: Names of phases, and the text of their optimizers.

    >>> str(PhaseOptimizers((("wake", "muon"), ("discriminate", "adam(beta_1=0.0)"))))
    'wake=muon,discriminate=adam(beta_1=0.0)'
    """

    by_phase: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ",".join(f"{phase}={text}" for phase, text in self.by_phase)


def parse_optimizer(text: str) -> str | PhaseOptimizers:
    """The name of an optimizer, maybe with arguments; or one for each of some phases.

    >>> parse_optimizer("muon(momentum=0.9)")
    'muon(momentum=0.9)'
    >>> parse_optimizer("wake=muon,discriminate=adam(beta_1=0.0)").by_phase
    (('wake', 'muon'), ('discriminate', 'adam(beta_1=0.0)'))

    Raises:
        ValueError: If there is no such optimizer, it has no such argument, or a phase is named
            twice or not at all.
    """
    parts = [part.strip() for part in re.split(r",(?![^(]*\))", text)]
    named = [re.fullmatch(r"(\w+)\s*=\s*(\w+(?:\(.*\))?)", part) for part in parts]
    if not any(named):
        make(text, 1e-3)
        return text.strip()
    found = [(match[1], match[2]) for match in named if match]
    if len(found) < len(parts) or len(dict(found)) < len(found):
        raise ValueError(
            "--optimizer is one for all phases, such as muon, or one for each of some, each once, such as "
            f"wake=muon,discriminate=adam. Received: '{text}'."
        )
    for _, each in found:
        make(each, 1e-3)
    return PhaseOptimizers(tuple(found))


def optimizer_of(asked: str | PhaseOptimizers | None, phase: str) -> str:
    """The text of a phase's optimizer; Adam if nothing is said of it."""
    if isinstance(asked, PhaseOptimizers):
        return dict(asked.by_phase).get(phase, "adam")
    return asked or "adam"


def make(text: str, learning_rate: Any, usual: dict[str, Any] | None = None, **more: Any) -> keras.optimizers.Optimizer:
    """An optimizer of Keras, with Keras's defaults.

    Args:
        text: Its name in lower case, maybe with arguments in brackets.
        learning_rate: A number or a schedule of Keras.
        usual: Arguments of Adam where `text` does not say otherwise.
        **more: Arguments of every optimizer, such as `use_ema`.

    Raises:
        ValueError: If there is none of this name, or it does not take an argument.
    """
    name, places, given = arguments.call(text)
    if name not in _CLASSES:
        raise ValueError(
            f"--optimizer is one of Keras's: {', '.join(_CLASSES)}; maybe with arguments, such as adam(epsilon=1e-4). "
            f"Received: '{text}'.{arguments.did_you_mean(name, _CLASSES)}"
        )
    made = getattr(keras.optimizers, _CLASSES[name])
    takes = inspect.signature(made).parameters
    there = [each for each in takes if each not in (*_ELSEWHERE, "kwargs")]
    for argument, value in given.items():
        if argument in _ELSEWHERE:
            raise ValueError(f"--optimizer={text}: {argument} is said by {_ELSEWHERE[argument]}. Leave it out.")
        if argument not in there:
            raise ValueError(
                f"--optimizer={text}: {made.__name__} has no {argument}. It has: {', '.join(there)}."
                f"{arguments.did_you_mean(argument, there)}"
            )
        if expected := _unlike(argument, value, takes[argument].default):
            raise ValueError(f"--optimizer={text}: {argument} is {expected}. Received: {value!r}.")
    if places:
        raise ValueError(f"--optimizer={text}: arguments are by name, such as {there[0]}=.... Received: {places}.")
    try:
        return made(learning_rate, **({**(usual or {}), **given} if name == "adam" else given), **more)
    except (TypeError, ValueError) as error:
        raise ValueError(f"--optimizer={text}: {error}") from error


def _unlike(argument: str, value: Any, default: Any) -> str:
    """What an argument should be, if a value is no such thing; Keras finds out in the first step, or never."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if argument == "exclude_layers":
        listed = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        return "" if listed else "a list of words"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "True or False"
    if value is None and (default is None or argument in _OFF_BY_NONE):
        return ""
    if argument == "ns_steps":
        return "" if number and value == int(value) else "a whole number"
    if argument in _DECAYS:
        return "" if number and 0.0 <= value < 1.0 else "a number from 0 to below 1"
    if argument in _LIMITS:
        return "" if number and value > 0.0 else "a number above 0"
    return "" if number else "a number"
