"""What a SavedModel's graph may hold for a stock server to run it, safely and the same way every time."""

import pathlib
from collections.abc import Iterator
from typing import Any

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework import op_def_registry  # of TF 2.21; nothing public tells a stateful op

__all__ = ["faults", "operations", "read", "spacing"]

# Of the operations that change something or depend on more than their inputs, those of variables, of saving and
# restoring, of calls and checks, and data sets of tensors.  All that have no state are allowed but those
# that read files.
_STATEFUL = frozenset(
    "Assert AssignVariableOp DisableCopyOnRead If MergeV2Checkpoints NoOp ReadVariableOp RestoreV2 SaveV2 "
    "StatefulPartitionedCall VarHandleOp VarIsInitializedOp While "
    "DatasetToSingleElement TensorDataset TensorSliceDataset".split()  # of pictures that are decoded
)
_FILES = frozenset({"MatchingFiles", "ReadFile"})
_SPACINGS = {types_pb2.DT_BFLOAT16: 2.0**-7, types_pb2.DT_HALF: 2.0**-10}  # of float32 and float64: 2^-23


def read(path: pathlib.Path) -> meta_graph_pb2.MetaGraphDef:
    """The graph of a version directory.

    Raises:
        ValueError: If there is none, it cannot be read, or there are several.
    """
    file = path / "saved_model.pb"
    try:
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except Exception as error:  # the decoder's own, or the disk's
        raise ValueError(f"{file} cannot be read as a SavedModel: {error}.") from error
    if len(saved.meta_graphs) != 1 or list(saved.meta_graphs[0].meta_info_def.tags) != ["serve"]:
        tags = [list(graph.meta_info_def.tags) for graph in saved.meta_graphs]
        raise ValueError(f"{file} must hold one graph, tagged 'serve'. Received graphs of the tags: {tags}.")
    return saved.meta_graphs[0]


def operations(graph: meta_graph_pb2.MetaGraphDef) -> Iterator[Any]:
    """Every node of the graph and of its functions."""
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def spacing(graph: meta_graph_pb2.MetaGraphDef) -> float:
    """The distance from 1 to the next number in the coarsest floats that the graph computes with."""
    types = {attribute.type for node in operations(graph) for attribute in node.attr.values()}
    return max((_SPACINGS[kind] for kind in types & set(_SPACINGS)), default=2.0**-23)


def faults(graph: meta_graph_pb2.MetaGraphDef) -> list[str]:
    """Why a stock server could not run the graph, or should not, each with how to mend it."""
    found = []
    if any(function.attr["_XlaMustCompile"].b for function in graph.graph_def.library.function):
        found.append(
            "A network of this model compiles a part of itself with XLA, which servers turn off. Take jit_compile=True "
            "out of that network; UnifiedModel.compile(jit_compile=True) is for training, and does no harm."
        )
    names = {node.op for node in operations(graph)} - {f.signature.name for f in graph.graph_def.library.function}
    if python := sorted(name for name in names if "PyFunc" in name):
        found.append(
            f"A network of this model calls back into Python ({', '.join(python)}), which no server has. "
            "Write that part with TensorFlow's or Keras's own operations in place of tf.py_function."
        )
    if others := sorted(name for name in names - set(python) if not _allowed(name)):
        found.append(
            f"A network of this model uses operations that a served graph may not: {', '.join(others)}. They are not "
            "TensorFlow's own, or keep a state, or touch files. Write that part with operations that do not."
        )
    return found


def _allowed(name: str) -> bool:
    definition = op_def_registry.get(name)
    return definition is not None and name not in _FILES and (not definition.is_stateful or name in _STATEFUL)
