"""Does to exports what disks and people do: after each, the base path has no version that does not verify.

  nice python -m benchmarks.exports --run=runs/vae_digits --workdir=/tmp/exports

Exporters that are killed at random moments, a disk that is full or read-only (a tmpfs, which only root may mount), two
exporters at once, and damaged runs.  It has a line for each thing done and a verdict a case, and exits with 1 if one is
not as promised.
"""

import contextlib
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags

import ugm_tf
from benchmarks.processes import Broken, check, tmpfs
from ugm_tf.serving import configs

_RUN = flags.DEFINE_string("run", None, "A finished run, whose model is exported.", required=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the exports go; a temporary directory by default.")
_CASES = flags.DEFINE_list("cases", [], "Which ones; all by default.")
_KILLS = flags.DEFINE_integer("kills", 50, "How many exporters are killed.", lower_bound=1)

_MEGABYTE = 2**20


class Exporters:
    """Exporters, forked from a process that has imported everything: see `benchmarks.forks`."""

    def __init__(self) -> None:
        command, pipe = [sys.executable, "-m", "benchmarks.forks"], subprocess.PIPE
        self._server = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self._logs: dict[int, list[pathlib.Path]] = {}

    def start(self, base: pathlib.Path, run: pathlib.Path | None = None, name: str = "m") -> int:
        """The number of an exporter's process."""
        flags = [f"--run={run or _RUN.value}", f"--base={base}", f"--name={name}", "--max_batch=4"]
        logs = [pathlib.Path(tempfile.mkdtemp(), kind) for kind in ("out", "error")]
        number = self._ask([flags, *map(str, logs)])
        self._logs[number] = logs
        return number

    def ended(self, number: int) -> tuple[int, str, str]:
        """Exit status, output and error output, without the lines of TensorFlow's and Abseil's logs."""
        status = self._ask(number)
        out, error = (path.read_text().strip() for path in self._logs.pop(number))
        logs = ("I0", "W0", "E0", "WARNING: All log")
        return status, out, "\n".join(line for line in error.splitlines() if not line.startswith(logs))

    def _ask(self, asked: Any) -> int:
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline()) if self._server.stdout else -1


@functools.cache
def exporters() -> Exporters:
    return Exporters()


def sound(base: pathlib.Path, known: Collection[str] = ()) -> list[str]:
    """The versions there, each of which verifies but for those that are known to, and the drafts."""
    names = sorted(os.listdir(base / "m")) if (base / "m").is_dir() else []
    for name in names:
        if name.isdecimal() and name not in known:
            ugm_tf.serving.verify(base / "m" / name)
    return names


def drafts(names: list[str]) -> list[str]:
    return [name for name in names if not name.isdecimal()]


def exported(base: pathlib.Path, known: Collection[str] = ()) -> list[str]:
    """An export that is to succeed, after which there is no draft; the versions that are there."""
    status, out, error = exporters().ended(exporters().start(base))
    check(status == 0, f"exit status {status}: {error}")
    names = sound(base, known)
    hidden = [name for name in os.listdir(base) if name.startswith(".")]
    check(not drafts(names) and not hidden, f"drafts are left: {names}, {hidden}")
    check(out.startswith(str(base / "m" / max(names, key=int))), out)
    return names


def refused(process: int, words: str) -> str:
    """An export that is to end with status 2 and one line."""
    status, _, error = exporters().ended(process)
    check(status == 2, f"exit status {status}: {error[-500:]}")
    check(error.startswith("error: ") and len(error.splitlines()) == 1, f"says {error[-500:]!r}")
    check(words in error, f"says {error!r}")
    return error


def kills(root: pathlib.Path) -> Iterator[str]:
    """SIGKILL at random moments: every fifth at any, the others once there is a draft."""
    chance, base = random.Random(0), root / "base"
    names = exported(base)
    begun = time.time()
    names = exported(base, names)
    seconds, published, left = time.time() - begun, 0, 0
    for number in range(_KILLS.value):
        process, end = exporters().start(base), time.time() + 300
        while number % 5 and time.time() < end and set(os.listdir(base / "m")) <= set(names):
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, seconds))
        os.kill(process, signal.SIGKILL)
        status, found = exporters().ended(process)[0], sound(base, names)
        published += len([name for name in set(found) - set(names) if name.isdecimal()])
        left += bool(drafts(found))
        names = exported(base, found) if number % 5 == 4 else found
        there = ", ".join(drafts(found)) or f"version {max(found, key=int)} and no draft"
        yield f"kill {number + 1} of {_KILLS.value}, exit status {status}: there is {there}"
    exported(base, names)
    yield f"{_KILLS.value} exporters killed: {left} drafts were left and cleared, {published} versions were there first"


def full(root: pathlib.Path) -> Iterator[str]:
    """Disks of every size that is too small."""
    exported(root / "whole")
    size = sum(path.stat().st_size for path in (root / "whole").rglob("*") if path.is_file())
    for part in (0.1, 0.5, 0.9):
        with tmpfs(root / "disk", f"size={int(part * size)}"):
            line = refused(exporters().start(root / "disk" / "base"), "No space left on device")
            names = sound(root / "disk" / "base")
            check(not drafts(names), f"there are {names}")
            yield f"{part:.0%} of {size / _MEGABYTE:.1f} MB: {line}"
            subprocess.run(["mount", "-o", f"remount,size={4 * size}", str(root / "disk")], check=True)
            exported(root / "disk" / "base")


def read_only(root: pathlib.Path) -> Iterator[str]:
    """A disk that cannot be written."""
    with tmpfs(root / "disk", "ro"):
        yield refused(exporters().start(root / "disk" / "base"), "Read-only file system")


def two(root: pathlib.Path) -> Iterator[str]:
    """Two exporters of a model at once each get a version, and one of another model is not forgotten."""
    base = root / "base"
    found = [
        exporters().ended(process) for process in [exporters().start(base, name=name) for name in ("m", "m", "other")]
    ]
    check([status for status, *_ in found] == [0, 0, 0], str(found))
    names = sound(base)
    check(names == ["1", "2"], f"there are {names}")
    served = configs.served(base)
    known = served is not None and set(served) == {"m", "other"} and served["m"].labels["canary"] == 2
    check(known, f"served are {served}")
    yield " and ".join(out.split(":")[0] for _, out, _ in found) + f", labels {served}"


def damaged(root: pathlib.Path) -> Iterator[str]:
    """Runs with a model that is cut, empty, missing or flipped, and with figures that are none."""

    def cut(content: bytes) -> bytes:
        return content[: len(content) // 2]

    def flipped(content: bytes) -> bytes:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    changes: dict[str, tuple[str, Callable[[bytes], bytes | None]]] = {
        "a model cut": ("model.keras", cut),
        "a model emptied": ("model.keras", lambda _: b""),
        "a model flipped": ("model.keras", flipped),
        "no model": ("model.keras", lambda _: None),
        "figures cut": ("figures.json", cut),
    }
    for words, (name, change) in changes.items():
        run = root / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(_RUN.value, run, ignore=shutil.ignore_patterns("saved_model", "checkpoints"))
        content = change((run / name).read_bytes())
        (run / name).unlink()
        if content is not None:
            (run / name).write_bytes(content)
        line = refused(exporters().start(root / "base", run), "")
        names = sound(root / "base")
        check(names == [], f"there are {names}")
        yield f"{words}: {line}"


ALL = {"kills": kills, "full": full, "read_only": read_only, "two": two, "damaged": damaged}


def main(argv: list[str]) -> None:
    if len(argv) > 1 or not set(_CASES.value) <= set(ALL):
        raise app.UsageError(f"Flags only, with cases of {', '.join(ALL)}. Received: {argv[1:]}, {_CASES.value}.")
    root, broken = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp()), False
    for name in _CASES.value or ALL:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
        try:
            for line in ALL[name](root / name):
                print(f"{name}: {line}", flush=True)
            verdict = "as promised"
        except (Broken, ValueError, subprocess.TimeoutExpired) as error:
            verdict, broken = f"BROKEN: {error}", True
        except subprocess.CalledProcessError as error:  # of mount, which takes root
            verdict = f"not done: {error}"
        print(f"{name}: {verdict}", flush=True)
        with contextlib.suppress(OSError):
            shutil.rmtree(root / name)
    sys.exit(int(broken))


if __name__ == "__main__":
    app.run(main)
