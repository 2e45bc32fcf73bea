"""What lies beside a report: the pictures made during training, these in motion, and the files of the run."""

import re
from collections.abc import Sequence
from typing import Any

from ugm_tf import grids

from . import rundir

__all__ = ["animation", "beside", "progress"]

_FRAMES = 60  # of an animation, at most
_BESIDE = {
    "samples.png": "final samples",
    "samples/": "pictures during training",
    "training.gif": "these in motion",
    "metrics.csv": "every metric by epoch",
    "probe.csv": "what the probe found",
    "data.json": "which data it saw",
    "figures.json": "the figures",
    "evaluation.json": "what trainers.evaluate found",
    "model.keras": "the model with its optimizers",
    "saved_model/": "its export",
    "flags.txt": "what was run",
    "versions.json": "on what",
    "errors.txt": "tracebacks of what failed",
}


def beside(directory: rundir.RunDirectory) -> dict[str, str]:
    """What lies beside the report, by name, with what it holds."""
    return {name: what for name, what in _BESIDE.items() if (directory.path / name).exists()}


def animation(directory: rundir.RunDirectory, drawn: Sequence[tuple[int, Any]]) -> str | None:
    """Writes what was drawn during training as one file in motion; its name, or None of less than two pictures."""
    if len(drawn) < 2:
        return None
    every = -(-len(drawn) // _FRAMES)
    chosen = [path for _, path in drawn[::-1][::every][::-1]]  # the last one is there
    return grids.save_animation(directory.path / "training.gif", chosen).name


def progress(directory: rundir.RunDirectory) -> list[tuple[int, Any]]:
    """Steps, and the pictures that were drawn of samples then."""
    found = [
        (re.fullmatch(r"samples_(\d+)", path.stem), path) for path in sorted(directory.samples.glob("samples_*.png"))
    ]
    return [(int(match[1]), path) for match, path in found if match]
