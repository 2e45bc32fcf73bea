"""A training run from data to report; all that it depends on is an argument."""

import dataclasses
import logging
import os
import pathlib

import keras

import ugm_tf

from . import (
    beginning,
    building,
    commands,
    defaults,
    devices,
    fitting,
    inputs,
    known_data,
    options,
    own_code,
    own_networks,
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
    probe: probing.Asked | None = None,
    show: bool = True,
    command: str = commands.of("train"),
    on: devices.Devices = devices.ONE,
) -> Run | None:
    """Trains a recipe on a data set, or goes on with a run that was stopped, and writes all that belongs to it.

    Args:
        settings: The run; what is None is decided by `defaults.resolve`.
        workdir: The run directory; see `rundir.RunDirectory`.
        sources: Where data lie.
        checkpoint_steps: Steps between checkpoints; if it is not given, an epoch or a fiftieth of the run.
        keep_checkpoints: How many checkpoints to keep, the latest ones.
        probe: How often a `DivergenceProbe` measures, which changes nothing of the run; None for none.
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
    if settings.network is not None:
        own_networks.get(settings.network)
    _check_together(settings, on, checkpoint_steps)
    whole = inputs.read(settings, "train", sources)
    settings = dataclasses.replace(settings, storage=whole.storage)
    examples = inputs.part(settings, "train", whole)
    resolved, why = defaults.choose(settings, examples.shape, len(examples), inputs.rarest(examples))
    training = inputs.prepare(resolved, "train", examples, sources, whole)
    held_out = inputs.load(resolved, "validation", sources)
    epoch_steps = ugm_tf.data.steps_per_epoch(examples, resolved.batch_size)
    _check_support(resolved)
    probing.check(probe, held_out)
    judge = probing.classifier(whole, probe if on.chief else None, sources.cache_dir)  # before the run's seed is set
    model = on.made(lambda: _compiled(resolved, examples, epoch_steps))
    kept = (checkpoint_steps, keep_checkpoints)
    if resolved.init_from is not None and not any(pathlib.Path(workdir, "checkpoints").glob("*.state")):
        beginning.begin(model, resolved.init_from)
    if not on.chief:
        fitting.help_out(model, pathlib.Path(workdir), resolved, training, held_out, epoch_steps, kept, on)
        return None
    with rundir.held(workdir) as check, devices.losing(on):
        equations = model.describe() if own_code.is_own(resolved.recipe) else None
        directory = rundir.RunDirectory(workdir, resolved, known_data.describe(training), why, equations)
        _LOG.info(
            "Training %s on %s (storage: %s) in %s (%s):\n%s",
            resolved.recipe,
            examples.title,
            resolved.storage,
            directory.path,
            model.execution,
            model.describe(),
        )
        _say_what_may_surprise(resolved, why, examples, model, epoch_steps)
        watching = probing.watching(directory.probe, probe, training, held_out, judge)
        on.wait_for_all()  # they read what is there, and write into it
        of = (model, directory, resolved, training, held_out)
        keep = fitting.fit(*of, epoch_steps, kept, watching, check, show, on)
        if keep is not None:
            model = keep.best(model)
        model = on.on_one(model)
        _LOG.info("Saving the model and its export; pictures and figures of the validation split.")
        end = summary.write(model, directory, resolved, training, held_out, command, sources.cache_dir, trained=True)
        on.wait_for_all()
        return Run(model, directory, resolved, end)


def _check_together(settings: Settings, on: devices.Devices, checkpoint_steps: int | None) -> None:
    """Refuses what goes back or stops where it cannot."""
    if on.processes > 1 and (settings.keep_best is not None or settings.on_nan == "rollback"):
        raise ValueError(
            f"{on.processes} processes train together, of which none decides alone to stop or to go back. Leave out "
            "--keep_best and --on_nan=rollback."
        )
    if checkpoint_steps is not None and settings.keep_best is not None and settings.on_nan == "rollback":
        raise ValueError(
            "Going back further than an epoch may lose the model that --keep_best keeps. Leave out --checkpoint_steps, "
            "--keep_best or --on_nan=rollback."
        )


def _say_what_may_surprise(
    resolved: Resolved,
    why: dict[str, str],
    examples: ugm_tf.data.Examples,
    model: ugm_tf.UnifiedModel,
    epoch_steps: int,
) -> None:
    """Further first lines, where there is a reason: what was chosen and why, and what is likely to be a mistake."""
    if why:
        _LOG.info("Chosen, as no flag says otherwise:\n%s", options.as_reasons(resolved, why))
    if "c" in model.recipe.data and examples.num_classes == 1:
        _LOG.warning("The data have one class, which tells the model nothing.")
    for name in building.unbounded(model):
        _LOG.warning(
            "'%s' draws images that are judged beside data in [0, 1], and its network may leave that, by which they "
            "are told apart: end it in a sigmoid, as a builder that takes `bounded` is asked to.",
            name,
        )
    number = len(examples)
    left_out = number - epoch_steps * resolved.batch_size
    if left_out > number // 10:
        _LOG.info(
            "Each epoch leaves out %d of the %d examples, others each time, as its batches are of %d.",
            left_out,
            number,
            resolved.batch_size,
        )


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
        building.optimizers(
            *(recipe, settings.learning_rate, settings.ema, settings.epochs * epoch_steps),
            *(settings.optimizer, model.densities),
        ),
        schedule=settings.schedule,
        jit_compile="auto" if settings.xla == "auto" else settings.xla == "on",
        on_nan="skip" if settings.on_nan == "skip" else "stop",
        accumulate=settings.accumulate,
        remat=settings.remat,
    )
    return model


def _check_support(settings: Resolved) -> None:
    """Refuses an observation to whose values a family that scores data gives no probability."""
    recipe = settings.make_recipe()
    of_data = {"x", *recipe.data} - {"c"}
    given = {f"Family '{text}' of {name}": text for name, text in settings.families if recipe.roles[name].of in of_data}
    flags = dict.fromkeys(given, "--families")
    if settings.likelihood is not None:
        if not ugm_tf.densities.get(settings.likelihood).has_log_prob:
            raise ValueError(
                f"Recipe '{settings.recipe}' scores data, and likelihood '{settings.likelihood}' has no "
                "log-probability. Give a family with a spread, such as --likelihood=bernoulli or "
                "--likelihood=unit_gaussian."
            )
        given[f"Likelihood '{settings.likelihood}'"] = settings.likelihood
    found = ugm_tf.data.support(settings.observation)
    allowed = {"binary": {"binary"}, "levels": {"levels", "binary"}, "unit": {"unit", "levels", "binary"}}
    for what, text in given.items():
        of = ugm_tf.densities.get(text).support
        if of in allowed and found not in allowed[of]:
            fitting = [name for name in ugm_tf.data.OBSERVATIONS if ugm_tf.data.support(name) in allowed[of]]
            raise ValueError(
                f"{what} is of {of} values, and observation '{settings.observation}' gives {found} ones. "
                f"Use --observation={' or '.join(fitting)}, or another {flags.get(what, '--likelihood')}."
            )
