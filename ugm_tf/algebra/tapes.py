"""Tapes of which several gradients are asked, and what they are not to record."""

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

__all__ = ["persistent_tape", "unrecorded"]

_RECORDING: contextvars.ContextVar[tuple[tf.GradientTape, ...]] = contextvars.ContextVar("recording", default=())


@contextlib.contextmanager
def persistent_tape() -> Iterator[tf.GradientTape]:
    """A `tf.GradientTape(persistent=True)` that `unrecorded` halts."""
    with tf.GradientTape(persistent=True) as tape:
        token = _RECORDING.set((*_RECORDING.get(), tape))
        try:
            yield tape
        finally:
            _RECORDING.reset(token)


@contextlib.contextmanager
def unrecorded() -> Iterator[None]:
    """Within it nothing is recorded by a `persistent_tape` of this thread.

    Of a loop that a persistent tape sees, TensorFlow keeps every step's intermediate values, as gradients of gradients
    may be asked of it, whether or not the tape is asked for the loop's own.
    """
    with contextlib.ExitStack() as stack:
        for tape in _RECORDING.get():
            stack.enter_context(tape.stop_recording())
        token = _RECORDING.set(())
        try:
            yield
        finally:
            _RECORDING.reset(token)
