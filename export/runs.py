"""What a run's directory says about its model."""

import json
import os
import pathlib
from typing import Any

__all__ = ["facts"]


def facts(run: str | os.PathLike[str]) -> dict[str, Any]:
    """Recipe, data with the names of its classes, flags, figures and versions of a run, as far as it wrote them down.

    There is no path among them.

    Args:
        run: The run's directory.

    Raises:
        ValueError: If a file of it cannot be read.
    """
    folder = pathlib.Path(run)
    out: dict[str, Any] = {}
    if (folder / "flags.txt").exists():
        lines = _text(folder / "flags.txt").splitlines()
        flags = dict(line.removeprefix("--").partition("=")[::2] for line in lines if line.startswith("--"))
        flags = {name: value for name, value in flags.items() if not os.path.isabs(value) and name != "workdir"}
        out = {name: flags[name] for name in ("recipe", "dataset") if name in flags} | {"flags": flags}
    for key, name in (("figures", "figures.json"), ("trained_with", "versions.json")):
        if found := _facts(folder / name):
            out[key] = found
    data = _facts(folder / "data.json").get("dataset") or {}
    identity = data.get("fingerprint") or {} if isinstance(data, dict) else None
    if not isinstance(identity, dict) or (identity and not {"kind", "digest"} <= set(identity)):
        raise ValueError(_damaged(folder / "data.json", "its dataset is no description of one"))
    out |= {"class_names": data["class_names"]} if data.get("class_names") else {}
    return out | ({"fingerprint": {key: identity[key] for key in ("kind", "digest")}} if identity else {})


def _facts(path: pathlib.Path) -> dict[str, Any]:
    """A file of JSON as a dict; an empty one where there is none."""
    if not path.exists():
        return {}
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(_damaged(path, str(error))) from error
    if not isinstance(found, dict):
        raise ValueError(_damaged(path, f"it has {type(found).__name__} in the place of names with values"))
    return found


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(_damaged(path, str(error))) from error


def _damaged(path: pathlib.Path, why: str) -> str:
    return (
        f"{path.parent} cannot be read as a run: {path.name}: {why}. Make its end again by trainers.report, or move "
        "the file away."
    )
