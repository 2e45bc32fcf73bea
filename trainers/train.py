"""Trains a recipe on a data set and ends with a report, pictures and a SavedModel.

  python -m trainers.train

trains on real 8x8 digits, with no download.  Everything can be said by flags:

  python -m trainers.train --recipe=iwgan --dataset=mnist --workdir=runs/iwgan --epochs=20

and kept in a file, which is how a run is written down and repeated:

  python -m trainers.train --flagfile=trainers/flagfiles/vae_mnist.txt

Three runs of other seeds, and one page that compares them:

  python -m trainers.train --recipe=gan --seeds=3 --workdir=runs/gan

A run that is killed and started again with the same flags goes on from its last checkpoint, to the same bits on a CPU.
Ctrl-C and SIGTERM save the state first, and exit with 130 and 143; a part of the end that failed makes the status 1.
"""

import dataclasses
import os
import shlex
import sys

from absl import flags

from . import commands, comparison, devices, inputs, options, own_code, probing, run, rundir, scripts
from .settings import Settings

options.define()
_WORKDIR = flags.DEFINE_string("workdir", None, "Where everything is written; runs/RECIPE_DATASET if it is not given.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets; its own default if it is not given.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie, for sets of TFDS.")
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir",
    None,
    "Where data larger than memory are prepared to be mapped, and trained classifiers lie; the user's cache folder by "
    "default.",
)
_SEEDS = flags.DEFINE_integer(
    "seeds", 1, "Train so many runs, of --seed and the seeds after it, and compare them.", lower_bound=1
)
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps",
    None,
    "Least steps between checkpoints; an epoch or a fiftieth of the run by default.",
    lower_bound=1,
)

_KEEP_CHECKPOINTS = flags.DEFINE_integer(
    "keep_checkpoints", 2, "How many checkpoints to keep, the latest ones.", lower_bound=1
)
_PROBE_EVERY = flags.DEFINE_integer(
    "probe_every",
    None,
    "Measure every so many steps, such as 1000, on validation data which divergences the phases descend, in at most "
    "--probe_budget of the time: in probe.csv, TensorBoard and the report.  Training goes the same way with it and "
    "without.",
    lower_bound=1,
)
_PROBE_BUDGET = flags.DEFINE_float(
    "probe_budget",
    None,
    "The share of the training time that --probe_every may take beside its first and last measurement, above 0 and at "
    "most 1; 0.03 by default.",
)


_STRATEGY = flags.DEFINE_enum(
    "strategy",
    "auto",
    devices.NAMES,
    "What to train on: one device; mirrored on all GPUs of this machine; multiworker, with the processes that "
    "TF_CONFIG or Slurm names; or the last of these that there is. It is the same training on each, up to rounding.",
)
_FORM_SECONDS = flags.DEFINE_float(
    "form_seconds", 300.0, "How long to wait for the other processes of a multiworker run.", lower_bound=1.0
)


def main(_: list[str]) -> int:
    settings = options.asked()
    on = devices.of(_STRATEGY.value, _FORM_SECONDS.value)
    workdir = _WORKDIR.value or os.path.join(
        "runs", f"{own_code.short(settings.recipe)}_{settings.dataset}".replace(":", "_").replace(os.sep, "_")
    )
    sources = inputs.Sources(_DATA_DIR.value, _MANUAL_DIR.value, _CACHE_DIR.value)
    if _SEEDS.value == 1:
        return _train(settings, workdir, sources, on)
    seeds = range(settings.seed, settings.seed + _SEEDS.value)
    directories = [os.path.join(workdir, f"seed_{seed}") for seed in seeds]
    for path in directories:
        rundir.check_free(path)
    sources = sources._replace(kept={})
    each = [
        _train(dataclasses.replace(settings, seed=n), path, sources, on)
        for n, path in zip(seeds, directories, strict=True)
    ]
    if not on.chief:
        return max(each)
    scripts.show_comparison(comparison.compare(directories), os.path.join(workdir, "comparison.html"))
    return max(each)


def _train(settings: Settings, workdir: str, sources: inputs.Sources, on: devices.Devices) -> int:
    finished = run.train(
        settings,
        workdir,
        sources=sources,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        keep_checkpoints=_KEEP_CHECKPOINTS.value,
        probe=_probe(),
        command=f"{commands.of('train')} {shlex.join(sys.argv[1:])}".strip(),
        on=on,
    )
    if finished is None:
        return 0
    return scripts.show(finished.end, finished.directory)


def _probe() -> probing.Asked | None:
    every, budget = _PROBE_EVERY.value, _PROBE_BUDGET.value
    if budget is not None and every is None:
        raise ValueError(
            f"--probe_budget={budget:g} says nothing without --probe_every, the steps between measurements."
        )
    if budget is not None and not 0.0 < budget <= 1.0:
        raise ValueError(
            f"--probe_budget is a share of the training time, above 0 and at most 1. Received: {budget:g}."
        )
    return None if every is None else probing.Asked(every) if budget is None else probing.Asked(every, budget)


if __name__ == "__main__":
    scripts.start(main)
