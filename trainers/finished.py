"""Finished runs, read back from their directories."""

import dataclasses
import os
import pathlib
from typing import Any

import ugm_tf

from . import defaults, inputs, rundir

__all__ = ["Finished", "load"]

_NUMBERS = dict.fromkeys(("labels", "epochs", "batch_size", "code_size", "image_size", "seed"), int) | dict.fromkeys(
    ("learning_rate", "ema"), float
)


@dataclasses.dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        model: Its model.
        settings: What it was trained with.
        directory: Where it lies.
        sources: Where its data lie: `data_dir` and `manual_dir`.
    """

    model: ugm_tf.UnifiedModel
    settings: defaults.Settings
    directory: rundir.RunDirectory
    sources: dict[str, str]

    def split(self, name: str) -> inputs.Inputs:
        """A split of the data that the run was trained on, as its recipe takes it."""
        return inputs.load(self.settings, name, self.sources)


def load(workdir: str | os.PathLike[str], data_dir: str | None = None, manual_dir: str | None = None) -> Finished:
    """Reads a finished run.

    Args:
        workdir: Its directory.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.

    Raises:
        ValueError: If there is no finished run.
    """
    path = pathlib.Path(workdir)
    if not (path / "flags.txt").exists() or not (path / "model.keras").exists():
        raise ValueError(
            f"'{path}' holds no finished run: flags.txt and model.keras are both there when one has ended. "
            "Train one with `python -m trainers.train`, and give its --workdir."
        )
    lines = (path / "flags.txt").read_text().splitlines()
    flags = dict(line.removeprefix("--").split("=", 1) for line in lines)
    sources = {k: v for k, v in (("data_dir", data_dir), ("manual_dir", manual_dir)) if v is not None}
    return Finished(
        ugm_tf.load_model(path / "model.keras"), _settings(flags), rundir.RunDirectory(path, flags), sources
    )


def _settings(flags: dict[str, str]) -> defaults.Settings:
    values: dict[str, Any] = {name: _NUMBERS.get(name, str)(text) for name, text in flags.items()}
    if "hidden" in flags:
        values["hidden"] = defaults.parse_hidden(flags["hidden"].split(","))
    if "families" in flags:
        values["families"] = defaults.parse_families(flags["families"])
    if "hyperparameter" in flags:
        values["hyperparameters"] = defaults.parse_hyperparameters([values.pop("hyperparameter")])
    return defaults.Settings(**values)
