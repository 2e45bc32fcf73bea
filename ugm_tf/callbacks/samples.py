"""Pictures of what a model draws, while it trains."""

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ugm_tf import grids

__all__ = ["SampleGrids"]


class SampleGrids(keras.callbacks.Callback):
    """Writes what a model draws at the end of an epoch as PNG: the same seeds each time, so that one sees it learn.

    Args:
        directory: Where the pictures go, as NAME_STEP.png.
        pictures: By name, a function from the model to images in [0, 1], [N, H, W, C], or to points, [N, 2].
        every: Epochs between pictures.
        columns: Columns of a grid of images, or a dict of them by name; by default as square as can be.
        rows: What each row of a grid is called, a dict by name; grids that are not in it have no words.

    Attributes:
        drawn: Files of the pictures of the latest epoch; empty if it had none.

    Example:

    >>> grids = SampleGrids("run/samples", {"samples": lambda model: model.sample(64)}, every=5)
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        pictures: dict[str, Callable[[Any], Any]],
        every: int = 1,
        columns: int | Mapping[str, int] | None = None,
        rows: Mapping[str, Sequence[str]] | None = None,
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"Pictures are at least one epoch apart. Received: every={every}.")
        self.directory, self.pictures, self.every, self.columns = (
            pathlib.Path(directory),
            dict(pictures),
            every,
            columns,
        )
        self.rows = dict(rows or {})
        self.drawn: list[pathlib.Path] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.drawn = self.draw() if (epoch + 1) % self.every == 0 else []

    def draw(self) -> list[pathlib.Path]:
        """Writes the pictures now; returns their files."""
        out = []
        self.directory.mkdir(parents=True, exist_ok=True)
        for name, make in self.pictures.items():
            values = np.asarray(make(self.model))
            path = self.directory / f"{name}_{int(np.asarray(self.model.steps)):08d}.png"
            if values.ndim == 2:
                out.append(grids.scatter_png(path, values))
            else:
                columns = self.columns.get(name) if isinstance(self.columns, Mapping) else self.columns
                out.append(grids.save_png(path, values, columns=columns, rows=self.rows.get(name, ())))
        return out
