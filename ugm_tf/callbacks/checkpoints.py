"""Checkpoints from which a run goes on bit for bit."""

import itertools
import os
import pathlib
from typing import Any

import keras
import tensorflow as tf

__all__ = ["Checkpoints"]


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole state of training, mid-epoch too: weights, every optimizer's slots, and the metrics so far.

    (`keras.callbacks.BackupAndRestore` leaves out the optimizers of a model that has several.)  A file is written in
    full before it is named the latest, so that a process may be killed at any moment.

    The data are to start at the step that `restore` returns, as with `ugm_tf.data.batches(..., start_step=...)`.

    Args:
        directory: Where the checkpoints are kept; the last two are.
        every: Steps between checkpoints, at least; one is written where a call of steps ends, and at the end.  After
            the last step of an epoch it waits for the other callbacks' end of the epoch: put it last in the list, and
            what they wrote is there if the epoch is.

    Raises:
        ValueError: If `every` is not positive, or a checkpoint there is of another model.

    Example:

    >>> checkpoints = Checkpoints("run/checkpoints", every=1000)
    >>> model = ugm_tf.load_model("run/model.keras")  # or one that was just compiled
    >>> checkpoints.restore(model)  # nothing there yet
    0
    """

    def __init__(self, directory: str | os.PathLike[str], every: int):
        super().__init__()
        if every < 1:
            raise ValueError(f"Checkpoints are at least one step apart. Received: every={every}.")
        self.directory, self.every = pathlib.Path(directory), every
        self._manager: Any = None
        self._saved_at = 0
        self._metrics: list[tf.Variable] = []  # as an epoch that is under way has them; zeros between two epochs
        self._going_on = False

    def restore(self, model: Any) -> int:
        """Puts the latest state into a compiled model; returns the step that comes next, 0 without a checkpoint."""
        if not model.optimizers:
            raise ValueError("Compile the model before restoring: the optimizers' slots are part of the state.")
        variables = [
            *model.variables,
            *(v for name in sorted(model.optimizers) for v in model.optimizers[name].variables),
        ]
        self._metrics = [tf.Variable(tf.zeros_like(v.value)) for v in _of_metrics(model)]
        state = tf.train.Checkpoint(variables=[v.value for v in variables], metrics=self._metrics)
        self._manager = tf.train.CheckpointManager(state, str(self.directory), max_to_keep=2)
        latest = self._manager.latest_checkpoint
        if latest is None:
            return 0
        try:
            state.restore(latest).assert_consumed().assert_existing_objects_matched()
        except (AssertionError, IndexError, ValueError, tf.errors.OpError) as e:
            raise ValueError(
                f"{latest} is not a checkpoint of this model, or is damaged: {str(e).splitlines()[0]} "
                "Train into another directory, or with the flags that this one was made with."
            ) from e
        self._going_on = True
        self._saved_at = int(model.steps)
        return self._saved_at

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._going_on:  # Keras has just reset the metrics; an epoch that was under way has some already
            for variable, kept in zip(_of_metrics(self.model), self._metrics, strict=True):
                variable.assign(kept)
            self._going_on = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = self.params.get("steps")
        last = steps is not None and batch + 1 >= steps
        if not last and self._due():
            self._save(_of_metrics(self.model))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._due():
            self._save()

    def on_train_end(self, logs: Any = None) -> None:
        if int(self.model.steps) > self._saved_at:
            self._save()

    def _due(self) -> bool:
        return int(self.model.steps) - self._saved_at >= self.every

    def _save(self, metrics: Any = ()) -> None:
        if self._manager is None:
            raise ValueError("Call restore(model) before fit(): it says at which step the data are to start.")
        for kept, variable in itertools.zip_longest(self._metrics, metrics):
            kept.assign(tf.zeros_like(kept) if variable is None else variable.value)
        self._saved_at = int(self.model.steps)
        self._manager.save(checkpoint_number=self._saved_at)


def _of_metrics(model: Any) -> list[Any]:
    return [v for metric in model.metrics for v in metric.variables]
