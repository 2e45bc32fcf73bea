"""Noise that is no function of the model's seed: found in the graph of a step, and refused."""

import pathlib
import re

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra.guarded import Misdeclared

__all__ = ["refuse"]

_DRAWS = re.compile(r"Random|Multinomial|TruncatedNormal|^Stateful|^Rng")
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
    for operation in tf.compat.v1.get_default_graph().get_operations():
        if operation.op_def is not None and operation.op_def.is_stateful and _DRAWS.search(operation.type):
            raise Misdeclared(
                f"{where} draws by {operation.type}, {_line(operation)}, from a generator of TensorFlow's own. A draw "
                "is a function of the model's seed, the step and the row, or a run that goes on from a checkpoint is "
                "another run. A step draws by tf.random.stateless_normal(shape, seed) and the like, from the seed that "
                "it is given; a layer by keras.random.normal(shape, seed=keras.random.SeedGenerator(...)), which is "
                "saved with the model."
            )


def _line(operation: tf.Operation) -> str:
    """Where one's own code made an operation."""
    ours = str(pathlib.Path(__file__).parent)
    for frame in reversed(list(operation.traceback or ())):
        if not frame.filename.startswith((*_LIBRARIES, ours)) and "autograph_generated" not in frame.filename:
            return f"made at {pathlib.Path(frame.filename).name}:{frame.lineno}"
    return f"named {operation.name}"
