"""A SavedModel as a server runs it: TensorFlow 1's session, with XLA off and nothing cast or checked on the way in."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from ugm_tf.serving import graphs

__all__ = ["ServedModel"]


class ServedModel:
    """The signatures of a version directory.

    TensorFlow's loader of Python finds objects and restores by them; a server restores by names in the graph.  So does
    this, and like a server it feeds tensors as they come: `Session.run` would cast them and check their shapes.

    Args:
        path: A version directory.

    Attributes:
        signatures: What each takes and answers, by name.
        spacing: The distance from 1 to the next number in the coarsest floats that the graph computes with.

    Raises:
        ValueError: If there is no SavedModel for servers, or one that cannot be loaded.
    """

    def __init__(self, path: str | os.PathLike[str]):
        options = config_pb2.ConfigProto()
        options.graph_options.optimizer_options.global_jit_level = config_pb2.OptimizerOptions.OFF
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=options)
        self._callables: dict[str, Any] = {}
        try:
            with self._session.graph.as_default(), _without_warnings():
                meta = tf.compat.v1.saved_model.loader.load(self._session, ["serve"], str(path))
        except (OSError, RuntimeError, ValueError, KeyError, tf.errors.OpError) as error:
            self._session.close()
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"{path} cannot be loaded as a SavedModel for servers: {reason}") from error
        self.signatures = {name: s for name, s in meta.signature_def.items() if not name.startswith("__")}
        self.spacing = graphs.spacing(meta)

    def __call__(self, name: str, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature, by name.

        Args:
            name: The signature.
            values: Its inputs by name, as they would come over the wire.

        Raises:
            tf.errors.OpError: As the server would answer.
        """
        signature = self.signatures[name]
        inputs, outputs = sorted(signature.inputs), sorted(signature.outputs)
        if name not in self._callables:
            feed = [signature.inputs[key].name for key in inputs]
            fetch = [signature.outputs[key].name for key in outputs]
            self._callables[name] = self._session._make_callable_from_options(
                config_pb2.CallableOptions(feed=feed, fetch=fetch)
            )
        answers = self._callables[name](*(np.asarray(values[key]) for key in inputs))
        return dict(zip(outputs, answers, strict=True))

    def close(self) -> None:
        """Ends the session."""
        self._callables.clear()
        self._session.close()

    def __enter__(self) -> "ServedModel":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Without the warning that this loader is of TensorFlow 1: it is what servers do."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
