"""The importance-weighted bound of k draws against pythae's `get_nll`, side by side on the same weights and images.

  python -m benchmarks.likelihood --images=100 --rounds=3 --manual_dir=DIR --out=runs/likelihood.json
  python -m benchmarks.likelihood --smoke

Each turn is a process of its own that is timed within, in turns: ours, and pythae at each of its batch sizes (its own
default of 100, and k, which is its best).  The networks are pythae's default ones, 784-512-16, of random weights, which
cost what trained ones cost.  Prints seconds an image, the ratio to ours, the memory above that of the model alone, and
the means of both bounds, which agree.  pythae and torch are installed by whoever runs this.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from absl import app, flags

_IMAGES = flags.DEFINE_integer("images", 100, "How many images.", lower_bound=1)
_DRAWS = flags.DEFINE_integer("draws", 5000, "k.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns of each.", lower_bound=1)
_BATCHES = flags.DEFINE_list("batches", ["100", "5000"], "pythae's batch sizes.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where MNIST's files lie; random images without it.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_SMOKE = flags.DEFINE_bool("smoke", False, "2 images, 200 draws, one turn, to see that it runs.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.")
_SIDE = flags.DEFINE_string("side", None, "What a turn's process does; given by this script itself.")
_FILE = flags.DEFINE_string("file", None, "What a turn is over; given by this script itself.")

PIXELS, HIDDEN, CODE = 784, 512, 16
LAYERS = {"encoder": (PIXELS, HIDDEN), "mean": (HIDDEN, CODE), "log_var": (HIDDEN, CODE)}
LAYERS |= {"hidden": (CODE, HIDDEN), "out": (HIDDEN, PIXELS)}


def peak() -> float:
    """The most memory that this process has held, in GiB."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**20


def ours(arrays: dict[str, np.ndarray], draws: int) -> dict[str, float]:
    """Seconds, memory and the mean bound of `ugm_tf.evaluation.likelihood.bounds`, without tracing and compiling."""
    import keras
    import tensorflow as tf

    import ugm_tf
    from ugm_tf.densities.continuous import _MIN_SCALE

    x = keras.Input((28, 28, 1))
    hidden = keras.layers.Dense(HIDDEN, activation="relu", name="encoder")(keras.layers.Flatten()(x))
    mean, log_var = (keras.layers.Dense(CODE, name=name)(hidden) for name in ("mean", "log_var"))
    # This package's Gaussian takes softplus of what it is given.
    scale = keras.layers.Lambda(lambda v: tf.math.log(tf.math.expm1(tf.exp(0.5 * v) - _MIN_SCALE)))(log_var)
    encoder = keras.Model(x, keras.layers.Concatenate()([mean, scale]))
    layers = [keras.layers.Dense(HIDDEN, activation="relu", name="hidden"), keras.layers.Dense(PIXELS, name="out")]
    decoder = keras.Sequential([keras.Input((CODE,)), *layers, keras.layers.Reshape((28, 28, 1))])
    for name in LAYERS:
        network = encoder if name in ("encoder", "mean", "log_var") else decoder
        network.get_layer(name).set_weights([arrays[f"{name}_kernel"], arrays[f"{name}_bias"]])
    model = ugm_tf.UnifiedModel(
        ugm_tf.recipes.vae(),
        {
            "prior": ugm_tf.Prior((CODE,)),
            "encoder": ugm_tf.Density(encoder, "gaussian"),
            "decoder": ugm_tf.Density(decoder, "bernoulli"),
        },
    )
    images = arrays["images"]
    before = peak()
    ugm_tf.evaluation.likelihood.bounds(model, images, ks=(draws,), seed=1)
    start = time.perf_counter()
    found = ugm_tf.evaluation.likelihood.bounds(model, images, ks=(draws,))[draws]
    return {"seconds": time.perf_counter() - start, "memory": peak() - before, "bound": found.value}


def pythae(arrays: dict[str, np.ndarray], draws: int, batch: int) -> dict[str, float]:
    """The same of pythae's `get_nll`, which returns the bound with the sign of a log-likelihood."""
    import torch
    from pythae.models import VAE, VAEConfig

    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=CODE, reconstruction_loss="bce")).eval()
    both = (model.encoder, model.decoder)
    linear = [module for part in both for module in part.modules() if isinstance(module, torch.nn.Linear)]
    if [(each.in_features, each.out_features) for each in linear] != list(LAYERS.values()):
        raise ValueError(f"pythae's default networks are others than {LAYERS}. Received: {linear}.")
    for layer, name in zip(linear, LAYERS, strict=True):
        layer.weight.data.copy_(torch.from_numpy(arrays[f"{name}_kernel"].T))
        layer.bias.data.copy_(torch.from_numpy(arrays[f"{name}_bias"]))
    images = torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2)
    before = peak()
    with torch.no_grad():
        model.get_nll(images[:1], n_samples=draws, batch_size=batch)
        start = time.perf_counter()
        found = model.get_nll(images, n_samples=draws, batch_size=batch)
    return {"seconds": time.perf_counter() - start, "memory": peak() - before, "bound": float(found)}


def prepare(images: int, data_dir: str | None, manual_dir: str | None) -> dict[str, Any]:
    """Images as bits, of MNIST where it is given, and weights by name."""
    rng = np.random.default_rng(0)
    arrays = {"images": rng.integers(0, 2, [images, 28, 28, 1]).astype(np.float32)}
    for name, (inputs, outputs) in LAYERS.items():
        arrays[f"{name}_kernel"] = (rng.normal(size=[inputs, outputs]) / np.sqrt(inputs)).astype(np.float32)
        arrays[f"{name}_bias"] = np.zeros(outputs, np.float32)
    if data_dir is not None or manual_dir is not None:
        import ugm_tf

        examples = ugm_tf.data.load("mnist", "test", data_dir=data_dir, manual_dir=manual_dir)
        arrays["images"] = (examples.x[:images] > 127).astype(np.float32)
    return arrays


def turn(side: str, file: pathlib.Path, draws: int) -> dict[str, float]:
    """One turn in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.likelihood", f"--side={side}", f"--file={file}", f"--draws={draws}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(_: list[str]) -> None:
    if _SIDE.value:
        with np.load(_FILE.value or "") as loaded:
            arrays = dict(loaded)
        if _SIDE.value == "ours":
            measured = ours(arrays, _DRAWS.value)
        else:
            measured = pythae(arrays, _DRAWS.value, int(_SIDE.value.partition(":")[2]))
        print(json.dumps(measured))
        return
    images, draws, rounds = (2, 200, 1) if _SMOKE.value else (_IMAGES.value, _DRAWS.value, _ROUNDS.value)
    batches = ["100", "200"] if _SMOKE.value else _BATCHES.value
    sides = ["ours", *(f"pythae:{batch}" for batch in batches)]
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "arrays.npz"
        np.savez(file, **prepare(images, _DATA_DIR.value, _MANUAL_DIR.value))
        for i in range(rounds):
            for side in sides if i % 2 else sides[::-1]:
                found[side].append(turn(side, file, draws))
    results: dict[str, Any] = {"images": images, "draws": draws, "rounds": rounds, "sides": {}}
    best = float(np.median([each["seconds"] for each in found["ours"]]))
    for side, each in found.items():
        seconds = [one["seconds"] for one in each]
        figures = {
            "seconds_an_image": float(np.median(seconds)) / images,
            "least": min(seconds) / images,
            "most": max(seconds) / images,
            "to_ours": float(np.median(seconds)) / best,
            "memory": max(one["memory"] for one in each),
            "bound": float(np.mean([one["bound"] for one in each])),
        }
        results["sides"][side] = figures
        print(f"{side}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)
    if _OUT.value:
        pathlib.Path(_OUT.value).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
