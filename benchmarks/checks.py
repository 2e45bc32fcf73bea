"""What a look at every batch costs: the same model trains with `check_values` on and off, in turns, in one process.

  python -m benchmarks.checks --turns=30 --steps=200 --out=runs/checks.json

Prints for each work of `benchmarks.works` the seconds of a turn with the look and without it, and the ratio of each
turn with to the mean of the two turns without beside it: its median, and quartiles. And the same ratio of the seconds
of all cores that the process had, which other work on the machine changes less.
"""

import json
import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import flags

import ugm_tf
from benchmarks import ours, works
from trainers import scripts

_WORKS = flags.DEFINE_list("works", ["vae", "gan_mlp"], f"Of {', '.join(works.WORKS)}.")
_TURNS = flags.DEFINE_integer("turns", 30, "Turns of each, after one to warm up.", lower_bound=2)
_STEPS = flags.DEFINE_integer("steps", 208, "Training steps in a turn.", lower_bound=1)
_OUT = flags.DEFINE_string("out", None, "A file for the figures, as JSON.")


def model(work: works.Work, check_values: bool) -> ugm_tf.UnifiedModel:
    """The work's model, compiled."""
    recipe = ugm_tf.recipes.get(work.recipe)
    out = ugm_tf.UnifiedModel(recipe, ours.densities(work, recipe))
    optimizer = keras.optimizers.Adam(work.learning_rate, work.beta_1)
    out.compile(optimizer, check_values=check_values, steps_per_execution=work.superstep)
    return out


def measure(work: works.Work) -> dict[str, float]:
    """Seconds of a turn with and without the look, and the ratios of turns that lie beside one another."""
    images = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28, 1), np.uint8)
    observation = "grey" if work.recipe == "gan" else "binarised"
    data = ugm_tf.data.batches(ugm_tf.data.Examples(images, name="images"), work.batch, observation=observation)
    data = data.map(lambda batch: batch)  # a pipeline of one's own, of which nothing is known
    models = {on: model(work, on) for on in (True, False)}
    seconds: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for turn in range(_TURNS.value + 1):
        for on in (False, True):
            start = time.perf_counter(), time.process_time()
            models[on].fit(data, steps_per_epoch=_STEPS.value, verbose=0)
            if turn:
                seconds[on].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    looked, not_looked = np.array(seconds[True]), np.array(seconds[False])
    low, middle, high = np.quantile(looked[:-1] / ((not_looked[:-1] + not_looked[1:]) / 2), (0.25, 0.5, 0.75), axis=0)
    return {
        "with": float(np.median(looked[:, 0])),
        "without": float(np.median(not_looked[:, 0])),
        "ratio of least": float(looked[:, 0].min() / not_looked[:, 0].min()),
        **_quartiles("ratio", low[0], middle[0], high[0]),
        **_quartiles("ratio of the cores' seconds", low[1], middle[1], high[1]),
    }


def _quartiles(name: str, low: float, middle: float, high: float) -> dict[str, float]:
    return {name: float(middle), f"{name}, lower quartile": float(low), f"{name}, upper quartile": float(high)}


def main(_: list[str]) -> None:
    figures = {}
    for name in _WORKS.value:
        figures[name] = measure(works.WORKS[name])
        print(f"{name}: {json.dumps(figures[name])}", flush=True)
    if _OUT.value:
        pathlib.Path(_OUT.value).write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    scripts.start(main)
