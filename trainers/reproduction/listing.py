"""What there is to reproduce, in words."""

from . import catalogue, costs
from .declarations import SCALES, Experiment
from .units import Plan

__all__ = ["entry"]


def entry(name: str) -> str:
    """An experiment: what it asks, what it takes at each scale, and what is published.

    Args:
        name: One of `catalogue.names()`.
    """
    experiment = catalogue.get(name)
    lines = [name, f"  {experiment.title}", f"  {experiment.source}"]
    lines += [f"  measured: {', '.join(figure.name for figure in experiment.figures)}"]
    for scale in SCALES:
        plan, note = Plan(name, scale), experiment.scales[scale].note
        data = ", ".join(dict.fromkeys(unit.settings.dataset for unit in plan.units()))
        lines.append(f"  {scale:6} {costs.cost(plan)} of 2 cores (an estimate), on {data}.{' ' + note if note else ''}")
    lines += ["  published:", *(f"    {line}" for line in _published(experiment) or ["nothing of these contenders"])]
    return "\n".join(lines) + "\n"


def _published(experiment: Experiment) -> list[str]:
    lines = []
    for contender in experiment.contenders:
        own = contender.settings.get("dataset", experiment.settings.get("dataset", ""))
        for each in contender.published:
            figure, data = each.figure or experiment.figures[0].name, each.dataset or own
            note = f" ({each.note})" if each.note else ""
            lines.append(f"{contender.title}, {figure}, {data}: {each}{note}")
    return lines
