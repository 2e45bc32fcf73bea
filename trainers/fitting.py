"""The training of a run: its callbacks, and `fit` from its latest checkpoint to its last epoch."""

import contextlib
import logging
import pathlib
from collections.abc import Callable

import keras

import ugm_tf
from ugm_tf.callbacks import Checkpoints, Progress, SampleGrids

from . import best, board, devices, divergence, inputs, metrics, options, pictures, rundir, stopping, timing
from .settings import Resolved

__all__ = ["fit", "help_out"]

_LOG = logging.getLogger("ugm_tf.trainers")


def fit(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: Resolved,
    training: inputs.Inputs,
    held_out: inputs.Inputs,
    epoch_steps: int,
    kept: tuple[int | None, int],
    watching: list[keras.callbacks.Callback],
    check: Callable[[], None],
    show: bool,
    on: devices.Devices,
) -> best.KeepBest | None:
    """Trains to the last epoch, from the latest checkpoint on; returns the best epoch.

    At the ends of epochs `watching` looks at the model, and `check` raises an error if the directory was removed.
    """
    total = settings.epochs * epoch_steps
    checkpoints, start = _started(model, directory.checkpoints, settings, epoch_steps, kept)

    def forget(step: int) -> None:
        metrics.truncate(directory.metrics, step // epoch_steps)
        metrics.truncate(directory.probe, step // epoch_steps)

    forget(start)
    metrics.check_whole(directory.metrics, start // epoch_steps)
    progress = Progress(total, settings.batch_size, start, show)
    timed = timing.Timing(directory.path, progress, checkpoints)
    keep = _keep_best(directory, settings)
    still_there = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: check())
    callbacks = [
        still_there,  # before and after what may take long: a directory that was removed is not made anew
        metrics.Log(directory.metrics),
        progress,
        *([] if keep is None else [keep]),
        *watching,  # after what goes by the metrics of the run alone, and before what shows all
        still_there,
        *_visible(model, directory, settings, held_out),
        checkpoints,  # after them, so that what the others wrote of an epoch is there if its checkpoint is
        still_there,
        timed,
    ]

    def go_on(start: int, stop: keras.callbacks.Callback) -> None:
        over = (lambda: False) if keep is None else (lambda: keep.over)
        _go_on(model, start, settings, training, held_out, epoch_steps, [*callbacks, stop], over)

    with contextlib.closing(progress), stopping.deferred() as asked:
        stop = stopping.StopWhenAsked(asked, checkpoints, total, on)
        try:
            if settings.on_nan == "rollback":
                divergence.train(lambda step: go_on(step, stop), start, model, checkpoints, forget)
            else:
                go_on(start, stop)
        except (stopping.Stopped, FloatingPointError):
            timed.write()
            raise
    return keep


def _started(
    model: ugm_tf.UnifiedModel,
    path: pathlib.Path,
    settings: Resolved,
    epoch_steps: int,
    kept: tuple[int | None, int],
) -> tuple[Checkpoints, int]:
    """The run's checkpoints, and the step that it goes on from."""
    every = kept[0] or rundir.validated_every(settings.epochs) * epoch_steps
    checkpoints = Checkpoints(path, every=every, keep=kept[1])
    start = checkpoints.restore(model)
    if start:
        _LOG.info("Going on from step %d of %d.", start, settings.epochs * epoch_steps)
    return checkpoints, start


def _go_on(
    model: ugm_tf.UnifiedModel,
    start: int,
    settings: Resolved,
    training: inputs.Inputs,
    held_out: inputs.Inputs,
    epoch_steps: int,
    callbacks: list[keras.callbacks.Callback],
    over: Callable[[], bool] = lambda: False,
) -> None:
    """Trains from a step, which may be within an epoch, to the last epoch."""

    def some(step: int, epochs: int, steps: int) -> None:
        model.fit(
            training.to_train(settings.batch_size, settings.seed, step),
            initial_epoch=step // epoch_steps,
            epochs=epochs,
            steps_per_epoch=steps,
            whole_epoch=epoch_steps,
            validation_data=held_out.once(),
            validation_freq=rundir.validated_every(settings.epochs),
            callbacks=callbacks,
            verbose=0,
        )

    epoch, within = divmod(start, epoch_steps)
    if within:  # the rest of the epoch that was under way
        some(start, epoch + 1, epoch_steps - within)
        epoch += 1
    if epoch < settings.epochs and not over():
        some(epoch * epoch_steps, settings.epochs, epoch_steps)


def help_out(
    model: ugm_tf.UnifiedModel,
    workdir: pathlib.Path,
    settings: Resolved,
    training: inputs.Inputs,
    held_out: inputs.Inputs,
    epoch_steps: int,
    kept: tuple[int | None, int],
    on: devices.Devices,
) -> None:
    """Trains together with the process that writes; this one writes a log, and its numbers into it."""
    with devices.losing(on), stopping.deferred() as asked:
        on.wait_for_all()
        devices.log_to(workdir / f"worker_{on.index}.log")
        checkpoints, start = _started(model, workdir / "checkpoints", settings, epoch_steps, kept)
        stop = stopping.StopWhenAsked(asked, checkpoints, settings.epochs * epoch_steps, on)
        logged = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: _LOG.info("Epoch %d: %s", epoch + 1, logs)
        )
        _go_on(model, start, settings, training, held_out, epoch_steps, [logged, checkpoints, stop])
        _LOG.info("Trained; waiting for the report.")
        on.wait_for_all()


def _visible(
    model: ugm_tf.UnifiedModel, directory: rundir.RunDirectory, settings: Resolved, held_out: inputs.Inputs
) -> list[keras.callbacks.Callback]:
    """What shows how a run learns: pictures, and TensorBoard."""
    columns = pictures.columns(model)
    grids = SampleGrids(
        directory.samples,
        pictures.during_training(model, held_out, settings),
        every=max(1, settings.epochs // 12),
        columns={} if columns is None else {"samples": columns},
        rows={"samples": pictures.row_names(model, held_out.examples.class_names)},
    )
    tensorboard = directory.path / "tensorboard"
    return [
        keras.callbacks.TensorBoard(str(tensorboard), write_graph=False, profile_batch=0),
        grids,
        board.Board(tensorboard / "train", model.describe(), options.as_flags(settings), grids),
    ]


def _keep_best(directory: rundir.RunDirectory, settings: Resolved) -> best.KeepBest | None:
    if settings.keep_best is None:
        return None
    rows = metrics.read(directory.metrics) if directory.metrics.exists() else []
    return best.KeepBest(directory.best, settings.keep_best, rows, settings.patience)
