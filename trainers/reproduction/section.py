"""An experiment as a section of HTML with a plot of its differences, and as a page of its own."""

import dataclasses
import math

from matplotlib.ticker import MaxNLocator

from .. import page
from . import tables
from .statistics import METHOD
from .summaries import Pair, Summary

__all__ = ["plot", "render", "render_page"]

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP, _BOTTOM = 720, 250, 700, 26, 10, 34  # of a plot, in pixels


@dataclasses.dataclass(frozen=True)
class _Line:
    """A pair in a plot: where its mean, its interval and the published difference are drawn; None what it lacks."""

    y: float
    label: str
    at: float
    low: float | None
    high: float | None
    published: float | None
    text: str


def render(summary: Summary) -> str:
    """The section."""
    figures = {
        name: {
            "unit": summary.units.get(name, ""),
            "cells": tables.cell_rows(cells),
            "pairs": tables.pair_rows(pairs),
            "plot": plot(pairs),
        }
        for name, (cells, pairs) in summary.figures.items()
    }
    experiment = summary.plan.experiment
    scale = experiment.scales[summary.plan.scale]
    return _template("section.html.jinja").render(
        title=experiment.title,
        headline=tables.headline(summary).replace("`", ""),
        overview=tables.overview(summary),
        figures=figures,
        method=METHOD,
        readings=tables.readings(summary),
        open=experiment.open,
        notes=[note for note in (scale.note, *(f"Ran on {words}." for words in summary.versions)) if note],
    )


def render_page(summary: Summary) -> str:
    """A page with the section alone, which asks nothing of the network."""
    return _template("section.page.jinja").render(
        title=f"{summary.plan.experiment.title}: {summary.plan.title}", section=render(summary)
    )


def plot(pairs: list[Pair]) -> str:
    """The differences with their intervals, beside the published ones, as SVG; "" where there is none."""
    shown = [pair for pair in pairs if pair.ours is not None and math.isfinite(pair.ours.value)]
    if not shown:
        return ""
    ends = [0.0]
    for pair in shown:
        ours = pair.ours
        ends += [v for v in (ours.value, ours.low, ours.high, pair.published) if v is not None] if ours else []
    margin = 0.06 * (max(ends) - min(ends)) or 1.0
    low, high = min(ends) - margin, max(ends) + margin

    def x(value: float | None) -> float | None:
        return None if value is None else round(_LEFT + (_RIGHT - _LEFT) * (value - low) / (high - low), 1)

    lines = []
    for i, pair in enumerate(shown):
        ours, texts = pair.ours, tables.pair_texts(pair)
        if ours is None:
            continue
        label = " · ".join(part for part in (pair.under, texts["difference"]) if part)
        places = (x(ours.value) or 0.0, x(ours.low), x(ours.high), x(pair.published))
        lines.append(_Line(_TOP + _ROW * (i + 0.5), label, *places, f"{label}: {texts['ours']} ({texts['interval']})"))
    ticks = [t for t in MaxNLocator(6).tick_values(low, high) if low <= t <= high]
    bottom = _TOP + _ROW * len(lines)
    return _template("section.plot.jinja").render(
        lines=lines,
        ticks=[(x(float(tick)), tables.short(float(tick))) for tick in ticks],
        zero=x(0.0),
        size={"width": _WIDTH, "height": bottom + _BOTTOM, "left": _LEFT, "right": _RIGHT, "bottom": bottom},
    )


def _template(name: str):
    return page.environment().get_template(f"reproduction/{name}")
