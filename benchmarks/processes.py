"""Runs of the trainer as processes of their own, what differs between two that have ended, and disks to fill."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping

import ugm_tf

__all__ = ["Broken", "check", "differences", "finish", "start", "step_of", "tmpfs", "together"]


class Broken(Exception):
    """Something was not as promised."""


def check(holds: bool, words: str) -> None:
    if not holds:
        raise Broken(words)


def start(
    directory: pathlib.Path, arguments: list[str], environment: Mapping[str, str] | None = None, suffix: str = ".log"
) -> subprocess.Popen:
    """A run as a process of its own, whose output goes to DIRECTORY.log."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.other_networks", *arguments, f"--workdir={directory}"]
    with open(directory.with_suffix(suffix), "a") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )


def together(directory: pathlib.Path, arguments: list[str], number: int = 2) -> list[subprocess.Popen]:
    """A run of several processes on this machine; the output of process 1 goes to DIRECTORY.1.log, and so on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    started = []
    for i in range(number):
        task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}})
        started.append(start(directory, arguments, {"TF_CONFIG": task}, f".{i}.log" if i else ".log"))
    return started


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


@contextlib.contextmanager
def tmpfs(path: pathlib.Path, options: str) -> Iterator[None]:
    """A small disk, which only root may mount."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)
