"""What looks wrong with a run that has ended, in sentences: a run that failed is not to look like one that did not."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from . import defaults
from .figure import Figure
from .settings import Resolved, Settings

__all__ = ["doubts", "usual_epochs"]

COVERED = 0.75  # of the classes that real data cover
ASKED = 0.5  # share of samples that are of the class asked for
SPREAD = 0.1  # variance of samples, of that of the data
RATE = 0.05  # nats of a code that is used
FEW = 10  # examples, over which a mean is none
RISE = 0.1  # of the way that a validation loss had come down


def doubts(
    figures: Sequence[Figure],
    rows: Sequence[Mapping[str, float]] = (),
    samples: np.ndarray | None = None,
    data: np.ndarray | None = None,
    judged: Sequence[str] = (),
    kept_best: bool = False,
    epochs: tuple[int, int] | None = None,
    held_out: int | None = None,
) -> list[str]:
    """What looks wrong, the gravest first; nothing where nothing does.

    Args:
        figures: Final numbers, with real data's own.
        rows: Metrics by epoch, as `metrics.read` returns them.
        samples: What the model draws, [N, ...].
        data: Examples, [M, ...], as they are stored.
        judged: Phases that play against a discriminator, whose losses say nothing by themselves.
        kept_best: Whether the model is that of the best epoch.
        epochs: How many there were, and how many there are by default.
        held_out: Number of validation examples.
    """
    found = [
        *_of_figures(figures),
        *_of_spread(samples, data),
        *_of_rates(rows),
        *([] if kept_best else _of_losses(rows, judged)),
    ]
    if epochs is not None and 2 * epochs[0] < epochs[1]:
        found.append(f"It trained for {epochs[0]} of the {epochs[1]} epochs that are the default here.")
    if held_out is not None and held_out < FEW:
        examples = f"{held_out} example{'s' if held_out > 1 else ''}"
        found.append(f"Validation has {examples}: its figures say next to nothing.")
    return found


def usual_epochs(settings: Resolved, shape: tuple[int, ...], number: int, rarest: int) -> int:
    """How many epochs a run of these settings has where none are asked for; 0 if that cannot be told."""
    given = {field.name: getattr(settings, field.name) for field in dataclasses.fields(Settings)}
    try:
        return defaults.resolve(Settings(**given | {"epochs": None}), shape, number, rarest).epochs
    except ValueError:
        return 0


def _of_figures(figures: Sequence[Figure]) -> list[str]:
    out = []
    for figure in figures:
        if figure.name == "classes covered" and figure.real is not None:
            if figure.value < COVERED * figure.real.value:
                share = f"{figure.value:.3g} of the {figure.real.value:.3g} classes"
                out.append(f"Samples cover {share} that real data cover: it has collapsed, or trained too little.")
        most = 1.0 if figure.real is None else figure.real.value  # how often the classifier is right on data
        if figure.name.startswith("samples of the") and figure.value < max(ASKED, COVERED * most):
            out.append(f"Only {figure.value:.0%} of the samples are of {figure.name.removeprefix('samples of ')}.")
        if not math.isfinite(figure.value):
            out.append(f"{figure.name} is not finite.")
    return out


def _of_spread(samples: np.ndarray | None, data: np.ndarray | None) -> list[str]:
    if samples is None or data is None or len(samples) < 2 or len(data) < 2:
        return []
    ours, theirs = (float(np.var(np.asarray(part, np.float64), axis=0).mean()) for part in (samples, data))
    if not math.isfinite(ours):
        return ["Some samples are not finite."]
    if theirs > 0 and ours < SPREAD * theirs:
        return [f"Samples are nearly alike: they vary by {ours / theirs:.1%} of what the data do."]
    return []


def _of_rates(rows: Sequence[Mapping[str, float]]) -> list[str]:
    last = rows[-1] if rows else {}
    out = []
    for column, value in last.items():
        divergence = f"{column}_kl"  # with free bits, the rate is at least those
        rate = last.get(divergence, value)
        if not column.startswith("val_") and column.endswith("/rate") and rate < RATE:
            out.append(f"The code is hardly used: {column} is {rate:.2g} nats (a collapsed posterior).")
    return out


def _of_losses(rows: Sequence[Mapping[str, float]], judged: Sequence[str]) -> list[str]:
    out = []
    for column in dict.fromkeys(column for row in rows for column in row):
        phase = column.removeprefix("val_").partition("/")[0]
        whole = "/loss_unscheduled" if any(f"val_{phase}/loss_unscheduled" in row for row in rows) else "/loss"
        if not column.startswith("val_") or not column.endswith(whole) or phase in judged:
            continue
        told = [(int(row["epoch"]), row[column]) for row in rows if math.isfinite(row.get(column, math.nan))]
        if len(told) < 5:
            continue
        (epoch, least), last = min(told, key=lambda pair: pair[1]), told[-1][1]
        if last - least > RISE * (told[0][1] - least) > 0:
            out.append(
                f"{column} rises since epoch {epoch}, from {least:.4g} to {last:.4g}: the model learns its data by "
                f"heart. --keep_best={column} ends with that epoch."
            )
    return out
