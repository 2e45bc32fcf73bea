"""Images a second of `fit()` with the package's defaults, against hand-written programs, measured in turns.

Example:

  python -m benchmarks.throughput --works=vae,gan_mlp,dcgan --rounds=7 --seconds=4 --out=runs/throughput

Each contender is a process of its own, and all are pinned to the same cores.  They train in turns, and wait on a pipe
meanwhile; a figure is the median over rounds of the ratio to the first one in the same round.  All train the same
networks from the same initial weights: numbers of parameters must be equal, and mean losses over the first steps close.

PyTorch and JAX run in environments of their own: those of --torch_python and --jax_python, or such as are made in the
user's cache directory.
"""

import argparse
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.works import WORKS, Work

ROOT = pathlib.Path(__file__).resolve().parent.parent
TORCH, JAX = "torch==2.13.0", "jax==0.10.2"
MODULES = {
    "bare": "benchmarks.bare",
    "usual": "benchmarks.bare",
    "keras": "benchmarks.keras_fit",
    "torch_eager": "benchmarks.torch_loop",
    "torch_compile": "benchmarks.torch_loop",
    "jax": "benchmarks.jax_scan",
    "ours": "benchmarks.ours",
    "simultaneous": "benchmarks.ours",
    "eigen": "benchmarks.ours",
}
WITHOUT_ONEDNN = ("eigen",)  # as TensorFlow's own default is on processors without AVX-512 VNNI
OTHERWISE = ("simultaneous",)  # who trains another way, so that losses are others
LOSS_TOLERANCE = 0.25  # relative, of means over the first steps: the contenders draw other numbers


def python_with(requirement: str, *options: str) -> str:
    """A Python interpreter with a package, which is installed on the first call."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    environment = cache / "ugm_tf" / requirement.replace("==", "-")
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        print(f"Installing {requirement} in {environment}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--retries=1", requirement, "numpy", *options], check=True
        )
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
        variables = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": str(len(cores))}
        variables["TF_ENABLE_ONEDNN_OPTS"] = "0" if name in WITHOUT_ONEDNN else "1"
        arguments = [f"--contender={name}", f"--work={work.name}", f"--images={data}", f"--threads={len(cores)}"]
        self._process = subprocess.Popen(
            [python, "-m", MODULES[name], *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **variables},
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
        last_words = self._log.read()[-4000:]
        self.close()
        raise RuntimeError(f"Contender '{self.name}' ended by itself. Its last words:\n{last_words}")


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
        for loss, value in results[first]["losses"].items() if name not in OTHERWISE else ():
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


def names(known: Iterable[str]) -> Callable[[str], list[str]]:
    """The type of a command-line argument: names among the known ones, between commas."""

    def parse(text: str) -> list[str]:
        out = text.split(",")
        if unknown := [name for name in out if name not in known]:
            raise argparse.ArgumentTypeError(f"they are of {', '.join(known)}. Received: {', '.join(unknown)}")
        return out

    return parse


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--works", type=names(WORKS), default=list(WORKS), help=f"what to train: {', '.join(WORKS)}")
    add("--contenders", type=names(MODULES), default=list(MODULES), help=f"who trains: {', '.join(MODULES)}")
    add("--rounds", type=int, default=7, help="turns of each contender, after one that is not counted")
    add("--seconds", type=float, default=4.0, help="length of a turn")
    add("--cores", type=int, default=2, help="cores that every contender may use")
    add("--data", choices=["mnist", "random"], default="mnist", help="MNIST as TFDS prepares it, or noise (as quick)")
    add("--data_dir", help="where TFDS keeps its data sets; by default TFDS's own directory")
    add("--manual_dir", help="where MNIST's files lie if they were downloaded by hand")
    add("--torch_python", help="a Python that has PyTorch; by default one is made")
    add("--jax_python", help="a Python that has JAX; by default one is made")
    add("--out", type=pathlib.Path, help="directory for throughput.json and throughput.md")
    out = parser.parse_args()
    if out.rounds < 1 or not out.seconds > 0.0:
        parser.error(
            f"--rounds and --seconds must be positive. Received: --rounds={out.rounds} --seconds={out.seconds}."
        )
    if not 1 <= out.cores <= len(os.sched_getaffinity(0)):
        parser.error(f"--cores={out.cores}, and this process may use {len(os.sched_getaffinity(0))}.")
    if idle := [name for name in out.works if not set(WORKS[name].contenders) & set(out.contenders)]:
        parser.error(f"none of --contenders={','.join(out.contenders)} is written for {', '.join(idle)}.")
    return out


def main() -> None:
    given = arguments()
    cores = sorted(os.sched_getaffinity(0))[: given.cores]
    chosen = {name: [c for c in WORKS[name].contenders if c in given.contenders] for name in given.works}
    report: dict[str, Any] = {"command": shlex.join(["python", "-m", "benchmarks.throughput", *sys.argv[1:]])}
    report |= {"machine": machine(cores), "works": {}}
    pythons = dict.fromkeys(MODULES, sys.executable)
    wanted = {c for contenders in chosen.values() for c in contenders}
    if torches := {c for c in wanted if c.startswith("torch")}:
        cpu = "--extra-index-url=https://download.pytorch.org/whl/cpu"
        pythons |= dict.fromkeys(torches, given.torch_python or python_with(TORCH, cpu))
    if "jax" in wanted:
        pythons["jax"] = given.jax_python or python_with(JAX)
    text = [f"`{report['command']}`", ", ".join(f"{key} {value}" for key, value in report["machine"].items())]
    print("\n".join(text), flush=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "images.npy")
        np.save(data, images(given.data, given.data_dir, given.manual_dir))
        for name, contenders in chosen.items():
            own = {contender: pythons[contender] for contender in contenders}
            results = measure(WORKS[name], own, data, cores, given.rounds, given.seconds)
            report["works"][name] = results
            wrong += [f"{name}: {difference}" for difference in disagreements(results)]
            parameters = ", ".join(f"{key} {number:,}" for key, number in results[contenders[0]]["parameters"].items())
            versions = {key: version for result in results.values() for key, version in result["versions"].items()}
            shown = ", ".join(f"{key} {version}" for key, version in versions.items())
            text.append(f"\n**{name}**, batch {WORKS[name].batch}; parameters: {parameters}; {shown}\n")
            text.append(table(summary(results), contenders[0]))
            print("\n".join(text[-2:]), flush=True)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "throughput.json").write_text(json.dumps(report, indent=1) + "\n")
        (given.out / "throughput.md").write_text("\n".join(text) + "\n")
    if wrong:
        raise SystemExit("Not the same training:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
