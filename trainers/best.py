"""The model of the epoch at which a metric was lowest, and the end of a run that no longer improves."""

import logging
import math
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

import ugm_tf

__all__ = ["KeepBest", "columns"]

_LOG = logging.getLogger("ugm_tf.trainers")


def columns(metric: str | None) -> list[str]:
    """The columns of metrics.csv that a metric is of: of "a+b" a and b, of None none."""
    return metric.split("+") if metric else []


class KeepBest(keras.callbacks.Callback):
    """Saves the model whenever a metric is lower than ever, and stops training where it has not been for long.

    What it knows follows from the rows of metrics.csv, so that a run that was stopped goes on alike.  It comes after
    what writes these, and before the checkpoints: the best model of an epoch is there if the epoch's checkpoint is.

    Args:
        path: The file of the best model, a .keras.
        metric: A column of metrics.csv, or several with + between them, whose sum counts; epochs that lack one are
            passed over.
        rows: Those of the epochs that are done, as `metrics.read` gives them.
        patience: Epochs after the best one at which to stop; None for never.

    Attributes:
        epoch: The best epoch so far, from 0; None if there is none.
        value: The metric's value then.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        metric: str,
        rows: Sequence[Mapping[str, float]] = (),
        patience: int | None = None,
    ):
        super().__init__()
        self.path, self.metric, self.patience = pathlib.Path(path), metric, patience
        self.epoch: int | None = None
        self.value = math.inf
        self._last = -1
        for row in rows:
            self._see(int(row["epoch"]), row)

    @property
    def over(self) -> bool:
        """Whether the best epoch is `patience` epochs ago."""
        return self.patience is not None and self._last - (-1 if self.epoch is None else self.epoch) >= self.patience

    def best(self, model: ugm_tf.UnifiedModel) -> ugm_tf.UnifiedModel:
        """The model of the best epoch; the given one if the metric was never a number."""
        if self.epoch is None:
            _LOG.warning("%s was never a number, so the run ends with its last weights.", self.metric)
            return model
        ended = f"; the run ended {self._last - self.epoch} epochs after it, by --patience" if self.over else ""
        _LOG.info("Best epoch (from 0): %d, with %s = %.6g%s.", self.epoch, self.metric, self.value, ended)
        return ugm_tf.load_model(self.path)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._see(epoch, logs or {}):
            draft = self.path.with_name(f".{self.path.name}")
            self.model.save(draft)
            draft.replace(self.path)
        if self.over:
            self.model.stop_training = True
            _LOG.info("Stopped after epoch %d: %s was lowest at epoch %s.", epoch, self.metric, self.epoch)

    def _see(self, epoch: int, row: Mapping[str, float]) -> bool:
        """Notes an epoch; whether it is the best so far."""
        self._last = epoch
        value = sum(float(row.get(name, math.nan)) for name in columns(self.metric))
        if not value < self.value:
            return False
        self.epoch, self.value = epoch, value
        return True
