"""One self-contained page about a run: what was trained, what it draws, and how it got there."""

import base64
import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jinja2
import numpy as np

from ugm_tf import files, grids

from . import curves

__all__ = ["EVALUATION", "SIZE", "Line", "Report", "environment", "uri", "write_report"]

EVALUATION = ("<!-- evaluation -->", "<!-- end of evaluation -->")  # between them `trainers.evaluate` writes
HEADLINES = 4  # how many figures the top of the page shows large
FRAMES = 12  # how many of the grids made during training are shown
PAGE, TILE, GAP = 1040, 56, 8  # pixels: the page's width in page.css, about an image's, between two images
# Of a chart, in its own units.
SIZE = {side: getattr(curves, side.upper()) for side in ("width", "height", "left", "right", "top", "bottom")}
_MARKS = re.compile(r"(?P<phase>^[\w-]+(?=:))|(?P<under>E\[[^\]]*\])", re.MULTILINE)


class Line(NamedTuple):
    """A figure as the page shows it.

    Args:
        name: What it measures.
        value: The number.
        spread: Its standard error or deviation.
        unit: Such as "nats".
        how: How it was computed, in words.
    """

    name: str
    value: float
    spread: float | None = None
    unit: str = ""
    how: str = ""


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
        progress: Steps, and the PNG files drawn then.
        figures: Final numbers, the most important first: tuples as `Line` has them.
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
    progress: Sequence[tuple[int, str | os.PathLike[str]]] = ()
    figures: Sequence[tuple] = ()
    seconds: float | None = None
    images_per_second: float | None = None
    probe: Mapping[str, Any] | None = None
    evaluation: str = ""
    failures: Sequence[tuple[str, str]] = ()


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


def uri(png: bytes) -> str:
    """A PNG file as the source of an <img>."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _wall(*layers: np.ndarray, columns: int | None = None) -> dict[str, Any]:
    """Images as tiles that a page lays out: in `wide` columns, or `narrow` ones on a phone.

    With several layers of images a tile is a stack: the first layer's image above the second's.
    """
    arrays = [grids.pixels(layer) for layer in layers]
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(f"Originals and reconstructions have one shape. Received: {[a.shape for a in arrays]}.")
    number, height, width, _ = arrays[0].shape
    tile = width * max(1, round(TILE / width))
    return {
        "tiles": [[uri(grids.encode_png(image)) for image in stack] for stack in zip(*arrays, strict=True)],
        "height": height,
        "width": width,
        "tile": tile,
        "wide": columns or grids.columns_of(number, max(1, (PAGE + GAP) // (tile + GAP))),
        "narrow": columns or grids.columns_of(number, 10),
        "broken": sum(int((~np.isfinite(layer).all(axis=(1, 2, 3))).sum()) for layer in layers),
    }


def _plane(points: np.ndarray, reference: np.ndarray | None = None, walks: bool = False) -> dict[str, Any]:
    """Points, [N, 2], or walks through them, [R, K, 2], as SVG paths in a square of side 100."""
    points = np.asarray(points, np.float64)
    x, y, half = grids.frame(points.reshape(-1, 2), reference)

    def path(array, join):
        at = 50 + 50 / half * (array - [x, y]) * [1, -1]
        return join.join(f"{a:.2f} {b:.2f}" for a, b in at[np.isfinite(at).all(axis=1)].tolist())

    def dots(array):
        return "".join(f"M{pair}h0" for pair in path(np.asarray(array, np.float64), ",").split(",") if pair)

    inside = (np.abs(points.reshape(-1, 2) - [x, y]) <= half).all(axis=1)  # false of NaN
    return {
        "points": dots(points.reshape(-1, 2)),
        "reference": "" if reference is None else dots(reference),
        "walks": "".join(f"M{path(walk, 'L')}" for walk in points) if walks else "",
        "outside": int((~inside).sum()),
        "number": len(inside),
        "edges": [f"{edge:.3g}".replace("-", "−") for edge in (x - half, x + half, y - half, y + half)],
    }


def _pictures(content: Report) -> dict[str, Any]:
    """Each section's pictures: walls of tiles, or planes of points."""
    out: dict[str, Any] = {}
    flat = content.samples is not None and np.ndim(content.samples) == 2
    if content.samples is not None:
        out["samples"] = (
            _plane(content.samples, content.data)
            if flat
            else _wall(content.samples, columns=content.columns) | {"rows": list(content.rows)}
        )
    if content.data is not None and content.samples is not None and not flat:
        out["data"] = _wall(content.data)
    if content.reconstructions is not None:
        originals, reconstructions = (np.asarray(part) for part in content.reconstructions)
        if originals.ndim == 2:
            moves = _plane(np.stack([originals, reconstructions], axis=1), originals, walks=True)
            out["reconstructions"] = _plane(reconstructions, originals) | {"walks": moves["walks"]}
        else:
            out["reconstructions"] = _wall(originals, reconstructions)
    if content.translations:
        out["translations"] = [_wall(*layers) for layers in content.translations]
    if content.interpolations is not None:
        walks = np.asarray(content.interpolations)
        if walks.ndim == 3:
            out["interpolations"] = _plane(walks, content.data, walks=True)
        else:
            out["interpolations"] = _wall(walks.reshape(-1, *walks.shape[2:]), columns=walks.shape[1])
    return out


def _marked(text: str) -> list[tuple[str, str]]:
    """The equations in pieces: names of phases, what an expectation is under, and the rest."""
    out, end = [], 0
    for match in _MARKS.finditer(text):
        out += [("", text[end : match.start()]), (str(match.lastgroup), match.group())]
        end = match.end()
    return [piece for piece in [*out, ("", text[end:])] if piece[1]]


def _frames(progress: Sequence[tuple[int, str | os.PathLike[str]]]) -> list[tuple[str, str]]:
    """At most `FRAMES` of the pictures made during training, evenly spaced, the first and the last among them."""
    last = len(progress) - 1
    chosen = [*range(0, last, max(1, math.ceil(last / (FRAMES - 1)))), last] if progress else []
    return [(f"{progress[i][0]:,}", uri(pathlib.Path(progress[i][1]).read_bytes())) for i in chosen]


def _written(figure: Line) -> dict[str, str]:
    spread = "" if figure.spread is None else curves.number(figure.spread, figure.spread)
    return figure._asdict() | {"value": curves.number(figure.value, figure.spread), "spread": spread}


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
    facts = [f"{epochs} epoch{'s' if epochs > 1 else ''}"] if epochs else []
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
            facts=facts,
            figures=figures,
            headlines=figures[:HEADLINES],
            equations=_marked(content.equations.strip("\n")),
            pictures=_pictures(content),
            frames=_frames(content.progress),
            curves=curves.curves(content.metrics),
            page={"width": PAGE, "gap": GAP},
            evaluation=EVALUATION,
            size=SIZE,
        )
    )
    return files.write(pathlib.Path(run_dir) / "report.html", page.encode())
