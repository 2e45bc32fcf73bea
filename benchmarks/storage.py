"""How fast batches come from each storage of a folder of images, and how much memory they take.

  python -m benchmarks.storage

makes 50,000 PNGs of 32x32 RGB in a temporary folder, and reads them in memory, mapped and from their files.  Each is a
process of its own, and they take turns.  Resident memory is what a process holds of its own (RssAnon) beyond what the
same process held with 1,000 such images; pages of a mapped file (RssFile) are counted beside it, since the system
takes them back when it needs room.  Exits with 1 if mapped batches come at less than 100,000 images a second or 0.4 of
those in memory, or if one that is not in memory takes 0.6 GiB.
"""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import PIL.Image
from absl import flags

from trainers import scripts
from ugm_tf import data

__all__ = ["Contender"]

_BATCH, _SIDE = 128, 32
_LEAST, _SHARE, _MOST = 100_000, 0.4, 0.6  # images a second; of those in memory; GiB

_IMAGES = flags.DEFINE_integer("images", 50_000, "How many images.", lower_bound=1_000)
_STORAGES = flags.DEFINE_list("storages", list(data.STORAGES), "Which storages.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "Turns of each.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 1.0, "How long a turn lasts.", lower_bound=0.1)
_FOLDER = flags.DEFINE_string("folder", None, "Where the images lie, or are made; a temporary folder by default.")
_READ = flags.DEFINE_string("read", None, "Be the process of this storage; for this script itself.")


def _make(folder: pathlib.Path, number: int) -> None:
    """PNGs of smooth colours with a little noise, a thousand a class."""
    draws, at = np.random.default_rng(0), np.linspace(0, 1, _SIDE)
    for i in range(number):
        part = folder / "train" / f"{i // 1_000:05d}"
        part.mkdir(parents=True, exist_ok=True)
        corner, slope = draws.integers(0, 128, 3), draws.integers(0, 100, [2, 3])
        image = (
            corner + at[:, None, None] * slope[0] + at[:, None] * slope[1] + draws.integers(0, 28, [_SIDE, _SIDE, 1])
        )
        PIL.Image.fromarray(image.astype(np.uint8)).save(part / f"{i:08d}.png", compress_level=1)
    (folder / "whole").touch()


def _resident() -> dict[str, float]:
    """GiB that this process holds by itself, and as pages of files."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[name].split()[0]) / 2**20 for name in ("RssAnon", "RssFile")}


def _read(storage: str, folder: pathlib.Path) -> None:
    """A contender: reads batches while its turn lasts, and waits on a pipe while the others do."""
    few = data.Examples(np.zeros([1_000, _SIDE, _SIDE, 3], np.uint8))
    list(data.batches(few, _BATCH, observation="grey").take(20))
    own, most = _resident(), 0.0

    def watch() -> None:
        nonlocal most
        while True:
            most = max(most, _resident()["RssAnon"])
            time.sleep(0.02)

    threading.Thread(target=watch, daemon=True).start()
    begun = time.perf_counter()
    cache = str(folder / "cache") if storage == "mapped" else None
    examples = data.load(f"folder:{folder / 'images'}", storage=storage, cache_dir=cache)
    batches = iter(data.batches(examples, _BATCH, observation="grey"))
    next(batches)
    print(json.dumps({"start": time.perf_counter() - begun}), flush=True)
    for line in sys.stdin:
        begun, number, seconds = time.perf_counter(), 0, float(line)
        while time.perf_counter() - begun < seconds:
            for _ in range(20):
                next(batches)
            number += 20 * _BATCH
        rate = number / (time.perf_counter() - begun)
        held = {"anon": most - own["RssAnon"], "file": _resident()["RssFile"] - own["RssFile"]}
        print(json.dumps({"rate": rate, **held}), flush=True)
    os._exit(0)  # threads of tf.data must not keep the process


@dataclasses.dataclass
class Contender:
    """A process that reads from one storage.

    Attributes:
        storage: The storage.
        folder: Where the images and the prepared files lie.
    """

    storage: str
    folder: pathlib.Path

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.storage", f"--read={self.storage}", f"--folder={self.folder}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.start = self._answer()["start"]
        self.turns: list[dict[str, float]] = []

    def turn(self, seconds: float) -> None:
        """Lets it read for so long."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        self.turns.append(self._answer())

    def median(self, what: str) -> float:
        return statistics.median(turn[what] for turn in self.turns)

    def end(self) -> None:
        self._process.communicate()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError(f"The process of storage {self.storage} has ended.")
        return json.loads(line)


def main(_: list[str]) -> int:
    if _READ.value and _FOLDER.value:
        _read(_READ.value, pathlib.Path(_FOLDER.value))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(_FOLDER.value or temporary)
        if not (folder / "images" / "whole").exists():
            _make(folder / "images", _IMAGES.value)
        contenders = {storage: Contender(storage, folder) for storage in _STORAGES.value}
        for _turn in range(_ROUNDS.value):
            for contender in contenders.values():
                contender.turn(_SECONDS.value)
        for contender in contenders.values():
            contender.end()
    print(f"{_ROUNDS.value} turns of {_SECONDS.value} s, medians; {os.cpu_count()} cores, batches of {_BATCH}")
    head = ("images/s", "lowest", "highest", "of memory", "start, s", "RssAnon", "RssFile")
    print(f"{'storage':8} " + " ".join(f"{word:>10}" for word in head))
    whole = contenders["memory"].median("rate") if "memory" in contenders else float("nan")
    good = True
    for name, c in contenders.items():
        rate, anon = c.median("rate"), max(turn["anon"] for turn in c.turns)
        rates = [turn["rate"] for turn in c.turns]
        print(
            f"{name:8} {rate:10,.0f} {min(rates):10,.0f} {max(rates):10,.0f} {rate / whole:10.2f} {c.start:10.1f} "
            f"{anon:10.2f} {c.median('file'):10.2f}"
        )
        good &= name == "memory" or anon < _MOST
        good &= name != "mapped" or (rate >= _LEAST and not rate / whole < _SHARE)
    print("as promised" if good else "NOT as promised")
    return int(not good)


if __name__ == "__main__":
    scripts.start(main)
