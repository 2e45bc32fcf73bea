"""Runs of an experiment, one after the other: each trained, measured and kept; claimed by one process at a time."""

import dataclasses
import logging
import math
import pathlib
import shutil
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

import ugm_tf
from ugm_tf import files

from .. import commands, defaults, figure_table, finished, inputs, options, pictures, run
from ..figure import Figure
from ..inputs import Sources
from ..settings import Settings
from ..subject import Effort, Subject
from . import choosing, reading, store
from .declarations import Measured
from .units import Plan, Unit

__all__ = ["perform"]

_LOG = logging.getLogger("ugm_tf.trainers")
_CLAIM = ".claim"


def perform(
    plan: Plan,
    out: pathlib.Path,
    sources: Sources = inputs.USUAL,
    only: Sequence[str] = (),
    wait: float = 5.0,
) -> None:
    """Trains and measures what is missing, until each run of the plan has a result; then writes the tables.

    Other processes may do the same, on this machine or another that sees the folder: a run is claimed by one, and where
    that one ends early, another goes on with it from its last checkpoint.

    Args:
        plan: What to run.
        out: The folder of all runs, results and tables.
        sources: Where the data lie.
        only: The contenders to run, by `Contender.keys`; all if empty.
        wait: Seconds between looks at runs that others are at.

    Raises:
        ValueError: Before training starts, if data cannot be read, there is no such contender, or results are there of
            other settings.
    """
    sources = sources._replace(kept={})
    for settings in {
        unit.settings.dataset: unit.settings for unit in _called(plan, only, store.read(out, plan))
    }.values():
        inputs.read(settings, "train", sources)  # refuses what cannot be had before anything is trained
    told = set()
    while True:
        results = store.read(out, plan)
        units = _called(plan, only, results)
        missing = [unit for unit in units if not store.path(out, plan, unit).is_file()]
        if not missing:
            break
        done = False
        for unit in missing:
            if done and unit.choice:
                break  # what is chosen may be known by now
            if choosing.is_open(plan, unit, results):
                continue
            try:
                with files.locked(out / unit.run / _CLAIM):
                    if not store.path(out, plan, unit).is_file():
                        number = sum(not store.path(out, plan, each).is_file() for each in units)
                        _LOG.info("%s, seed %d: %d of %d to go.", unit.contender.title, unit.seed, number, len(units))
                        store.write(out, plan, unit, _result(plan, unit, out, sources))
                        reading.write(plan, out)
                    done = True
            except files.Locked as error:
                if unit.run not in told:
                    _LOG.info("%s, seed %d, is being run by %s.", unit.contender.title, unit.seed, error.holder)
                told.add(unit.run)
        if not done:
            time.sleep(wait)
    reading.write(plan, out)


def _called(plan: Plan, only: Sequence[str], results: choosing.Results) -> list[Unit]:
    """The runs of a plan that are asked for, as far as they are known."""
    units = choosing.needed(plan, results)
    known = dict.fromkeys(key for unit in units for key in unit.contender.keys if key)
    if wrong := [key for key in only if key not in known]:
        raise ValueError(f"--only knows {'; '.join(known)}. Received: {'; '.join(wrong)}.")
    return [unit for unit in units if not only or {*unit.contender.keys} & {*only}]


def _result(plan: Plan, unit: Unit, out: pathlib.Path, sources: Sources) -> dict[str, Any]:
    """Trains and measures one run."""
    folder = out / unit.run
    experiment = plan.experiment
    keras.backend.clear_session()
    try:
        if not (folder / "report.html").is_file():  # the last thing that a run writes
            command = commands.of("reproduce", f"--experiment={plan.name}", f"--scale={plan.scale}")
            run.train(_whole(unit, sources), folder, sources=sources, keep_checkpoints=1, show=False, command=command)
    except FloatingPointError as error:
        return store.record(unit, figures=[], validation=[], failed=" ".join(str(error).split()))
    trained = finished.load(folder, sources)
    wanted = experiment.measured(unit.contender)
    effort = experiment.scales[plan.scale].effort
    figures = _measure(trained, "test", wanted, effort, sources)
    validation = _measure(trained, "validation", wanted[:1], effort, sources) if unit.choice else []
    shutil.rmtree(trained.directory.checkpoints, ignore_errors=True)  # it has ended: nothing goes on from them
    timing = trained.directory.read_json("timing")
    return store.record(
        unit,
        figures=[figure.as_dict() for figure in figures],
        validation=[figure.as_dict() for figure in validation],
        failed=None,
        run=unit.run.as_posix(),
        resolved=options.as_flags(trained.settings),
        steps=int(np.asarray(trained.model.steps)),
        seconds=timing.get("seconds"),
        examples_per_second=timing.get("examples_per_second"),
        versions=trained.directory.read_json("versions"),
    )


def _whole(unit: Unit, sources: Sources) -> Settings:
    """The settings of a run with its epochs: as many as have the asked updates, at least."""
    if unit.updates is None:
        return unit.settings
    examples = inputs.part(unit.settings, "train", inputs.read(unit.settings, "train", sources))
    resolved = defaults.resolve(unit.settings, examples.shape, len(examples))
    epochs = math.ceil(unit.updates / ugm_tf.data.steps_per_epoch(examples, resolved.batch_size))
    return dataclasses.replace(unit.settings, epochs=epochs)


def _measure(
    trained: finished.Finished, split: str, wanted: list[Measured], effort: Any, sources: Sources
) -> list[Figure]:
    """The figures by name of a trained run on a split.

    Raises:
        ValueError: If it has none of a name.
    """
    asked = Effort(**{**effort, "metrics": tuple(dict.fromkeys(figure.row for figure in wanted))})
    words = pictures.weights_in_words(trained.model, trained.settings)
    subject = Subject(trained.model, trained.split("train"), trained.split(split), words, cache_dir=sources.cache_dir)
    with pictures.weights(trained.model, trained.settings):
        found, skipped = figure_table.measure(subject, asked)
    out = []
    for each in wanted:
        named = [figure for figure in found if figure.name.startswith(each.name)]
        exact = [figure for figure in named if figure.name == each.name]
        if len(exact or named) != 1:
            why = [f"{s.name}: {s.reason}" for s in skipped if s.name.startswith(each.name)]
            raise ValueError(
                f"{trained.directory.path} has {len(named)} figures called '{each.name}', and one is measured. "
                f"{'; '.join(why) or 'It has: ' + ', '.join(f.name for f in found)}."
            )
        out.append((exact or named)[0]._replace(name=each.name))
    return out
