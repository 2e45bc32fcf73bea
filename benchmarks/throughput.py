"""Images a second of `fit()` with the package's defaults, against hand-written programs, measured in turns.

Example:

  python -m benchmarks.throughput --works=vae,gan_mlp,dcgan --rounds=7 --seconds=4 --out=runs/throughput

Each contender is a process of its own, and all are pinned to the same cores.  They train in turns, and wait on a pipe
meanwhile; a figure is the median over rounds of the ratio to the bare loop in the same round.  All train the same
networks from the same initial weights: numbers of parameters must be equal, and mean losses over the first steps close.

PyTorch runs in an environment of its own: that of --torch_python, or one that is made in the user's cache directory.
"""

import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks.works import WORKS, Work

_WORKS = flags.DEFINE_list("works", ["vae", "gan_mlp", "dcgan", "aavae", "iwgan_mlp", "iwgan_dcgan"], "What to train.")
_CONTENDERS = flags.DEFINE_list("contenders", None, "Who trains; by default all that are written for the work.")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Turns of each contender, after one that is not counted.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 4.0, "Length of a turn.", lower_bound=0.1)
_CORES = flags.DEFINE_integer("cores", 2, "Cores that every contender may use.", lower_bound=1)
_DATA = flags.DEFINE_enum("data", "mnist", ["mnist", "random"], "MNIST as TFDS prepared it, or noise (as quick).")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps its data sets; by default TFDS's own directory.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where MNIST's files lie if they were downloaded by hand.")
_TORCH_PYTHON = flags.DEFINE_string("torch_python", None, "A Python that has PyTorch; by default one is made.")
_OUT = flags.DEFINE_string("out", None, "Directory for throughput.json and throughput.md.")

ROOT = pathlib.Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
MODULES = {
    "bare": "benchmarks.bare",
    "keras": "benchmarks.keras_fit",
    "torch_eager": "benchmarks.torch_loop",
    "torch_compile": "benchmarks.torch_loop",
    "ours": "benchmarks.ours",
}
LOSS_TOLERANCE = 0.25  # relative, of means over the first steps: the contenders draw other numbers


def torch_python() -> str:
    """A Python interpreter with PyTorch, which is installed on the first call."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    environment = cache / "ugm_tf" / TORCH.replace("==", "-")
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        print(f"Installing {TORCH} in {environment}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        cpu = "https://download.pytorch.org/whl/cpu"
        subprocess.run([python, "-m", "pip", "install", "-q", TORCH, "numpy", "--extra-index-url", cpu], check=True)
        (environment / "complete").touch()
    return str(python)


def images(kind: str, data_dir: str | None, manual_dir: str | None) -> np.ndarray:
    """The data, uint8 [N, 28, 28, 1]."""
    if kind == "random":
        return np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), dtype=np.uint8)
    import ugm_tf

    return ugm_tf.data.load("mnist", "train", data_dir=data_dir, manual_dir=manual_dir).x


class Contender:
    """A process that trains when it is told to."""

    def __init__(self, name: str, work: Work, python: str, data: str, cores: list[int]):
        self.name = name
        self._log = tempfile.TemporaryFile("w+")
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": str(len(cores))}
        arguments = [f"--contender={name}", f"--work={work.name}", f"--images={data}", f"--threads={len(cores)}"]
        self._process = subprocess.Popen(
            [python, "-m", MODULES[name], *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **quiet},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.facts = self._read()

    def turn(self, seconds: float) -> dict[str, float]:
        """Trains for at least so long; returns images, seconds and seconds of processor time."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._log.seek(0)
        raise RuntimeError(f"Contender '{self.name}' ended by itself. Its last words:\n{self._log.read()[-4000:]}")


def measure(
    work: Work, pythons: dict[str, str], data: str, cores: list[int], rounds: int, seconds: float
) -> dict[str, Any]:
    """Lets contenders train in turns.

    Args:
        work: What they train.
        pythons: The interpreter of each contender.
        data: The file of images.
        cores: Those that each may use.
        rounds: Turns of each that count.
        seconds: Length of a turn.

    Returns:
        By contender: its facts (parameters, losses, versions) and the list of its turns.
    """
    contenders: list[Contender] = []
    try:
        for name, python in pythons.items():
            print(f"  {work.name}: starting {name}", flush=True)
            contenders.append(Contender(name, work, python, data, cores))
        out = {c.name: {**c.facts, "turns": []} for c in contenders}
        for i in range(rounds + 1):
            for contender in contenders if i % 2 else contenders[::-1]:
                turn = contender.turn(seconds)
                if i:
                    out[contender.name]["turns"].append(turn)
        return out
    finally:
        for contender in contenders:
            contender.close()


def disagreements(results: dict[str, Any]) -> list[str]:
    """What shows that two contenders did not train the same."""
    first = next(iter(results))
    out = []
    for name, result in results.items():
        if result["parameters"] != results[first]["parameters"]:
            out.append(f"{name} has parameters {result['parameters']}, {first} has {results[first]['parameters']}")
        for loss, value in results[first]["losses"].items():
            if not abs(result["losses"][loss] - value) <= LOSS_TOLERANCE * abs(value):
                out.append(f"{name}'s loss '{loss}' is {result['losses'][loss]:.4g}, that of {first} {value:.4g}")
    return out


def summary(results: dict[str, Any]) -> list[list[str]]:
    """Rows of a table: contender, images/s, ratio to the first contender (median, least, greatest), cores, losses."""
    rates = {name: [t["images"] / t["seconds"] for t in result["turns"]] for name, result in results.items()}
    first = rates[next(iter(rates))]
    rows = []
    for name, result in results.items():
        ratios = [rate / base for rate, base in zip(rates[name], first, strict=True)]
        busy = statistics.median(t["cpu_seconds"] / t["seconds"] for t in result["turns"])
        losses = ", ".join(f"{loss} {value:.4g}" for loss, value in sorted(result["losses"].items()))
        spread = [f"{value:.2f}" for value in (statistics.median(ratios), min(ratios), max(ratios))]
        rows.append([name, f"{statistics.median(rates[name]):,.0f}", *spread, f"{busy:.2f}", losses])
    return rows


def table(rows: list[list[str]], first: str) -> str:
    """The rows in Markdown."""
    head = ["contender", "images/s", f"ratio to {first}", "least", "greatest", "cores busy", "first steps' mean losses"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine(cores: list[int]) -> dict[str, Any]:
    """What the figures were measured on."""
    info = pathlib.Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "cores_used": len(cores),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Flags only. Received: {argv[1:]}.")
    if unknown := [name for name in _WORKS.value if name not in WORKS]:
        raise app.UsageError(f"--works are of {', '.join(WORKS)}. Received: {', '.join(unknown)}.")
    if unknown := [name for name in _CONTENDERS.value or [] if name not in MODULES]:
        raise app.UsageError(f"--contenders are of {', '.join(MODULES)}. Received: {', '.join(unknown)}.")
    cores = sorted(os.sched_getaffinity(0))[: _CORES.value]
    if len(cores) < _CORES.value:
        raise app.UsageError(f"--cores={_CORES.value}, and this process may use {len(cores)}.")
    wanted = set(_CONTENDERS.value or MODULES)
    chosen = {name: [c for c in WORKS[name].contenders if c in wanted] for name in _WORKS.value}
    report: dict[str, Any] = {"command": shlex.join(["python", "-m", "benchmarks.throughput", *sys.argv[1:]])}
    report |= {"machine": machine(cores), "works": {}}
    pythons = dict.fromkeys(MODULES, sys.executable)
    if torches := {name for names in chosen.values() for name in names if name.startswith("torch")}:
        pythons |= dict.fromkeys(torches, _TORCH_PYTHON.value or torch_python())
    text = [f"`{report['command']}`", ", ".join(f"{key} {value}" for key, value in report["machine"].items())]
    print("\n".join(text), flush=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "images.npy")
        np.save(data, images(_DATA.value, _DATA_DIR.value, _MANUAL_DIR.value))
        for name, names in chosen.items():
            own = {contender: pythons[contender] for contender in names}
            results = measure(WORKS[name], own, data, cores, _ROUNDS.value, _SECONDS.value)
            report["works"][name] = results
            wrong += [f"{name}: {difference}" for difference in disagreements(results)]
            parameters = ", ".join(f"{key} {number:,}" for key, number in results[names[0]]["parameters"].items())
            versions = {key: version for result in results.values() for key, version in result["versions"].items()}
            text.append(f"\n**{name}**, batch {WORKS[name].batch}; parameters: {parameters}; {versions}\n")
            text.append(table(summary(results), names[0]))
            print("\n".join(text[-2:]), flush=True)
    if _OUT.value:
        out = pathlib.Path(_OUT.value)
        out.mkdir(parents=True, exist_ok=True)
        (out / "throughput.json").write_text(json.dumps(report, indent=1) + "\n")
        (out / "throughput.md").write_text("\n".join(text) + "\n")
    if wrong:
        raise SystemExit("Not the same training:\n" + "\n".join(wrong))


if __name__ == "__main__":
    app.run(main)
