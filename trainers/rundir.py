"""Run directories: one run's flags, versions, numbers, pictures, checkpoints and model."""

import contextlib
import dataclasses
import datetime
import errno
import importlib.metadata
import json
import logging
import os
import pathlib
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import files

from . import kept_json, known_data, options, rates, timing
from .settings import Settings

__all__ = ["Lost", "RunDirectory", "check_free", "held", "validated_every", "versions"]

_LITTLE = 2**20  # bytes
_LOG = logging.getLogger("ugm_tf.trainers")
_OF_THE_END = (
    "model.keras",
    "samples.png",
    "figures.json",
    "evaluation.json",
    "report.html",
    "errors.txt",
    "training.gif",
)
_OF_DATA = ("dataset", "target", "image_size", "background")
_MOMENTS = 50  # how often at most a run is validated, and by itself saved
_PACKAGES = ("ugm_tf", "tensorflow", "keras", "tensorflow-probability", "numpy")


def versions() -> dict[str, str]:
    """Versions of what a run depends on, the machine's kind and the date; in a checkout its commit."""
    out = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            out[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            out[package] = "not installed as a package"
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    return {**out, **_commit(), "machine": f"{platform.machine()}, {os.cpu_count()} cores", "date": date}


def _commit() -> dict[str, str]:
    """The commit of the checkout that runs, with "-dirty" where files differ from it; nothing of an installed wheel."""
    root = pathlib.Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return {}
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {"commit": done.stdout.strip()} if done.returncode == 0 else {}


class Lost(Exception):
    """The run directory can no longer be written; the message says what to do."""


@contextlib.contextmanager
def held(workdir: str | os.PathLike[str]) -> Iterator[Callable[[], None]]:
    """Within it, no other process trains in the directory.

    Yields:
        Raises `Lost` if the directory was removed, in part or made anew too; called at the end by itself.

    Raises:
        ValueError: If another one does, or the directory cannot be written.
        Lost: If it can no longer be written, from somewhere within.
    """
    path, within = pathlib.Path(workdir), False
    try:
        with files.locked(path / ".lock") as is_there:
            within = True

            def check() -> None:
                if not is_there():
                    raise Lost(
                        f"The run directory '{path}' was removed while the run wrote to it. Train again, in another "
                        "--workdir."
                    )

            try:
                yield check
            except (OSError, tf.errors.OpError):
                check()
                raise
            check()
    except files.Locked as error:
        raise ValueError(
            f"The run directory '{path}' is being written by {error.holder}. Wait for it, stop it, or give another "
            "--workdir."
        ) from error
    except (OSError, tf.errors.OpError) as error:
        if not within:
            raise ValueError(
                f"The run directory '{path}' cannot be written: {_reason(error)}. Give another --workdir."
            ) from error
        if words := _lost(path, error):
            raise Lost(words) from error
        raise


def _lost(path: pathlib.Path, error: Exception) -> str:
    """Why a run directory can no longer be written, and what to do; "" if the error is another."""
    disk, number = os.statvfs(path), getattr(error, "errno", None)
    little = number is None and disk.f_bavail * disk.f_frsize < _LITTLE  # TensorFlow's own errors have no number
    if number in (errno.ENOSPC, errno.EDQUOT) or little:
        return f"The disk of the run directory '{path}' is full. Make room, and the same command goes on."
    if number in (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE):
        return (
            f"The run directory '{path}' can no longer be written: {_reason(error)}. Once it can, the same command "
            "goes on from the latest checkpoint."
        )
    return ""


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def validated_every(epochs: int) -> int:
    """Epochs between two validations of a run of so many."""
    return max(1, epochs // _MOMENTS)


def check_free(path: str | os.PathLike[str]) -> None:
    """Refuses a directory that holds something and no run.

    Raises:
        ValueError: If it does.
    """
    path = pathlib.Path(path)
    if path.is_dir() and not (path / "flags.txt").exists() and any(p.name[0] != "." for p in path.iterdir()):
        # (Drafts are hidden: one may be left of a kill.)
        raise ValueError(f"'{path}' is not empty and has no flags.txt, so it is not a run's. Give a new --workdir.")


class RunDirectory:
    """A directory that belongs to one set of settings, which its flags.txt holds.

    Args:
        path: The directory; made if it is not there.
        settings: The run's.
        data: What `known_data.describe` says of its data, to be kept in data.json; None where they were not read.
        why: Why each setting was chosen that nobody asked for: comments of flags.txt.
        equations: What a recipe of the user's own says, to refuse another one under its name.

    Raises:
        ValueError: If it belongs to other flags, data or equations, is not a directory, cannot be written to, or holds
            a damaged file that the end of the run needs.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: Settings,
        data: Mapping[str, Any] | None = None,
        why: Mapping[str, str] | None = None,
        equations: str | None = None,
    ):
        self._why = why
        self.path = pathlib.Path(path)
        timing.read(self.path)  # which nothing that the run does may find out late
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.csv"
        self.probe = self.path / "probe.csv"
        self.model = self.path / "model.keras"
        self.best = self.path / "best.keras"
        self.report = self.path / "report.html"
        self.errors = self.path / "errors.txt"
        self.saved_model = self.path / "saved_model"
        self.samples = self.path / "samples"
        self.flags = self.path / "flags.txt"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.flags.exists():
                self._check_same(settings, data or {})
            else:
                check_free(self.path)
                files.write(self.flags, options.as_text(settings, self._why).encode())
            if data and not (self.path / known_data.FILE).exists():
                self.write_json("data", data)
            probe = self.path / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as e:
            raise ValueError(
                f"The run directory '{self.path}' cannot be written: {e.strerror}. Give another --workdir."
            ) from e
        if equations is not None:
            self._check_equations(equations)

    def _check_same(self, settings: Settings, data: Mapping[str, Any]) -> None:
        old = options.read(self.flags)
        moved = old.storage != settings.storage
        old = dataclasses.replace(old, storage=settings.storage)  # which changes no batch
        if old.dataset != settings.dataset and known_data.moved(old.dataset, settings.dataset, self.data, data):
            _LOG.info("The data of this run lay in %s, and are the same in %s.", old.dataset, settings.dataset)
            old, moved = dataclasses.replace(old, dataset=settings.dataset), True
        if all(getattr(old, name) == getattr(settings, name) for name in _OF_DATA):  # else the flags are the reason
            known_data.check(self.path, self.data, data)
        longer = dataclasses.replace(old, epochs=settings.epochs)
        if (
            old.epochs
            and settings.epochs
            and settings.epochs > old.epochs
            and not options.differences(longer, settings)
        ):
            self._check_longer(old, settings)
            self._go_on_longer(old.epochs, settings)
        elif differing := options.differences(old, settings):
            raise ValueError(
                f"The run directory '{self.path}' belongs to other flags: {', '.join(differing)}. Give a new "
                f"--workdir, or go on with that run by --flagfile={self.flags} --workdir={self.path}."
            )
        elif moved:
            files.write(self.flags, options.as_text(settings, self._why).encode())

    def _check_longer(self, old: Settings, settings: Settings) -> None:
        """Refuses more epochs where a setting would have been another one from the first step on."""
        depends = "learning_rate" if rates.falls(old.learning_rate) else None
        if old.keep_best and validated_every(old.epochs or 1) != validated_every(settings.epochs or 1):
            depends = "keep_best"
        if depends:
            value = options.as_flags(old)[depends]
            raise ValueError(
                f"The run in '{self.path}' cannot go on from {old.epochs} to {settings.epochs} epochs: "
                f"--{depends}={value} depends on the length of the run. Begin another one with its weights, in a "
                f"new --workdir: --init_from={self.path}."
            )

    def _go_on_longer(self, epochs: int, settings: Settings) -> None:
        """The directory belongs to the same run with more epochs; what the shorter one ended with is set aside."""
        ended = [self.path / name for name in _OF_THE_END if (self.path / name).exists()]
        if ended:
            kept = self.path / f"epochs_{epochs}"
            kept.mkdir(exist_ok=True)
            for path in ended:
                path.replace(kept / path.name)
            _LOG.info("What the run of %d epochs ended with is kept in %s.", epochs, kept)
        files.write(self.flags, options.as_text(settings, self._why).encode())

    def _check_equations(self, equations: str) -> None:
        path = self.path / "equations.txt"
        if path.exists() and path.read_text() != equations + "\n":
            raise ValueError(
                f"The run in '{self.path}' began with another recipe of this name: see {path}. Give a new "
                "--workdir, or take the changes back."
            )
        files.write(path, f"{equations}\n".encode())

    def write_json(self, name: str, value: object) -> None:
        """Writes `value` as NAME.json at once."""
        files.write(self.path / f"{name}.json", (json.dumps(value, indent=2) + "\n").encode())

    def read_json(self, name: str) -> dict:
        """What NAME.json holds; empty if there is none."""
        return kept_json.read(self.path / f"{name}.json")

    @property
    def data(self) -> dict[str, Any]:
        """What it knows of its data, as `known_data.describe` gave it; empty for a run of an earlier version.

        Raises:
            ValueError: If its file is damaged.
        """
        return known_data.read(self.path)

    def latest_export(self) -> pathlib.Path | None:
        """The latest version of the exported model; None if there is none."""
        versions = [path for path in self.saved_model.glob("*") if path.name.isdecimal()]
        return max(versions, key=lambda path: int(path.name), default=None)
