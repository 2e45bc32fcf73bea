"""Optimizers of Keras by the text of a flag, "muon" or "adam(epsilon=1e-4)"; of all phases, or of each of some."""

import dataclasses
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ugm_tf import arguments

__all__ = ["NAMES", "PhaseOptimizers", "make", "normal", "optimizer_of", "parse_optimizer"]

NAMES = ("adafactor", "adagrad", "adam", "adamax", "adamw", "lamb", "lion", "muon", "nadam", "rmsprop", "sgd")
_CLASSES = {name.lower(): name for name in dir(keras.optimizers) if name.lower() in NAMES}
_OFF_BY_NONE = ("weight_decay", "adam_weight_decay", "rms_rate")
_DECAYS = ("beta_1", "beta_2", "adam_beta_1", "adam_beta_2", "momentum", "rho")
_ABOVE = ("clipnorm", "clipvalue", "global_clipnorm", "clip_threshold")
_FROM = (
    *("epsilon", "epsilon_1", "epsilon_2", "initial_accumulator_value", "adam_lr_ratio"),
    *("weight_decay", "adam_weight_decay", "rms_rate"),
)
_EXCLUDED = "exclude_layers"
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
    parts = [part.strip() for part in arguments.split(text)]
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


def normal(asked: str | PhaseOptimizers | None) -> str | PhaseOptimizers | None:
    """The same for all texts that ask for the same; None for Adam as it is.

    >>> normal("adam()"), normal("muon( momentum = 9e-1 )")
    (None, 'muon(momentum=0.9)')
    """
    if asked is None:
        return None
    if isinstance(asked, PhaseOptimizers):
        return PhaseOptimizers(tuple(sorted((phase, _rewritten(text)) for phase, text in asked.by_phase)))
    text = _rewritten(asked)
    return None if text == "adam" else text


def _rewritten(text: str) -> str:
    """Its arguments in order, as Python writes them."""
    name, _, given = arguments.call(text)
    values = ", ".join(f"{key}={value!r}" for key, value in sorted(given.items()))
    return f"{name}({values})" if given else name


def optimizer_of(asked: str | PhaseOptimizers | None, phase: str) -> str:
    """The text of a phase's optimizer; Adam if nothing is said of it."""
    if isinstance(asked, PhaseOptimizers):
        return dict(asked.by_phase).get(phase, "adam")
    return asked or "adam"


def make(
    text: str,
    learning_rate: Any,
    usual: Mapping[str, Any] | None = None,
    layers: Mapping[str, str] | None = None,
    **more: Any,
) -> keras.optimizers.Optimizer:
    """An optimizer of Keras, with Keras's defaults.

    Args:
        text: Its name in lower case, maybe with arguments in brackets.
        learning_rate: A number or a schedule of Keras.
        usual: Arguments of Adam where `text` does not say otherwise.
        layers: Weights that the text is said of, Keras's paths by names that do not change from process to process,
            among which `exclude_layers` looks.
        **more: Arguments of every optimizer, such as `use_ema`.

    Raises:
        ValueError: If there is none of this name, it does not take an argument, or nothing is excluded by a word.
    """
    try:
        name, places, given = arguments.call(text)
    except ValueError:
        name, places, given = text, [], {}
    if name not in _CLASSES:
        raise ValueError(
            f"--optimizer is one of these of Keras: {', '.join(NAMES)}; maybe with arguments in brackets, such as "
            f"adam(epsilon=1e-4). Received: '{text}'.{arguments.did_you_mean(name, _CLASSES)}"
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
    if layers is not None and given.get(_EXCLUDED):
        given[_EXCLUDED] = _excluded(text, given[_EXCLUDED], layers)
    try:
        return made(learning_rate, **({**(usual or {}), **given} if name == "adam" else given), **more)
    except (TypeError, ValueError) as error:
        raise ValueError(f"--optimizer={text}: {error}") from error


def _excluded(text: str, words: Sequence[str], layers: Mapping[str, str]) -> list[str]:
    """Patterns of the paths, each whole, whose names have one of these words in them."""
    for word in words:
        if not any(re.search(word, name) for name in layers):
            raise ValueError(
                f"--optimizer={text}: no layer has '{word}' in its name. There are: {', '.join(layers) or 'none'}."
            )
    return [f"^{re.escape(path)}$" for name, path in layers.items() if any(re.search(word, name) for word in words)]


def _unlike(argument: str, value: Any, default: Any) -> str:
    """What an argument should be, if a value is no such thing; Keras finds out in the first step, or never."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if argument == _EXCLUDED:
        return "" if _all_patterns(value) else "a list of words, which are regular expressions"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "True or False"
    if value is None and (default is None or argument in _OFF_BY_NONE):
        return ""
    if argument == "ns_steps":
        return "" if number and isinstance(value, int) and value >= 1 else "a whole number from 1 on"
    if argument in _DECAYS:
        return "" if number and 0.0 <= value < 1.0 else "a number from 0 to below 1"
    if argument in _ABOVE:
        return "" if number and value > 0.0 else "a number above 0"
    if argument in _FROM:
        return "" if number and value >= 0.0 else "a number from 0 on"
    return "" if number else "a number"


def _all_patterns(words: Any) -> bool:
    try:
        return isinstance(words, list | tuple) and all(re.compile(word) for word in words)
    except (re.error, TypeError):
        return False
