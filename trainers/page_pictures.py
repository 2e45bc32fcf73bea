"""Pictures as a page lays them out: tiles in walls, points and walks in the plane, frames of training."""

import base64
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ugm_tf import grids

__all__ = ["FRAMES", "GAP", "PAGE", "coloured", "frames", "plane", "uri", "wall"]

FRAMES = 12  # how many of the grids made during training are shown
PAGE, TILE, GAP = 1040, 56, 8  # pixels: the page's width in page.css, about an image's, between two images
WIDE = 32  # images of so many pixels may be enlarged by any factor, to fill the width


def uri(png: bytes) -> str:
    """A PNG file as the source of an <img>."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def wall(*layers: np.ndarray, columns: int | None = None) -> dict[str, Any]:
    """Images as tiles that a page lays out: in `wide` columns, or `narrow` ones on a phone.

    With several layers of images a tile is a stack: the first layer's image above the second's.
    """
    arrays = [grids.pixels(layer) for layer in layers]
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(f"Originals and reconstructions have one shape. Received: {[a.shape for a in arrays]}.")
    number, height, width, _ = arrays[0].shape
    tile = width * max(1, round(TILE / width))
    wide = columns or grids.columns_of(number, max(1, (PAGE + GAP) // (tile + GAP)))
    if width >= WIDE:
        tile = max(tile, min(2 * width, (PAGE + GAP) // wide - GAP))
    return {
        "tiles": [[uri(grids.encode_png(image)) for image in stack] for stack in zip(*arrays, strict=True)],
        "height": height,
        "width": width,
        "tile": tile,
        "wide": wide,
        "narrow": columns or grids.columns_of(number, 10),
        "broken": sum(int((~np.isfinite(layer).all(axis=(1, 2, 3))).sum()) for layer in layers),
    }


def plane(points: np.ndarray, reference: np.ndarray | None = None, walks: bool = False) -> dict[str, Any]:
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


def frames(progress: Sequence[tuple[int, str | os.PathLike[str]]]) -> list[tuple[str, str]]:
    """At most `FRAMES` of the pictures made during training, evenly spaced, the first and the last among them."""
    last = len(progress) - 1
    chosen = [*range(0, last, max(1, math.ceil(last / (FRAMES - 1)))), last] if progress else []
    return [(f"{progress[i][0]:,}", uri(pathlib.Path(progress[i][1]).read_bytes())) for i in chosen]


def coloured(points: np.ndarray, c: np.ndarray | None = None, names: Sequence[str] = ()) -> dict[str, Any]:
    """Points, [N, 2], as paths in a square of side 100, one for each class, of colours spread over the circle of hues.

    Args:
        points: The points.
        c: The class of each, [N]; None for one colour.
        names: Of the classes; numbers if not given.
    """
    c = np.zeros(len(points), int) if c is None else np.asarray(c)
    present = np.unique(c).tolist()
    out = []
    for i, k in enumerate(present):
        drawn = plane(points[c == k], points)
        colour = f"hsl({round(360 * i / len(present))} 65% {48 if i % 2 else 58}%)" if len(present) > 1 else ""
        out.append({"path": drawn["points"], "colour": colour, "name": names[k] if k < len(names) else str(k)})
    return {"classes": out}
