"""Which of a contender's choices is taken, by the validation split, and which runs there are to be made."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .declarations import Contender
from .units import Plan, Unit

__all__ = ["chosen", "is_open", "needed", "value"]

Results = Sequence[Mapping[str, Any]]


def needed(plan: Plan, results: Results) -> list[Unit]:
    """The runs of a plan, as far as they are known: all choices from the seeds that choose, and from others the chosen.

    Args:
        plan: The experiment.
        results: Those that there are.  As long as a choice is open, the first one stands for it.
    """
    choosing = plan.experiment.scales[plan.scale].choosing
    units = plan.units()
    if choosing is None:
        return units
    taken = {}
    for contender in plan.experiment.at(plan.scale):
        first = plan.experiment.variants(contender, plan.scale, plan.dataset)[0][0]
        taken[contender.title] = chosen(plan, contender, results) or first
    return [unit for unit in units if unit.seed < choosing or unit.choice == taken[unit.contender.title]]


def is_open(plan: Plan, unit: Unit, results: Results) -> bool:
    """Whether a run of `needed` stands for one that is not yet chosen."""
    choosing = plan.experiment.scales[plan.scale].choosing
    return choosing is not None and unit.seed >= choosing and chosen(plan, unit.contender, results) is None


def chosen(plan: Plan, contender: Contender, results: Results) -> dict[str, Any] | None:
    """The values of a contender's choices, of best mean on the validation split; None as long as that is open.

    The mean is over the seeds that choose (`Scale.choosing`), or if all do, over those of which all choices have been
    measured.  A run that diverged is worse than any other.

    Args:
        plan: The experiment.
        contender: One of it.
        results: As `store.read` gives them, of all its runs or of some.
    """
    choosing = plan.experiment.scales[plan.scale].choosing
    figure, variants = plan.experiment.figures[0], plan.experiment.variants(contender, plan.scale, plan.dataset)
    if not variants[0][0]:
        return {}
    sign = 1.0 if figure.higher else -1.0
    of = [r for r in results if (r["contender"], r["under"]) == (contender.name, contender.under)]
    scores = [
        {r["seed"]: sign * value(r["validation"], figure.name) if r["failed"] is None else -math.inf for r in group}
        for group in ([r for r in of if r["choice"] == choice] for choice, _ in variants)
    ]
    seeds = set.intersection(*map(set, scores))
    if choosing is not None:
        those = range(min(choosing, plan.number_of_seeds))
        seeds = seeds.intersection(those) if seeds.issuperset(those) else set()
    if not seeds:
        return None
    means = [sum(each[seed] for seed in sorted(seeds)) / len(seeds) for each in scores]
    return variants[max(range(len(means)), key=means.__getitem__)][0]


def value(figures: Iterable[Mapping[str, Any]], name: str) -> float:
    """The value of the figure of a name."""
    return float(next(figure["value"] for figure in figures if figure["name"] == name))
