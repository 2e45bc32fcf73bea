"""A progress bar with throughput and remaining time."""

import sys
import time
from typing import Any

import keras
import numpy as np
import tqdm

__all__ = ["Progress"]


class Progress(keras.callbacks.Callback):
    """One bar over all epochs: examples per second, remaining time, and the phases' losses in nats.

    It also measures the throughput, without the first call of steps, which traces and compiles.

    Args:
        steps: Training steps in all.
        batch_size: Examples in a batch.
        initial: Steps that were done before this process.
        show: Whether to draw the bar; it measures all the same.

    Attributes:
        seconds: Time spent in training steps, compilation included.
        examples_per_second: Throughput after the first call; None before there is a second one.
    """

    def __init__(self, steps: int, batch_size: int, initial: int = 0, show: bool = True):
        super().__init__()
        self.steps, self.batch_size, self.initial, self.show = steps, batch_size, initial, show
        self.seconds = 0.0
        self._timed_steps, self._timed_seconds, self._calls = 0, 0.0, 0
        self._bar: Any = None
        self._done = initial

    @property
    def examples_per_second(self) -> float | None:
        return self._timed_steps * self.batch_size / self._timed_seconds if self._timed_seconds else None

    def on_train_begin(self, logs: Any = None) -> None:
        if self._bar is None:
            self._bar = tqdm.tqdm(
                total=self.steps * self.batch_size,
                initial=self._done * self.batch_size,
                unit=" examples",
                unit_scale=True,
                file=sys.stderr,
                disable=not self.show,
                dynamic_ncols=True,
                smoothing=0.05,
            )

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        elapsed = time.perf_counter() - self._start
        done = int(np.asarray(self.model.steps))
        self.seconds += elapsed
        if self._calls:
            self._timed_steps += done - self._done
            self._timed_seconds += elapsed
        self._calls += 1
        self._bar.update((done - self._done) * self.batch_size)
        self._done = done

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        losses = {name: float(value) for name, value in (logs or {}).items() if name.endswith("/loss")}
        self._bar.set_postfix(
            {name.removesuffix("/loss"): f"{value:.4g}" for name, value in losses.items()}, refresh=False
        )

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
