"""Keras's callbacks with a model of several phases: what they need beside it, and what they cannot do, said at once."""

import importlib.util
import math
import string
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ugm_tf import arguments
from ugm_tf.training.optimizers import inner

__all__ = ["adapted"]


class StopAtNaN(keras.callbacks.Callback):
    """What `TerminateOnNaN` does, on the losses of all phases: it looks for a metric "loss", of which there is none."""

    def __init__(self, raises: bool):
        super().__init__()
        self.raises = raises

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        losses = {name: float(value) for name, value in (logs or {}).items() if name.endswith("/loss")}
        bad = [f"{name} = {value}" for name, value in losses.items() if not math.isfinite(value)]
        if bad and self.raises:
            raise RuntimeError(f"NaN or infinite loss by step {int(np.asarray(self.model.steps))}: {', '.join(bad)}.")
        if bad:
            warnings.warn(f"Training ends at step {int(np.asarray(self.model.steps))}: {', '.join(bad)}.", stacklevel=2)
            self.model.stop_training = True


class KeepSteps(keras.callbacks.Callback):
    """Keeps the number of steps, which fixes the draws to come, where the callback before it has restored weights."""

    def on_train_begin(self, logs: Any = None) -> None:
        self._steps = int(np.asarray(self.model.steps))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._steps = int(np.asarray(self.model.steps))

    def on_train_end(self, logs: Any = None) -> None:
        self.model.steps.assign(self._steps)


def adapted(model: Any, callbacks: Any, held_out: bool | None = None) -> Any:
    """The callbacks of `fit`, with what some need of a model of several phases behind them.

    Args:
        model: The compiled model.
        callbacks: As given: None, one, a list of them, or a `CallbackList`.
        held_out: Whether there are validation data; None where nothing is trained, so that no metric is watched.

    Raises:
        ValueError: If one can do nothing with this model, with the reason and what to do instead.
    """
    whole = isinstance(callbacks, keras.callbacks.CallbackList)
    given = callbacks.callbacks if whole else keras.tree.flatten(callbacks) if callbacks is not None else []
    out = []
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks are instances of keras.callbacks.Callback. Received: {callback!r}.")
    others = any(map(_may_measure, given))
    rates = any(isinstance(callback, _RATES) for callback in given)
    more = {"learning_rate", *(f"learning_rate_{phase}" for phase in model.optimizers)} if rates else set()
    for callback in given:
        _check(model, callback, held_out, others, more)
        out.append(callback)
        if isinstance(callback, keras.callbacks.TerminateOnNaN):
            out.append(StopAtNaN(callback.raise_error))
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights:
            out.append(KeepSteps())
    if whole and len(out) > len(given):
        names = ", ".join(type(c).__name__ for c in given if isinstance(c, _WITH_OTHERS))
        raise ValueError(f"fit() puts callbacks of its own beside {names}: give a list instead of a CallbackList.")
    return callbacks if whole or callbacks is None else out


_RATES = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)  # in the logs
_LAMBDA = keras.callbacks.LambdaCallback  # Keras's own, but what it does is the user's
_WITH_OTHERS = (keras.callbacks.TerminateOnNaN, keras.callbacks.EarlyStopping)


def _check(model: Any, callback: Any, held_out: bool | None, others: bool, more: set[str]) -> None:
    """Refuses a callback that can do nothing with this model."""
    for kind, check in _CHECKS.items():
        if isinstance(callback, kind):
            check(model, callback)
    if held_out is not None and isinstance(callback, _MONITORS) and getattr(callback, "save_best_only", True):
        _check_monitor(model, callback, held_out, others, more)
    if held_out is not None and isinstance(callback, keras.callbacks.ModelCheckpoint):
        _check_file(model, callback, others)


def _check_monitor(model: Any, callback: Any, held_out: bool, others: bool, more: set[str]) -> None:
    who, name = type(callback).__name__, str(callback.monitor)
    known = [metric.name for metric in model.metrics]
    own = [metric for metric in known if metric.endswith("/loss")]
    losses = [f"{'val_' if held_out else ''}{_comparable(metric, known)}" for metric in own]
    there = f"There are: {', '.join(known)}{', and each with val_ before it' if held_out else ''}."
    if name in ("loss", "val_loss"):
        raise ValueError(
            f"{who} looks for the metric '{name}', and each phase of this model has a loss of its own. Give "
            f"monitor='{losses[0]}', mode='min', or another metric. {there}"
        )
    if name.removeprefix("val_") not in known:
        if not others and name not in more:
            near = arguments.did_you_mean(name, [*known, *(f"val_{metric}" for metric in known)])
            raise ValueError(f"{who} looks for the metric '{name}', of which there is none.{near} {there}")
        return  # another callback may put it into the logs
    if name.startswith("val_") and not held_out:
        raise ValueError(f"{who} looks for '{name}': give fit() validation_data, or monitor {name[4:]!r}.")
    if callback.mode == "auto":
        raise ValueError(f"{who} does not know whether '{name}' is to fall or to rise: give it mode='min' or 'max'.")
    if f"{name.removeprefix('val_')}_unscheduled" in known:
        warnings.warn(
            f"{who} compares epochs by '{name}', whose weights follow a schedule: a lower one may be of a smaller "
            f"weight. Give it monitor='{name}_unscheduled'.",
            stacklevel=2,
        )


def _check_file(model: Any, callback: keras.callbacks.ModelCheckpoint, others: bool) -> None:
    """Refuses a file that could not be written at the end of the first epoch, for its ending or the names in it."""
    if not callback.save_weights_only and not callback.filepath.endswith(".keras"):
        raise ValueError(
            f"ModelCheckpoint writes a .keras file here, or with save_weights_only=True a .weights.h5. Received: "
            f"{callback.filepath}."
        )
    known = [metric.name for metric in model.metrics]
    there = {"epoch", "batch", *known, *(f"val_{metric}" for metric in known)}
    asked = {name for _, name, _, _ in string.Formatter().parse(callback.filepath) if name is not None}
    if not others and (unknown := sorted(asked - there)):
        raise ValueError(
            f"ModelCheckpoint names its files by {{{unknown[0]}}}, of which there is none. There are: epoch, "
            f"{', '.join(known)}, and with validation_data each with val_ before it."
        )


def _may_measure(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback may put metrics of its own into the logs: one of the user's, or one of ours that says so."""
    ours = type(callback).__module__.startswith(("keras.", "ugm_tf."))
    return getattr(callback, "adds_to_logs", isinstance(callback, _LAMBDA) or not ours)


def _comparable(metric: str, known: list[str]) -> str:
    """A metric, or in place of a loss whose weights follow a schedule the one without it."""
    return f"{metric}_unscheduled" if f"{metric}_unscheduled" in known else metric


def _check_rates(model: Any, callback: Any) -> None:
    for phase, optimizer in model.optimizers.items():
        try:
            inner(optimizer).learning_rate = float(keras.ops.convert_to_numpy(inner(optimizer).learning_rate))
        except (AttributeError, TypeError):
            raise ValueError(
                f"{type(callback).__name__} sets learning rates, and that of phase '{phase}' follows a schedule or a "
                "function. Leave the callback out, or give the optimizer a number."
            ) from None


def _check_averages(model: Any, callback: Any) -> None:
    using = [phase for phase in dict.fromkeys(model.recipe.phases) if inner(model.optimizers[phase.name]).use_ema]
    if not using:
        raise ValueError(
            "SwapEMAWeights takes optimizers that keep averages, as keras.optimizers.Adam(1e-4, use_ema=True) does. "
            "This model's keep none."
        )
    shared = [name for phase in using for name in phase.updates]
    twice = sorted({name for name in shared if shared.count(name) > 1})
    if twice:
        raise ValueError(
            f"SwapEMAWeights cannot swap the weights of {', '.join(twice)}, of which several phases keep an average. "
            "Evaluate within `with model.averaged():` instead."
        )


def _check_requests(model: Any, callback: Any) -> None:
    if importlib.util.find_spec("requests") is None:
        raise ValueError("RemoteMonitor sends by the package `requests`, which is not installed. Install it.")


_MONITORS = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.OrbaxCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
)
_CHECKS: dict[type, Callable[[Any, Any], None]] = {
    keras.callbacks.ReduceLROnPlateau: _check_rates,
    keras.callbacks.LearningRateScheduler: _check_rates,
    keras.callbacks.SwapEMAWeights: _check_averages,
    keras.callbacks.RemoteMonitor: _check_requests,
}
