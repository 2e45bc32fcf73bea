"""Checkpoints from which a run goes on bit for bit."""

import concurrent.futures
import errno
import hashlib
import itertools
import logging
import os
import pathlib
import re
from typing import Any

import keras
import numpy as np

from ugm_tf import files, replicas
from ugm_tf.callbacks import states

__all__ = ["Checkpoints"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOG = logging.getLogger(__package__)
_WRITER = concurrent.futures.ThreadPoolExecutor(1, "ugm_tf.checkpoints")  # waited for where the program ends


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole state of training, mid-epoch too: weights, every optimizer's slots, random states, metrics.

    (`keras.callbacks.BackupAndRestore` keeps an epoch's end, without checksums; and of a Keras model whose optimizers
    are attributes of its own it leaves these out, while those of a `UnifiedModel` it keeps.)  Each checkpoint is one
    file, `step-STEP.state`, with a checksum; a thread writes it from copies, and it takes its name when it is whole and
    on the disk, so that a process may be killed at any moment.  Of those that are there the newest whole one counts.
    Where the disk is full the older ones make room and training goes on, with a warning.

    Where several processes train one model, all restore from the same directory, and the chief writes it.

    The data are to start at the step that `restore` returns, as with `ugm_tf.data.batches(..., start_step=...)`.

    Args:
        directory: Where the checkpoints are kept.
        every: Steps between checkpoints, at least; one is written where a call of steps ends, and at the end.  After
            the last step of an epoch it waits for the other callbacks' end of the epoch: put it last in the list, and
            what they wrote is there if the epoch is.
        keep: How many to keep, the latest ones.

    Raises:
        ValueError: If `every` or `keep` is not positive; by `restore`, if a checkpoint there is of another model, if
            there are some and none is whole, or if the directory cannot be made.
        FileNotFoundError: While training, if the directory was removed.

    Example:

    >>> checkpoints = Checkpoints("run/checkpoints", every=1000)
    >>> model = ugm_tf.load_model("run/model.keras")  # or one that was just compiled
    >>> checkpoints.restore(model)  # nothing there yet
    0
    """

    def __init__(self, directory: str | os.PathLike[str], every: int, keep: int = 2):
        super().__init__()
        if every < 1:
            raise ValueError(f"Checkpoints are at least one step apart. Received: every={every}.")
        if keep < 1:
            raise ValueError(f"At least the latest checkpoint is kept. Received: keep={keep}.")
        self.directory, self.every, self.keep = pathlib.Path(directory), every, keep
        self._restored = False
        self._writes = True  # of several processes that train together only one does
        self._together = False  # then all save at the same steps, whether or not the writing succeeds
        self._saved_at = 0  # where it was last tried
        self._kept: list[int] = []  # steps whose checkpoints are there, the latest last
        self._writing: concurrent.futures.Future[None] | None = None
        self._failures = 0  # one after the other
        self._was_full = False
        self._metrics: list[np.ndarray] = []  # as an epoch that is under way has them
        self._within = False  # whether what was saved last is of such an epoch
        self._over = True  # whether the epoch has had all its steps, as far as is known
        self._going_on = False

    @property
    def saved_at(self) -> int:
        """The step of the latest checkpoint that was begun or restored; 0 without one."""
        return self._saved_at

    # -------------------------------------------------------------- restore

    def restore(self, model: Any) -> int:
        """Puts the latest whole state into a compiled model; returns the step that comes next, 0 without a checkpoint.

        The model's seed becomes that of the checkpoint.
        """
        if not model.optimizers:
            raise ValueError("Compile the model before restoring: the optimizers' slots are part of the state.")
        self.finish()
        _WRITER.submit(int).result()  # another callback of this process may have written here
        self._writes = replicas.is_chief(model.distribute_strategy)
        self._together = replicas.processes(model.distribute_strategy) > 1
        if self._writes:
            self._prepare()
        self._restored, self._kept, self._saved_at, self._going_on = True, [], 0, False
        found = self._found()
        for step in reversed(found):
            path = self._path(step)
            try:
                arrays, about = states.read(path)
            except (states.Damaged, OSError) as error:
                _LOG.warning("The checkpoint %s is damaged and was passed over: %s.", path, error)
                continue
            self._put(model, path, arrays, about)
            self._kept, self._saved_at, self._going_on = [s for s in found if s <= step], step, True
            return step
        if found:
            raise ValueError(
                f"None of the checkpoints in '{self.directory}' is whole: "
                f"{', '.join(self._path(step).name for step in found)}. Put a copy of one there, or remove them to "
                "begin anew."
            )
        return 0

    def roll_back(self, model: Any) -> int:
        """As `restore`, and gives the model another seed, so that the steps to come have other noise.

        The seed is a function of the model's own: where it is done again, it is the same.
        """
        seed = int.from_bytes(hashlib.sha256(f"not {model.seed}".encode()).digest()[:4], "little") >> 1
        step = self.restore(model)
        model.seed = seed
        return step

    def _prepare(self) -> None:
        """Refuses a directory from which nothing can be restored where something should be."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            files.remove_drafts(self.directory)
        except OSError as error:
            raise ValueError(
                f"The checkpoints' directory '{self.directory}' cannot be written: {error.strerror}."
            ) from error
        old = sorted(path.stem for path in self.directory.glob("ckpt-*.index"))
        if old and not self._found():
            raise ValueError(
                f"'{self.directory}' holds checkpoints of an earlier version ({old[0]}, ...), whose "
                "draws were others: from them no run goes on bit for bit. Finish the run with the version that began "
                "it, which versions.json names, or train into another directory."
            )

    def _put(self, model: Any, path: pathlib.Path, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        variables = _variables(model)
        here = [(name, keras.backend.standardize_dtype(v.dtype), list(v.shape)) for name, v in variables.items()]
        there = [(name, array.dtype.name, list(array.shape)) for name, array in arrays.items()]
        for mine, its in itertools.zip_longest(here, there):
            if mine != its:
                raise ValueError(
                    f"{path} is not a checkpoint of this model: it has {_words(its)}, where the model has "
                    f"{_words(mine)}. Train into another directory, or with the flags that this one was made with."
                )
        for name, variable in variables.items():
            if not name.startswith("metrics/"):
                variable.assign(arrays[name])
        self._metrics = [array for name, array in arrays.items() if name.startswith("metrics/")]
        if about["seed"] != model.seed:
            model.seed = about["seed"]

    # ----------------------------------------------------------------- save

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._going_on:  # Keras has just reset the metrics; an epoch that was under way has some already
            for variable, kept in zip(_of_metrics(self.model), self._metrics, strict=True):
                variable.assign(kept)
            self._going_on = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = self.params.get("steps")
        self._over = steps is None or batch + 1 >= steps
        if not (self._over and steps) and self._due():
            self._save(within_epoch=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._stopped_within:
            return
        # That it was the last step is known here, at the latest: where the number of steps is not.
        if self._due() or (self._within and self._saved_at == int(np.asarray(self.model.steps))):
            self._save(within_epoch=False)

    def on_train_end(self, logs: Any = None) -> None:
        written = self.finish()
        if int(np.asarray(self.model.steps)) > (self._saved_at if self._together else written):
            self._save(within_epoch=self._stopped_within)
            self.finish()

    @property
    def _stopped_within(self) -> bool:
        """Whether training was asked to end before the epoch's last step."""
        return bool(self.model.stop_training) and not self._over

    def finish(self) -> int:
        """Waits until what was saved is on the disk; returns the step of the latest checkpoint there, 0 without one."""
        writing, self._writing = self._writing, None
        if writing is not None:
            try:
                writing.result()
                self._failures = 0
            except OSError as error:
                if not self.directory.is_dir():
                    raise
                self._failures += 1
                if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, 8th, ... in turn
                    latest = f"The latest one is of step {self._kept[-1]}." if self._kept else "There is none before."
                    words = "The checkpoint of step %d could not be written (%s). Training goes on. %s"
                    _LOG.warning(words, self._saved_at, error.strerror, latest)
        return self._kept[-1] if self._kept else 0

    def _due(self) -> bool:
        return int(np.asarray(self.model.steps)) - self._saved_at >= self.every

    def _save(self, within_epoch: bool) -> None:
        if not self._restored:
            raise ValueError("Call restore(model) before fit(): it says at which step the data are to start.")
        self.finish()
        arrays = {name: np.array(variable.numpy()) for name, variable in _variables(self.model).items()}
        if not within_epoch:
            arrays |= {name: np.zeros_like(array) for name, array in arrays.items() if name.startswith("metrics/")}
        self._saved_at, self._within = int(np.asarray(self.model.steps)), within_epoch
        about = {"step": self._saved_at, "seed": self.model.seed}
        if not self._writes:  # it read them, since what replicas sum is read by all of them together
            return
        self._writing = _WRITER.submit(self._write, self._saved_at, arrays, about)

    def _write(self, step: int, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        """Writes a checkpoint, in the thread that writes; removes those that need not be kept."""
        if not self.directory.is_dir():  # it is not made anew: what was in it is lost
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.directory))
        try:
            states.write(self._path(step), arrays, about)
        except OSError as error:
            if error.errno not in _FULL or len(self._kept) < 2:  # the latest one stays, whatever happens
                raise
            if not self._was_full:
                words = "%s: in %s the oldest checkpoint makes room for each new one. Training goes on."
                _LOG.warning(words, error.strerror, self.directory)
            self._was_full = True
            states.write(self._path(step), arrays, about, over=self._path(self._kept.pop(0)))
        self._kept = [*(kept for kept in self._kept if kept < step), step][-self.keep :]
        for other in set(self._found()).difference(self._kept):  # older ones, and damaged ones that were passed over
            self._path(other).unlink(missing_ok=True)

    def _found(self) -> list[int]:
        """Steps of the checkpoints that are there, whole or not."""
        names = os.listdir(self.directory) if self._writes or self.directory.is_dir() else []
        found = [re.fullmatch(r"step-(\d{10})\.state", name) for name in names]
        return sorted(int(name[1]) for name in found if name)

    def _path(self, step: int) -> pathlib.Path:
        return self.directory / f"step-{step:010d}.state"


def _of_metrics(model: Any) -> list[Any]:
    return [v for metric in model.metrics for v in metric.variables]


def _variables(model: Any) -> dict[str, Any]:
    """All that a step may change, by names that are the same for each model that is built alike."""
    groups = {"model": model.variables, **{name: model.optimizers[name].variables for name in sorted(model.optimizers)}}
    groups["metrics"] = _of_metrics(model)
    return {  # without the names of models and optimizers, and without Keras's count of layers
        f"{group}/{i}/{re.sub(r'_[0-9]+(?![0-9a-z])', '', variable.path.rpartition('/')[2])}": variable
        for group, variables in groups.items()
        for i, variable in enumerate(variables)
    }


def _words(array: tuple[str, str, list[int]] | None) -> str:
    return "nothing more" if array is None else f"{array[0]} ({array[1]} {array[2]})"
