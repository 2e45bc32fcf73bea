"""Trains a recipe on a data set and ends with a report, pictures and a SavedModel.

  python -m trainers.train

trains on real 8x8 digits, with no download.  Everything can be said by flags:

  python -m trainers.train --recipe=iwgan --dataset=mnist --workdir=runs/iwgan --epochs=20

and kept in a file, which is how a run is written down and repeated:

  python -m trainers.train --flagfile=trainers/flagfiles/vae_mnist.txt

A run that is killed and started again with the same flags goes on from its last checkpoint, to the same bits on a CPU.
"""

import os
import shlex
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

import ugm_tf

from . import defaults, run, scripts

_RECIPE = flags.DEFINE_enum("recipe", "vae", ugm_tf.recipes.names(), "Which model to train.")
_DATASET = flags.DEFINE_string(
    "dataset",
    "digits",
    f"What to train it on: {', '.join(ugm_tf.data.names())}, another image set of TFDS, folder:PATH or npz:PATH.",
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where everything is written; runs/RECIPE_DATASET if it is not given.")
_HYPERPARAMETERS = flags.DEFINE_multi_string("hyperparameter", [], "A recipe's own, such as beta=4.0; may be repeated.")
_LABELS = flags.DEFINE_integer(
    "labels",
    None,
    "Labelled examples of each class, for semi-supervised recipes; 10 by default, chosen by --seed.",
    lower_bound=1,
)
_TARGET = flags.DEFINE_string(
    "target",
    None,
    f"Second domain of recipes that take one: a shift of the data ({', '.join(ugm_tf.data.SHIFTS)}) or a data set.",
)
_EPOCHS = flags.DEFINE_integer("epochs", None, "Passes over the data; chosen by recipe and data.", lower_bound=1)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", None, "Examples in a batch; chosen by recipe and data.", lower_bound=1)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "Adam's step size; at most 2e-4 in phases against a discriminator.", lower_bound=0.0
)
_EMA = flags.DEFINE_float(
    "ema", None, "Draw and measure with averages of the weights of this decay, such as 0.999; 0 for none."
)
_NETWORK = flags.DEFINE_enum("network", None, ugm_tf.networks.names(), "Kind of networks; chosen by recipe and data.")
_HIDDEN = flags.DEFINE_list("hidden", None, "Sizes of the hidden layers of mlp networks, such as 500,500.")
_CONDITIONING = flags.DEFINE_enum(
    "conditioning",
    None,
    ["concat", "projection"],
    "How a discriminator of an image takes a vector beside it; concat by default.",
)
_CODE_SIZE = flags.DEFINE_integer("code_size", None, "Size of the code z; chosen by recipe and data.", lower_bound=1)
_IMAGE_SIZE = flags.DEFINE_integer("image_size", None, "Resize images to this height and width.", lower_bound=1)
_OBSERVATION = flags.DEFINE_enum(
    "observation", None, sorted(ugm_tf.data.OBSERVATIONS), "How examples become x; chosen by recipe and data."
)
_LIKELIHOOD = flags.DEFINE_string(
    "likelihood",
    None,
    f"Family of p(x | z), where the recipe scores data: {', '.join(ugm_tf.densities.names())}; or with arguments, "
    "such as gaussian(scale=0.1).",
)
_FAMILIES = flags.DEFINE_string(
    "families", None, "Families of single densities, such as encoder=iaf,decoder=laplace(scale=0.1)."
)
_SCHEDULE = flags.DEFINE_enum(
    "schedule",
    "alternating",
    ["alternating", "simultaneous"],
    "Update after each phase, or all at the same parameters.",
)
_XLA = flags.DEFINE_enum(
    "xla", "auto", ["auto", "on", "off"], "Compile training steps with XLA; auto decides by device and layers."
)
_PRECISION = flags.DEFINE_enum("precision", "float32", ["float32", "mixed_bfloat16"], "Arithmetic of the networks.")
_SEED = flags.DEFINE_integer(
    "seed", 0, "Fixes the initial weights, the order of the data and every draw.", lower_bound=0
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets; its own default if it is not given.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie, for sets of TFDS.")
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps", None, "Steps between checkpoints; an epoch or a fiftieth of the run by default.", lower_bound=1
)


def main(_: list[str]) -> None:
    settings = defaults.Settings(
        recipe=_RECIPE.value,
        dataset=_DATASET.value,
        hyperparameters=defaults.parse_hyperparameters(_HYPERPARAMETERS.value),
        labels=_LABELS.value,
        target=_TARGET.value,
        epochs=_EPOCHS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        ema=_EMA.value,
        network=_NETWORK.value,
        hidden=defaults.parse_hidden(_HIDDEN.value) if _HIDDEN.value else None,
        conditioning=_CONDITIONING.value,
        code_size=_CODE_SIZE.value,
        image_size=_IMAGE_SIZE.value,
        observation=_OBSERVATION.value,
        likelihood=_LIKELIHOOD.value,
        families=defaults.parse_families(_FAMILIES.value) if _FAMILIES.value else (),
        schedule=_SCHEDULE.value,
        xla=_XLA.value,
        precision=_PRECISION.value,
        seed=_SEED.value,
    )
    workdir = _WORKDIR.value or os.path.join(
        "runs", f"{settings.recipe}_{settings.dataset}".replace(":", "_").replace(os.sep, "_")
    )
    finished = run.train(
        settings,
        workdir,
        data_dir=_DATA_DIR.value,
        manual_dir=_MANUAL_DIR.value,
        checkpoint_steps=_CHECKPOINT_STEPS.value,
        command=shlex.join(["python", "-m", "trainers.train", *sys.argv[1:]]),
    )
    for name, value in finished.figures.items():
        print(f"{name}: {value:.4g}")
    directory = finished.directory
    print(
        f"\nReport:     {directory.report}\nSamples:    {directory.path / 'samples.png'}\nSavedModel: "
        f"{directory.saved_model / '1'}"
    )


if __name__ == "__main__":
    scripts.start(main)
