"""What a run knows of its data: what was read and passed over, the classes' names, and what identifies it all."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import ugm_tf

from .inputs import Inputs

__all__ = ["check", "class_names", "describe", "readings"]

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


def class_names(data: Mapping[str, Any]) -> Sequence[str] | None:
    """The names of the classes of --dataset in a data.json; None where it has no classes."""
    return data.get("dataset", {}).get("class_names")


def readings(data: Mapping[str, Any]) -> list[str]:
    """What was read and what was passed over, a line for each data set."""
    return [each["reading"]["line"] for each in data.values() if each["reading"]]
