"""Tables, plot and page of an experiment, written as files, from the results that are there."""

import json
import pathlib

from ugm_tf import files

from . import section, store, tables
from .summaries import Summary, summarise
from .units import Plan

__all__ = ["TABLE", "write"]

TABLE = "table.md"


def write(plan: Plan, out: pathlib.Path) -> Summary:
    """Writes table.md, table.json, results.json, page.html and a plot of each figure's differences.

    They are functions of the results: written again, by whichever process, they are the same bytes.

    Args:
        plan: The experiment.
        out: The folder of all.
    """
    results = store.read(out, plan)
    summary, folder = summarise(plan, results), out / plan.folder
    files.write(folder / TABLE, tables.markdown(summary).encode())
    files.write(folder / "table.json", _json(tables.as_json(summary)))
    files.write(folder / "results.json", _json(results))
    files.write(folder / "page.html", section.render_page(summary).encode())
    for i, (_, pairs) in enumerate(summary.figures.values()):
        if drawn := section.plot(pairs):
            files.write(folder / f"plot_{i + 1}.svg", drawn.encode())
    return summary


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
