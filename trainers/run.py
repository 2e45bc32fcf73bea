"""A training run from data to report; all that it depends on is an argument."""

import contextlib
import dataclasses
import logging
import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np

import ugm_tf
from ugm_tf.callbacks import Checkpoints, Progress, SampleGrids

from . import (
    beginning,
    best,
    board,
    building,
    defaults,
    devices,
    divergence,
    inputs,
    known_data,
    metrics,
    options,
    own_recipes,
    pictures,
    rundir,
    stopping,
    summary,
)
from .settings import Resolved, Settings

__all__ = ["Run", "train"]

_LOG = logging.getLogger("ugm_tf.trainers")


@dataclasses.dataclass
class Run:
    """A finished run.

    Attributes:
        model: The trained model.
        directory: Where everything was written.
        settings: What it was trained with.
        end: Final numbers, and which parts of the end failed.
    """

    model: ugm_tf.UnifiedModel
    directory: rundir.RunDirectory
    settings: Resolved
    end: summary.End


@stopping.at_once("Stopped while no step was under way: nothing is lost, and the same command goes on.")
def train(
    settings: Settings,
    workdir: str | os.PathLike[str],
    *,
    sources: inputs.Sources = inputs.USUAL,
    checkpoint_steps: int | None = None,
    keep_checkpoints: int = 2,
    show: bool = True,
    command: str = "python -m trainers.train",
    on: devices.Devices = devices.ONE,
) -> Run | None:
    """Trains a recipe on a data set, or goes on with a run that was stopped, and writes all that belongs to it.

    Args:
        settings: The run; what is None is decided by `defaults.resolve`.
        workdir: The run directory; see `rundir.RunDirectory`.
        sources: Where data lie.
        checkpoint_steps: Steps between checkpoints; if it is not given, an epoch or a fiftieth of the run.
        keep_checkpoints: How many checkpoints to keep, the latest ones.
        show: Whether to draw a progress bar.
        command: What was typed, for the report.
        on: The devices that it trains on.

    Returns:
        The run; None from a process that trains with others, and is not the one that writes.

    Raises:
        ValueError: Before training starts, if the settings, the data and the run directory do not fit together, or
            another process trains in it.
        FloatingPointError: If training diverges.
        devices.Lost: If another process that trained with this one ended.
        rundir.Lost: If the run directory can no longer be written.
        stopping.Stopped: If Ctrl-C or SIGTERM ended it, once its state is saved.
    """
    settings.make_recipe()  # refuses what it does not know before any data are read
    examples = inputs.read(settings, "train", sources)
    resolved = defaults.resolve(settings, examples.shape, len(examples), _rarest(examples))
    training = inputs.prepare(resolved, "train", examples, sources)
    held_out = inputs.load(resolved, "validation", sources)
    epoch_steps = ugm_tf.data.steps_per_epoch(examples, resolved.batch_size)
    _check_support(resolved)
    model = on.made(lambda: _compiled(resolved, examples, epoch_steps))
    kept = (checkpoint_steps, keep_checkpoints)
    if not on.chief:
        _help(model, pathlib.Path(workdir), resolved, training, held_out, epoch_steps, kept, on)
        return None
    with rundir.held(workdir), devices.losing(on):
        directory = rundir.RunDirectory(workdir, resolved, known_data.describe(training))
        if own_recipes.is_own(resolved.recipe):
            directory.check_equations(model.describe())
        _LOG.info(
            "Training %s on %s in %s (%s):\n%s",
            resolved.recipe,
            examples.title,
            directory.path,
            model.execution,
            model.describe(),
        )
        progress, keep = _fit(model, directory, resolved, training, held_out, epoch_steps, kept, show)
        if keep is not None:
            model = keep.best(model)
        model = on.on_one(model)
        end = summary.write(model, directory, resolved, training, held_out, command, progress)
        on.wait_for_all()
        return Run(model, directory, resolved, end)


def _rarest(examples: ugm_tf.data.Examples) -> int:
    """Number of examples of the rarest class; of all examples, where they have no classes."""
    if examples.c is None or examples.num_classes is None:
        return len(examples)
    return int(np.bincount(examples.c, minlength=examples.num_classes).min())


def _compiled(settings: Resolved, examples: ugm_tf.data.Examples, epoch_steps: int) -> ugm_tf.UnifiedModel:
    """The untrained model of a run, compiled; a function of the seed."""
    keras.utils.set_random_seed(settings.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings.precision)
    recipe = settings.make_recipe()
    try:
        model = building.build(recipe, settings, examples)
    finally:
        keras.config.set_dtype_policy(policy)
    model.compile(
        building.optimizers(recipe, settings.learning_rate, settings.ema, settings.epochs * epoch_steps),
        schedule=settings.schedule,
        jit_compile="auto" if settings.xla == "auto" else settings.xla == "on",
        on_nan="skip" if settings.on_nan == "skip" else "stop",
    )
    return model


def _fit(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: Resolved,
    training: inputs.Inputs,
    held_out: inputs.Inputs,
    epoch_steps: int,
    kept: tuple[int | None, int],
    show: bool,
) -> tuple[Progress, best.KeepBest | None]:
    """Trains to the last epoch, from the latest checkpoint on; returns the time it took, and the best epoch."""
    total = settings.epochs * epoch_steps
    checkpoints, start = _started(model, directory.checkpoints, settings, epoch_steps, kept)

    def forget(step: int) -> None:
        metrics.truncate(directory.metrics, step // epoch_steps)

    forget(start)
    progress = Progress(total, settings.batch_size, start, show)
    keep = _keep_best(directory, settings)
    callbacks = [
        metrics.Log(directory.metrics),
        *_visible(model, directory, settings, held_out),
        progress,
        *([] if keep is None else [keep]),
        checkpoints,  # after them, so that what the others wrote of an epoch is there if its checkpoint is
    ]

    def go_on(start: int, stop: keras.callbacks.Callback) -> None:
        over = (lambda: False) if keep is None else (lambda: keep.over)
        _go_on(model, start, settings, training, held_out, epoch_steps, [*callbacks, stop], over)

    with contextlib.closing(progress), stopping.deferred() as asked:
        stop = stopping.StopWhenAsked(asked, checkpoints, total)
        if settings.on_nan == "rollback":
            divergence.train(lambda step: go_on(step, stop), start, model, checkpoints, forget)
        else:
            go_on(start, stop)
    return progress, keep


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
    elif settings.init_from is not None:
        beginning.begin(model, settings.init_from)
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

    def fit(step: int, epochs: int, steps: int) -> None:
        model.fit(
            training.batches(settings.batch_size, seed=settings.seed, start_step=step),
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
        fit(start, epoch + 1, epoch_steps - within)
        epoch += 1
    if epoch < settings.epochs and not over():
        fit(epoch * epoch_steps, settings.epochs, epoch_steps)


def _help(
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
    if settings.on_nan == "rollback" or settings.keep_best is not None:
        raise ValueError("Several processes train without --keep_best and --on_nan=rollback.")
    devices.log_to(workdir / f"worker_{on.index}.log")
    with devices.losing(on), stopping.deferred() as asked:
        checkpoints, start = _started(model, workdir / "checkpoints", settings, epoch_steps, kept)
        stop = stopping.StopWhenAsked(asked, checkpoints, settings.epochs * epoch_steps)
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


def _check_support(settings: Resolved) -> None:
    """Refuses an observation whose values the likelihood gives no probability."""
    if settings.likelihood is None:
        return
    family = ugm_tf.densities.get(settings.likelihood)
    if not family.has_log_prob:
        raise ValueError(
            f"Recipe '{settings.recipe}' scores data, and likelihood '{settings.likelihood}' has no log-probability. "
            "Give a family with a spread, such as --likelihood=bernoulli or --likelihood=unit_gaussian."
        )
    found = ugm_tf.data.support(settings.observation)
    allowed = {"binary": {"binary"}, "levels": {"levels", "binary"}, "unit": {"unit", "levels", "binary"}}
    if family.support in allowed and found not in allowed[family.support]:
        fitting = [name for name in ugm_tf.data.OBSERVATIONS if ugm_tf.data.support(name) in allowed[family.support]]
        raise ValueError(
            f"Likelihood '{settings.likelihood}' is of {family.support} values, and observation "
            f"'{settings.observation}' gives {found} ones. Use --observation={' or '.join(fitting)}, or another "
            "--likelihood."
        )
