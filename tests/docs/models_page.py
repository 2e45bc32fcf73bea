"""docs/models.md: every recipe with its equations, its paper, its proofs, what it answers, and its figures.

    python -m tests.docs.models_page          fails if the page is out of date
    python -m tests.docs.models_page --fix    writes it

Nothing on the page is typed: equations are what `describe()` prints, papers are the docstrings' references, proofs are
`tests/equivalences/identities.py`, answers are the endpoints of a built model, and figures are docs/figures.json, which
`python -m benchmarks.digits` writes.
"""

import inspect
import json
import pathlib
import sys
from typing import Any

import ugm_tf
from tests.equivalences.identities import IDENTITIES

__all__ = ["PAGE", "page"]

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "models.md"
FIGURES = ROOT / "docs" / "figures.json"
SHAPES = {
    **{"x": (8, 8, 1), "target": (8, 8, 1), "labelled": (8, 8, 1)},
    **{"z": (4,), "h": (4,), "e": (4,), "c": (10,), "u": (4,)},
}

_HEAD = """# Models

Written by `python -m tests.docs.models_page --fix`: equations, papers, proofs, answers and figures are read from the
code and from the results of `python -m benchmarks.digits`, none is typed.{how}

Answers are what a server is asked, and what it is given. A method of a model takes the first by its place and the
others by name, `model.discriminate(x, z=z)`, and a number and a seed to draw, `model.sample(4, seed=0)`.

Where a recipe's arguments end in `...` it also takes {options}; see `ugm_tf.contested`.
"""


def _sections(function: Any) -> tuple[str, str]:
    """The first line of a docstring, and its references."""
    text = inspect.getdoc(function) or ""
    references = text.partition("References:\n")[2]
    entries: list[str] = []
    for line in references.splitlines():
        line = line.strip()
        if not line:
            continue
        starts = entries and (entries[-1].endswith(".") or "https://" in entries[-1].rsplit(" ", 3)[-1])
        new = not entries or (starts and line[0].isupper() and ". " in line and not line.startswith("https"))
        if new:
            entries.append(line)
        else:
            entries[-1] += f" {line}"
    return text.partition("\n")[0], "\n".join(f"- {entry}" for entry in entries)


def _options() -> list[str]:
    return list(inspect.signature(ugm_tf.contested).parameters)[1:]


def _signature(name: str) -> str:
    parameters = inspect.signature(ugm_tf.recipes.function(name)).parameters
    options = set(_options())
    contestable = options <= set(parameters)  # one that is not may have an option of the same name that is its own
    own = [
        str(p).split(":")[0] + f"={p.default!r}"
        for key, p in parameters.items()
        if not (contestable and key in options)
    ]
    more = ["..."] if contestable else []
    return f"{name}({', '.join([*own, *more])})"


def _answers(recipe: ugm_tf.Recipe) -> str:
    densities = ugm_tf.networks.build(recipe, SHAPES, hidden=(4,))
    found = ugm_tf.UnifiedModel(recipe, densities).endpoints()
    return ", ".join(f"`{name}({', '.join(endpoint.inputs)})`" for name, endpoint in found.items())


def _beside(recipe: ugm_tf.Recipe) -> list[str]:
    """What a discriminator takes beside an image, and how."""
    found = []
    for judge in recipe.judges:
        of, *others = recipe.roles[judge].given
        if of == "x" and others in (["z"], ["c"]):
            way = "`joint` where images are convolved, else `concat`" if others == ["z"] else "`concat`"
            what = "the code z" if others == ["z"] else "the class c"
            found.append(f"\nThe {judge} takes {what} beside x: [`--conditioning`](training.md#networks) is {way}.")
    return found


def _value(figure: dict[str, Any]) -> str:
    spread = "" if figure.get("spread") is None else f" ± {figure['spread']:.2g}"
    return f"{figure['mean']:.4g}{spread}"


def _figures(found: dict[str, Any]) -> list[str]:
    lines = ["| figure | trained | before training | how |", "|---|---|---|---|"]
    for name, figure in found["figures"].items():
        start = found.get("start", {}).get(name)
        before = "" if start is None else f"{start:.4g}"
        unit = f" {figure['unit']}" if figure["unit"] else ""
        lines.append(f"| {name} | {_value(figure)}{unit} | {before} | {figure['how']} |")
    seeds = found["seeds"]
    return [*lines, "", f"{found['data']}; mean ± standard deviation over {seeds} seeds of training."]


def page() -> str:
    """The text of the page."""
    results = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"how": "", "recipes": {}}
    parts = [_HEAD.format(how=f" {results['how']}".rstrip(), options=", ".join(f"`{name}`" for name in _options()))]
    parts.append("| recipe | is |\n|---|---|")
    names = ugm_tf.recipes.names()
    for name in names:
        title = _sections(ugm_tf.recipes.function(name))[0].replace("|", "\\|")
        parts[-1] += f"\n| [`{name}`](#{name}) | {title} |"
    for name in names:
        recipe = ugm_tf.recipes.get(name)
        title, references = _sections(ugm_tf.recipes.function(name))
        proofs = "\n".join(f"- {statement} (`{test}`)" for statement, test in IDENTITIES[name])
        parts += [
            f"\n## {name}\n\n{title}\n\n`{_signature(name)}`; data: {', '.join(f'`{v}`' for v in recipe.data)}",
            f"\n```\n{recipe.describe()}\n```",
            f"\nReferences:\n\n{references}",
            f"\nProved:\n\n{proofs}",
            f"\nAnswers: {_answers(recipe)}",
            *_beside(recipe),
        ]
        if name in results["recipes"]:
            parts += ["", *_figures(results["recipes"][name])]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    text = page()
    if sys.argv[1:] == ["--fix"]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit(f"{PAGE.name} is out of date: run python -m tests.docs.models_page --fix.")
