"""Ends a run where a signal asks for it: at the next step that can be saved."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from ugm_tf.callbacks import Checkpoints

from . import devices

__all__ = ["Asked", "StopWhenAsked", "Stopped", "at_once", "deferred"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A signal ended the run.

    Args:
        message: What was saved, and how to go on.
        number: The signal's.

    Attributes:
        status: The exit status that shells expect.
    """

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.status = 128 + number


class Asked:
    """Whether a signal has asked for the end.

    Attributes:
        number: The signal's; None as long as there was none.
    """

    number: int | None = None


@contextlib.contextmanager
def deferred() -> Iterator[Asked]:
    """Ctrl-C and SIGTERM are noted within; a second one ends the program at once."""
    asked = Asked()

    def note(number: int, _: Any) -> None:
        if asked.number is not None:
            raise Stopped("Stopped at once: the same command goes on from the latest checkpoint.", number)
        asked.number = number

    with _handled(note):
        yield asked


@contextlib.contextmanager
def at_once(message: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the program within, with this message."""

    def stop(number: int, _: Any) -> None:
        raise Stopped(message, number)

    with _handled(stop):
        yield


@contextlib.contextmanager
def _handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Signals go to the handler; those of a program whose training runs in another thread than its main one do not."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number in _SIGNALS} if main else {}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


class StopWhenAsked(keras.callbacks.Callback):
    """Saves and stops as soon as a signal has asked for it.  It comes after `checkpoints` in the list of callbacks.

    Of several processes all save and stop at the same step, whichever the signal was sent to.

    Args:
        asked: As `deferred` gives it.
        checkpoints: Saves the state: after a call of steps, and where an epoch has ended only when the other callbacks
            have written what they write of it.
        steps: Steps of the whole run, for the message.
        on: The processes that train together.

    Raises:
        Stopped: Out of `fit`.
    """

    def __init__(self, asked: Asked, checkpoints: Checkpoints, steps: int, on: devices.Devices = devices.ONE):
        super().__init__()
        self.asked, self.checkpoints, self.steps, self.on = asked, checkpoints, steps, on

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (number := self._number()) is None:
            return
        self.checkpoints.every = 1
        self.checkpoints.on_train_batch_end(batch, logs)
        if batch + 1 < self.params["steps"]:
            self._stop(number)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (number := self._number()) is None:
            return
        self.checkpoints.every = 1
        self.checkpoints.on_epoch_end(epoch, logs)
        self._stop(number)

    def _number(self) -> int | None:
        """The signal's that some process was sent; None in all of them if there was none."""
        own = self.asked.number
        sent = self.on.sums([float(own == number) for number in _SIGNALS])
        return next((int(number) for number, times in zip(_SIGNALS, sent, strict=True) if times), None)

    def _stop(self, number: int) -> None:
        step, saved = int(np.asarray(self.model.steps)), self.checkpoints.finish()
        words = "which is saved" if saved == step else f"and step {saved} is the latest that could be saved"
        if not self.on.chief:
            words = "which the first process saves"
        raise Stopped(f"Stopped at step {step} of {self.steps}, {words}: the same command goes on.", number)
