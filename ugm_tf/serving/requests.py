"""Requests that a signature has an answer to, and such that it refuses; made from the model card alone."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ugm_tf import grids
from ugm_tf.serving.draws import UNIFORM

__all__ = ["example", "misshapen", "spoiled"]

Batch = dict[str, np.ndarray]


def example(inputs: Mapping[str, Mapping[str, Any]], rows: int, seed: int = 0) -> Batch:
    """A good request of some rows.

    Args:
        inputs: Inputs by name, with dtype, shape and values, as the card has them.
        rows: Number of rows.
        seed: Fixes the values.
    """
    rng = np.random.default_rng(seed)
    return {name: _values(rng, rows, **spec).astype(_dtype(spec["dtype"])) for name, spec in inputs.items()}


def misshapen(inputs: Mapping[str, Mapping[str, Any]], max_batch: int) -> list[Batch]:
    """Requests that are to be refused: by inputs of one axis more or less, of unequal rows, and of too many rows."""
    good = example(inputs, 2)
    first = next(iter(good))
    out = [{**good, name: value[..., np.newaxis]} for name, value in good.items()]
    out += [{**good, name: value.reshape(-1)} for name, value in good.items() if value.ndim > 1 and value.size > 2]
    if len(good) > 1:
        out += [{**good, first: good[first][:1]}, {**good, first: np.repeat(good[first], 2, 0)}]
    return [*out, example(inputs, max_batch + 1)]


def spoiled(inputs: Mapping[str, Mapping[str, Any]], batch: Batch, row: int) -> list[Batch]:
    """The request with a bad value in one row, in each of its inputs that can have one in turn.

    It is NaN, half a file of a picture, or -1 where whole numbers have a rule.
    """
    out = []
    for name, value in batch.items():
        bad = value.copy()
        if value.dtype.kind == "O":
            bad[row] = bad[row][: len(bad[row]) // 2]
        elif value.dtype.kind == "f":
            bad.reshape(len(bad), -1)[row, 0] = np.nan
        elif "values" in inputs[name]:
            bad[row] = -1
        else:
            continue
        out.append({**batch, name: bad})
    return out


def _values(rng: Any, rows: int, dtype: str, shape: list[int | None], values: str = "whole") -> np.ndarray:
    sizes = [rows, *(size or 1 for size in shape[1:])]
    if numbers := re.fullmatch(r"numbers of \w+, (\d+) to (\d+)", values):
        return rng.integers(int(numbers[1]), int(numbers[2]) + 1, sizes)
    if picture := re.fullmatch(r"PNG or JPEG of (\d+) x (\d+), (grey|RGB)", values):
        return _pictures(rng, rows, int(picture[2]), int(picture[1]), 1 if picture[3] == "grey" else 3)
    if values.startswith("in ["):  # whole numbers, which are bits where there are bits
        least, most = json.loads(values.removeprefix("in "))
        return least + (most - least) * rng.integers(0, 2, sizes)
    return _MAKERS[values](rng, sizes)


def _pictures(rng: Any, rows: int, height: int, width: int, channels: int) -> np.ndarray:
    """PNG files of black and white, which every likelihood takes."""
    out = np.empty([rows], object)
    for i in range(rows):
        out[i] = grids.encode_png((255 * rng.integers(0, 2, [height, width, channels])).astype(np.uint8))
    return out


def _dtype(name: str) -> Any:
    return object if name == "string" else name


def _one_hot(rng: Any, shape: list[int]) -> np.ndarray:
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


# By the words of `ugm_tf.inference.guards`.
_MAKERS: dict[str, Callable[[Any, list[int]], np.ndarray]] = {
    "one-hot rows": _one_hot,
    "probabilities that sum to 1": _one_hot,
    "labels, whole numbers from 0": lambda rng, shape: np.zeros(shape),
    "finite": lambda rng, shape: rng.normal(size=shape),
    UNIFORM: lambda rng, shape: rng.uniform(0.01, 0.99, size=shape),
    "whole": lambda rng, shape: rng.integers(0, 2**31, shape),
}
