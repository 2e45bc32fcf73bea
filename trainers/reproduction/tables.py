"""The tables, the sentences and the numbers of an experiment, as Markdown and as JSON."""

import dataclasses
import math
from typing import Any

from ..curves import number, with_spread
from .statistics import METHOD, Mean
from .summaries import Cell, Pair, Summary

__all__ = ["as_json", "cell_rows", "headline", "markdown", "overview", "pair_rows", "pair_texts", "readings", "short"]

_MANY = 4  # figures that are easier read side by side


def headline(summary: Summary) -> str:
    """What the tables are of, in one line."""
    plan, runs = summary.plan, f"{summary.done} of {summary.runs} runs"
    state = f"all {summary.runs} runs" if summary.done == summary.runs else f"{runs}: not yet whole"
    return f"`{plan.name}` at scale `{plan.scale}` on {summary.dataset}, {state}. {plan.experiment.source}."


def cell_texts(cell: Cell) -> dict[str, str]:
    """A row of the table of figures, by column."""
    ours = "–" if cell.ours is None else _mean(cell.ours)
    less = [f"{len(cell.values)} of {cell.runs} seeds"] if len(cell.values) < cell.runs else []
    less += [f"{cell.failed} diverged"] if cell.failed else []
    return {
        "condition": cell.under,
        "contender": cell.name,
        "chosen": cell.choice,
        "published": "–" if cell.published is None else str(cell.published),
        "ours": f"{ours} ({', '.join(less)})" if less else ours,
    }


def pair_texts(pair: Pair) -> dict[str, str]:
    """A row of the table of differences, by column."""
    ours = interval = p = "–"
    if (found := pair.ours) is not None:
        half = None if found.low is None or found.high is None else (found.high - found.low) / 2
        ours = _signed(found.value, half)
        if found.low is not None and found.high is not None:
            interval = f"{_signed(found.low, half)} to {_signed(found.high, half)}"
        if found.p is not None:
            p = "< 0.001" if found.p < 0.001 else f"{found.p:.2g}"
    return {
        "condition": pair.under,
        "difference": f"{pair.name} less {pair.against}",
        "published": "–" if pair.published is None else f"{'+' * (pair.published > 0)}{short(pair.published)}",
        "ours": ours,
        "interval": interval,
        "p": p,
        "reading": pair.verdict or "–",
    }


def cell_rows(cells: list[Cell]) -> list[dict[str, str]]:
    """The table of a figure; where nothing is published, that column is empty."""
    return _published([cell_texts(cell) for cell in cells])


def pair_rows(pairs: list[Pair]) -> list[dict[str, str]]:
    """The table of a figure's differences, likewise."""
    return _published([pair_texts(pair) for pair in pairs])


def _published(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return rows if any(row["published"] != "–" for row in rows) else [row | {"published": ""} for row in rows]


def readings(summary: Summary) -> list[str]:
    """What each difference says, as sentences."""
    out = []
    for pair in summary.pairs:
        if pair.ours is None:
            continue
        texts = pair_texts(pair)
        where = f" at {pair.under}" if pair.under else ""
        unit = summary.units.get(pair.figure, "")
        spread = "" if texts["interval"] == "–" else f" ({texts['interval']}, p {_p(texts['p'])})"
        published = "" if pair.published is None else f"; published {texts['published']}"
        out.append(
            f"{pair.figure}, {texts['difference']}{where}: {texts['ours']}{' ' + unit if unit else ''}{spread} over "
            f"{pair.ours.seeds} seed{'s' if pair.ours.seeds > 1 else ''}{published}: {pair.verdict}."
        )
    return out


def markdown(summary: Summary) -> str:
    """The tables of an experiment and what they say."""
    side_by_side = overview(summary)
    lines = [headline(summary), "", *([*_table(side_by_side), ""] if side_by_side else [])]
    for name, (cells, pairs) in summary.figures.items():
        unit = f", {summary.units[name]}" if summary.units.get(name) else ""
        better = next(figure.higher for figure in summary.plan.experiment.figures if figure.name == name)
        lines += [
            f"**{name}**{unit}, test split, {'more' if better else 'less'} is better; mean ± deviation over seeds",
            "",
        ]
        lines += [*_table(cell_rows(cells)), ""]
        if pairs:
            lines += [*_table(pair_rows(pairs)), ""]
    if summary.pairs:
        lines += [f"Intervals: {METHOD}.", ""]
    notes = dict.fromkeys(c.published.note for c in summary.cells if c.published is not None and c.published.note)
    lines += [f"Published: {note}." for note in notes] + ([""] if notes else [])
    scale = summary.plan.experiment.scales[summary.plan.scale]
    lines += [f"{scale.note}", ""] if scale.note else []
    lines += [f"Ran on: {versions}." for versions in summary.versions]
    return "\n".join(lines).rstrip() + "\n"


def as_json(summary: Summary) -> dict[str, Any]:
    """All numbers, for JSON: a number that is not finite is a text."""
    plan = summary.plan
    written = {
        "experiment": plan.name,
        "scale": plan.scale,
        "dataset": summary.dataset,
        "source": plan.experiment.source,
        "runs": {"done": summary.done, "of": summary.runs},
        "method": METHOD,
        "figures": [
            dataclasses.asdict(cell)
            | {"unit": summary.units.get(cell.figure, ""), "how": summary.how.get(cell.figure, {})}
            for cell in summary.cells
        ],
        "differences": [dataclasses.asdict(pair) | {"reading": pair.verdict} for pair in summary.pairs],
        "readings": readings(summary),
    }
    return _finite(written)


def overview(summary: Summary) -> list[dict[str, str]]:
    """Rows of one table of all figures, where there are many: one for each contender, and one for real data."""
    if len(summary.figures) < _MANY:
        return []
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in summary.cells:
        texts = cell_texts(cell)
        row = rows.setdefault((cell.under, cell.name), {"condition": cell.under, "contender": cell.name})
        row[cell.figure] = texts["ours"]
    if summary.real:
        texts = {name: _mean(found) for name, found in summary.real.items()}
        rows["", "real data"] = {"condition": "", "contender": "real data, in the samples' place", **texts}
    columns = ("condition", "contender", *summary.figures)
    return [{name: row.get(name, "") for name in columns} for row in rows.values()]


def _table(rows: list[dict[str, str]]) -> list[str]:
    """Rows as a Markdown table, without the columns in which nothing stands."""
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    lines = [names, ["---"] * len(names), *([row[name] for name in names] for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _mean(found: Mean) -> str:
    return with_spread(found.value, found.spread)


def short(value: float) -> str:
    """A number that is exact to a few digits, without zeros behind them.

    >>> short(0.1100000001), short(-2500.0), short(0.0)
    ('0.11', '−2500', '0')
    """
    return f"{round(value, 10):.6g}".replace("-", "−")


def _signed(value: float, spread: float | None = None) -> str:
    text = number(float(value), spread)
    return f"+{text}" if value > 0 else text


def _p(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
