"""A run's settings as flags: their definitions, and flags.txt, by which a run is written down and repeated."""

import dataclasses
import os
from collections.abc import Mapping

from absl import flags

from . import optimizers
from .flag_table import OPTIONS
from .settings import Resolved, Settings

__all__ = ["OPTIONS", "asked", "as_flags", "as_reasons", "as_text", "define", "differences", "read", "resolved"]

flags.disclaim_key_flags()  # they are those of the script that calls `define`

_SAYS_NOTHING = (("augment", "none"), ("prior", "none"))  # as if it were not there


def _name(field: str) -> str:
    return OPTIONS[field].name or field


def define(values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines every setting as a flag of the calling script."""
    for field, option in OPTIONS.items():
        option.define(name=_name(field), default=option.default, help=option.help, flag_values=values, **option.more)


def asked(values: flags.FlagValues = flags.FLAGS) -> Settings:
    """The settings that parsed flags ask for.

    Raises:
        ValueError: If the text of one cannot be read, or has several lines, which flags.txt has no form for.
    """
    for name in map(_name, OPTIONS):
        if len(f"{values[name].value}.".splitlines()) > 1:
            raise ValueError(f"--{name} is one line. Received: {values[name].value!r}.")
    return Settings(**{field: option.parse(values[_name(field)].value) for field, option in OPTIONS.items()})


def as_flags(settings: Settings) -> dict[str, str]:
    """Settings as the text of flags, by name; without those that are None or empty."""
    said = {field: getattr(settings, field) for field in OPTIONS}
    texts = {_name(field): OPTIONS[field].text(value) for field, value in said.items() if value is not None}
    return {name: text for name, text in texts.items() if text}


def as_text(settings: Settings, why: Mapping[str, str] | None = None) -> str:
    """Settings as the content of flags.txt: a flag a line.

    Args:
        settings: The settings.
        why: By field, why it was chosen, where it was not asked for: a comment above the flag.
    """
    reasons = {_name(field): reason for field, reason in (why or {}).items()}
    return "".join(
        (f"# chosen: {reasons[name]}\n" if name in reasons else "") + f"--{name}={text}\n"
        for name, text in as_flags(settings).items()
    )


def as_reasons(settings: Settings, why: Mapping[str, str]) -> str:
    """What was chosen and why, a flag a line."""
    texts = as_flags(settings)
    named = {_name(field): reason for field, reason in why.items()}
    return "\n".join(f"  --{name}={texts[name]}: {reason}" for name, reason in named.items() if name in texts)


def read(path: str | os.PathLike[str]) -> Settings:
    """The settings that a flags.txt asks for, one from an earlier version too.

    Raises:
        ValueError: If a line is no flag of a run, or a value is none that the flag takes.
    """
    values = flags.FlagValues()
    define(values)
    try:
        rest = values(["flags.txt", f"--flagfile={os.fspath(path)}"])[1:]
    except flags.UnrecognizedFlagError as error:
        raise ValueError(
            f"{path} has --{error.flagname}, which is no setting of a run. Was it written by another version? "
            f"There are: {', '.join(map(_name, OPTIONS))}."
        ) from error
    except (flags.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} could not be read: {error}") from error
    if rest:
        raise ValueError(f"{path} has flags only, as --name=value, each in its line. Received: {rest[0]!r}.")
    return asked(values)


def resolved(settings: Settings, path: str | os.PathLike[str]) -> Resolved:
    """Settings that a run wrote down, which are whole.

    Args:
        settings: As `read` found them.
        path: Where, for the message.

    Raises:
        ValueError: If one that every run has is missing.
    """
    required = [field.name for field in dataclasses.fields(Resolved) if field.kw_only]
    if missing := [_name(name) for name in required if getattr(settings, name) is None]:
        raise ValueError(
            f"{path} lacks {', '.join(f'--{name}' for name in missing)}, which every run writes down. "
            "Is it the flags.txt of a run?"
        )
    return Resolved(**vars(settings))


def differences(old: Settings, new: Settings) -> list[str]:
    """The flags in which two runs differ, each with both values, as messages list them."""
    same = optimizers.normal(old.optimizer) == optimizers.normal(new.optimizer)
    there, now = (
        {name: text for name, text in as_flags(settings).items() if (name, text) not in _SAYS_NOTHING}
        for settings in (old, new)
    )
    return [
        f"--{name} (there {there.get(name, 'unset')!r}, now {now.get(name, 'unset')!r})"
        for name in {**there, **now}
        if there.get(name) != now.get(name) and not (name == "optimizer" and same)
    ]
