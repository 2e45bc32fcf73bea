"""Results as files: one of each run, written at once; what they hold is all that a table knows."""

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from ugm_tf import files

from .units import Plan, Unit

__all__ = ["RESULT", "SCHEMA", "collected", "fill", "lost", "read", "record", "write"]

RESULT = "result.json"
SCHEMA = 1


def path(out: pathlib.Path, plan: Plan, unit: Unit) -> pathlib.Path:
    """Where the result of a run lies."""
    return out / plan.folder / unit.folder / RESULT


def write(out: pathlib.Path, plan: Plan, unit: Unit, found: Mapping[str, Any]) -> None:
    """Keeps the result of a run.

    Args:
        out: The folder of all.
        plan: Of which experiment.
        unit: Of which run.
        found: As `record` gives it.
    """
    files.write(path(out, plan, unit), (json.dumps(found, indent=1) + "\n").encode())


def fill(out: pathlib.Path, plan: Plan, found: Iterable[Mapping[str, Any]], where: str) -> list[pathlib.Path]:
    """Keeps results of runs that have none yet.

    Args:
        out: The folder of all.
        plan: Of which experiment.
        found: Results, in any order.
        where: Where they are from, for the message.

    Returns:
        Where those lie that were not there.

    Raises:
        ValueError: See `read`.
    """
    by_run = {_key(result): result for result in collected(found, plan, where)}
    filled = []
    for unit in plan.units():
        result, there = by_run.get(_key(record(unit))), path(out, plan, unit)
        if result is not None and not there.is_file():
            write(out, plan, unit, result)
            filled.append(there)
    return filled


def lost(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], plan: Plan) -> int:
    """How many results of a plan's runs, by its settings of now, are among those before and not among those after."""
    asked = {_key(result): result["asked"] for result in map(record, plan.units())}
    return len({_key(r) for r in before if asked.get(_key(r)) == r["asked"]} - {_key(r) for r in after})


def record(unit: Unit, **found: Any) -> dict[str, Any]:
    """A result: what was asked, and what was found.

    Args:
        unit: The run.
        **found: `figures` of the test split and `validation`, each a list of `Figure.as_dict`; `failed`, why there are
            none; and what else there is to know.
    """
    contender = unit.contender
    return {
        "schema": SCHEMA,
        "contender": contender.name,
        "under": contender.under,
        "choice": dict(unit.choice),
        "seed": unit.seed,
        "asked": unit.asked,
        **found,
    }


def read(out: pathlib.Path, plan: Plan) -> list[dict[str, Any]]:
    """The results that are there, in the order of the plan's runs.

    Raises:
        ValueError: If one is of another schema, or was made by other settings than the experiment declares now.
    """
    units = plan.units()
    found = (json.loads(p.read_text()) for unit in units if (p := path(out, plan, unit)).is_file())
    return collected(found, plan, str(out / plan.folder))


def collected(found: Iterable[Mapping[str, Any]], plan: Plan, where: str) -> list[dict[str, Any]]:
    """Results that belong to a plan, in the order of its runs.

    Args:
        found: Results, in any order.
        plan: The experiment.
        where: Where they are from, for the message.

    Raises:
        ValueError: See `read`.
    """
    by_run = {_key(each): dict(each) for each in found}
    if wrong := [each.get("schema") for each in by_run.values() if each.get("schema") != SCHEMA]:
        raise ValueError(f"{where} has results of schema {wrong[0]}, and this version reads schema {SCHEMA}.")
    out = []
    for unit in plan.units():
        result = by_run.get(_key(record(unit)))
        if result is None:
            continue
        if result["asked"] != unit.asked:
            names = [n for n in {**result["asked"], **unit.asked} if result["asked"].get(n) != unit.asked.get(n)]
            there, now = ({n: each.get(n) for n in names} for each in (result["asked"], unit.asked))
            raise ValueError(
                f"{where} has a result of {unit.contender.title} by other settings than '{plan.name}' declares now: "
                f"there {there}, now {now}. Give another --out, or take the change back."
            )
        out.append(result)
    return out


def _key(result: Mapping[str, Any]) -> str:
    return json.dumps([result[name] for name in ("contender", "under", "choice", "seed")], sort_keys=True)
