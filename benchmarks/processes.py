"""Runs of the trainer as processes of their own, and what differs between two that have ended."""

import pathlib
import subprocess
import sys

import ugm_tf

__all__ = ["differences", "finish", "start", "step_of"]


def start(directory: pathlib.Path, arguments: list[str]) -> subprocess.Popen:
    """A run as a process of its own, whose output goes to DIRECTORY.log."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.other_networks", *arguments, f"--workdir={directory}"]
    with open(directory.with_suffix(".log"), "a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def finish(directory: pathlib.Path, arguments: list[str]) -> None:
    """A run to its end; one that has ended stays as it is.

    Raises:
        RuntimeError: If it fails.
    """
    if not (directory / "report.html").exists() and start(directory, arguments).wait():
        raise RuntimeError(f"The run failed: see {directory.with_suffix('.log')}.")


def step_of(directory: pathlib.Path) -> int:
    """Step of the latest checkpoint of a run, 0 if there is none."""
    names = [path.stem for path in (directory / "checkpoints").glob("step-*.state")]
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def differences(left: pathlib.Path, right: pathlib.Path) -> list[str]:
    """What differs between two finished runs, by name."""
    written = ("metrics.csv", "figures.json")
    names = [name for name in written if (left / name).read_bytes() != (right / name).read_bytes()]
    models = [ugm_tf.load_model(directory / "model.keras") for directory in (left, right)]
    for part in ("weights", *models[0].optimizers):
        states = [model.variables if part == "weights" else model.optimizers[part].variables for model in models]
        for a, b in zip(*states, strict=True):
            if a.numpy().tobytes() != b.numpy().tobytes():
                names.append(f"{part}: {a.path}")
    return names
