"""Runs beside one another: their figures over seeds, and in what they differ."""

import dataclasses
import os
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from . import evaluation, kept_json, metrics, options, own_code
from .curves import NOT_METRICS, deviation, with_spread

__all__ = ["Cell", "Comparison", "Group", "OneRun", "compare", "table"]

_ALIKE = ("seed",)  # in what runs of one group may differ
_DATA = ("dataset", "image_size")  # by which they are validated
# Fields of a figure's protocol in which runs are alike where their figures compare.
_PROTOCOL = (
    *("n", "n_real", "n_fake", "n_train", "n_held_out", "split", "k", "splits", "draws", "chains", "temperatures"),
    *("observation", "network", "network_hash", "layer", "size", "value_range", "resize", "labels", "features", "data"),
)


@dataclasses.dataclass(frozen=True)
class OneRun:
    """What a run directory holds, as far as it is there.

    Attributes:
        path: The directory, as it was given.
        flags: Its settings as the texts of flags, by name.
        figures: Final numbers on the validation split, by name.
        tests: Those on the test split, which `trainers.evaluate` found.
        real: The same of real data in the samples' place, of those that have it.
        protocols: How each of `tests` was measured, as fields.
        probed: What its probe found last, by name; empty where there was none.
        rows: Its metrics by epoch, and what its probe found.
        samples: The picture of its samples; None if there is none.
    """

    path: str
    flags: Mapping[str, str]
    figures: Mapping[str, float]
    tests: Mapping[str, float]
    real: Mapping[str, float]
    protocols: Mapping[str, Mapping[str, Any]]
    probed: Mapping[str, float]
    rows: Sequence[Mapping[str, float]]
    samples: pathlib.Path | None


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs that count as one, such as those of several seeds.

    Attributes:
        name: What distinguishes it from the other groups.
        runs: Its runs.
    """

    name: str
    runs: tuple[OneRun, ...]


@dataclasses.dataclass(frozen=True)
class Cell:
    """A figure over the runs of a group.

    Attributes:
        values: One of each run that has it.
    """

    values: tuple[float, ...]

    @property
    def spread(self) -> float | None:
        """The standard deviation over runs; None of a single one."""
        return deviation(self.values)

    def __str__(self) -> str:
        """
        >>> str(Cell((1.0, 2.0, 3.0))), str(Cell((10.0, 10.0))), str(Cell((0.5,))), str(Cell(()))
        ('2.0 ± 1.0', '10 ± 0', '0.5000', '–')
        """
        if not self.values:
            return "–"
        return with_spread(statistics.fmean(self.values), self.spread)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Groups of runs.

    Attributes:
        groups: The groups, in the order of their first runs.
        figures: For each figure of any run its name and a cell a group.
        tests: Likewise of the test split.
        real: By name of such a figure that of real data, over all runs, where all were measured alike.
        otherwise: Of those that were not measured alike in all runs, and so do not compare: the name, and in what they
            differ, in words.
        unlike: In which data they differ, in words, so that figures of the validation split do not compare either; else
            nothing.
        probed: Likewise of what probes found last.
        differences: For each flag in which groups differ its name and its values in each group.
        shared: The flags that all runs share, by name.
    """

    groups: tuple[Group, ...]
    figures: tuple[tuple[str, tuple[Cell, ...]], ...]
    tests: tuple[tuple[str, tuple[Cell, ...]], ...]
    real: Mapping[str, Cell]
    otherwise: tuple[tuple[str, str], ...]
    unlike: str
    probed: tuple[tuple[str, tuple[Cell, ...]], ...]
    differences: tuple[tuple[str, tuple[str, ...]], ...]
    shared: Mapping[str, str]

    @property
    def runs(self) -> list[OneRun]:
        """All runs, group by group."""
        return [run for group in self.groups for run in group.runs]


def compare(paths: Sequence[str | os.PathLike[str]], by: str | None = None) -> Comparison:
    """Reads runs and puts them into groups.

    Args:
        paths: Run directories.
        by: A flag, such as "recipe": runs with the same value of it are one group.  By default runs are that differ in
            nothing but their seeds.

    Raises:
        ValueError: If there is none, one is given twice or holds no run, or there is no such flag.
    """
    names = [option.name or field for field, option in options.OPTIONS.items()]
    if by is not None and by not in names:
        raise ValueError(f"--by is a flag of a run: {', '.join(names)}. Received: '{by}'.")
    places = [os.path.abspath(path) for path in paths]
    if not places or len(set(places)) < len(places):
        raise ValueError(
            "Give run directories, each once, such as runs/vae runs/gan. "
            f"Received: {' '.join(map(str, paths)) or 'none'}."
        )
    found: dict[tuple[tuple[str, str], ...], list[OneRun]] = {}
    for run in map(_read, paths):
        same = {by: run.flags.get(by, "")} if by else {n: v for n, v in run.flags.items() if n not in _ALIKE}
        found.setdefault(tuple(sorted(same.items())), []).append(run)
    values = [
        {name: ", ".join(dict.fromkeys(run.flags.get(name, "") for run in runs)) for name in names}
        for runs in found.values()
    ]
    called = _names(values, [by] if by else [name for name in names if name not in _ALIKE])
    groups = tuple(Group(name, tuple(runs)) for name, runs in zip(called, found.values(), strict=True))
    runs = [run for group in groups for run in group.runs]
    differing = [name for name in names if len({run.flags.get(name) for run in runs}) > 1]
    otherwise = _otherwise(groups)
    alike = [name for run in runs for name in run.real if name not in dict(otherwise)]
    return Comparison(
        groups,
        _cells(groups, "figures"),
        _cells(groups, "tests"),
        {name: Cell(tuple(r.real[name] for r in runs if name in r.real)) for name in alike},
        otherwise,
        _unlike(groups),
        _cells(groups, "probed"),
        tuple((name, tuple(each[name] or "–" for each in values)) for name in differing),
        {name: value for name, value in runs[0].flags.items() if name not in differing},
    )


def table(compared: Comparison) -> str:
    """The figures in columns of text; those of the test split and of probes below, if there are any."""
    lines = [("", *(f"{group.name} ({len(group.runs)})" for group in compared.groups))]
    for prefix, rows in (("", compared.figures), ("test: ", compared.tests), ("", compared.probed)):
        lines += [(prefix + name, *map(str, cells)) for name, cells in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    text = ["  ".join(line).rstrip() for line in padded]
    unlike = [f"{compared.unlike}."] if compared.unlike else []
    faults = [f"Not measured alike, so do not compare: {name} ({of})." for name, of in compared.otherwise]
    return "\n".join(text + unlike + faults)


def _read(path: str | os.PathLike[str]) -> OneRun:
    folder = pathlib.Path(path)
    if not (folder / "flags.txt").is_file() or not any((folder / n).is_file() for n in ("metrics.csv", "figures.json")):
        raise ValueError(
            f"'{folder}' holds no run: flags.txt and metrics.csv are there when one has begun. Give run directories; "
            f"for those of several seeds all of them, such as {folder}/seed_*."
        )
    flags = options.as_flags(options.read(folder / "flags.txt"))
    png, csv = folder / "samples.png", {name: folder / f"{name}.csv" for name in ("metrics", "probe")}
    rows, probes = ({int(r["epoch"]): r for r in metrics.read(at)} if at.is_file() else {} for at in csv.values())
    last = probes[max(probes)] if probes else {}
    evaluated = evaluation.read(folder / "evaluation.json")
    measured = {figure["name"]: figure for figure in evaluated["figures"]}
    data = evaluated.get("data", {}).get("fingerprint")
    return OneRun(
        str(path),
        flags | {"recipe": own_code.short(flags["recipe"])},
        _numbers(folder / "figures.json"),
        {name: float(figure["value"]) for name, figure in measured.items()},
        {name: float(figure["real"]["value"]) for name, figure in measured.items() if figure["real"]},
        {name: {"n": figure["n"], "data": data, **figure["how"]} for name, figure in measured.items()},
        {name: value for name, value in last.items() if name not in NOT_METRICS},
        [rows.get(epoch, {}) | probes.get(epoch, {}) for epoch in sorted({**rows, **probes})],
        png if png.is_file() else None,
    )


def _numbers(path: pathlib.Path) -> dict[str, float]:
    """The numbers of figures.json."""
    try:
        return {name: float(value) for name, value in kept_json.read(path).items()}
    except (TypeError, ValueError) as error:
        if str(path) in str(error):
            raise
        raise kept_json.damaged(path, f"a figure is no number ({error})") from error


def _otherwise(groups: Sequence[Group]) -> tuple[tuple[str, str], ...]:
    """Figures of the test split that runs measured by different protocols, and in which fields."""
    out = []
    for name in dict.fromkeys(name for group in groups for run in group.runs for name in run.tests):
        words = []
        for field in _PROTOCOL:
            found: dict[str, dict[str, None]] = {}
            for group in groups:
                values = {run.path: str(run.protocols[name].get(field)) for run in group.runs if name in run.tests}
                for path, value in values.items():
                    found.setdefault(value, {})[group.name if len(set(values.values())) == 1 else path] = None
            if len(found) > 1:
                words.append(f"{field} " + ", ".join(f"{value} of {' and '.join(of)}" for value, of in found.items()))
        if words:
            out.append((name, "; ".join(words)))
    return tuple(out)


def _unlike(groups: Sequence[Group]) -> str:
    """In which data groups differ, in words."""
    words = []
    for field in _DATA:
        found = {g.name: " and ".join(dict.fromkeys(r.flags.get(field, "as stored") for r in g.runs)) for g in groups}
        if len(set(found.values())) > 1:
            words.append(f"{field} " + ", ".join(f"{value} of {name}" for name, value in found.items()))
    return f"Of other data, so figures do not compare: {'; '.join(words)}" if words else ""


def _names(values: Sequence[Mapping[str, str]], flags: Sequence[str]) -> list[str]:
    """What distinguishes each of the groups, by as few flags as will do, the first ones first."""
    chosen = list(flags[:1])
    for flag in flags[1:]:
        if _distinct(values, chosen) == len(values):
            break
        if _distinct(values, [*chosen, flag]) > _distinct(values, chosen):
            chosen.append(flag)
    if len(chosen) > 1 and len({each[chosen[0]] for each in values}) == 1:
        chosen = chosen[1:]

    def word(flag: str, value: str) -> str:
        return value if flag in ("recipe", "dataset", "hyperparameter") and value else f"{flag}={value or '–'}"

    return [", ".join(word(flag, each[flag]) for flag in chosen) for each in values]


def _distinct(values: Sequence[Mapping[str, str]], flags: Sequence[str]) -> int:
    return len({tuple(each[flag] for flag in flags) for each in values})


def _cells(groups: Sequence[Group], field: str) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    names = dict.fromkeys(name for group in groups for run in group.runs for name in getattr(run, field))
    return tuple(
        (name, tuple(Cell(tuple(getattr(r, field)[name] for r in g.runs if name in getattr(r, field))) for g in groups))
        for name in names
    )
