"""A client of a served model, by gRPC or REST."""

import functools
import numbers
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from ugm_tf.serving.errors import DeadlineExceeded, ServingError, Unavailable
from ugm_tf.serving.pictures import from_pictures, is_picture, to_files
from ugm_tf.serving.signatures import MAX_BATCH
from ugm_tf.serving.transports import Grpc, Rest

__all__ = ["Client"]

_T = TypeVar("_T")
_MOST_PAUSE, _MOST_TIMEOUT = 5.0, 86400.0
_SEEDS = np.iinfo(np.int32)


class Client:
    """Asks a model that TensorFlow Serving serves, or the local server.

    Calls have a deadline.  A call that the server could not take (UNAVAILABLE) is made again within its deadline, each
    time after a longer pause; no other is.  An array of more rows than a request may have goes in several requests.

    Args:
        server: "localhost:8500" for gRPC, which takes `pip install 'ugm_tf[serving]'`; "http://localhost:8501" for
            REST.
        model: The model's name.
        version: The version to ask; by default that which the server gives, the highest.
        label: In place of a version its label, such as "stable".
        timeout: The deadline of a request with all its attempts, in seconds, at most a day.
        retries: How often a call is made again.
        max_batch: The most rows of a request, as the model was exported.

    Raises:
        ValueError: If there is both a version and a label, or an option or the address is none.
        ImportError: If the server is one of gRPC and the stubs are not installed.
    """

    def __init__(
        self,
        server: str,
        model: str,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 10.0,
        retries: int = 5,
        max_batch: int = MAX_BATCH,
    ):
        if version is not None and label is not None:
            raise ValueError(f"Give a version or a label. Received: version={version}, label={label!r}.")
        if label == "":
            raise ValueError("A label has at least one letter. Received: ''. Leave it out for the highest version.")
        if not 0 < timeout <= _MOST_TIMEOUT or retries < 0 or max_batch < 1:
            raise ValueError(
                f"timeout is positive and at most {_MOST_TIMEOUT:.0f} seconds, retries at least 0 and max_batch at "
                f"least 1. Received: timeout={timeout}, retries={retries}, max_batch={max_batch}."
            )
        self._transport: Any = (Rest if server.lower().startswith(("http://", "https://")) else Grpc)(server)
        self._spec, self._timeout, self._retries = (model, version, label), timeout, retries
        self._max_batch = max_batch
        self._signatures: Mapping[str, Any] | None = None

    def ask(self, signature: str = "serving_default", **inputs: Any) -> dict[str, np.ndarray]:
        """The outputs of a signature by name, each [B, ...].

        Args:
            signature: Its name, such as "encode".
            **inputs: Its inputs by name, each [B, ...]: arrays, or pictures of Pillow, in [0, 1] as the model sees
                them.

        Raises:
            ValueError: If an input is missing, has no rows, or is none of the signature's dtype or shape.
            ServingError: As the server answered: `InvalidRequest`, `NotFound`, `Unavailable`, `DeadlineExceeded`, ...
        """
        parts = list(self._answers(signature, self._arrays(signature, inputs)))
        if not parts[1:]:
            return parts[0]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def stream(self, batches: Iterable[Mapping[str, Any]], signature: str = "serving_default") -> Iterator[dict]:
        """The outputs for each of many batches, one after the other, so that no more than one is in memory.

        Args:
            batches: Inputs by name, as `ask` takes them.
            signature: The signature's name.
        """
        for inputs in batches:
            yield self.ask(signature, **inputs)

    def sample(self, n: int, seed: int = 0, **conditions: Any) -> np.ndarray:
        """n examples, [n, ...]: those that `UnifiedModel.sample(n, seed)` gives.

        Args:
            n: How many.
            seed: Fixes them: a whole number of int32.
            **conditions: What the decoder is given, such as c, [n, C].

        Raises:
            ValueError: If n is less than 1, the seed is no int32, or the model cannot be sampled.
        """
        if not isinstance(n, numbers.Integral) or n < 1:
            raise ValueError(f"sample() takes n of at least 1. Received: {n!r}.")
        if not isinstance(seed, numbers.Integral) or not _SEEDS.min <= seed <= _SEEDS.max:
            raise ValueError(f"seed is a whole number of {_SEEDS.min} to {_SEEDS.max}. Received: {seed!r}.")
        seeds = np.stack([np.full(n, seed, np.int32), np.arange(n, dtype=np.int32)], 1)
        outputs = self.ask("sample", seed=seeds, **conditions)
        return next(outputs[key] for key in ("x", *outputs) if key in outputs and outputs[key].ndim > 1)

    def signatures(self) -> Mapping[str, Any]:
        """The model's signatures by name, as `SignatureDef`, asked of the server once."""
        if self._signatures is None:
            self._signatures = self._retried(lambda left: self._transport.signatures(self._spec, left))
        return self._signatures

    def status(self) -> dict[int, str]:
        """The state of each version that the server knows, such as "AVAILABLE"."""
        return self._retried(lambda left: self._transport.status(self._spec, left))

    def close(self) -> None:
        """Ends the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _arrays(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        known = self.signatures()
        if signature not in known:
            raise ValueError(f"The model has the signatures {', '.join(sorted(known))}. Received: {signature!r}.")
        wanted = known[signature].inputs
        if set(inputs) != set(wanted):
            raise ValueError(
                f"'{signature}' takes {', '.join(sorted(wanted))}. Received: {', '.join(sorted(inputs)) or 'nothing'}."
            )
        out = {key: _array(key, value, wanted[key]) for key, value in inputs.items()}
        rows = {key: len(value) for key, value in out.items()}
        if len(set(rows.values())) > 1:
            raise ValueError(f"'{signature}' takes as many rows of each input. Received: {rows}.")
        if 0 in rows.values():  # which JSON has no shape for
            raise ValueError(f"'{signature}' takes at least one row. Received: {rows}.")
        return out

    def _answers(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        outputs = self.signatures()[signature].outputs
        dtypes = {key: _dtype(key, info) for key, info in outputs.items()}
        for start in range(0, len(next(iter(inputs.values()), [0])), self._max_batch):
            part = {key: value[start : start + self._max_batch] for key, value in inputs.items()}
            call = functools.partial(self._transport.predict, self._spec, signature, part, dtypes)
            yield self._retried(call)

    def _retried(self, call: Callable[[float], _T]) -> _T:
        end, pause = time.monotonic() + self._timeout, 0.05
        for attempt in range(self._retries + 1):
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                return call(left)
            except Unavailable:
                wait = pause * random.uniform(0.5, 1.5)  # so that clients do not come back all at once
                if attempt == self._retries or wait >= end - time.monotonic():
                    raise
                time.sleep(wait)
                pause = min(2 * pause, _MOST_PAUSE)
        raise DeadlineExceeded(f"There was no answer in {self._timeout} s.")


def _of_pictures(pictures: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Pictures as files, as whole numbers or as floats in [0, 1]."""
    if dtype.kind == "O":
        return to_files(pictures)
    pixels = from_pictures(pictures, shape)
    return pixels if dtype == np.uint8 else pixels / np.float32(255)


def _dtype(key: str, info: Any) -> np.dtype:
    try:
        return np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype)
    except (TypeError, KeyError) as error:
        raise ServingError(
            f"The server says that {key} is of a dtype that there is none of: {error}.", "INTERNAL"
        ) from error


def _array(key: str, value: Any, info: Any) -> np.ndarray:
    """An input as the signature has it."""
    shape, dtype = tf.TensorShape(info.tensor_shape), _dtype(key, info)
    if is_picture(value):
        value = _of_pictures(value, tuple(shape[1:]), dtype)
    found = np.asarray(value, object if dtype.kind == "O" else None)
    if not found.ndim or not shape.is_compatible_with(found.shape):
        sizes = ", ".join("B" if size is None else str(size) for size in shape)
        raise ValueError(f"{key} is of shape [{sizes}]. Received: {list(found.shape)}.")
    if dtype.kind == "O":
        other = next((type(item).__name__ for item in found.flat if not isinstance(item, bytes)), None)
        if other:
            raise ValueError(f"{key} is of bytes, such as those of a file. Received: {other}.")
    elif dtype.kind in "iu" and found.size:
        limits = np.iinfo(dtype)
        if found.dtype.kind not in "iu" or found.min() < limits.min or found.max() > limits.max:
            raise ValueError(f"{key} is of whole numbers, {dtype.name}. Received: {found.dtype.name}.")
    elif found.dtype.kind not in "iuf":
        raise ValueError(f"{key} is of numbers, {dtype.name}. Received: {found.dtype.name}.")
    return found if dtype.kind == "O" else found.astype(dtype)
