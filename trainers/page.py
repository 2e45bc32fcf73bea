"""One self-contained page about a run: what was trained, what it draws, and how it got there."""

import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
import numpy as np

from ugm_tf import files

from . import commands, curves, looking, page_pictures, reading

__all__ = ["EVALUATION", "SIZE", "Line", "Report", "environment", "write_report"]

EVALUATION = ("<!-- evaluation -->", "<!-- end of evaluation -->")  # between them `trainers.evaluate` writes
# Of a chart, in its own units.
SIZE = {side: getattr(curves, side.upper()) for side in ("width", "height", "left", "right", "top", "bottom")}
_MARKS = re.compile(r"(?P<phase>^[\w-]+(?=:))|(?P<under>E\[[^\]]*\])|(?P<minus>-log)", re.MULTILINE)


class Line(NamedTuple):
    """A figure as the page shows it.

    Args:
        name: What it measures.
        value: The number.
        spread: Its standard error or deviation.
        unit: Such as "nats".
        how: How it was computed, in words.
        real: The same of real data in the place of the model's.
    """

    name: str
    value: float
    spread: float | None = None
    unit: str = ""
    how: str = ""
    real: float | None = None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """All that the page shows; what is None or empty has no section.

    Images are floats in [0, 1] with the shapes below; a model of the plane has points, [N, 2], in their place.

    Args:
        title: The page's heading.
        recipe: The model's name.
        dataset: The data's name.
        readings: What was read of it, and what was passed over, a line for each data set.
        class_names: What the data's classes are called, by number.
        weights: Which weights of the model pictures and figures are of, in words.
        command: What to type to train it again.
        equations: The recipe's `describe()`.
        flags: The run's flags.
        versions: Versions of what it ran on.
        metrics: Rows by epoch, as `metrics.read` returns them.
        samples: What the model draws, [N, H, W, C].
        columns: Samples in a row where each row is of one class; None where rows mean nothing.
        rows: What the class of each row is called; empty where it is no class of the data.
        data: Examples of the data to hold the samples against, [M, H, W, C].
        reconstructions: Originals and what became of them, two arrays of one shape [N, H, W, C].
        translations: For each domain its examples, what they become in the other one, and that brought back: three
            arrays of one shape [N, H, W, C].
        interpolations: R walks of K images each, [R, K, H, W, C].
        codes: A map of codes, as `looking.Map`.
        traversals: Walks along single units, as `looking.Traversals`.
        neighbours: Samples and the training examples that are nearest, as `looking.Neighbours`.
        confusion: What the model's classifier makes of each class, as `looking.Confusion`.
        progress: Steps, and the PNG files drawn then.
        animation: The file beside the page that shows these in motion; None if there is none.
        figures: Final numbers: tuples as `Line` has them.
        doubts: What looks wrong, in sentences.
        originals: The images of `data` as they are stored, where the model sees them otherwise, [M, H, W, C].
        densities: Of each density its name, its role, its family and how many numbers it learns.
        optimizers: Of each phase what it learns by.
        parameters: How many numbers the model learns.
        beside: Files and folders beside the page, by name, with what they hold.
        seconds: How long training took.
        images_per_second: How fast.
        probe: What a `DivergenceProbe` found, as `probing.section` gives it; None without one.
        evaluation: The section of an evaluation, as `evaluation_section.render` gives it.
        failures: Parts of the run's end that failed, each with its error; their tracebacks are in errors.txt.
    """

    title: str
    recipe: str
    dataset: str
    command: str
    equations: str
    readings: Sequence[str] = ()
    class_names: Sequence[str] = ()
    weights: str = ""
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    versions: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Sequence[Mapping[str, float]] = ()
    samples: np.ndarray | None = None
    columns: int | None = None
    rows: Sequence[str] = ()
    data: np.ndarray | None = None
    reconstructions: tuple[np.ndarray, np.ndarray] | None = None
    translations: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]] = ()
    interpolations: np.ndarray | None = None
    codes: looking.Map | None = None
    traversals: looking.Traversals | None = None
    neighbours: looking.Neighbours | None = None
    confusion: looking.Confusion | None = None
    progress: Sequence[tuple[int, str | os.PathLike[str]]] = ()
    animation: str | None = None
    figures: Sequence[tuple] = ()
    doubts: Sequence[str] = ()
    originals: np.ndarray | None = None
    densities: Sequence[tuple[str, str, str, int]] = ()
    optimizers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    parameters: int | None = None
    beside: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float | None = None
    images_per_second: float | None = None
    probe: Mapping[str, Any] | None = None
    evaluation: str = ""
    failures: Sequence[tuple[str, str]] = ()


def _trained(epochs: int, flags: Mapping[str, str]) -> str:
    """How long a run was, and why it was shorter than it was to be."""
    asked = int(flags.get("epochs") or epochs)
    if epochs >= asked:
        return f"{epochs} epoch{'s' if epochs > 1 else ''}"
    return f"{epochs} of {asked} epochs{', by --patience=' + flags['patience'] if flags.get('patience') else ''}"


def _duration(seconds: float) -> str:
    """
    >>> _duration(42.31), _duration(102), _duration(11000)
    ('42.3 s', '1 min 42 s', '3 h 03 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    return f"{round(seconds / 60) // 60} h {round(seconds / 60) % 60:02d} min"


def _pictures(content: Report) -> dict[str, Any]:
    """Each section's pictures: walls of tiles, or planes of points."""
    out: dict[str, Any] = {}
    flat = content.samples is not None and np.ndim(content.samples) == 2
    if content.samples is not None:
        out["samples"] = (
            page_pictures.plane(content.samples, content.data)
            if flat
            else page_pictures.wall(content.samples, columns=content.columns) | {"rows": list(content.rows)}
        )
    if content.data is not None and content.samples is not None and not flat:
        out["data"] = page_pictures.wall(content.data)
        if content.originals is not None:
            out["originals"] = page_pictures.wall(content.originals)
    if content.reconstructions is not None:
        originals, reconstructions = (np.asarray(part) for part in content.reconstructions)
        if originals.ndim == 2:
            moves = page_pictures.plane(np.stack([originals, reconstructions], axis=1), originals, walks=True)
            out["reconstructions"] = page_pictures.plane(reconstructions, originals) | {"walks": moves["walks"]}
        else:
            out["reconstructions"] = page_pictures.wall(originals, reconstructions)
    if content.translations:
        out["translations"] = [page_pictures.wall(*layers) for layers in content.translations]
    if content.interpolations is not None:
        walks = np.asarray(content.interpolations)
        if walks.ndim == 3:
            out["interpolations"] = page_pictures.plane(walks, content.data, walks=True)
        else:
            out["interpolations"] = page_pictures.wall(walks.reshape(-1, *walks.shape[2:]), columns=walks.shape[1])
    if content.codes is not None:
        out["codes"] = page_pictures.coloured(content.codes.points, content.codes.c, content.class_names)
    if content.traversals is not None:
        walks = content.traversals.images
        units = zip(content.traversals.units, content.traversals.variances, strict=True)
        names = [f"unit {unit}, {curves.number(variance)}" for unit, variance in units]
        out["traversals"] = page_pictures.wall(walks.reshape(-1, *walks.shape[2:]), columns=walks.shape[1]) | {
            "rows": names
        }
    if content.neighbours is not None:
        out["neighbours"] = page_pictures.wall(content.neighbours.samples, content.neighbours.nearest)
    return out


def _marked(text: str) -> list[tuple[str, str]]:
    """The equations in pieces: names of phases, what an expectation is under, signs kept with their log, and others."""
    out, end = [], 0
    for match in _MARKS.finditer(text):
        out += [("", text[end : match.start()]), (str(match.lastgroup), match.group())]
        end = match.end()
    return [piece for piece in [*out, ("", text[end:])] if piece[1]]


def _written(figure: Line) -> dict[str, str]:
    def text(value: float) -> str:
        return curves.number(value, figure.spread, figure.unit)

    spread = "" if figure.spread is None else curves.number(figure.spread, figure.spread)
    real = "" if figure.real is None else text(figure.real)
    way = reading.better(figure.name)
    return figure._asdict() | {"value": text(figure.value), "spread": spread, "real": real, "better": way}


def environment() -> jinja2.Environment:
    """Reads the templates of this folder."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_report(run_dir: str | os.PathLike[str], content: Report) -> pathlib.Path:
    """Writes `report.html` into a run's directory.

    The page asks nothing of the network: its style, its script, its curves and its pictures are within it.

    Args:
        run_dir: The directory; it is made if need be.
        content: What to show.

    Returns:
        The path of the page.

    Raises:
        ValueError: If an array has not the shape that `Report` says, or a row of the metrics has no epoch.
        OSError: If a picture of `progress` cannot be read, or the page cannot be written.
    """
    epochs = len(content.metrics)
    facts = [_trained(epochs, content.flags)] if epochs else []
    if content.parameters is not None:
        facts.append(f"{content.parameters:,} parameters")
    if content.versions.get("date"):
        facts.append(str(content.versions["date"]))
    if content.seconds is not None and math.isfinite(content.seconds):
        facts.append(_duration(content.seconds))
    if content.images_per_second is not None and math.isfinite(content.images_per_second):
        facts.append(f"{content.images_per_second:,.0f} images/s")
    figures = [_written(Line(*figure)) for figure in content.figures]
    page = (
        environment()
        .get_template("page.html.jinja")
        .render(
            content=content,
            again=commands.of("report"),
            facts=facts,
            figures=figures,
            headlines=sorted(figures, key=lambda figure: reading.place(figure["name"]))[: reading.HEADLINES],
            names_tell=[*content.class_names] != [str(number) for number in range(len(content.class_names))],
            equations=_marked(content.equations.strip("\n")),
            pictures=_pictures(content),
            frames=page_pictures.frames(content.progress),
            curves=curves.curves(content.metrics),
            page={"width": page_pictures.PAGE, "gap": page_pictures.GAP},
            evaluation=EVALUATION,
            size=SIZE,
        )
    )
    return files.write(pathlib.Path(run_dir) / "report.html", page.encode())
