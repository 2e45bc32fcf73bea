"""The page of a comparison, in one file that asks nothing of the network."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from ugm_tf import files

from . import curves, page, page_pictures, reading
from .comparison import Comparison

__all__ = ["write_comparison"]

COLOURS = 8  # of groups, in comparison.css


def write_comparison(path: str | os.PathLike[str], compared: Comparison) -> pathlib.Path:
    """Writes the page.

    Args:
        path: The file.
        compared: What to show.

    Returns:
        The path.

    Raises:
        OSError: If a picture cannot be read, or the page cannot be written.
    """
    firsts = [next((run for run in group.runs if run.samples is not None), None) for group in compared.groups]
    text = (
        page.environment()
        .get_template("comparison.html.jinja")
        .render(
            compared=compared,
            colours={group.name: i % COLOURS for i, group in enumerate(compared.groups)},
            samples=[
                None if run is None or run.samples is None else (run.path, page_pictures.uri(run.samples.read_bytes()))
                for run in firsts
            ],
            curves=_overlaid(compared),
            spread=any(len(group.runs) > 1 for group in compared.groups),
            size=page.SIZE,
            better=reading.better,
        )
    )
    return files.write(path, text.encode())


def _overlaid(compared: Comparison) -> curves.Curves:
    """The curves of all runs, one metric a chart: of the validation where any run has it, else of training.

    The part of a line is the name of its group.
    """
    parts = {f"{i} {r} ": group.name for i, group in enumerate(compared.groups) for r in range(len(group.runs))}
    each = [(f"{i} {r} ", run.rows) for i, group in enumerate(compared.groups) for r, run in enumerate(group.runs)]
    validated = {name.removeprefix("val_") for _, rows in each for row in rows for name in row if name[:4] == "val_"}
    merged: dict[int, dict[str, Any]] = {}
    for prefix, rows in each:
        for row in rows:
            merged.setdefault(int(row["epoch"]), {}).update(_of_run(prefix, row, validated))
    return curves.curves([{"epoch": epoch} | merged[epoch] for epoch in sorted(merged)], parts)


def _of_run(prefix: str, row: Mapping[str, float], validated: set[str]) -> dict[str, float]:
    out = {}
    for name, value in row.items():
        metric = name.removeprefix("val_")
        if name not in curves.NOT_METRICS and (metric not in validated or metric != name):
            out[prefix + metric] = value
    return out
