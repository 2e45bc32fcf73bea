"""What bfloat16 gains: the same model trains in float32 and in mixed_bfloat16, in turns, in one process.

  python -m benchmarks.precision --turns=9 --out=runs/precision.json

Prints for each work the images a second of both, and the ratio of a turn in bfloat16 to the mean of the two turns in
float32 beside it: its median, and quartiles.
"""

import json
import os
import pathlib
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import flags

import ugm_tf
from benchmarks import throughput
from trainers import precision, scripts

# By name: recipe, networks, side and channels of the images, batch, options of the networks.
_ALL: dict[str, tuple[str, str, tuple[int, ...], int, dict[str, Any]]] = {
    "gan dcgan 28": ("gan", "dcgan", (28, 28, 1), 64, {}),
    "gan dcgan 32": ("gan", "dcgan", (32, 32, 3), 64, {}),
    "gan resnet 32": ("gan", "resnet", (32, 32, 3), 64, {"filters": 32}),
    "vae dcgan 32": ("vae", "dcgan", (32, 32, 3), 64, {"likelihood": "shared_scale_gaussian"}),
    "vae mlp 28": ("vae", "mlp", (28, 28, 1), 128, {"hidden": (500, 500)}),
    "gan mlp 28": ("gan", "mlp", (28, 28, 1), 128, {"hidden": (256, 512)}),
}
_WORKS = flags.DEFINE_list("works", list(_ALL), f"Of {', '.join(_ALL)}.")
_TURNS = flags.DEFINE_integer("turns", 9, "Turns of each, after one to warm up.", lower_bound=2)
_IMAGES = flags.DEFINE_integer("images", 2048, "Images in a turn; of dense networks 8 times as many.", lower_bound=128)
_OUT = flags.DEFINE_string("out", None, "A file for the figures, as JSON.")
_POLICIES = ("float32", "mixed_bfloat16")


def model(name: str, policy: str) -> ugm_tf.UnifiedModel:
    """The work's model in a precision, compiled."""
    recipe_name, network, shape, _, options = _ALL[name]
    recipe, before = ugm_tf.recipes.get(recipe_name), keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        densities = ugm_tf.networks.build(recipe, {"x": shape, "z": (100,)}, network=network, **options)
    finally:
        keras.config.set_dtype_policy(before)
    out = ugm_tf.UnifiedModel(recipe, densities)
    out.compile(keras.optimizers.Adam(2e-4, 0.5))
    return out


def measure(name: str) -> dict[str, float]:
    """Images a second in each precision, and the ratios of turns that lie beside one another."""
    recipe, network, shape, batch, _ = _ALL[name]
    number = _IMAGES.value * (8 if network == "mlp" else 1)
    x = np.random.default_rng(0).integers(0, 2, (number, *shape)).astype(np.float32)
    models = {policy: model(name, policy) for policy in _POLICIES}
    seconds: dict[str, list[float]] = {policy: [] for policy in _POLICIES}
    for turn in range(_TURNS.value + 1):
        for policy in _POLICIES:
            start = time.perf_counter()
            models[policy].fit(x, batch_size=batch, verbose=0)
            if turn:
                seconds[policy].append(time.perf_counter() - start)
    single, half = (number / np.array(seconds[policy]) for policy in _POLICIES)
    low, middle, high = np.quantile(half[:-1] / ((single[:-1] + single[1:]) / 2), (0.25, 0.5, 0.75))
    found = {"float32": float(np.median(single)), "mixed_bfloat16": float(np.median(half))}
    return found | {"ratio": float(middle), "lower quartile": float(low), "upper quartile": float(high)}


def main(_: list[str]) -> None:
    if unknown := [name for name in _WORKS.value if name not in _ALL]:
        raise ValueError(f"--works are of {', '.join(_ALL)}. Received: {', '.join(unknown)}.")
    report: dict[str, Any] = {"machine": throughput.machine(sorted(os.sched_getaffinity(0))), "works": {}}
    report["auto"] = precision.choose("dcgan")
    print(f"{report['machine']}; --precision=auto: {', '.join(report['auto'])}", flush=True)
    for name in _WORKS.value:
        report["works"][name] = found = measure(name)
        print(f"{name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in found.items()), flush=True)
    if _OUT.value:
        pathlib.Path(_OUT.value).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(_OUT.value).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    scripts.start(main)
