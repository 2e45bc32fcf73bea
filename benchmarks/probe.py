"""What the DivergenceProbe says of planted failures and of healthy runs, on the embedded digits; and its cost.

  python -m benchmarks.probe --out=probe.json
  python -m benchmarks.probe --cost --rounds=7

The first trains each run with the trainer's settings and prints the probe's last figures and warnings; the planted
failures are a generator that stands still, so that the discriminator wins; one that ignores its code; one of the
minimax game that learns a hundred times slower than its discriminator; a GAN trained on 100 images for long; and a VAE
of beta 50.  The second trains each work
of `benchmarks.throughput` in turns with and without the probe at its default period, and compares the time.
"""

import json
import os
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import app, flags

import ugm_tf
from benchmarks import ours, works
from trainers import building, defaults
from trainers.settings import Settings
from ugm_tf import files
from ugm_tf.callbacks import DivergenceProbe

_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.")
_SEEDS = flags.DEFINE_integer("seeds", 1, "How many seeds of training.", lower_bound=1)
_RUNS = flags.DEFINE_list("runs", [], "Which runs, all by default.")
_COST = flags.DEFINE_bool("cost", False, "Measure the probe's share of the time instead.")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Turns of each contender with --cost.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 20.0, "Length of a turn with --cost.")

# recipe, epochs, training images, changes; and the word that its warning begins with, None of a healthy run
RUNS: dict[str, tuple[str, int, int | None, dict[str, Any], str | None]] = {
    "gan": ("gan", 150, None, {}, None),
    "iwgan": ("iwgan", 150, None, {}, None),
    "vae": ("vae", 60, None, {}, None),
    "aavae": ("aavae", 60, None, {}, None),
    "bigan": ("bigan", 150, None, {}, None),
    "a generator that stands still": ("gan", 60, None, {"generate": 0.0}, "a winning discriminator"),
    "a generator that ignores its code": ("gan", 60, None, {"ignore": True}, "mode dropping"),
    "a saturating generator": (
        "gan",
        60,
        None,
        {"hyperparameters": {"contest": "minimax", "r1": 0.0}, "generate": 0.01},
        "saturation",
    ),
    "a GAN of 100 images": ("gan", 3000, 100, {}, "memorisation"),
    "a VAE of beta 50": ("vae", 30, None, {"hyperparameters": {"beta": 50.0}}, "a collapsed posterior"),
}


def run(name: str, seed: int) -> dict[str, Any]:
    """Trains one of `RUNS` and answers the probe's last figures and warnings."""
    recipe, epochs, count, changes, _ = RUNS[name]
    hyperparameters = changes.get("hyperparameters", {})
    examples, held_out = (ugm_tf.data.load("digits", split) for split in ("train", "test"))
    if count is not None:
        examples = ugm_tf.data.Examples(examples.x[:count], name="digits")
    asked = Settings(recipe, "digits", tuple(hyperparameters.items()), seed=seed, batch_size=64)
    settings = defaults.resolve(asked, examples.x.shape[1:], len(examples))
    keras.utils.set_random_seed(seed)
    made = settings.make_recipe()
    model = building.build(made, settings, examples)
    if changes.get("ignore"):
        first = model.decoder.network.trainable_weights[0]
        first.assign(np.zeros(first.shape))
        first.trainable = False
    optimizers = building.optimizers(made, settings.learning_rate, settings.ema)
    for phase, factor in changes.items():
        if phase in optimizers:
            optimizers[phase].learning_rate = float(optimizers[phase].learning_rate) * factor
    model.compile(optimizers)
    data: dict[str, Any] = {"observation": settings.observation, "seed": seed}
    batches = ugm_tf.data.batches(examples, 64, **data)
    once: dict[str, Any] = {"shuffle": False, "epochs": 1, "drop_remainder": False, **data}
    probe = DivergenceProbe(
        ugm_tf.data.batches(held_out, 64, **once), every=500, training=ugm_tf.data.batches(examples, 64, **once)
    )
    steps = ugm_tf.data.steps_per_epoch(examples, 64)
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, callbacks=[probe], verbose=0)
    return {"figures": probe.measure(1000), "warnings": probe.warnings}


def cost(name: str, rounds: int, seconds: float) -> dict[str, float]:
    """The time of a step with the probe over that without, by turns: median, least and most; and by the probe's own
    clock what its measurements took over the rest of a turn, median."""
    shares: list[float] = []
    work = works.WORKS[name]
    images = np.random.default_rng(0).integers(0, 256, (55_000, 28, 28, 1), np.uint8)
    examples, held_out = (ugm_tf.data.Examples(part, name="images") for part in (images[:50_000], images[50_000:]))
    observation = "grey" if work.recipe == "gan" else "binarised"

    def contender(probed: bool) -> Any:
        recipe = ugm_tf.recipes.get(work.recipe)
        model = ugm_tf.UnifiedModel(recipe, ours.densities(work, recipe))
        model.compile(keras.optimizers.Adam(work.learning_rate, work.beta_1))
        batches = ugm_tf.data.batches(examples, work.batch, observation=observation)
        once = ugm_tf.data.batches(
            held_out, 250, observation=observation, shuffle=False, epochs=1, drop_remainder=False
        )
        seen = ugm_tf.data.batches(examples, 250, observation=observation, shuffle=False, epochs=1)
        probe = DivergenceProbe(once, training=seen)  # as the trainer makes it
        callbacks = [probe] if probed else []
        steps = ugm_tf.data.steps_per_epoch(examples, work.batch)
        stop = _StopAfter()
        fit: dict[str, Any] = {"epochs": 10**6, "steps_per_epoch": steps, "callbacks": [*callbacks, stop], "verbose": 0}

        def turn(seconds: float) -> float:
            stop.seconds, start, before = seconds, time.perf_counter(), int(model.steps)
            model.fit(batches, **fit)
            took = time.perf_counter() - start
            if probed:
                shares.append(probe.spent / (took - probe.spent))
            return took / (int(model.steps) - before)

        return turn

    without, probed = contender(False), contender(True)
    for turn in (without, probed):
        turn(1.0)  # traces
    shares.clear()
    ratios = []
    for i in range(rounds):
        pair = {turn: turn(seconds) for turn in ((without, probed) if i % 2 else (probed, without))}
        ratios.append(pair[probed] / pair[without])
    return {
        "median": float(np.median(ratios)),
        "least": min(ratios),
        "most": max(ratios),
        "by its clock": float(np.median(shares)),
    }


class _StopAfter(keras.callbacks.Callback):
    seconds = 1.0

    def on_train_begin(self, logs: Any = None) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if time.perf_counter() - self._start > self.seconds:
            self.model.stop_training = True


def main(_: list[str]) -> None:
    results: dict[str, Any] = {}
    if _COST.value:
        for name in _RUNS.value or ("vae", "gan_mlp", "dcgan"):
            results[name] = cost(name, _ROUNDS.value, _SECONDS.value)
            print(f"{name}: {results[name]}", flush=True)
    else:
        for name in _RUNS.value or RUNS:
            expected = RUNS[name][-1]
            for seed in range(_SEEDS.value):
                found = run(name, seed)
                words = [warning for warning in found["warnings"]]
                good = not words if expected is None else any(word.startswith(expected) for word in words)
                results[f"{name}, seed {seed}"] = {**found, "expected": expected, "as expected": good}
                figures = ", ".join(f"{key.partition('/')[2]} {value:.3g}" for key, value in found["figures"].items())
                print(f"{name}, seed {seed}: {'as' if good else 'NOT as'} expected: {words}; {figures}", flush=True)
                keras.utils.clear_session(free_memory=True)
    if _OUT.value:
        files.write(_OUT.value, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    app.run(main)
