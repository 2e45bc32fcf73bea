"""Whether a version is what its card says, and answers as a server needs it to."""

import dataclasses
import io
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from ugm_tf.serving import cards, configs, graphs, requests, sums, warmup
from ugm_tf.serving.session import ServedModel
from ugm_tf.serving.signatures import signatures

__all__ = ["Finding", "VerificationError", "verify"]

_ROWS = 3
_RTOL, _ATOL = 1e-4, 1e-5  # of float32 in other batches, and of other kernels
_ROUNDINGS = 4  # of coarser floats: networks round at each layer, and kernels do so at different places


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong with a version.

    Attributes:
        check: "files", "graph", "card", "load", "answers", "rows", "refusals", "warm-up" or "model".
        message: What was found.
    """

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


class VerificationError(ValueError):
    """A version is not fit to be served.

    Attributes:
        path: The version directory.
        findings: What is wrong with it.
    """

    def __init__(self, path: pathlib.Path, findings: list[Finding]):
        self.path, self.findings = path, findings
        super().__init__(f"{path} is not fit to be served. {' '.join(map(str, findings))}")


def verify(path: str | os.PathLike[str], model: Any = None) -> None:
    """Checks a version: its files, its graph, and what its signatures answer and refuse.

    The signatures are run as a server runs them, by names in the graph and with XLA off.  What is damaged is not run.

    Args:
        path: The version directory.
        model: The model that it was exported from, whose answers it must have, with the same weights: inside of
            `model.averaged()`, if the averages were exported.

    Raises:
        VerificationError: With all that is wrong.
    """
    version = pathlib.Path(path)
    found = [Finding("files", fault) for fault in sums.faults(version)]
    if not sums.irregular(version):
        found += list(_graph_and_card(version))
    if not found:
        card = cards.read(version)
        try:
            with ServedModel(version) as served:
                found += _answers(served, card)
                found += _warmup(version, served, card)
                found += _as_model(served, card, model) if model is not None else []
        except (ValueError, OSError, tf.errors.OpError) as error:
            found.append(Finding("load", str(error)))
    if found:
        raise VerificationError(version, found)


def _graph_and_card(version: pathlib.Path) -> Iterator[Finding]:
    try:
        graph = graphs.read(version)
    except ValueError as error:
        yield Finding("graph", str(error))
        return
    yield from (Finding("graph", fault) for fault in graphs.faults(graph))
    try:
        card = cards.read(version)
    except ValueError as error:
        yield Finding("card", str(error))
        return
    yield from (Finding("card", fault) for fault in cards.faults(version, card, graph))
    if not (version / configs.BATCHING_PARAMETERS).is_file():
        yield Finding("files", f"{configs.BATCHING_PARAMETERS} is missing.")
    for name, signature in graph.signature_def.items():
        for key, info in () if name.startswith("__") else (*signature.inputs.items(), *signature.outputs.items()):
            if not info.tensor_shape.dim or info.tensor_shape.dim[0].size != -1:
                yield Finding("graph", f"'{name}' has {key} without a free batch axis: servers join requests along it.")


def _answers(served: ServedModel, card: Mapping[str, Any]) -> Iterator[Finding]:
    for name, signature in card["signatures"].items():
        inputs = signature["inputs"]
        rows = _rows(card)
        try:
            batch = requests.example(inputs, rows)
        except (KeyError, TypeError, ValueError) as error:
            yield Finding("card", f"No request can be made of what it says of '{name}': {error!r}.")
            continue
        try:
            together = served(name, batch)
            apart = [served(name, {key: value[i : i + 1] for key, value in batch.items()}) for i in range(rows)]
        except tf.errors.OpError as error:
            yield Finding("answers", f"'{name}' does not answer: {error.message}")
            continue
        for key, value in together.items():
            if not np.all(np.isfinite(_numbers(value))):
                yield Finding("answers", f"'{name}' answers with {key} that is no number.")
            if not _close(np.concatenate([part[key] for part in apart]), value, served.spacing):
                yield Finding("rows", f"'{name}' answers with another {key} where rows come one by one.")
        if not np.all(together["ok"]):
            yield Finding("answers", f"'{name}' has no answer to a good request.")
        yield from _refusals(served, name, inputs, card["max_batch"])
        for bad in requests.spoiled(inputs, batch, rows // 2):
            try:
                found = served(name, bad)
            except tf.errors.OpError as error:
                yield Finding("refusals", f"'{name}' refuses the neighbours of a bad row: {error.message}")
            else:
                yield from _spoiled(name, found, together, rows // 2, served.spacing)


def _refusals(served: ServedModel, name: str, inputs: Mapping[str, Any], max_batch: int) -> Iterator[Finding]:
    for bad in requests.misshapen(inputs, max_batch):
        shapes = ", ".join(f"{key} of shape {list(value.shape)}" for key, value in bad.items())
        try:
            served(name, bad)
        except tf.errors.OpError as error:
            if isinstance(error, tf.errors.InvalidArgumentError) and f"{name} takes " in error.message:
                continue
            yield Finding("refusals", f"'{name}' refuses {shapes} by chance: {error.message}")
        else:
            yield Finding("refusals", f"'{name}' answers to {shapes}, which its signature does not take.")


def _spoiled(
    name: str, found: Mapping[str, np.ndarray], good: Mapping[str, np.ndarray], row: int, spacing: float
) -> Iterator[Finding]:
    others = [i for i in range(len(good["ok"])) if i != row]
    for key, value in found.items():
        nothing = value.dtype == np.uint8 or np.all(np.isnan(_numbers(value)[row])) if key != "ok" else not value[row]
        if not nothing:
            yield Finding("refusals", f"'{name}' makes a number of NaN in {key}.")
        if not _close(value[others], good[key][others], spacing):
            yield Finding("rows", f"'{name}' answers with another {key} where a neighbour's row is NaN.")


def _warmup(version: pathlib.Path, served: ServedModel, card: Mapping[str, Any]) -> Iterator[Finding]:
    warmed = set()
    try:
        for name, batch in warmup.read(version):
            if not np.all(served(name, batch)["ok"]):
                yield Finding("warm-up", f"'{name}' has no answer to its request.")
            warmed.add(name)
    except (ValueError, KeyError, tf.errors.OpError) as error:
        yield Finding("warm-up", f"The requests do not replay: {error}")
    else:
        if missing := sorted(set(card["signatures"]) - warmed):
            yield Finding("warm-up", f"There is no request for {', '.join(missing)}.")


def _as_model(served: ServedModel, card: Mapping[str, Any], model: Any) -> Iterator[Finding]:
    asked = signatures(model, card["max_batch"], card.get("variants", ()))
    for name, signature in card["signatures"].items():
        if name not in asked or set(asked[name].inputs) != set(signature["inputs"]):
            yield Finding("model", f"This model is not asked for '{name}', or not with the same inputs.")
            continue
        batch = requests.example(signature["inputs"], _rows(card), seed=1)
        expected = asked[name].function(*(tf.constant(batch[key]) for key in asked[name].inputs))
        for key, value in served(name, batch).items():
            if not _close(value, expected[key].numpy(), served.spacing):
                worst = np.abs(_numbers(value).astype(np.float64) - _numbers(expected[key].numpy())).max()
                yield Finding("model", f"'{name}' answers with {key} other than this model's, by {worst:.2g}.")


def _rows(card: Mapping[str, Any]) -> int:
    return min(_ROWS, card["max_batch"])


def _close(found: np.ndarray, expected: np.ndarray, spacing: float) -> bool:
    rtol, atol = (max(bound, _ROUNDINGS * spacing) for bound in (_RTOL, _ATOL))
    if found.dtype.kind in "Ou":
        atol = max(1.0, 255 * atol)  # of pixels, which are rounded
    found, expected = _numbers(found), _numbers(expected)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


def _numbers(value: np.ndarray) -> np.ndarray:
    """What can be compared: of files of pictures their pixels, NaN where there is no file."""
    if value.dtype.kind != "O":
        return value.astype(np.float32) if value.dtype == np.uint8 else value
    pixels = [np.asarray(Image.open(io.BytesIO(file)), np.float32) if file else None for file in value.tolist()]
    nothing = np.full(next((picture.shape for picture in pixels if picture is not None), ()), np.nan, np.float32)
    return np.stack([nothing if picture is None else picture for picture in pixels]) if pixels else np.zeros([0])
