"""What an experiment says, as a function of its results and its declaration, and of nothing else."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from . import choosing
from .choosing import Results
from .declarations import Contender, Measured, Published
from .statistics import Difference, Mean, mean, paired
from .units import Plan

__all__ = ["Cell", "Pair", "Summary", "summarise"]


@dataclasses.dataclass(frozen=True)
class Cell:
    """A figure of a contender.

    Attributes:
        under: Its condition.
        name: The contender's.
        figure: Which figure.
        values: By seed.
        ours: Their mean; None as long as there is none.
        published: What the paper has of these data; None if it has nothing.
        runs: How many runs it is to have.
        failed: How many of them ended without a model.
        choice: What was chosen on the validation split, in words.
    """

    under: str
    name: str
    figure: str
    values: Mapping[int, float]
    ours: Mean | None
    published: Published | None
    runs: int
    failed: int
    choice: str


@dataclasses.dataclass(frozen=True)
class Pair:
    """The difference of a contender from the one that it is paired with.

    Attributes:
        under: Their condition.
        name: The contender's.
        against: The other's.
        figure: Which figure.
        higher: Whether more of it is better.
        ours: The difference; None as long as no seed has both.
        published: The difference of the published values; None where one is missing.
    """

    under: str
    name: str
    against: str
    figure: str
    higher: bool
    ours: Difference | None
    published: float | None

    @property
    def verdict(self) -> str:
        """What it says, in words; "" as long as there is nothing."""
        if self.ours is None:
            return ""
        if self.ours.low is None or self.ours.high is None:
            return "one seed: no spread to hold it against" if self.ours.seeds < 2 else "not finite in every seed"
        beyond = self.ours.low > 0.0 or self.ours.high < 0.0
        if self.published:
            direction = "as published" if self.ours.value * self.published > 0 else "against the published direction"
        else:
            direction = "better" if (self.ours.value > 0) == self.higher else "worse"
        if self.ours.value == 0.0:
            return "no difference"
        return f"{direction}, beyond the spread over seeds" if beyond else f"{direction}, within the spread over seeds"


@dataclasses.dataclass(frozen=True)
class Summary:
    """All that there is to show of an experiment.

    Attributes:
        plan: The experiment, its scale and its data.
        dataset: The data's names.
        units: Unit of each figure.
        how: How each figure was measured, in words, as the first run that has it says.
        cells: Figures of contenders, figure by figure.
        pairs: Differences.
        real: By figure, what real data have in the samples' place: the mean over runs.
        done: How many runs there are.
        runs: How many there are to be.
        versions: What the runs ran on, each once.
    """

    plan: Plan
    dataset: str
    units: Mapping[str, str]
    how: Mapping[str, Mapping[str, Any]]
    cells: tuple[Cell, ...]
    pairs: tuple[Pair, ...]
    real: Mapping[str, Mean]
    done: int
    runs: int
    versions: tuple[str, ...]

    @property
    def figures(self) -> dict[str, tuple[list[Cell], list[Pair]]]:
        """Cells and pairs by figure."""
        return {
            name: ([c for c in self.cells if c.figure == name], [p for p in self.pairs if p.figure == name])
            for name in dict.fromkeys(cell.figure for cell in self.cells)
        }


def summarise(plan: Plan, results: Results) -> Summary:
    """Puts results together.

    Args:
        plan: The experiment.
        results: As `store.read` gives them, of all its runs or of some.
    """
    experiment = plan.experiment
    contenders, units = experiment.at(plan.scale), choosing.needed(plan, results)
    chosen = {contender.title: _chosen(plan, contender, results) for contender in contenders}
    cells, pairs = [], []
    for figure in experiment.figures:
        of = [contender for contender in contenders if figure in experiment.measured(contender)]
        values = {contender.title: _values(chosen[contender.title][1], figure) for contender in of}
        published = {contender.title: _published(plan, contender, figure) for contender in of}
        for contender in of:
            words, mine = chosen[contender.title]
            cells.append(
                Cell(
                    contender.under,
                    contender.name,
                    figure.name,
                    values[contender.title],
                    mean(values[contender.title]),
                    published[contender.title],
                    plan.number_of_seeds,
                    sum(result["failed"] is not None for result in mine),
                    words,
                )
            )
            for other in (c for c in of if c.under == contender.under and c.name in contender.against):
                a, b = published[contender.title], published[other.title]
                pairs.append(
                    Pair(
                        contender.under,
                        contender.name,
                        other.name,
                        figure.name,
                        figure.higher,
                        paired(values[contender.title], values[other.title]),
                        None if a is None or b is None else a.value - b.value,
                    )
                )
    measured = [figure for result in results for figure in result["figures"]]
    return Summary(
        plan,
        ", ".join(dict.fromkeys(unit.settings.dataset for unit in units)),
        {figure["name"]: figure["unit"] for figure in reversed(measured)},
        {figure["name"]: {"n": figure["n"], **figure["how"]} for figure in reversed(measured)},
        tuple(cells),
        tuple(pairs),
        _real(results),
        len(results),
        len(units),
        tuple(dict.fromkeys(_in_words(result["versions"]) for result in results if result.get("versions"))),
    )


def _real(results: Results) -> dict[str, Mean]:
    """By figure, what real data have in the samples' place."""
    values: dict[str, dict[int, float]] = {}
    for i, result in enumerate(results):
        for figure in result["figures"]:
            if figure.get("real") is not None:
                values.setdefault(figure["name"], {})[i] = figure["real"]["value"]
    return {name: found for name, each in values.items() if (found := mean(each)) is not None}


def _chosen(plan: Plan, contender: Contender, results: Results) -> tuple[str, Results]:
    """What was chosen of a contender, in words, and its results; none as long as the choice is open."""
    choice = choosing.chosen(plan, contender, results)
    if choice is None:
        return "not yet chosen", []
    of = [r for r in results if (r["contender"], r["under"]) == (contender.name, contender.under)]
    return ", ".join(f"{name} {value:g}" for name, value in choice.items()), [r for r in of if r["choice"] == choice]


def _values(results: Results, figure: Measured) -> dict[int, float]:
    return {r["seed"]: choosing.value(r["figures"], figure.name) for r in results if r["failed"] is None}


def _published(plan: Plan, contender: Contender, figure: Measured) -> Published | None:
    """What is published of a figure, of the data that are used."""
    experiment = plan.experiment
    own = contender.settings.get("dataset", experiment.settings.get("dataset", ""))
    used = experiment.variants(contender, plan.scale, plan.dataset)[0][1].dataset
    for each in contender.published:
        if (each.figure or experiment.figures[0].name) == figure.name and (each.dataset or own) == used:
            return each
    return None


def _in_words(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if name != "date")
