"""What TensorBoard shows beside the metrics: equations, settings, learning rates and pictures."""

import os
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from ugm_tf.callbacks import SampleGrids

__all__ = ["Board"]


class Board(keras.callbacks.Callback):
    """Writes them beside the metrics of training, by epoch.  It comes after `pictures` in the list of callbacks.

    Args:
        directory: Where the training metrics of `keras.callbacks.TensorBoard` lie: its `train`.
        equations: The model's `describe()`.
        settings: The run's flags, by name.
        pictures: Draws them.
    """

    def __init__(
        self, directory: str | os.PathLike[str], equations: str, settings: Mapping[str, str], pictures: SampleGrids
    ):
        super().__init__()
        self.directory, self.equations, self.settings, self.pictures = directory, equations, dict(settings), pictures
        self._writer: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        if self._writer is None:  # `fit` may be called twice, for the rest of an epoch and for those that follow
            self._writer = tf.summary.create_file_writer(os.fspath(self.directory))
            with self._writer.as_default(step=0):
                tf.summary.text("equations", re.sub(r"^", "    ", self.equations, flags=re.MULTILINE))
                hparams.hparams({name: _number(text) for name, text in self.settings.items()})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        with self._writer.as_default(step=epoch):
            for name, optimizer in self.model.optimizers.items():
                tf.summary.scalar(f"learning_rate/{name}", float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
            for path in self.pictures.drawn:
                with PIL.Image.open(path) as picture:
                    tf.summary.image(path.stem.rpartition("_")[0], np.asarray(picture.convert("RGB"))[None])

    def on_train_end(self, logs: Any = None) -> None:
        self._writer.flush()


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
