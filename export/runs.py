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
    try:
        if (folder / "flags.txt").exists():
            lines = (folder / "flags.txt").read_text().splitlines()
            flags = dict(line.removeprefix("--").partition("=")[::2] for line in lines if line.startswith("--"))
            flags = {name: value for name, value in flags.items() if not os.path.isabs(value) and name != "workdir"}
            out = {name: flags[name] for name in ("recipe", "dataset") if name in flags} | {"flags": flags}
        for key, name in (("figures", "figures.json"), ("trained_with", "versions.json")):
            if (folder / name).exists():
                out[key] = json.loads((folder / name).read_text())
        if (folder / "data.json").exists():
            data = json.loads((folder / "data.json").read_text()).get("dataset", {})
            out |= {"class_names": data["class_names"]} if data.get("class_names") else {}
            identity = data.get("fingerprint") or {}
            out |= {"fingerprint": {key: identity[key] for key in ("kind", "digest")}} if identity else {}
    except (OSError, AttributeError, KeyError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder} cannot be read as a run: {error}.") from error
    return out
