"""Results that are kept in the repository, and the tables of a page of Markdown that follow from them."""

import json
import pathlib
import re

from ugm_tf import files

from . import section, store, tables
from .summaries import Summary, summarise
from .units import Plan

__all__ = ["block", "keep", "kept", "plots", "renewed", "restore", "titles"]

_BLOCK = re.compile(r"(<!-- results of (?P<title>[\w.=-]+) -->\n).*?(<!-- end of results -->)", re.DOTALL)
_NOTHING = "No results are kept yet."


def keep(plan: Plan, out: pathlib.Path, page: pathlib.Path) -> list[pathlib.Path]:
    """Keeps the results of a plan beside a page, and writes the page's tables anew.

    Args:
        plan: The experiment.
        out: The folder of all results.
        page: The page: its results lie in the folder of its name.

    Returns:
        What was written.

    Raises:
        ValueError: If there is no result, the page has no place for this plan, or results kept there would be lost.
    """
    results, folder = store.read(out, plan), page.with_suffix("")
    if not results:
        raise ValueError(f"There is no result of {plan.title} in {out}: run it first, without --docs.")
    if plan.title not in titles(page):
        raise ValueError(
            f"{page} has no place for the tables of {plan.title}. Write there, in two lines, where they are to be: "
            f"<!-- results of {plan.title} --> and <!-- end of results -->."
        )
    named = {"experiment": plan.name, "scale": plan.scale, "dataset": plan.dataset, "seeds": plan.seeds}
    path = folder / f"{plan.title}.json"
    if lost := store.lost(json.loads(path.read_text())["results"] if path.is_file() else [], results, plan):
        raise ValueError(
            f"{path} has {lost} results that {out} lacks, and which would be lost. Give --kept={page} as well, which "
            "takes them first."
        )
    files.write(path, (json.dumps({"schema": store.SCHEMA, **named, "results": results}, indent=1) + "\n").encode())
    written = [path]
    for place, drawn in plots(summarise(plan, results)).items():
        written.append(files.write(folder / place, drawn.encode()))
    return [*written, files.write(page, renewed(page).encode())]


def restore(plan: Plan, page: pathlib.Path, out: pathlib.Path) -> list[pathlib.Path]:
    """Puts results that are kept beside a page to those of their runs, so that these need not run again.

    Args:
        plan: The experiment.
        page: The page: its results lie in the folder of its name.
        out: The folder of all results; what is there stays as it is.

    Returns:
        What was written.

    Raises:
        ValueError: If nothing is kept there, or by other settings than the experiment declares now.
    """
    path = page.with_suffix("") / f"{plan.title}.json"
    if not path.is_file():
        raise ValueError(f"No results of {plan.title} are kept beside {page}: there is no {path}. Leave out --kept.")
    return store.fill(out, plan, json.loads(path.read_text())["results"], str(path))


def kept(path: pathlib.Path) -> Summary:
    """What the results of a file say.

    Args:
        path: A file that `keep` wrote.

    Raises:
        ValueError: If it is of another schema, or the experiment declares other settings now.
    """
    found = json.loads(path.read_text())
    plan = Plan(found["experiment"], found["scale"], found["dataset"], found["seeds"])
    return summarise(plan, store.collected(found["results"], plan, str(path)))


def renewed(page: pathlib.Path) -> str:
    """A page with its tables as the results that are kept beside it have them."""
    folder = page.with_suffix("")
    return _BLOCK.sub(lambda match: f"{match[1]}{block(match['title'], folder)}{match[3]}", page.read_text())


def block(title: str, folder: pathlib.Path) -> str:
    """The tables of one plan.

    Args:
        title: The plan's.
        folder: Where results are kept.
    """
    path = folder / f"{title}.json"
    if not path.is_file():
        return f"\n{_NOTHING}\n\n"
    summary = kept(path)
    pictures = [f"![Differences of {summary.plan.title}, with intervals]({folder.name}/{p})\n" for p in plots(summary)]
    return "\n".join(["", tables.markdown(summary), *pictures, ""])


def plots(summary: Summary) -> dict[str, str]:
    """The plots of a plan, as SVG by the name of their file."""
    drawn = {f"{summary.plan.title}_{i + 1}.svg": p for i, (_, p) in enumerate(summary.figures.values())}
    return {name: text for name, pairs in drawn.items() if (text := section.plot(pairs))}


def titles(page: pathlib.Path) -> list[str]:
    """The plans that a page has places for."""
    return [match["title"] for match in _BLOCK.finditer(page.read_text())]
