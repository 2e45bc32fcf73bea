"""Signatures for runtimes other than TensorFlow: ONNX, LiteRT and OpenVINO, compared with the SavedModel."""

import contextlib
import dataclasses
import io
import logging
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.serving import cards, requests
from ugm_tf.serving.runtimes import RUNTIMES, Source
from ugm_tf.serving.session import ServedModel

__all__ = ["Converted", "convert"]

_RTOL, _ATOL = 1e-3, 1e-4  # of other kernels
_ROUNDINGS = 4  # of floats coarser than float32, which a runtime may replace with it


@dataclasses.dataclass(frozen=True)
class Converted:
    """A signature in another form, or why there is none.

    Attributes:
        name: The signature.
        path: The file; None where there is none.
        message: How far its answers are from the SavedModel's, or why there is no file.
    """

    name: str
    path: pathlib.Path | None
    message: str


def convert(
    version: str | os.PathLike[str], to: str, output: str | os.PathLike[str], names: Iterable[str] | None = None
) -> list[Converted]:
    """Converts the signatures of a version that draw nothing, and compares each with the SavedModel.

    Nothing is left of a conversion that fails or answers otherwise.

    Args:
        version: A version directory, as `export_model` writes it.
        to: "onnx", "litert" or "openvino"; each takes an extra, `pip install 'ugm_tf[onnx]'`.
        output: Where the files go, `<signature>.onnx`, `.tflite`, or `.xml` and `.bin`; made if need be.
        names: Which signatures; all by default.

    Raises:
        ValueError: If there is no such version, runtime or signature.
        ImportError: If the extra is not installed.

    Example:

    >>> version = ugm_tf.serving.export_model(ugm_tf.load_model("run/model.keras"), "models/digits")
    >>> for made in ugm_tf.serving.convert(version, "onnx", "portable"):  # doctest: +SKIP
    ...     print(f"{made.name}: {made.message}")
    """
    if to not in RUNTIMES:
        raise ValueError(f"A model is converted to {', '.join(RUNTIMES)}. Received: {to!r}.")
    try:
        card = cards.read(pathlib.Path(version))
    except ValueError as error:
        raise ValueError(f"{version} is no version that export_model wrote: {error}") from error
    known = card["signatures"]
    chosen = list(known if names is None else dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in known]:
        raise ValueError(f"{version} has the signatures {', '.join(known)}. Received: {', '.join(unknown)}.")
    folder = pathlib.Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    make = RUNTIMES[to]()
    with ServedModel(version) as served, _quiet():
        loaded = tf.saved_model.load(str(version))
        sources = [Source(name, loaded.signatures[name], pathlib.Path(version)) for name in chosen]
        return [_converted(source, known[source.name], make, served, folder) for source in sources]


def _converted(source: Source, described: Mapping[str, Any], make: Any, served: ServedModel, folder: Any) -> Converted:
    name, inputs = source.name, described["inputs"]
    if "seed" in inputs:
        return Converted(name, None, "draws by a seed, as TensorFlow alone can: export it with the variant noise")
    if any(spec["dtype"] == "string" for spec in (*inputs.values(), *described["outputs"].values())):
        return Converted(name, None, "reads or writes files of pictures, as TensorFlow alone can")
    paths: list[pathlib.Path] = []
    try:
        paths, run = make(source, folder)
        worst = 0.0
        for rows in (1, 3):
            batch = requests.example(inputs, rows)
            worst = max(worst, _distance(run(batch), served(name, batch), served.spacing))
    except Exception as error:  # whatever a converter or a runtime raises
        message = f"cannot be converted: {_line(error)}"
    else:
        if worst <= 1:
            return Converted(name, paths[0], f"as the SavedModel, to {worst:.0%} of the tolerance")
        message = f"answers otherwise than the SavedModel, by {worst:.2g} times the tolerance"
    for path in paths:
        path.unlink(missing_ok=True)
    return Converted(name, None, message)


def _distance(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], spacing: float) -> float:
    """How far answers are, 1 being what is tolerated."""
    rtol, atol = (max(bound, _ROUNDINGS * spacing) for bound in (_RTOL, _ATOL))
    if set(found) != set(expected) or any(found[key].shape != value.shape for key, value in expected.items()):
        return float("inf")
    far = 0.0
    for key, value in expected.items():
        one, other = found[key].astype(np.float64), value.astype(np.float64)
        bound = max(1.0, 255 * atol) if value.dtype == np.uint8 else atol + rtol * np.abs(other)
        far = max(far, float(np.max(np.abs(one - other) / bound, initial=0.0)))
    return far if far == far else float("inf")


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what converters say on the way."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(level)
