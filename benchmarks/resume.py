"""Kills runs of the trainer with kill -9 at random moments, and compares how they end with runs that were left alone.

  python -m benchmarks.resume --kills=10

For each case `python -m trainers.train` runs once undisturbed, and once more with the same flags in another directory,
where it is killed again and again, within epochs, within writing and within the end, and started again.  Both must end
with the same weights, optimizer slots, metrics.csv and figures.json, bit for bit; else this exits with 1.

With a --workdir it is started again by the same command where it was stopped: kills that were done are not done again.
"""

import json
import os
import pathlib
import random
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import flags

from benchmarks.processes import differences, finish, start, step_of
from trainers import scripts
from ugm_tf import files

__all__ = ["CASES"]

_MLP = ("--epochs=60", "--hidden=32", "--checkpoint_steps=7", "--xla=off")  # on digits an epoch is 20 steps
_DCGAN = ("--recipe=gan", "--network=dcgan", "--image_size=16", "--epochs=6", "--checkpoint_steps=7")
# By name: what it has beside the weights that a checkpoint must have, and the flags.
CASES: dict[str, tuple[str, ...]] = {
    "vae": (*_MLP, "--recipe=vae"),
    "gan": (*_MLP, "--recipe=gan"),  # two optimizers
    "iwgan": (*_MLP, "--recipe=iwgan"),
    "aavae": (*_MLP, "--recipe=aavae"),
    "iwae": (*_MLP, "--recipe=iwae", "--hyperparameter=k=5"),
    "semi_supervised_vae": (*_MLP, "--recipe=semi_supervised_vae"),  # two streams of batches
    "ema": (*_MLP, "--recipe=gan", "--ema=0.99"),
    "warmup": (*_MLP, "--recipe=vae", "--hyperparameter=beta=warmup(600)"),
    "dropout": (*_MLP, "--recipe=gan", "--layers=dropout"),
    "xla": (*_MLP[:3], "--recipe=vae", "--xla=on"),
    "batch_norm": _DCGAN,
    "spectral": (*_DCGAN, "--layers=spectral"),
}

_RECIPES = flags.DEFINE_list("recipes", list(CASES), "Which cases, or other recipes.")
_KILLS = flags.DEFINE_integer("kills", 10, "How often a run is killed.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Fixes at which steps, though not at which instructions.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_TRAIN = flags.DEFINE_multi_string(
    "train", [], "Further flags of trainers.train, after those of the case; may be repeated."
)


def kill_after(directory: pathlib.Path, arguments: list[str], step: int, pause: float) -> str:
    """Starts or goes on with a run, and kills it `pause` seconds after a checkpoint of this step or a later one.

    Returns:
        The step from which it is to go on, with "w" where it was writing a checkpoint, and "e" within the end.

    Raises:
        RuntimeError: If it ends before.
    """
    process = start(directory, arguments)
    while process.poll() is None and step_of(directory) < step:
        time.sleep(0.002)
    time.sleep(pause)
    process.kill()
    if process.wait() >= 0 and not (directory / "report.html").exists():
        raise RuntimeError(f"The run ended before step {step}: see {directory.with_suffix('.log')}.")
    writing = any((directory / "checkpoints").glob(".step-*"))
    return f"{step_of(directory)}{'w' if writing else ''}{'e' if (directory / 'model.keras').exists() else ''}"


def _kill(directory: pathlib.Path, arguments: list[str], steps: int, chance: random.Random) -> list[str]:
    """Kills a run at random moments of training, in order, and the last time within the end."""
    within = sorted(chance.sample(range(1, int(0.95 * steps)), _KILLS.value - 1))
    moments = [(step, chance.uniform(0.0, 0.1)) for step in within] + [(steps, chance.uniform(0.0, 3.0))]
    note = directory.with_suffix(".json")
    done: list[str] = json.loads(note.read_text()) if note.exists() else []
    for step, pause in moments[len(done) :]:
        done.append(kill_after(directory, arguments, step, pause))
        files.write(note, json.dumps(done).encode())
    return done


def main(_: list[str]) -> None:
    failed = 0
    root = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    for name in _RECIPES.value:
        chance = random.Random(f"{_SEED.value} {name}")
        arguments = [*CASES.get(name, (*_MLP, f"--recipe={name}")), *_TRAIN.value]
        whole, killed = root / name / "whole", root / name / "killed"
        finish(whole, arguments)
        steps = step_of(whole)
        went_on_from = _kill(killed, arguments, steps, chance)
        finish(killed, arguments)
        found = differences(whole, killed)
        failed += bool(found)
        print(f"{name}: {steps} steps; killed, it went on from {', '.join(went_on_from)}: ", end="")
        print(f"DIFFERS in {', '.join(found)}" if found else "identical", flush=True)
    print(f"{_KILLS.value * len(_RECIPES.value)} kills of {len(_RECIPES.value)} runs: {failed} ended otherwise")
    sys.exit(int(failed > 0))


if __name__ == "__main__":
    scripts.start(main)
