"""A training run from data to report; all that it depends on is an argument."""

import dataclasses
import logging
import os

import keras
import numpy as np

import ugm_tf
from ugm_tf.callbacks import Checkpoints, DivergenceMonitor, Progress, SampleGrids
from ugm_tf.training import execution

from . import defaults, inputs, metrics, pictures, rundir, summary

__all__ = ["Run", "as_flags", "build", "train"]

_MOMENTS = 50  # how often at most a run is validated, and by itself saved
_LOG = logging.getLogger("ugm_tf.trainers")


@dataclasses.dataclass
class Run:
    """A finished run.

    Attributes:
        model: The trained model.
        directory: Where everything was written.
        settings: What it was trained with.
        figures: Final numbers, by name.
    """

    model: ugm_tf.UnifiedModel
    directory: rundir.RunDirectory
    settings: defaults.Settings
    figures: dict[str, float]


def train(
    settings: defaults.Settings,
    workdir: str | os.PathLike[str],
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    checkpoint_steps: int | None = None,
    show: bool = True,
    command: str = "python -m trainers.train",
) -> Run:
    """Trains a recipe on a data set, or goes on with a run that was stopped, and writes all that belongs to it.

    Args:
        settings: The run; what is None is filled in by `defaults.resolve`.
        workdir: The run directory; see `rundir.RunDirectory`.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files downloaded by hand lie.
        checkpoint_steps: Steps between checkpoints; if it is not given, an epoch or a fiftieth of the run.
        show: Whether to draw a progress bar.
        command: What was typed, for the report.

    Returns:
        The run.

    Raises:
        ValueError: Before training starts, if the settings, the data and the run directory do not fit together.
        FloatingPointError: If training diverges.
    """
    settings.make_recipe()  # refuses what it does not know before any data are read
    sources = {k: v for k, v in (("data_dir", data_dir), ("manual_dir", manual_dir)) if v is not None}
    examples = defaults.load(settings, "train", sources)
    settings = defaults.resolve(settings, examples.shape, len(examples))
    recipe = settings.make_recipe()
    training, held_out = (inputs.load(settings, split, sources) for split in ("train", "validation"))
    steps_per_epoch = ugm_tf.data.steps_per_epoch(examples, settings.batch_size)
    total = settings.epochs * steps_per_epoch
    _check_support(recipe, settings)

    keras.utils.set_random_seed(settings.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings.precision)
    try:
        model = build(recipe, settings, examples)
    finally:
        keras.config.set_dtype_policy(policy)
    size = settings.batch_size * int(np.prod(examples.shape)) * 4
    jit = execution.choose_jit(list(model._flatten_layers()))[0] if settings.xla == "auto" else settings.xla == "on"
    model.compile(
        defaults.optimizers(recipe, settings.learning_rate, settings.ema),
        schedule=settings.schedule,
        jit_compile="auto" if settings.xla == "auto" else jit,
        # Fixed, so that a run that is resumed within an epoch calls the same program on the same groups of steps.
        steps_per_execution=execution.choose_steps(steps_per_epoch, size, jit),
    )
    directory = rundir.RunDirectory(workdir, as_flags(settings))
    _LOG.info(
        "Training %s on %s in %s (%s):\n%s",
        settings.recipe,
        examples.title,
        directory.path,
        model.execution,
        model.describe(),
    )

    every = max(1, settings.epochs // _MOMENTS)  # epochs
    checkpoints = Checkpoints(directory.checkpoints, every=checkpoint_steps or every * steps_per_epoch)
    start = checkpoints.restore(model)
    if start:
        _LOG.info("Going on from step %d of %d.", start, total)
    metrics.truncate(directory.metrics, start // steps_per_epoch)
    progress = Progress(total, settings.batch_size, start, show)
    callbacks = [
        DivergenceMonitor(),
        metrics.Log(directory.metrics),
        keras.callbacks.TensorBoard(str(directory.path / "tensorboard"), write_graph=False, profile_batch=0),
        SampleGrids(
            directory.samples,
            pictures.of(model, held_out, settings),
            every=max(1, settings.epochs // 12),
            columns={"samples": pictures.columns(model)},
        ),
        progress,
        checkpoints,  # last, so that what the others wrote of an epoch is there if its checkpoint is
    ]
    dataset = training.batches(settings.batch_size, seed=settings.seed, start_step=start)
    fit = {"validation_data": held_out.once(), "validation_freq": every, "callbacks": callbacks, "verbose": 0}
    epoch, within = divmod(start, steps_per_epoch)
    try:
        if within:  # the rest of the epoch that was under way
            model.fit(dataset, initial_epoch=epoch, epochs=epoch + 1, steps_per_epoch=steps_per_epoch - within, **fit)
            epoch += 1
            dataset = training.batches(settings.batch_size, seed=settings.seed, start_step=epoch * steps_per_epoch)
        if epoch < settings.epochs:
            model.fit(dataset, initial_epoch=epoch, epochs=settings.epochs, steps_per_epoch=steps_per_epoch, **fit)
    finally:
        progress.close()
    figures = summary.write(model, directory, settings, training, held_out, progress, command)
    return Run(model, directory, settings, figures)


def build(recipe: ugm_tf.Recipe, settings: defaults.Settings, examples: ugm_tf.data.Examples) -> ugm_tf.UnifiedModel:
    """The untrained model of a run, not yet compiled.

    Args:
        recipe: The recipe.
        settings: The run's settings, resolved.
        examples: Its training data, for their shape.
    """
    densities = ugm_tf.networks.build(
        recipe,
        defaults.shapes(settings, examples),
        network=settings.network,
        likelihood=settings.likelihood or "bernoulli",
        families_by_name=dict(settings.families),
        conditioning=settings.conditioning or "concat",
        **({} if settings.hidden is None else {"hidden": settings.hidden}),
    )
    return ugm_tf.UnifiedModel(recipe, densities, seed=settings.seed)


def _check_support(recipe: ugm_tf.Recipe, settings: defaults.Settings) -> None:
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
            f"'{settings.observation}' gives "
            f"{found} ones. Use --observation={' or '.join(fitting)}, or another --likelihood."
        )


def as_flags(settings: defaults.Settings) -> dict[str, str]:
    """The run as flags, for flags.txt."""
    out = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name in ("hyperparameters", "families"):
            if value:
                out[field.name.replace("parameters", "parameter")] = ",".join(f"{k}={v}" for k, v in value)
        elif value is not None:
            out[field.name] = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return out
