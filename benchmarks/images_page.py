"""What `benchmarks.images` kept as Markdown: tables of figures over seeds, pictures, and what they ran on."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainers.curves import with_spread

__all__ = ["names", "renewed", "section", "table"]

SHOWN = (
    "classes covered",
    "samples of the class asked for",
    "samples of their code's class",
    "classifier's confidence",
    "Frechet distance",
    "kernel distance",
    "precision",
    "recall",
    "coverage",
)
_BLOCK = re.compile(r"(<!-- images -->\n).*?(<!-- end of images -->)", re.DOTALL)
_DEFAULTS = {"now": "by the defaults", "dense": "by the defaults of before"}
_REAL = "real images"

Results = Mapping[str, Mapping[str, Any]]  # by recipe and seed


def names(results: Results) -> list[str]:
    """The figures that some run has, in the order in which they come."""
    return list(dict.fromkeys(name for seeds in results.values() for run in seeds.values() for name in run["figures"]))


def _over(runs: Sequence[Mapping[str, Any]], name: str, which: str = "value") -> str:
    """Mean and deviation over runs; empty where there is none."""
    found = [figure for run in runs if (figure := run["figures"].get(name)) and figure.get(which) is not None]
    values = [figure[which] for figure in found]
    if not values:
        return ""
    return with_spread(np.mean(values), np.std(values, ddof=1) if len(values) > 1 else None, found[0].get("unit", ""))


def table(results: Results, shown: Sequence[str]) -> str:
    """Means and deviations over seeds as Markdown, of one size and one kind of defaults; last, of the real images."""
    lines = ["| samples of | seeds | " + " | ".join(shown) + " | minutes |", "|" + "---|" * (len(shown) + 3)]
    for recipe, seeds in results.items():
        runs = list(seeds.values())
        known = [run["seconds"] / 60.0 for run in runs if run["seconds"] is not None]
        cells = [_over(runs, name) for name in shown]
        minutes = f"{np.mean(known):.0f}" if known else ""
        lines.append(f"| `{recipe}` | {len(seeds)} | {' | '.join(cells)} | {minutes} |")
    one = [run for seeds in results.values() for seed, run in seeds.items() if seed == min(seeds)]
    if any(cells := [next(filter(None, (_over([run], name, "real") for run in one)), "") for name in shown]):
        lines.append(f"| {_REAL} | | {' | '.join(cells)} | |")
    return "\n".join(lines)


def section(kept: Mapping[str, Mapping[str, Results]]) -> str:
    """Tables and pictures of all sizes and kinds of defaults, by what `benchmarks.images --out` holds.

    Pictures are those of `--pictures=docs/images`, for a page that lies in docs.
    """
    parts = []
    for size, kinds in kept.items():
        for kind, results in kinds.items():
            results = {recipe: seeds for recipe, seeds in results.items() if seeds}
            if not results:
                continue
            there = names(results)
            parts += [
                f"**{size} pixels, {_DEFAULTS[kind]}**",
                table(results, [name for name in SHOWN if name in there]),
                *(
                    f"`{recipe}`\n\n![Samples of {recipe} at {size} pixels](images/emoji_{size}_{kind}_{recipe}.png)"
                    for recipe, seeds in results.items()
                    if "0" in seeds
                ),
                _ran_on([run for seeds in results.values() for run in seeds.values()]),
            ]
    return "\n\n".join(parts) or "No results are kept yet."


def _ran_on(runs: Sequence[Mapping[str, Any]]) -> str:
    """Versions, machines and commits, each once."""
    said: dict[str, list[str]] = {}
    for run in runs:
        for name, version in run["versions"].items():
            if name != "date" and version not in said.setdefault(name, []):
                said[name].append(version)
    return "Ran on: " + ", ".join(f"{name} {' and '.join(versions)}" for name, versions in said.items()) + "."


def renewed(page: str, kept: Mapping[str, Mapping[str, Results]]) -> str:
    """A page of Markdown with the section between its marks written anew.

    Raises:
        ValueError: If it has no marks.
    """
    if not _BLOCK.search(page):
        raise ValueError(
            "The page has no place for images. Write there, in two lines, where they are to be: <!-- images --> and "
            "<!-- end of images -->."
        )
    return _BLOCK.sub(lambda match: f"{match[1]}\n{section(kept)}\n\n{match[2]}", page)
