"""Memory, time and gradient of an IWAE of many draws in chunks against the same without chunks.

  python -m benchmarks.memory --k=5000 --chunk=250 --rounds=3 --out=runs/memory.json
  python -m benchmarks.memory --smoke

Each turn is a process of its own, in turns: it trains a few steps by `fit()`, which are timed without the first call,
and writes down the gradient of the first step; its memory is the most that it ever held, imports and compilation
included.  The data are random bits of MNIST's size; networks, batch and code are those of the trainer's defaults.
Prints, with XLA and without, GiB and seconds a step of each, the ratio of the times, and the largest difference of a
variable's gradient relative to its norm.
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

from ugm_tf import files

_K = flags.DEFINE_integer("k", 5000, "Draws of an example.", lower_bound=2)
_CHUNK = flags.DEFINE_integer("chunk", 250, "Draws in memory at a time.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch_size", 20, "Examples in a batch.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 4, "Steps that are timed.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Turns of each.", lower_bound=1)
_XLA = flags.DEFINE_list("xla", ["on", "off"], "With XLA, without, or both.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.")
_SMOKE = flags.DEFINE_bool("smoke", False, "Few draws, one turn, without XLA, to see that it runs.")
_SIDE = flags.DEFINE_string("side", None, "What a turn's process does; given by this script itself.")
_FILE = flags.DEFINE_string("file", None, "Where a turn's figures go; given by this script itself.")


def peak() -> float:
    """The most memory that this process has held, in GiB; not what it had from the process that made it."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**20


def turn(k: int, chunk: int, batch: int, steps: int, jit: bool) -> tuple[dict[str, float], list[np.ndarray]]:
    """Seconds a step and the memory of this process, and the gradient of the first step by variable."""
    import keras
    import tensorflow as tf

    import ugm_tf

    keras.utils.set_random_seed(0)
    recipe = ugm_tf.recipes.iwae(k=k, chunk=chunk)
    densities = ugm_tf.networks.build(recipe, {"x": (28, 28, 1), "z": (50,)}, hidden=(200, 200))
    model = ugm_tf.UnifiedModel(recipe, densities)
    model.compile(keras.optimizers.SGD(1.0, momentum=0.9), jit_compile=jit, steps_per_execution=1)
    x = (np.random.default_rng(0).random((batch, 28, 28, 1)) < 0.15).astype("float32")
    options = tf.data.Options()
    options.autotune.enabled = False  # whose thread may hold up the end of `fit` for as long as that took
    x = tf.data.Dataset.from_tensors(x).with_options(options)
    before = [v.numpy() for v in model.trainable_variables]
    model.fit(x, verbose=0)
    gradient = [b - v.numpy() for b, v in zip(before, model.trainable_variables, strict=True)]
    for optimizer in model.optimizers.values():
        optimizer.learning_rate = 1e-4
    start = time.perf_counter()
    model.fit(x, epochs=steps, verbose=0)
    return {"seconds": (time.perf_counter() - start) / steps, "peak": peak()}, gradient


def _in_process(chunk: int, xla: str, folder: pathlib.Path) -> dict[str, Any]:
    """A turn in a process of its own."""
    file = folder / f"{chunk}_{xla}.npz"
    flags_ = {"k": _K.value, "batch_size": _BATCH.value, "steps": _STEPS.value, "chunk": chunk, "side": xla}
    command = [sys.executable, "-m", "benchmarks.memory", *(f"--{n}={v}" for n, v in flags_.items()), f"--file={file}"]
    subprocess.run(command, check=True)
    with np.load(file) as arrays:
        gradient = [arrays[f"g{i}"] for i in range(len(arrays) - 2)]
        return {"seconds": float(arrays["seconds"]), "peak": float(arrays["peak"]), "gradient": gradient}


def compare(xla: str, rounds: int, folder: pathlib.Path) -> dict[str, Any]:
    """Both sides in turns: medians of the times, the most memory, and the difference of the gradients."""
    turns: dict[str, list[dict[str, Any]]] = {"whole": [], "chunks": []}
    for _ in range(rounds):
        turns["whole"].append(_in_process(_K.value, xla, folder))
        turns["chunks"].append(_in_process(_CHUNK.value, xla, folder))
    pairs = zip(turns["whole"][0]["gradient"], turns["chunks"][0]["gradient"], strict=True)
    difference = max(float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in pairs)
    seconds = {side: float(np.median([t["seconds"] for t in each])) for side, each in turns.items()}
    memory = {side: max(t["peak"] for t in each) for side, each in turns.items()}
    return {
        "GiB": memory,
        "seconds a step": seconds,
        "ratio of the times": [
            c["seconds"] / w["seconds"] for w, c in zip(turns["whole"], turns["chunks"], strict=True)
        ],
        "difference of the gradients": difference,
    }


def main(_: list[str]) -> None:
    if _SIDE.value is not None:
        found, gradient = turn(_K.value, _CHUNK.value, _BATCH.value, _STEPS.value, _SIDE.value == "on")
        arrays: dict[str, Any] = {**found, **{f"g{i}": g for i, g in enumerate(gradient)}}
        np.savez(str(_FILE.value), **arrays)
        return
    if _SMOKE.value:
        _K.value, _CHUNK.value, _STEPS.value, _ROUNDS.value, _XLA.value = 20, 5, 1, 1, ["off"]
    results: dict[str, Any] = {"k": _K.value, "chunk": _CHUNK.value, "batch_size": _BATCH.value}
    with tempfile.TemporaryDirectory() as folder:
        for xla in _XLA.value:
            both: dict[str, Any] = compare(xla, _ROUNDS.value, pathlib.Path(folder))
            results[f"XLA {xla}"] = both
            memory, seconds = both["GiB"], both["seconds a step"]
            print(f"k={_K.value}, batch {_BATCH.value}, XLA {xla}:")
            for side, name in (("whole", "all draws at once"), ("chunks", f"chunks of {_CHUNK.value}")):
                print(f"  {name:20} {memory[side]:5.2f} GiB  {seconds[side]:6.2f} s a step")
            ratios = sorted(both["ratio of the times"])
            print(f"  time {np.median(ratios):.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f})", end="")
            print(f", gradients differ by {both['difference of the gradients']:.1e}", flush=True)
    if _OUT.value:
        files.write(_OUT.value, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    app.run(main)
