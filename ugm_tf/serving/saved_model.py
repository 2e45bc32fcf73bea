"""A trained model as a version directory that TensorFlow Serving and every other runtime of SavedModels can load."""

import contextlib
import json
import os
import pathlib
import shutil
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ugm_tf import inference
from ugm_tf.averaging import averages
from ugm_tf.inference import Endpoint
from ugm_tf.model import UnifiedModel
from ugm_tf.version import __version__

__all__ = ["CARD", "export_model"]

CARD = "assets.extra/model.json"  # runtimes leave that folder alone


def export_model(
    model: UnifiedModel,
    base_dir: str | os.PathLike[str],
    version: int | None = None,
    endpoints: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes `base_dir/<version>/`, a SavedModel with a signature for each endpoint.

    All inputs and outputs are batched, and row i of an output depends on row i of the inputs alone, so that a
    server may batch requests together; `sample` takes a seed a row, int32 [B, 2].  Outputs are float32 under every
    dtype policy.  The version appears at once and whole, as a server that watches `base_dir` needs it, and none
    is ever written over.  `assets.extra/model.json` says what it is.  Where the model's optimizers keep averages of
    the weights (`use_ema=True`), those are what is exported.

    A request that names no signature gets `serving_default`, the first endpoint.  That is "sample" wherever
    the recipe generates: the one question that every such model answers, from nothing but a seed.

    Args:
        model: The model, as trained, or as `ugm_tf.load_model` returns it.
        base_dir: Where the versions lie; made if need be.
        version: A positive number; one more than the highest there if it is not given.
        endpoints: Names of those to export, the default first; if not given, all that `ugm_tf.inference.endpoints`
            lists.  Only the weights that these need are written.
        metadata: More to write down in `model.json`.

    Returns:
        The version directory.

    Raises:
        ValueError: If an endpoint is not known or its inputs have no known shape, if the version exists, if the
            directory cannot be written, or if a network holds what a server cannot run.

    Example:

    >>> ugm_tf.serving.export_model(ugm_tf.load_model("run/model.keras"), "run/saved_model")
    PosixPath('run/saved_model/1')
    """
    chosen = _choose(model, endpoints)
    card = _card(model, chosen, metadata)
    base = pathlib.Path(base_dir)
    if version is not None and (type(version) is not int or version < 1):
        raise ValueError(f"A version is a positive number, or None for the next one. Received: {version!r}.")
    if version is not None and (base / str(version)).exists():
        raise ValueError(_taken(base, version))
    draft = base / f".tmp-{uuid.uuid4().hex}"  # on the same disk, and no number: servers pass it by
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise ValueError(f"Cannot write to {base}: {error.strerror}. Give a directory that can be written.") from error
    kept = averages(model)
    try:
        with model.averaged() if kept else contextlib.nullcontext():
            _write(chosen, draft)
        card["signatures"] = _signatures(draft, chosen)
        (draft / CARD).parent.mkdir()
        (draft / CARD).write_text(json.dumps(card, indent=2) + "\n")
        return _publish(draft, base, version)
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # there is none if it was published


def _choose(model: UnifiedModel, names: Iterable[str] | None) -> dict[str, Endpoint]:
    if not isinstance(model, UnifiedModel):
        raise ValueError(f"export_model takes a UnifiedModel, such as ugm_tf.load_model returns. Received: {model!r}.")
    known = inference.endpoints(model)
    names = list(known) if names is None else list(dict.fromkeys(names))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(
            f"This model can be asked for {', '.join(known)}. Received endpoints: {', '.join(names) or 'none'}."
        )
    for name in names:
        for variable, spec in known[name].inputs.items():
            if spec.shape.rank is None:
                raise ValueError(
                    f"'{name}' takes {variable}, of a shape that no network of this model tells. Make the networks "
                    f"that take {variable} functional or Sequential, or leave '{name}' out of `endpoints`."
                )
    return {name: known[name] for name in names}


def _card(model: UnifiedModel, chosen: Mapping[str, Endpoint], metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        written = json.loads(json.dumps(dict(metadata or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata is a dict that JSON can hold: {error}. Received: {metadata!r}.") from error
    densities = model.densities.items()
    return {
        "densities": {name: f"{model.recipe.roles[name]} {density.family}" for name, density in densities},
        "data": list(model.recipe.data),
        "equations": model.describe().split("\n"),
        "serving_default": next(iter(chosen)),
        "weights": "averages over training" if averages(model) else "as of the last step",
        "metadata": written,
        "versions": {"ugm_tf": __version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _write(chosen: Mapping[str, Endpoint], path: pathlib.Path) -> None:
    archive = keras.export.ExportArchive()  # finds the variables that functions use; track() would write them twice
    for name, endpoint in chosen.items():
        archive.add_endpoint(name, _positional(endpoint), input_signature=list(endpoint.inputs.values()))
    archive.write_out(str(path), verbose=False)  # with the first of them as `serving_default`


def _positional(endpoint: Endpoint) -> Any:
    """The endpoint's function of tensors in the order of its inputs: a signature knows no keywords and no defaults."""

    def function(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return endpoint.function(**dict(zip(endpoint.inputs, tensors, strict=True)))

    return function


def _signatures(path: pathlib.Path, chosen: Mapping[str, Endpoint]) -> dict[str, Any]:
    """What was written, as a server will read it.

    Raises:
        ValueError: If a server could not run it: the stock one turns XLA off, and none has this Python.
    """
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    (graph,) = saved.meta_graphs
    functions = graph.graph_def.library.function
    if any(function.attr["_XlaMustCompile"].b for function in functions):
        raise ValueError(
            "A network of this model compiles a part of itself with XLA, which servers turn off. Take jit_compile=True "
            "out of that network; UnifiedModel.compile(jit_compile=True) is for training, and does no harm."
        )
    nodes = [*graph.graph_def.node, *(node for function in functions for node in function.node_def)]
    if python := sorted({node.op for node in nodes if "PyFunc" in node.op}):
        raise ValueError(
            f"A network of this model calls back into Python ({', '.join(python)}), which no server has. "
            "Write that part with TensorFlow's or Keras's own operations in place of tf.py_function."
        )

    def described(tensors: Any) -> dict[str, Any]:
        shapes = {
            name: [dim.size if dim.size >= 0 else None for dim in i.tensor_shape.dim] for name, i in tensors.items()
        }
        return {n: {"dtype": tf.as_dtype(tensors[n].dtype).name, "shape": shapes[n]} for n in sorted(shapes)}

    return {
        name: {
            "answers": endpoint.answers,
            "inputs": described(graph.signature_def[name].inputs),
            "outputs": described(graph.signature_def[name].outputs),
        }
        for name, endpoint in chosen.items()
    }


def _publish(draft: pathlib.Path, base: pathlib.Path, version: int | None) -> pathlib.Path:
    """Moves a finished draft to its version, which exists from then on, whatever happens to the machine."""
    for path in (*draft.rglob("*"), draft):
        _sync(path)
    while True:
        number = _next(base) if version is None else version
        target = base / str(number)
        try:
            draft.rename(target)
        except OSError as error:
            if not target.exists():
                raise
            if version is not None:
                raise ValueError(_taken(base, version)) from error
            continue  # another export took that number
        _sync(base)
        return target


def _next(base: pathlib.Path) -> int:
    return max((int(path.name) for path in base.iterdir() if path.name.isdecimal()), default=0) + 1


def _taken(base: pathlib.Path, version: int) -> str:
    return f"{base / str(version)} exists, and a served version is never changed. Give another version, or none."


def _sync(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
