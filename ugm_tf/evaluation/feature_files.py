"""Feature networks in files: Keras's own, SavedModels, and ONNX."""

import hashlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

__all__ = ["Read", "read"]


class Read(NamedTuple):
    """A network that was read.

    Args:
        name: Its file's name.
        hash: 16 hexadecimal digits of the SHA-256 of its content.
        layer: What its features are the output of.
        shape: (H, W, C) of an image, None where it does not say.
        run: From images, float32 [B, H, W, C], to features, [B, D].
    """

    name: str
    hash: str
    layer: str
    shape: tuple[int | None, ...]
    run: Callable[[np.ndarray], np.ndarray]


def read(path: pathlib.Path, layer: str | None) -> Read:
    """Reads a network.

    Args:
        path: A .keras, .h5 or .onnx file, or a SavedModel's folder.
        layer: The layer or output whose values are the features; the last one if None.

    Raises:
        ValueError: If it cannot be read, or has no such layer.
    """
    if path.suffix in (".keras", ".h5") and path.is_file():
        layer, shape, run = _keras(path, layer)
    elif path.suffix == ".onnx" and path.is_file():
        layer, shape, run = _onnx(path, layer)
    elif (path / "saved_model.pb").is_file():
        layer, shape, run = _saved_model(path, layer)
    else:
        raise ValueError(
            f"A feature network is a .keras, .h5 or .onnx file or the folder of a SavedModel. Received: '{path}', "
            f"which is {'none of them' if path.exists() else 'not there'}."
        )
    first = len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3)  # channels before height
    if len(shape) != 4:
        raise ValueError(f"A feature network takes one batch of images, [N, H, W, C]. '{path}' takes {list(shape)}.")

    def flat(images: np.ndarray) -> np.ndarray:
        found = np.asarray(run(np.transpose(images, [0, 3, 1, 2]) if first else images))
        if found.ndim == 4:
            return found.mean((2, 3) if first else (1, 2))
        if found.ndim == 3:
            return found[:, 0]
        if found.ndim == 2:
            return found
        raise ValueError(f"'{path}' gives {layer} of shape {found.shape}. Features are [N, D]: give another layer.")

    places = (2, 3, 1) if first else (1, 2, 3)
    return Read(path.name, _digest(path), layer, tuple(shape[i] for i in places), flat)


_Parts = tuple[str, tuple[int | None, ...], Callable[[np.ndarray], Any]]


def _keras(path: pathlib.Path, layer: str | None) -> _Parts:
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"'{path}' is no Keras model that can be read: {str(error).splitlines()[0]}") from error
    names = [each.name for each in model.layers]
    if layer is not None:
        _check(path, layer, names)
        model = keras.Model(model.inputs, model.get_layer(layer).output)
    if len(model.inputs) != 1:
        raise ValueError(f"A feature network takes images alone. '{path}' takes {len(model.inputs)} inputs.")
    return layer or names[-1], tuple(model.inputs[0].shape), model.predict_on_batch


def _saved_model(path: pathlib.Path, output: str | None) -> _Parts:
    loaded = tf.saved_model.load(path)
    function = loaded.signatures.get("serving_default")
    if function is None:
        raise ValueError(f"The SavedModel '{path}' has no signature 'serving_default'.")
    inputs: Mapping[str, tf.TensorSpec] = function.structured_input_signature[1]
    output = _only(path, output, list(function.structured_outputs))
    if len(inputs) != 1:
        raise ValueError(f"A feature network takes images alone. '{path}' takes: {', '.join(inputs)}.")
    (name, spec), chosen = next(iter(inputs.items())), output

    def run(images: np.ndarray) -> np.ndarray:
        return loaded.signatures["serving_default"](**{name: tf.constant(images, spec.dtype)})[chosen].numpy()

    return output, tuple(spec.shape), run


def _onnx(path: pathlib.Path, output: str | None) -> _Parts:
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(
            f"'{path}' takes onnxruntime, which is not installed: pip install 'ugm_tf[onnx]', or give a .keras file."
        ) from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # of the library's own kinds, which have no common one
        raise ValueError(f"'{path}' is no ONNX model that can be read: {str(error).splitlines()[0]}") from error
    output = _only(path, output, [each.name for each in session.get_outputs()])
    if len(session.get_inputs()) != 1:
        raise ValueError(f"A feature network takes images alone. '{path}' takes {len(session.get_inputs())} inputs.")
    given = session.get_inputs()[0]
    shape = tuple(side if isinstance(side, int) and side > 0 else None for side in given.shape)
    return output, shape, lambda images: session.run([output], {given.name: images})[0]


def _only(path: pathlib.Path, name: str | None, names: list[str]) -> str:
    if name is None and len(names) > 1:
        raise ValueError(f"'{path}' has several outputs: {', '.join(names)}. Say which: layer=NAME.")
    return _check(path, name or names[0], names)


def _check(path: pathlib.Path, name: str, names: list[str]) -> str:
    if name not in names:
        shown = names if len(names) < 12 else [*names[:4], "...", *names[-4:]]
        raise ValueError(f"'{path}' has no '{name}'. It has: {', '.join(shown)}.")
    return name


def _digest(path: pathlib.Path) -> str:
    found = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
