"""Stops a run that has diverged, and says so."""

import math
from typing import Any

import keras

__all__ = ["DivergenceMonitor"]


class DivergenceMonitor(keras.callbacks.Callback):
    """Stops training as soon as a metric is not a finite number, before a checkpoint of it is written.

    Put it before `Checkpoints` in the list, so that the latest checkpoint is one from before.

    Raises:
        FloatingPointError: Naming the step, the metric and what to try.
    """

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        bad = {name: float(value) for name, value in (logs or {}).items() if not math.isfinite(float(value))}
        if bad:
            self.model.stop_training = True
            raise FloatingPointError(
                f"Training diverged by step {int(self.model.steps)}: "
                f"{', '.join(f'{k} = {v}' for k, v in bad.items())}. "
                "Lower the learning rate, or look at the data and at the scale of the likelihood. "
                "The latest checkpoint is from before."
            )
