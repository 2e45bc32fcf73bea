"""What a run knows of its data: what was read and passed over, the classes' names, and what identifies it all."""

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ugm_tf

from . import kept_json
from .inputs import Inputs

__all__ = ["check", "class_names", "describe", "moved", "read", "readings"]

FILE = "data.json"


def describe(inputs: Inputs) -> dict[str, Any]:
    """What data.json holds: for --dataset, and for --target where that is a data set of its own, by flag.

    Args:
        inputs: Any split: what was read and what identifies it is of all of them.
    """
    sources = {"dataset": inputs.whole or inputs.examples}
    if inputs.target is not None and inputs.target_is_read:
        sources["target"] = inputs.target
    return {
        flag: {
            "reading": None
            if examples.reading is None
            else {"line": str(examples.reading), **examples.reading.to_dict()},
            "class_names": None if examples.class_names is None else list(examples.class_names),
            "fingerprint": examples.fingerprint.to_dict(),
        }
        for flag, examples in sources.items()
    }


def check(path: str | os.PathLike[str], kept: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Refuses data that are not those that a run began with.

    Args:
        path: The run directory, for the message.
        kept: What `describe` gave then; empty for a run of an earlier version, which knows of nothing.
        found: What it gives now.

    Raises:
        ValueError: Naming what changed.
    """
    for flag in kept.keys() & found.keys():
        before, now = (ugm_tf.data.Fingerprint.from_dict(each[flag]["fingerprint"]) for each in (kept, found))
        if changes := before.differences(now):
            raise ValueError(
                f"The data of --{flag} are not those that the run in '{path}' began with: {'; '.join(changes)}. Take "
                "the changes back, or train into a new --workdir, from these weights if you like: "
                f"--init_from={path}."
            )


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the data.json of a run directory holds; empty for a run of an earlier version.

    Raises:
        ValueError: If it is damaged.
    """
    file = pathlib.Path(path) / FILE
    found = kept_json.read(file)
    try:
        for each in found.values():
            ugm_tf.data.Fingerprint.from_dict(each["fingerprint"])
            list(each["class_names"] or ())
            str(each["reading"] and each["reading"]["line"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise kept_json.damaged(file, f"it says nothing of the data ({error!r})") from error
    return found


def moved(before: str, now: str, kept: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether data of files are those that a run began with, at another place.

    Args:
        before: --dataset as the run began, and
        now: as it is now.
        kept: What `describe` gave then, and
        found: what it gives now.
    """
    kinds = {name.partition(":")[0] if ":" in name else "" for name in (before, now)}
    if len(kinds) > 1 or not kinds <= {"folder", "npz"} or "dataset" not in kept:
        return False
    try:
        check("", kept, found)
    except ValueError:
        return False
    return True


def class_names(data: Mapping[str, Any]) -> Sequence[str] | None:
    """The names of the classes of --dataset in a data.json; None where it has no classes."""
    return data.get("dataset", {}).get("class_names")


def readings(data: Mapping[str, Any]) -> list[str]:
    """What was read and what was passed over, a line for each data set."""
    return [each["reading"]["line"] for each in data.values() if each["reading"]]
