"""Checkpoints from which a run goes on bit for bit."""

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
        every: Steps between checkpoints, at least; one is written where a call of steps ends, and at the end.

    Raises:
        ValueError: If `every` is not positive, or a checkpoint there is of another model.

    Example:

    >>> checkpoints = Checkpoints("run/checkpoints", every=1000)
    >>> step = checkpoints.restore(model)
    """

    def __init__(self, directory: str | os.PathLike[str], every: int):
        super().__init__()
        if every < 1:
            raise ValueError(f"Checkpoints are at least one step apart. Received: every={every}.")
        self.directory, self.every = pathlib.Path(directory), every
        self._manager: Any = None
        self._saved_at = 0
        self._metrics: list[Any] | None = None

    def restore(self, model: Any) -> int:
        """Puts the latest state into a compiled model; returns the step that comes next, 0 if there is no checkpoint."""
        if not model.optimizers:
            raise ValueError("Compile the model before restoring: the optimizers' slots are part of the state.")
        variables = [*model.variables, *(v for name in sorted(model.optimizers) for v in model.optimizers[name].variables)]
        metrics = [v for metric in model.metrics for v in metric.variables]
        state = tf.train.Checkpoint(variables=[v.value for v in variables], metrics=[v.value for v in metrics])
        self._manager = tf.train.CheckpointManager(state, str(self.directory), max_to_keep=2)
        latest = self._manager.latest_checkpoint
        if latest is None:
            return 0
        try:
            state.restore(latest).assert_consumed().assert_existing_objects_matched()
        except (AssertionError, ValueError, tf.errors.OpError) as e:
            raise ValueError(
                f"{latest} is not a checkpoint of this model: {str(e).splitlines()[0]} Train into another directory, "
                "or with the flags that this one was made with."
            ) from e
        self._metrics = [v.numpy() for v in metrics]
        self._saved_at = int(model.steps)
        return self._saved_at

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._metrics is not None:  # Keras has just reset them; an epoch that was under way goes on
            for variable, value in zip((v for m in self.model.metrics for v in m.variables), self._metrics, strict=True):
                variable.assign(value)
            self._metrics = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.steps) - self._saved_at >= self.every:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._metrics = None

    def on_train_end(self, logs: Any = None) -> None:
        if int(self.model.steps) > self._saved_at:
            self._save()

    def _save(self) -> None:
        if self._manager is None:
            raise ValueError("Call restore(model) before fit(): it says at which step the data are to start.")
        self._saved_at = int(self.model.steps)
        self._manager.save(checkpoint_number=self._saved_at)
