"""A training run from data to report; all that it depends on is an argument."""

import contextlib
import dataclasses
import logging
import os

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
    divergence,
    inputs,
    known_data,
    metrics,
    options,
    own_recipes,
    pictures,
    probing,
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
    probe_every: int | None = None,
    show: bool = True,
    command: str = "python -m trainers.train",
) -> Run:
    """Trains a recipe on a data set, or goes on with a run that was stopped, and writes all that belongs to it.

    Args:
        settings: The run; what is None is decided by `defaults.resolve`.
        workdir: The run directory; see `rundir.RunDirectory`.
        sources: Where data lie.
        checkpoint_steps: Steps between checkpoints; if it is not given, an epoch or a fiftieth of the run.
        keep_checkpoints: How many checkpoints to keep, the latest ones.
        probe_every: Steps between measurements of a `DivergenceProbe`, which changes nothing of the run; None for none.
        show: Whether to draw a progress bar.
        command: What was typed, for the report.

    Returns:
        The run.

    Raises:
        ValueError: Before training starts, if the settings, the data and the run directory do not fit together, or
            another process trains in it.
        FloatingPointError: If training diverges.
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
    judge = probing.classifier(examples, probe_every, sources.cache_dir)  # before the run's seed is set
    model = _compiled(resolved, examples, epoch_steps)
    with rundir.held(workdir):
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
        kept = (checkpoint_steps, keep_checkpoints)
        probe = probing.watching(directory.probe, probe_every, training, held_out, judge)
        progress, keep = _fit(model, directory, resolved, training, held_out, epoch_steps, kept, probe, show)
        if keep is not None:
            model = keep.best(model)
        end = summary.write(model, directory, resolved, training, held_out, command, progress)
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
    probe: list[keras.callbacks.Callback],
    show: bool,
) -> tuple[Progress, best.KeepBest | None]:
    """Trains to the last epoch, from the latest checkpoint on; returns the time it took, and the best epoch."""
    total = settings.epochs * epoch_steps
    every = rundir.validated_every(settings.epochs)
    checkpoints = Checkpoints(directory.checkpoints, every=kept[0] or every * epoch_steps, keep=kept[1])
    start = checkpoints.restore(model)
    if start:
        _LOG.info("Going on from step %d of %d.", start, total)
    elif settings.init_from is not None:
        beginning.begin(model, settings.init_from)

    def forget(step: int) -> None:
        metrics.truncate(directory.metrics, step // epoch_steps)
        metrics.truncate(directory.probe, step // epoch_steps)

    forget(start)
    progress = Progress(total, settings.batch_size, start, show)
    keep = _keep_best(directory, settings)
    callbacks = [
        metrics.Log(directory.metrics),
        progress,
        *([] if keep is None else [keep]),
        *probe,  # after what goes by the metrics of the run alone, and before what shows all
        *_visible(model, directory, settings, held_out),
        checkpoints,  # after them, so that what the others wrote of an epoch is there if its checkpoint is
    ]

    def fit(step: int, epochs: int, steps: int, stop: keras.callbacks.Callback) -> None:
        model.fit(
            training.batches(settings.batch_size, seed=settings.seed, start_step=step),
            initial_epoch=step // epoch_steps,
            epochs=epochs,
            steps_per_epoch=steps,
            whole_epoch=epoch_steps,
            validation_data=held_out.once(),
            validation_freq=every,
            callbacks=[*callbacks, stop],
            verbose=0,
        )

    def go_on(start: int, stop: keras.callbacks.Callback) -> None:
        epoch, within = divmod(start, epoch_steps)
        if within:  # the rest of the epoch that was under way
            fit(start, epoch + 1, epoch_steps - within, stop)
            epoch += 1
        if epoch < settings.epochs and not (keep is not None and keep.over):
            fit(epoch * epoch_steps, settings.epochs, epoch_steps, stop)

    with contextlib.closing(progress), stopping.deferred() as asked:
        stop = stopping.StopWhenAsked(asked, checkpoints, total)
        if settings.on_nan == "rollback":
            divergence.train(lambda step: go_on(step, stop), start, model, checkpoints, forget)
        else:
            go_on(start, stop)
    return progress, keep


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
