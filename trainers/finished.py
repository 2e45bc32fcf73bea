"""Finished runs, read back from their directories."""

import dataclasses
import os
import pathlib
from typing import Any

import ugm_tf

from . import commands, inputs, known_data, options, own_networks, rundir
from .settings import Resolved

__all__ = ["Finished", "load"]


@dataclasses.dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        model: Its model.
        settings: What it was trained with.
        directory: Where it lies.
        sources: Where its data lie.
    """

    model: ugm_tf.UnifiedModel
    settings: Resolved
    directory: rundir.RunDirectory
    sources: inputs.Sources

    def split(self, name: str) -> inputs.Inputs:
        """A split of the data that the run was trained on, as its recipe takes it.

        Raises:
            ValueError: If the data cannot be read, or have changed since.
        """
        split = inputs.load(self.settings, name, self.sources)
        known_data.check(self.directory.path, self.data, known_data.describe(split))
        return split

    @property
    def data(self) -> dict[str, Any]:
        """What it knows of its data, as `known_data.describe` gave it; empty for a run of an earlier version."""
        return self.directory.data


def load(workdir: str | os.PathLike[str], sources: inputs.Sources = inputs.USUAL) -> Finished:
    """Reads a finished run.

    Args:
        workdir: Its directory.
        sources: Where its data lie.

    Raises:
        ValueError: If there is no finished run.
    """
    path = pathlib.Path(workdir)
    if not (path / "flags.txt").exists() or not (path / "model.keras").exists():
        raise ValueError(
            f"'{path}' holds no finished run: flags.txt and model.keras are both there when one has ended. "
            f"Train one with `{commands.of('train')}`, and give its --workdir."
        )
    settings = options.resolved(options.read(path / "flags.txt"), path / "flags.txt")
    settings.make_recipe()  # registers what files of the user's own define, before the model is read
    own_networks.get(settings.network)
    model = ugm_tf.load_model(path / "model.keras")
    return Finished(model, settings, rundir.RunDirectory(path, settings), sources)
