"""How many modes adversarial recipes find on the ring of 8 and the 5x5 grid of Gaussians, by contest.

  python -m benchmarks.modes --seeds=5 --out=runs/modes.md

trains each contender from several seeds on 100,000 points, draws 2,500 points from each, and prints by contender the
modes found (those with at least one point within three standard deviations), the share of such points, and the reverse
KL divergence of the modes' shares: mean over seeds, with the standard deviation over them.

A contender is a recipe with its hyperparameters: gan, gan:contest=wasserstein, gan:pack=4,r1=0.1.
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
from trainers import parsing, scripts

_CONTENDERS = flags.DEFINE_multi_string(
    "contender",
    [
        "gan",
        "gan:pack=4",
        *(f"gan:contest={contest},r1=0.1" for contest in ugm_tf.contests.names() if contest != "wasserstein"),
        "gan:contest=wasserstein,gradient_penalty=1.0,discriminator_steps=5",
        "gan:pack=4,r1=0.1",
        *(
            f"{name}:r1=0.1"
            for name in ("iwgan", "bigan", "iwbigan", "alice", "veegan", "as_vae", "alpha_gan", "vae_gan")
        ),
        "as_vae:r1=0.1,cycle=0.001",
        "alpha_gan:r1=0.1,reconstruction=0.001",
        "infogan:r1=0.1,info=0.1",
        "iwinfogan:r1=0.1,info=0.1",
        "aae:r1=0.1",
        "iwaae:r1=0.1",
        "avb",
        "aavae",
        "ppo_gan",
    ],
    "A recipe, maybe with hyperparameters behind a colon; may be repeated.",
)
_SETS = flags.DEFINE_list("sets", ["ring", "grid"], "Toy densities.")
_SEEDS = flags.DEFINE_integer("seeds", 5, "How many seeds.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 20_000, "Training steps.", lower_bound=1)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 100, "Points in a batch.", lower_bound=1)
_CODE_SIZE = flags.DEFINE_integer("code_size", 2, "Size of z.", lower_bound=1)
_HIDDEN = flags.DEFINE_list("hidden", ["128", "128", "128"], "Hidden layers of every network.")
_LEARNING_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Adam's, with beta_1 = 0.5.", lower_bound=0.0)
_DECAY = flags.DEFINE_bool("decay", True, "Lower the learning rate to 0 by a cosine over the steps.")
_OUT = flags.DEFINE_string("out", None, "A file for the table in Markdown, written anew after each contender.")
_SAMPLES = 2_500
_CLASSES = (10,)  # of InfoGAN's code: the number of modes of neither set
_FAMILIES = {"code_encoder": "unit_gaussian"}  # a learned scale of q(u | x) would outweigh all else


def optimizer(recipe: ugm_tf.Recipe, phase: ugm_tf.Phase) -> keras.optimizers.Optimizer:
    """Adam, whose rate is 0 after the last update of the phase, of which a step may have several."""
    rate = _LEARNING_RATE.value
    if _DECAY.value:
        updates = _STEPS.value * phase.repeats * recipe.phases.count(phase)
        rate = keras.optimizers.schedules.CosineDecay(rate, updates)
    return keras.optimizers.Adam(rate, beta_1=0.5)


def train(contender: str, name: str, seed: int) -> ugm_tf.evaluation.Modes:
    """Trains one contender from one seed, and counts the modes of its samples."""
    recipe_name, _, options = contender.partition(":")
    hyperparameters = dict(parsing.parse_hyperparameters([options] if options else []))
    recipe = ugm_tf.recipes.get(recipe_name, **hyperparameters)
    keras.utils.set_random_seed(seed)
    code = (_CODE_SIZE.value,)
    shapes = {"x": (2,), "z": code, "e": code, "c": _CLASSES, "u": (1,)}
    densities = ugm_tf.networks.build(
        recipe,
        shapes,
        hidden=parsing.parse_hidden(_HIDDEN.value),
        families_by_name={name: family for name, family in _FAMILIES.items() if name in recipe.densities},
        likelihood=f"gaussian(scale={ugm_tf.data.scale(name)})",  # a decoder's noise is no wider than a mode
    )
    model = ugm_tf.UnifiedModel(recipe, densities, seed=seed)
    model.compile({phase.name: optimizer(recipe, phase) for phase in recipe.phases})
    data = ugm_tf.data.load(name, "train", seed=seed)
    batches = ugm_tf.data.batches(data, _BATCH_SIZE.value, observation="raw", seed=seed)
    per_epoch = min(1000, _STEPS.value)
    model.fit(batches, epochs=_STEPS.value // per_epoch, steps_per_epoch=per_epoch, verbose=0)
    samples = model.sample(_SAMPLES, seed=seed).numpy()
    return ugm_tf.evaluation.count_modes(samples, ugm_tf.data.centers(name), ugm_tf.data.scale(name))


def cell(values: list[float], digits: int) -> str:
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def main(_: list[str]) -> None:
    head = ["contender"]
    for name in _SETS.value:
        modes = len(ugm_tf.data.centers(name))
        head += [f"{name}: modes of {modes}", "by seed", "high quality", "reverse KL, nats"]
    rows = [head, ["---"] * len(head)]
    for contender in _CONTENDERS.value:
        row, start = [f"`{contender}`"], time.perf_counter()
        for name in _SETS.value:
            found = [train(contender, name, seed) for seed in range(_SEEDS.value)]
            row += [cell([m.found for m in found], 1), ", ".join(str(m.found) for m in found)]
            row += [cell([m.high_quality for m in found], 3), cell([m.reverse_kl for m in found], 2)]
        rows.append(row)
        text = "\n".join("| " + " | ".join(r) + " |" for r in rows)
        print(f"{json.dumps(row)} {time.perf_counter() - start:.0f} s", flush=True)
        if _OUT.value:
            pathlib.Path(_OUT.value).write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    scripts.start(main)
