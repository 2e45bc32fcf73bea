"""Noise that is no function of the model's seed: found in the graph of a step, and refused."""

import pathlib
import re
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra.guarded import Misdeclared

__all__ = ["refuse"]

_DRAWS = re.compile(r"^(?!Stateless)(.*(Random|Multinomial|TruncatedNormal)|Stateful(?!PartitionedCall)|Rng)")
_LIBRARIES = tuple(f"{pathlib.Path(module.__file__).parent}{sep}" for module in (tf, keras, tfp) for sep in ("/", "\\"))


def refuse(where: str) -> None:
    """Refuses the graph that is being built if something in it draws from TensorFlow's own generators.

    Its draws would change when a run goes on from a checkpoint, and with the number of devices.  Called eagerly it does
    nothing.

    Args:
        where: What the graph is of, for the message.

    Raises:
        ValueError: With the operation and the line that made it.
    """
    if tf.executing_eagerly():
        return
    graph = tf.compat.v1.get_default_graph()
    stateful = [o for o in graph.get_operations() if o.op_def is not None and o.op_def.is_stateful]
    calls = any(_called(operation.node_def) for operation in stateful)
    functions = {f.signature.name: f.node_def for f in graph.as_graph_def().library.function} if calls else {}
    for operation in stateful:
        if draws := _drawing(operation.node_def, functions):
            raise Misdeclared(
                f"{where} draws by {draws}, {_line(operation)}, from a generator of TensorFlow's own. A draw "
                "is a function of the model's seed, the step and the row, or a run that goes on from a checkpoint is "
                "another run. A step draws by tf.random.stateless_normal(shape, seed) and the like, from the seed that "
                "it is given; a layer by keras.random.normal(shape, seed=keras.random.SeedGenerator(...)), which is "
                "saved with the model."
            )


def _called(node: Any) -> list[str]:
    """Names of the functions that a node calls, such as the branches of a condition, or the two kinds of a GRU."""
    attributes = node.attr.values()
    return [f.name for a in attributes for f in ([a.func] if a.HasField("func") else a.list.func)]


def _drawing(node: Any, functions: Mapping[str, Any]) -> str | None:
    """The kind of the first operation that draws: the node's own, or of one within the functions that it calls."""
    if _DRAWS.match(node.op):
        return str(node.op)
    within = (inner for name in _called(node) for inner in functions.get(name, ()))
    return next((draws for inner in within if (draws := _drawing(inner, functions))), None)


def _line(operation: tf.Operation) -> str:
    """Where one's own code made an operation."""
    ours = str(pathlib.Path(__file__).parent)
    for frame in reversed(list(operation.traceback or ())):
        if not frame.filename.startswith((*_LIBRARIES, ours)) and "autograph_generated" not in frame.filename:
            return f"made at {pathlib.Path(frame.filename).name}:{frame.lineno}"
    return f"named {operation.name}"
