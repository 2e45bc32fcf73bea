"""What a warm-up of the rate and free bits do for a VAE, on the embedded digits.

  python -m benchmarks.warmup --seeds=3 --out=warmup.json

trains `vae` with the trainer's defaults for each contender and seed, and measures it on the validation split: the
bound on log p(x) of 100 draws, the rate, and the active units of the code, those whose mean varies over the data by
more than 0.01 (Burda et al. 2016, section 5.2).  The networks are deeper than the default ones, and the code is larger
than the data need, so that units collapse.  Runs that are in --workdir already are not run again.
"""

import json
import os
import pathlib
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import flags

import ugm_tf
from trainers import finished, run, scripts
from trainers.settings import Settings
from ugm_tf import files

_SEEDS = flags.DEFINE_integer("seeds", 3, "How many seeds.", lower_bound=1)
_HIDDEN = flags.DEFINE_list("hidden", ["256", "256", "256", "256"], "Sizes of the hidden layers.")
_CODE = flags.DEFINE_integer("code_size", 20, "Size of the code.", lower_bound=1)
_EPOCHS = flags.DEFINE_integer("epochs", 150, "Passes over the data, of 20 steps.", lower_bound=2)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.")
_DRAWS, _ACTIVE = 100, 0.01


def contenders(steps: int) -> dict[str, dict[str, Any]]:
    """Hyperparameters of `vae` by contender, for runs of so many steps."""
    return {
        "constant beta": {},
        "warm-up over half the run": {"beta": f"warmup({steps // 2})"},
        "4 cycles over half the run": {"beta": f"cyclical({steps // 2}, cycles=4)"},
        "free bits, 0.1 nats a unit": {"free_bits": 0.1},
    }


def measure(directory: pathlib.Path) -> dict[str, float]:
    """The figures of a finished run on its validation split."""
    done = finished.load(directory)
    held_out = done.split("validation")
    x = held_out.first(len(held_out.examples))["x"]
    return {
        "bound on log p(x)": float(np.mean(done.model.log_prob_bound(x, k=_DRAWS))),
        "rate": float(np.mean(done.model.evaluate(held_out.once(), verbose=0, return_dict=True)["wake/rate"])),
        "active units": float(np.sum(np.var(done.model.encode(x), axis=0) > _ACTIVE)),
    }


def main(_: list[str]) -> None:
    root = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    size: dict[str, Any] = {"hidden": tuple(map(int, _HIDDEN.value)), "code_size": _CODE.value, "epochs": _EPOCHS.value}
    examples = ugm_tf.data.load("digits", "train")
    steps = _EPOCHS.value * ugm_tf.data.steps_per_epoch(examples, 64)
    results: dict[str, Any] = {}
    for name, hyperparameters in contenders(steps).items():
        each = []
        for seed in range(_SEEDS.value):
            settings = Settings("vae", "digits", tuple(hyperparameters.items()), batch_size=64, seed=seed, **size)
            directory = root / f"{name.replace(' ', '_').replace(',', '')}_{seed}"
            if not (directory / "report.html").exists():
                run.train(settings, directory, show=False)
                keras.utils.clear_session(free_memory=True)
            each.append(measure(directory))
        results[name] = {
            figure: {"mean": float(np.mean(values)), "spread": float(np.std(values, ddof=1)) if len(each) > 1 else None}
            for figure, values in ((figure, [found[figure] for found in each]) for figure in each[0])
        }
        print(f"{name}: {results[name]}", flush=True)
        if _OUT.value:
            files.write(_OUT.value, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    scripts.start(main)
