"""Runtimes other than TensorFlow, each an extra: how a signature is converted for one, and how it is run there."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["RUNTIMES", "Source"]

Batch = dict[str, np.ndarray]
Run = Callable[[Batch], Mapping[str, np.ndarray]]
_OPSET = 17  # of ONNX


@dataclasses.dataclass(frozen=True)
class Source:
    """A signature to convert.

    Attributes:
        name: Its name.
        function: What TensorFlow's loader of Python gives.
        version: The version directory.
    """

    name: str
    function: Any
    version: pathlib.Path


Make = Callable[[Source, pathlib.Path], tuple[list[pathlib.Path], Run]]


def _onnx() -> Make:
    try:
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise ImportError(f"ONNX takes pip install 'ugm_tf[onnx]': {error}.") from error

    def make(source: Source, folder: pathlib.Path) -> tuple[list[pathlib.Path], Run]:
        function, inputs = _by_place(source.function)
        path = folder / f"{source.name}.onnx"
        handlers: dict[str, Any] = {
            "BroadcastArgs": (_broadcast_args, []),
            "Log1p": (_log1p, []),
        }  # which it does not know
        model, _ = tf2onnx.convert.from_function(function, inputs, opset=_OPSET, custom_op_handlers=handlers)
        path.write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        outputs = [output.name for output in session.get_outputs()]
        return [path], lambda batch: dict(zip(outputs, session.run(outputs, batch), strict=True))

    return make


def _by_place(signature: Any) -> tuple[Any, list[tf.TensorSpec]]:
    """A signature as a function of its inputs by place, in the order of their names."""
    specs = signature.structured_input_signature[1]
    names = sorted(specs)

    def function(*values: tf.Tensor) -> dict[str, tf.Tensor]:
        return signature(**dict(zip(names, values, strict=True)))

    inputs = [tf.TensorSpec(specs[name].shape, specs[name].dtype, name=name) for name in names]
    return tf.function(function, input_signature=inputs), inputs


def _log1p(graph: Any, node: Any, name: str, _: Any) -> None:
    """log(1 + x) = 2 artanh(x / (2 + x)), exact where x is small."""
    (x,), made = node.input, _in_place(graph, node)
    two = graph.make_const(f"{name}_two", np.array(2.0, np.float32)).output[0]
    ratio = graph.make_node("Div", [x, graph.make_node("Add", [x, two]).output[0]]).output[0]
    made("Mul", [graph.make_node("Atanh", [ratio]).output[0], two])


def _broadcast_args(graph: Any, node: Any, name: str, _: Any) -> None:
    """The shape of what two shapes make together: that of ones of the first, spread to the second."""
    (first, second), made = node.input, _in_place(graph, node)
    longs = [graph.make_node("Cast", [shape], attr={"to": 7}).output[0] for shape in (first, second)]
    ones = graph.make_node("ConstantOfShape", longs[:1]).output[0]
    shape = graph.make_node("Shape", [graph.make_node("Expand", [ones, longs[1]]).output[0]]).output[0]
    made("Cast", [shape], attr={"to": 6})  # to int32


def _in_place(graph: Any, node: Any) -> Callable[..., Any]:
    """Takes a node out of a graph; what makes another one with its name and outputs."""
    kept = {"name": node.name, "outputs": node.output, "shapes": node.output_shapes, "dtypes": node.output_dtypes}
    graph.remove_node(node.name)
    return lambda kind, inputs, **options: graph.make_node(kind, inputs, **kept, **options)


def _litert() -> Make:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ImportError(f"LiteRT takes pip install 'ugm_tf[litert]': {error}.") from error

    def make(source: Source, folder: pathlib.Path) -> tuple[list[pathlib.Path], Run]:
        path = folder / f"{source.name}.tflite"
        converter = tf.lite.TFLiteConverter.from_saved_model(str(source.version), signature_keys=[source.name])
        path.write_bytes(converter.convert())
        runner = Interpreter(str(path)).get_signature_runner(source.name)
        return [path], lambda batch: runner(**batch)

    return make


def _openvino() -> Make:
    try:
        import openvino
    except ImportError as error:
        raise ImportError(f"OpenVINO takes pip install 'ugm_tf[openvino]': {error}.") from error

    def make(source: Source, folder: pathlib.Path) -> tuple[list[pathlib.Path], Run]:
        path = folder / f"{source.name}.xml"
        openvino.save_model(openvino.convert_model(source.function), path, compress_to_fp16=False)
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        wanted = source.function.structured_outputs

        def run(batch: Batch) -> Mapping[str, np.ndarray]:
            answers = compiled(batch)
            return {name: answers[name] for name in wanted}

        return [path, path.with_suffix(".bin")], run

    return make


# By name: a function that imports the runtime, and gives what converts a signature to files in a folder and runs them.
RUNTIMES: dict[str, Callable[[], Make]] = {"onnx": _onnx, "litert": _litert, "openvino": _openvino}
