"""A run's numbers as the geometry of small charts: one metric a chart, one phase a row of charts.

Only numbers, paths and words are made here; `page.html.jinja` draws them, so that a style sheet can colour them.
"""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

__all__ = ["NOT_METRICS", "Chart", "Curves", "Line", "Tick", "curves", "deviation", "number", "with_spread"]

WIDTH, HEIGHT = 340, 168  # the chart's own units: on most screens, pixels
LEFT, RIGHT, TOP, BOTTOM = 46, 332, 8, 144  # where the data is drawn
_PARTS = {"": "training", "val_": "validation"}  # by how the names of their columns begin
NOT_METRICS = ("epoch", "step")


def number(value: float, spread: float | None = None, unit: str = "") -> str:
    """A number as a person writes it: to two digits of its spread, or else to four digits of its own.

    Whole ones are counts if their unit is "of" something, or if they are above 1 and without any spread.

    >>> number(-96.0213, 0.318), number(0.97333), number(17318.0), number(10), number(10.0, unit="of 10")
    ('−96.02', '0.9733', '17,318', '10', '10')
    """
    whole, value = not isinstance(value, (float, np.floating)), float(value)
    counted = value.is_integer() and (unit.startswith("of ") or (spread == 0 and abs(value) > 1))
    if not math.isfinite(value):
        text = "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    elif whole or counted:
        text = f"{value:,.0f}"
    elif spread is not None and math.isfinite(spread) and spread > 0:
        text = f"{value:,.{max(0, 1 - math.floor(math.log10(spread)))}f}"
    elif value == 0:
        text = "0"
    elif 1e-3 <= abs(value) < 1e7:
        text = f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"
    else:
        text = f"{value:.2e}"
    return text.replace("-", "−")


def with_spread(value: float, spread: float | None, unit: str = "") -> str:
    """A number and how far it spreads; alone where nothing is known of that.

    >>> with_spread(2.0, 1.0), with_spread(10.0, 0.0), with_spread(0.5, None)
    ('2.0 ± 1.0', '10 ± 0', '0.5000')
    """
    text = number(value, spread, unit)
    return text if spread is None else f"{text} ± {number(spread, spread)}"


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation, 0 of equal values; None of fewer than two, NaN if one is not finite.

    >>> deviation([1.0, 2.0, 3.0]), deviation([9.515, 9.515, 9.515]), deviation([1.0])
    (1.0, 0.0, None)
    """
    if len(values) < 2:
        return None
    return statistics.stdev(map(float, values)) if all(map(math.isfinite, values)) else math.nan


@dataclasses.dataclass(frozen=True)
class Tick:
    """A place on an axis and what is written there."""

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Line:
    """One column of the metrics, drawn.

    Args:
        part: "training" or "validation", or another part that `curves` was given.
        path: The `d` of an SVG path; a value that is not finite is a gap in it.
        points: Where finite values stand between gaps, alone.
        y: Each row's height in the chart, None where there is nothing to show.
        text: Each row's value in words, "" where the row lacks it.
        last: The last value in words.
        faults: Where along the x axis values are not finite.
        whole: The `d` of all of it on a scale of its own, where `path` leaves the chart.
    """

    part: str
    path: str
    points: tuple[tuple[float, float], ...]
    y: tuple[float | None, ...]
    text: tuple[str, ...]
    last: str
    faults: tuple[float, ...]
    whole: str = ""


@dataclasses.dataclass(frozen=True)
class Chart:
    """One metric, over training and validation data.

    Args:
        name: The metric's name, less its phase.
        lines: One for each column.
        ticks: Of the y axis.
        faults: Which epochs are not finite, in words.
        notes: What is shown twice, for the sake of what comes late, in words.
    """

    name: str
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def hover(self) -> list[dict[str, object]]:
        """What the page's script needs to show one epoch."""
        return [{"y": line.y, "text": line.text, "last": line.last} for line in self.lines]


@dataclasses.dataclass(frozen=True)
class Curves:
    """Every chart of a run by phase, with the x axis that they share."""

    epochs: tuple[int, ...]
    x: tuple[float, ...]
    ticks: tuple[Tick, ...]
    phases: Mapping[str, tuple[Chart, ...]]
    parts: tuple[str, ...] = ()


def _ticks(low: float, high: float, start: float, end: float, bins: int, whole: bool = False) -> tuple[Tick, ...]:
    """Round numbers from low to high, which lie at start and end."""
    values = np.asarray(MaxNLocator(nbins=bins, steps=[1, 2, 5, 10], integer=whole).tick_values(low, high))
    step = values[1] - values[0]
    plain = 1e-4 <= step and np.abs(values).max() < 1e6
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    inside = [value for value in values.tolist() if low - 1e-9 * step <= value <= high + 1e-9 * step]
    return tuple(
        Tick(
            start + (end - start) * (value - low) / (high - low),
            (f"{value:,.{decimals}f}" if plain else f"{value:.3g}").replace("-", "−"),
        )
        for value in inside
    )


def _extent(part: np.ndarray) -> tuple[float, float]:
    finite = part[np.isfinite(part)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The range to draw of values of shape [lines, rows].

    The first tenth of a long run may leave the chart where it would flatten all that follows; nothing else may.
    """
    low, high = _extent(values)
    late = values[:, math.ceil(values.shape[1] / 10) :]
    if values.shape[1] >= 10 and np.isfinite(late).any():
        late_low, late_high = _extent(late)
        if high - low > 4 * (late_high - late_low) > 0:
            low, high = late_low, late_high
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _spans(epochs: Sequence[int], chosen: np.ndarray) -> str:
    """The chosen epochs in words: "3, 7–9"."""
    runs: list[list[int]] = []
    for i in np.flatnonzero(chosen).tolist():
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    words = ", ".join(str(epochs[r[0]]) if len(r) == 1 else f"{epochs[r[0]]}–{epochs[r[-1]]}" for r in runs)
    return ("epoch " if chosen.sum() == 1 else "epochs ") + words


def _line(part: str, values: np.ndarray, present: np.ndarray, x: Sequence[float], y: np.ndarray) -> Line:
    """Rows without the value are passed over; rows where it is not finite break the line."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for i in np.flatnonzero(present).tolist():
        if np.isfinite(values[i]):
            stretches[-1].append((x[i], float(y[i])))
        else:
            stretches.append([])
    text = tuple(number(float(value)) if there else "" for value, there in zip(values, present, strict=True))
    return Line(
        part=part,
        path="".join("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in run) for run in stretches if len(run) > 1),
        points=tuple(run[0] for run in stretches if len(run) == 1),
        y=tuple(round(float(at), 1) if math.isfinite(at) and TOP <= at <= BOTTOM else None for at in y),
        text=text,
        last=next(filter(None, reversed(text)), ""),
        faults=tuple(x[i] for i in np.flatnonzero(present & ~np.isfinite(values)).tolist()),
    )


def _chart(
    name: str,
    metric: str,
    rows: Sequence[Mapping[str, float]],
    epochs: Sequence[int],
    x: Sequence[float],
    prefixes: Mapping[str, str],
) -> Chart:
    there = [prefix for prefix in prefixes if any(prefix + metric in row for row in rows)]
    parts, columns = [prefixes[prefix] for prefix in there], [prefix + metric for prefix in there]
    present = np.array([[column in row for row in rows] for column in columns])
    values = np.array([[row.get(column, math.nan) for row in rows] for column in columns], np.float64)
    low, high = _limits(values)
    y = np.where(np.isfinite(values), BOTTOM - (BOTTOM - TOP) * (values - low) / (high - low), math.nan)
    faults, notes = [], []
    for part, there, row in zip(parts, present, values, strict=True):
        for word, odd in (("NaN", np.isnan(row)), ("∞", row == math.inf), ("−∞", row == -math.inf)):
            if (there & odd).any():
                faults.append(f"{part.capitalize()} is {word} at {_spans(epochs, there & odd)}")
    least, most = _extent(values)
    beyond = most > high or least < low
    if beyond:
        notes.append(f"Faint: every epoch, on a scale from {number(least)} to {number(most)}.")
    shrunk = np.where(
        np.isfinite(values), BOTTOM - (BOTTOM - TOP) * (values - least) / ((most - least) or 1.0), math.nan
    )
    lines = tuple(
        dataclasses.replace(
            _line(part, row, there, x, at), whole=_line(part, row, there, x, all_of_it).path if beyond else ""
        )
        for part, row, there, at, all_of_it in zip(parts, values, present, y, shrunk, strict=True)
    )
    return Chart(name, lines, _ticks(low, high, BOTTOM, TOP, 4), tuple(faults), tuple(notes))


def curves(rows: Sequence[Mapping[str, float]], parts: Mapping[str, str] = _PARTS) -> Curves:
    """The charts of a run.

    "wake/rate" and "val_wake/rate" share the chart "rate" of the phase "wake"; a metric without a phase belongs to "".
    Phases and metrics keep the order in which they first appear.

    Args:
        rows: What `metrics.read` returns; a row may lack metrics.
        parts: What lines are of, by how the names of their columns begin.

    Returns:
        The charts; none if there is no row.

    Raises:
        ValueError: If a row has no epoch.
    """
    if any("epoch" not in row for row in rows):
        raise ValueError(f"Each row of metrics has an 'epoch'. Received one of {sorted(rows[0])}.")
    epochs = tuple(int(row["epoch"]) for row in rows)
    if not rows:
        return Curves((), (), (), {})
    first, last = min(epochs), max(max(epochs), min(epochs) + 1)
    x = tuple(round(LEFT + (RIGHT - LEFT) * (epoch - first) / (last - first), 1) for epoch in epochs)
    phases: dict[str, dict[str, Chart]] = {}
    for column in (column for row in rows for column in row if column not in NOT_METRICS):
        prefix = max((prefix for prefix in parts if column.startswith(prefix)), key=len)
        metric = column.removeprefix(prefix)
        phase, name = metric.split("/", 1) if "/" in metric else ("", metric)
        charts = phases.setdefault(phase, {})
        if name not in charts:
            charts[name] = _chart(name, metric, rows, epochs, x, parts)
    ticks = _ticks(first, last, LEFT, RIGHT, 6, whole=True)
    present = {line.part for charts in phases.values() for chart in charts.values() for line in chart.lines}
    return Curves(
        epochs,
        x,
        ticks,
        {phase: tuple(charts.values()) for phase, charts in phases.items()},
        tuple(part for part in dict.fromkeys(parts.values()) if part in present),
    )
