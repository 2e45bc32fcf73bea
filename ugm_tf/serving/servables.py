"""The versions that a local server serves: loaded, warmed up, switched and ended as those below a base path change."""

import contextlib
import pathlib
import threading
from collections.abc import Mapping
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.serving import cards, configs, publishing, warmup
from ugm_tf.serving.batching import Batcher
from ugm_tf.serving.errors import InvalidRequest, NotFound, of_code
from ugm_tf.serving.session import ServedModel
from ugm_tf.serving.signatures import MAX_BATCH

__all__ = ["Servable", "Servables", "Status"]

Status = tuple[int, str, str]  # the version, its state, and what went wrong


class Servable:
    """A version of a model, loaded.

    Args:
        name: The model's name.
        path: The version directory.
    """

    def __init__(self, name: str, path: pathlib.Path):
        self.name, self.version = name, int(path.name)
        self._model = ServedModel(path)
        self.signatures: Mapping[str, Any] = self._model.signatures
        try:
            max_batch = cards.read(path)["max_batch"]
        except ValueError:
            max_batch = MAX_BATCH  # of a SavedModel that is no export of ours
        if (path / warmup.WARMUP).exists():
            for key, batch in warmup.read(path):
                self._model(key, batch)
        self._max_batch, self._batcher = max_batch, Batcher(self._model, max_batch)

    def signature(self, name: str) -> Any:
        """A signature, "" being the default."""
        key = name or "serving_default"
        if key not in self.signatures:
            raise of_code("FAILED_PRECONDITION", f'Serving signature key "{key}" not found.')
        return self.signatures[key]

    def ask(self, name: str, inputs: Mapping[str, np.ndarray]) -> "futures.Future[dict[str, np.ndarray]]":
        """The outputs, later.

        Raises:
            ServingError: If there is no such signature, if inputs are missing, or if too many wait.
        """
        self.check(name, {key: tf.as_dtype(value.dtype) for key, value in inputs.items()})
        fits = self._fits(self.signature(name).inputs, inputs)
        return self._batcher.submit(name or "serving_default", inputs, fits)

    def check(self, name: str, inputs: Mapping[str, tf.DType]) -> None:
        """Refuses inputs that have other names or dtypes than the signature's, before there is any memory for them.

        Raises:
            ServingError: If there is no such signature, or the inputs are not its.
        """
        wanted = self.signature(name).inputs
        if set(wanted) != set(inputs):
            extra, missing = sorted(set(inputs) - set(wanted)), sorted(set(wanted) - set(inputs))
            raise InvalidRequest(
                f"input size does not match signature: {len(inputs)}!={len(wanted)} len({{{','.join(sorted(inputs))}}})"
                f" != len({{{','.join(sorted(wanted))}}}). Sent extra: {{{','.join(extra)}}}. "
                f"Missing but required: {{{','.join(missing)}}}."
            )
        for key, received in inputs.items():
            dtype = tf.as_dtype(wanted[key].dtype)
            if received != dtype:
                raise InvalidRequest(f"input tensor '{key}' is {dtype.name}. Received: {received.name}.")

    def _fits(self, wanted: Mapping[str, Any], inputs: Mapping[str, np.ndarray]) -> bool:
        """Whether the inputs are as the signature says, so that they join with others."""
        shapes = {key: tf.TensorShape(wanted[key].tensor_shape) for key in inputs}
        rows = {len(value) if value.ndim else -1 for value in inputs.values()}
        fit = all(shapes[key].is_compatible_with(value.shape) for key, value in inputs.items())
        return fit and len(rows) == 1 and rows.pop() <= self._max_batch

    def close(self) -> None:
        """Answers what waits, and ends."""
        self._batcher.close()
        self._model.close()


class Servables:
    """All versions below a base path that are to be served.

    With a `models.config` there, the versions that it lists or labels; else the highest version of each model.  A
    label moves once its new version is there.

    Args:
        base: The base path, below which each model has a folder of versions.
        poll: How often it is looked at, in seconds.

    Raises:
        ValueError: If models.config cannot be read at the start.  Later one that is being edited changes nothing.
    """

    def __init__(self, base: str | pathlib.Path, poll: float = 1.0):
        self._base = pathlib.Path(base)
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, int], Servable] = {}
        self._asked: dict[str, Mapping[str, int]] = {}  # as models.config has them
        self._labels: dict[str, dict[str, int]] = {}  # each of a version that is there
        self._states: dict[tuple[str, int], tuple[str, str]] = {}
        self._tried: dict[tuple[str, int], Any] = {}  # the files of those that could not be loaded
        configs.served(self._base)
        self._end = threading.Event()
        self.refresh()
        self._thread = threading.Thread(target=self._watch, args=[poll], daemon=True)
        self._thread.start()

    def get(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """The version that a request is for: by number, by label, or the highest.

        Raises:
            NotFound: If there is none.
            InvalidRequest: If there is no such label.
        """
        with self._lock:
            if label is not None:
                if label not in self._labels.get(name, {}):
                    raise InvalidRequest(f"Unrecognized servable version label: {label}")
                version = self._labels[name][label]
            there = [number for key, number in self._loaded if key == name]
            found = version if version is not None else max(there, default=None)
            if found not in there:
                which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise NotFound(f"Servable not found for request: {which}")
            return self._loaded[name, found]

    def status(self, name: str, version: int | None = None, label: str | None = None) -> list[Status]:
        """The versions of a model with their states, the highest first, and what went wrong.

        Raises:
            NotFound: If there is none.
            InvalidRequest: If there is no such label.
        """
        if label is not None:
            version = self.get(name, None, label).version
        with self._lock:
            found = [(key[1], *state) for key, state in self._states.items() if key[0] == name]
        found = [state for state in found if version is None or state[0] == version]
        if not found:
            raise NotFound(f"Could not find any versions of model {name}")
        return sorted(found, reverse=True)

    def refresh(self) -> None:
        """Loads the versions that are new, and ends those that are no more to be served, in this order."""
        wanted = self._wanted()
        names = {name for name, _ in wanted}
        for name, number in sorted(wanted):
            if self._is_due(name, number):
                self._load(name, number)
        self._move_labels()
        labelled = {(name, number) for name, labels in self._labels.items() for number in labels.values()}
        for name, number in set(self._loaded) - wanted - labelled:
            if name in names and not any(key in self._loaded for key in wanted if key[0] == name):
                continue  # what should take its place could not be loaded
            with self._lock:
                gone = self._loaded.pop((name, number))
                self._states[name, number] = ("UNLOADING", "")
            gone.close()
            self._states[name, number] = ("END", "")

    def _move_labels(self) -> None:
        """Lets each label be of the version that is asked for once that is there, and until then of the one before."""
        with self._lock:
            moved = {}
            for name, labels in self._asked.items():
                old = self._labels.get(name, {})
                now = {key: n if (name, n) in self._loaded else old.get(key) for key, n in labels.items()}
                moved[name] = {key: number for key, number in now.items() if number is not None}
            self._labels = moved

    def close(self) -> None:
        """Ends all."""
        self._end.set()
        self._thread.join()
        with self._lock:
            gone, self._loaded = list(self._loaded.values()), {}
        for servable in gone:
            servable.close()

    def _is_due(self, name: str, number: int) -> bool:
        """Whether a version is to be loaded: it is new, has ended, or failed and has other files since."""
        state, message = self._states.get((name, number), ("END", ""))
        return state == "END" and (not message or self._tried[name, number] != _files(self._base / name / str(number)))

    def _load(self, name: str, number: int) -> None:
        path = self._base / name / str(number)
        self._tried[name, number] = _files(path)
        with self._lock:
            self._states[name, number] = ("LOADING", "")
        try:
            servable = Servable(name, path)
        except Exception as error:  # whatever a version may do to its loader: the server goes on with the others
            with self._lock:
                self._states[name, number] = ("END", str(error) or type(error).__name__)
            return
        with self._lock:
            self._loaded[name, number] = servable
            self._states[name, number] = ("AVAILABLE", "")

    def _wanted(self) -> set[tuple[str, int]]:
        try:
            served = configs.served(self._base)
        except ValueError:
            return set(self._loaded)  # a configuration that is being edited changes nothing
        if served is not None:
            self._asked = {name: of.labels for name, of in served.items()}
            return {(name, number) for name, of in served.items() for number in of.versions}
        folders = (path for path in self._base.iterdir() if path.is_dir() and not path.name.startswith("."))
        highest = {path.name: publishing.versions(path)[-1:] for path in folders}
        return {(name, number) for name, numbers in highest.items() for number in numbers}

    def _watch(self, poll: float) -> None:
        while not self._end.wait(poll):
            with contextlib.suppress(OSError):  # of a folder that goes away
                self.refresh()


def _files(path: pathlib.Path) -> Any:
    """What tells whether a folder has changed: all that is in it, with times and sizes."""
    found = []
    for part in (path, *path.rglob("*")):
        with contextlib.suppress(OSError):  # of a file that goes away
            status = part.stat()
            found.append((str(part), status.st_mtime_ns, status.st_size))
    return sorted(found)
