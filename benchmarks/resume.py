"""Kills runs of the trainer with kill -9 at random moments, and compares how they end with runs that were left alone.

  python -m benchmarks.resume --kills=10

For each recipe `python -m trainers.train` runs once undisturbed, and once more with the same flags in another
directory, where it is killed again and again while it trains, within epochs and within writing, and started again.
Both must end with the same weights, optimizer slots, metrics.csv and figures.json, bit for bit; else this exits with 1.
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import flags

import ugm_tf
from trainers import scripts

_RECIPES = flags.DEFINE_list("recipes", ["vae", "gan", "iwgan", "aavae"], "Which recipes.")
_KILLS = flags.DEFINE_integer("kills", 10, "How often a run is killed.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Fixes at which steps, though not at which instructions.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_TRAIN = flags.DEFINE_multi_string(
    "train",
    ["--epochs=60", "--hidden=32", "--checkpoint_steps=7", "--xla=off"],
    "Flags of trainers.train; may be repeated.  On digits an epoch is 20 steps, so 7 falls within epochs.",
)


def start(directory: pathlib.Path, arguments: list[str]) -> subprocess.Popen:
    """A run as a process of its own, whose output goes to DIRECTORY.log."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "trainers.train", *arguments, f"--workdir={directory}"]
    with open(directory.with_suffix(".log"), "a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def finish(directory: pathlib.Path, arguments: list[str]) -> None:
    """A run to its end.

    Raises:
        RuntimeError: If it fails.
    """
    if start(directory, arguments).wait():
        raise RuntimeError(f"The run failed: see {directory.with_suffix('.log')}.")


def step_of(directory: pathlib.Path) -> int:
    """Step of the latest checkpoint of a run, 0 if there is none."""
    try:  # not by TensorFlow, which reads half a file that is replaced meanwhile
        state = (directory / "checkpoints" / "checkpoint").read_text()
    except FileNotFoundError:
        return 0
    return int(re.findall(r'^model_checkpoint_path: "ckpt-(\d+)"', state)[0])


def kill_after(directory: pathlib.Path, arguments: list[str], step: int, pause: float) -> int:
    """Starts or goes on with a run, and kills it `pause` seconds after a checkpoint of this step or a later one.

    Returns:
        The step from which it is to go on.

    Raises:
        RuntimeError: If it ends before.
    """
    process = start(directory, arguments)
    while process.poll() is None and step_of(directory) < step:
        time.sleep(0.002)
    time.sleep(pause)
    process.kill()
    if process.wait() >= 0:
        raise RuntimeError(f"The run ended before step {step}: see {directory.with_suffix('.log')}.")
    return step_of(directory)


def differences(left: pathlib.Path, right: pathlib.Path) -> list[str]:
    """What differs between two finished runs, by name."""
    files = ("metrics.csv", "figures.json")
    names = [name for name in files if (left / name).read_bytes() != (right / name).read_bytes()]
    models = [ugm_tf.load_model(directory / "model.keras") for directory in (left, right)]
    for part in ("weights", *models[0].optimizers):
        states = [model.variables if part == "weights" else model.optimizers[part].variables for model in models]
        for a, b in zip(*states, strict=True):
            if a.numpy().tobytes() != b.numpy().tobytes():
                names.append(f"{part}: {a.path}")
    return names


def main(_: list[str]) -> None:
    chance, failed = random.Random(_SEED.value), False
    root = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    for recipe in _RECIPES.value:
        arguments = [*_TRAIN.value, f"--recipe={recipe}"]
        whole, killed = root / recipe / "whole", root / recipe / "killed"
        finish(whole, arguments)
        steps = step_of(whole)
        moments = sorted(chance.sample(range(1, int(0.9 * steps)), _KILLS.value))
        went_on_from = [kill_after(killed, arguments, step, chance.uniform(0.0, 0.1)) for step in moments]
        finish(killed, arguments)
        found = differences(whole, killed)
        failed |= bool(found)
        print(f"{recipe}: {steps} steps; killed, it went on from {', '.join(map(str, went_on_from))}: ", end="")
        print(f"DIFFERS in {', '.join(found)}" if found else "identical", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    scripts.start(main)
