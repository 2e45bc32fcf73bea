"""Trains a recipe on a data set and ends with a report, pictures and a SavedModel.

  python -m trainers.train

trains on real 8x8 digits, with no download.  Everything can be said by flags:

  python -m trainers.train --recipe=iwgan --dataset=mnist --workdir=runs/iwgan --epochs=20

and kept in a file, which is how a run is written down and repeated:

  python -m trainers.train --flagfile=trainers/flagfiles/vae_mnist.txt

A run that is killed and started again with the same flags goes on from its last checkpoint, to the same bits on a CPU.
Ctrl-C and SIGTERM save the state first, and exit with 130 and 143; a part of the end that failed makes the status 1.
"""

import os
import shlex
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

from . import options, own_recipes, run, scripts

options.define()
_WORKDIR = flags.DEFINE_string("workdir", None, "Where everything is written; runs/RECIPE_DATASET if it is not given.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets; its own default if it is not given.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie, for sets of TFDS.")
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps", None, "Steps between checkpoints; an epoch or a fiftieth of the run by default.", lower_bound=1
)

_KEEP_CHECKPOINTS = flags.DEFINE_integer(
    "keep_checkpoints", 2, "How many checkpoints to keep, the latest ones.", lower_bound=1
)


def main(_: list[str]) -> int:
    settings = options.asked()
    workdir = _WORKDIR.value or os.path.join(
        "runs", f"{own_recipes.short(settings.recipe)}_{settings.dataset}".replace(":", "_").replace(os.sep, "_")
    )
    finished = run.train(
        settings,
        workdir,
        data_dir=_DATA_DIR.value,
        manual_dir=_MANUAL_DIR.value,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        keep_checkpoints=_KEEP_CHECKPOINTS.value,
        command=shlex.join(["python", "-m", "trainers.train", *sys.argv[1:]]),
    )
    return scripts.show(finished.end, finished.directory)


if __name__ == "__main__":
    scripts.start(main)
