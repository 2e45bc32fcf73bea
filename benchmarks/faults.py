"""Does to runs of the trainer what disks, schedulers and people do: a line for each thing done, and a verdict a case.

  nice python -m benchmarks.faults --workdir=/tmp/faults

Flipped and cut files, SIGTERM and Ctrl-C at random moments, two processes in one directory, a directory that is
removed, disks that are full or read-only (a tmpfs, which only root may mount), learning rates at which training
diverges, and one of two processes that is killed.  It exits with 1 if one case is not as promised.  Started again with
the same --workdir, it does those that are left.
"""

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
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import flags

import ugm_tf
from benchmarks import processes
from benchmarks.processes import Broken, check, tmpfs
from trainers import scripts
from ugm_tf import files
from ugm_tf.callbacks import Checkpoints

_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_CASES = flags.DEFINE_list("cases", [], "Which ones; all by default.")
_FLIPS = flags.DEFINE_integer("flips", 200, "How many files are damaged.", lower_bound=1)
_SIGNALS = flags.DEFINE_integer("signals", 10, "At how many moments a run is asked to end.", lower_bound=1)
_WORKERS = flags.DEFINE_integer("workers", 5, "How often one of two processes is killed.", lower_bound=1)

_LONG = ["--hidden=32", "--checkpoint_steps=20", "--xla=off", "--epochs=2000"]
_SHORT = [*_LONG[:3], "--epochs=60"]


def run(directory: pathlib.Path, *arguments: str) -> tuple[int, str]:
    """A run to its end: its exit status and its last line."""
    status = processes.start(directory, list(arguments)).wait()
    lines = directory.with_suffix(".log").read_text().strip().splitlines()
    return status, lines[-1] if lines else ""


def started(directory: pathlib.Path, *arguments: str, step: int = 20) -> subprocess.Popen:
    """A run that has written a checkpoint of this step or a later one."""
    process = processes.start(directory, list(arguments))
    while process.poll() is None and processes.step_of(directory) < step:
        time.sleep(0.05)
    check(process.poll() is None, f"ended before step {step}: {directory.with_suffix('.log')}")
    return process


def ended(directory: pathlib.Path, process: subprocess.Popen, status: int, words: str) -> str:
    """Waits for a run that is to end with this status and a last line that holds these words; returns the line."""
    found = process.wait(timeout=600)
    text = directory.with_suffix(".log").read_text()
    line = text.strip().splitlines()[-1]
    check(found == status, f"exit status {found} and not {status}: {line}")
    check(words in line, f"says {line!r}")
    check("Traceback" not in text, "a traceback")
    return line


def refused(directory: pathlib.Path, arguments: list[str]) -> subprocess.CompletedProcess:
    """A run that is not to begin, and so to have no log beside its directory."""
    command = [sys.executable, "-m", "trainers.train", *arguments, f"--workdir={directory}"]
    return subprocess.run(command, capture_output=True, text=True)


def damage(root: pathlib.Path) -> Iterator[str]:
    """Flips and cuts: the one before is taken, or all is refused; never is there a silent new start."""
    processes.finish(root / "whole", _SHORT)
    model = ugm_tf.load_model(root / "whole" / "model.keras")
    source, chance, folder = root / "whole" / "checkpoints", random.Random(0), root / "damaged"
    newest, older = (int(path.stem[5:]) for path in sorted(source.iterdir(), reverse=True))
    outcomes = {"the one before": 0, "harmless": 0, "refused": 0}
    for _ in range(_FLIPS.value):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
        for path in chance.sample(paths, chance.choice([1, 1, 1, len(paths)])):
            content = bytearray(path.read_bytes())
            if chance.random() < 0.5:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            else:
                del content[chance.randrange(len(content)) :]
            path.write_bytes(content)
        try:
            step = Checkpoints(folder, 1).restore(model)
        except ValueError as error:
            check("None of the checkpoints" in str(error), str(error))
            outcomes["refused"] += 1
            continue
        check(step in (newest, older), f"went on from step {step}")
        outcomes["the one before" if step == older else "harmless"] += 1
    yield ", ".join(f"{words}: {number}" for words, number in outcomes.items())


def signals(root: pathlib.Path) -> Iterator[str]:
    """SIGTERM and Ctrl-C at any moment, within compilation too: saved, status 143 or 130, and the same end."""
    arguments, chance = ["--hidden=32", "--checkpoint_steps=1000", "--epochs=1500"], random.Random(1)
    processes.finish(root / "whole", arguments)
    stopped = root / "stopped"
    begun = time.time()
    for number in range(_SIGNALS.value):
        kind, status = ((signal.SIGTERM, 143), (signal.SIGINT, 130))[number % 2]
        process = processes.start(stopped, arguments)
        while not (stopped / "flags.txt").exists() and process.poll() is None:
            time.sleep(0.05)  # before, Python and TensorFlow are being loaded
        time.sleep(chance.uniform(0.0, 12.0) + (8.0 if number else 0.0))
        before = processes.step_of(stopped)
        process.send_signal(kind)
        asked = time.time()
        found = process.wait(timeout=600)
        line = stopped.with_suffix(".log").read_text().strip().splitlines()[-1]
        over = number > 0 and "SavedModel: " in line  # the signal then ends what is left of the process, or comes late
        check(found in (status, *([0, -kind] if over else [])), f"exit status {found} and not {status}: {line}")
        check("Traceback" not in stopped.with_suffix(".log").read_text(), "a traceback")
        check(processes.step_of(stopped) >= before, "steps were lost")
        yield f"{kind.name}, {time.time() - asked:.1f} s, status {found}: {line}"
    processes.finish(stopped, arguments)
    found_ = processes.differences(root / "whole", stopped)
    check(not found_, f"differs in {', '.join(found_)}")
    yield f"it ended with the same bits after {time.time() - begun:.0f} s"


def two(root: pathlib.Path) -> Iterator[str]:
    """A second process in the same directory is refused, and the first goes on."""
    first = started(root / "run", *_LONG)
    second = refused(root / "run", _LONG)
    line = second.stderr.strip().splitlines()[-1]
    check(second.returncode == 2 and f"process {first.pid} on " in line, line)
    check(first.poll() is None, "the first one ended")
    first.send_signal(signal.SIGTERM)
    yield line
    yield ended(root / "run", first, 143, "which is saved")


def removed(root: pathlib.Path) -> Iterator[str]:
    """A directory that is removed ends the run with a line, and is not made anew."""
    process = started(root / "run", *_LONG)
    while (root / "run").exists():  # what it writes meanwhile, too
        shutil.rmtree(root / "run", ignore_errors=True)
    yield ended(root / "run", process, 2, "was removed while the run wrote to it")
    left = [path.name for path in (root / "run").rglob("*")] if (root / "run").exists() else []
    check(not left, f"left are {left}")


def full(root: pathlib.Path) -> Iterator[str]:
    """On a full disk checkpoints go on; and with room again the run ends as one that always had it."""
    arguments = ["--hidden=128,128", *_SHORT[1:]]
    processes.finish(root / "whole", arguments)
    disk = root / "disk"
    for size in ("2500k", "1700k"):
        with tmpfs(disk, f"size={size}"):
            process = processes.start(disk / "run", arguments)
            status = process.wait(timeout=900)
            text = (disk / "run.log").read_text()
            step, warnings = processes.step_of(disk / "run"), text.count("the oldest checkpoint makes room")
            last = text.strip().splitlines()[-1]
            yield f"{size}: status {status}, step {step} of 1200 saved, {warnings} warning: {last}"
            ended_full = status == 2 and "is full. Make room, and the same command goes on" in last
            check(ended_full or (status == 1 and step == 1200), "steps were lost")
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
            status, line = run(disk / "run", *arguments)
            check(status == 0, f"with room again: exit status {status}: {line}")
            found = processes.differences(root / "whole", disk / "run")
            check(not found, f"differs in {', '.join(found)}")


def read_only(root: pathlib.Path) -> Iterator[str]:
    """A directory that cannot be written is refused before training."""
    with tmpfs(root / "disk", "ro"):
        process = refused(root / "disk" / "run", _SHORT)
    status, line = process.returncode, process.stderr.strip().splitlines()[-1]
    check(status == 2 and "cannot be written: Read-only file system. Give another --workdir" in line, line)
    yield line


def diverged(root: pathlib.Path) -> Iterator[str]:
    """A learning rate that is far too large: stopped, skipped and rolled back, each with a line."""
    for how in ("stop", "skip", "rollback"):
        arguments = [*_SHORT, "--learning_rate=1e30", f"--on_nan={how}"]
        status, line = run(root / how, *arguments)
        check(status == 2, f"exit status {status}: {line}")
        yield line


def workers(root: pathlib.Path) -> Iterator[str]:
    """One of two processes is killed at any moment: the other ends with a line, and both go on to the same bits."""
    arguments, chance = ["--hidden=32", "--checkpoint_steps=20", "--epochs=60", "--form_seconds=40"], random.Random(2)
    whole, killed = root / "whole", root / "killed"
    for process in processes.together(whole, arguments):
        check(process.wait(timeout=900) == 0, f"the run failed: {whole.with_suffix('.log')}")
    steps = processes.step_of(whole)
    for step in sorted(chance.sample(range(steps - 20), _WORKERS.value - 1)) + [steps]:
        both = processes.together(killed, arguments)
        while processes.step_of(killed) < step and not any(process.poll() for process in both):
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 2.0))
        lost, left = chance.sample(both, 2)
        lost.kill()
        begun, late = time.time(), lost.wait() == 0
        status, line = left.wait(timeout=60), _last_line(killed, both.index(left))
        as_told = (status == 75 and "Another process of this run ended" in line) or status in (0, -signal.SIGALRM)
        check(as_told, f"the other one ended with {status}: {line}")
        moment, seconds = "too late" if late else f"after step {step}", time.time() - begun
        yield f"killed {moment}; status {status}, {seconds:.1f} s: {line}"
    for process in processes.together(killed, arguments):
        check(process.wait(timeout=900) == 0, f"the run failed: {killed.with_suffix('.log')}")
    found = processes.differences(whole, killed)
    check(not found, f"differs in {', '.join(found)}")


def _last_line(directory: pathlib.Path, index: int) -> str:
    text = directory.with_suffix(f".{index}.log" if index else ".log").read_text()
    return (text.strip().splitlines() or [""])[-1]


ALL: dict[str, Callable[[pathlib.Path], Iterator[str]]] = {
    "damage": damage,
    "signals": signals,
    "two": two,
    "removed": removed,
    "full": full,
    "read_only": read_only,
    "diverged": diverged,
    "workers": workers,
}


def main(_: list[str]) -> None:
    root = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    note = root / "verdicts.json"
    verdicts: dict[str, str] = json.loads(note.read_text()) if note.exists() else {}
    for name in _CASES.value or ALL:
        if verdicts.get(name) != "as promised":
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir(parents=True)
            try:
                for line in ALL[name](root / name):
                    print(f"{name}: {line}", flush=True)
                verdicts[name] = "as promised"
            except subprocess.CalledProcessError as error:
                verdicts[name] = f"not done: {error}"
            except (Broken, RuntimeError, subprocess.TimeoutExpired) as error:
                verdicts[name] = f"BROKEN: {error}"
            files.write(note, json.dumps(verdicts, indent=2).encode())
        print(f"{name}: {verdicts[name]}", flush=True)
    sys.exit(int(any(verdict.startswith("BROKEN") for verdict in verdicts.values())))


if __name__ == "__main__":
    scripts.start(main)
