"""Requests that a server replays as it loads a version, so that no client waits for the first of a kind."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from ugm_tf.serving import requests, wire

__all__ = ["WARMUP", "batch_sizes", "read", "write"]

WARMUP = "assets.extra/tf_serving_warmup_requests"
_MOST = 1000  # records that a server reads


def batch_sizes(max_batch: int) -> list[int]:
    """The numbers of rows that a server pads batches to: powers of two, and the most."""
    return [*(size for size in (2**i for i in range(32)) if size < max_batch), max_batch]


def write(version: pathlib.Path, name: str, card: Mapping[str, Any]) -> None:
    """Writes a request for each signature and each number of rows that a batch can have.

    Args:
        version: The version directory.
        name: The model's name, as a server has it.
        card: Its card.
    """
    path = version / WARMUP
    path.parent.mkdir(exist_ok=True)
    wanted = [(key, rows) for rows in batch_sizes(card["max_batch"]) for key in card["signatures"]]
    with tf.io.TFRecordWriter(str(path)) as file:
        for key, rows in wanted[:_MOST]:
            log = wire.message("PredictionLog")()
            log.predict_log.request.model_spec.name = name
            log.predict_log.request.model_spec.signature_name = key
            inputs = card["signatures"][key]["inputs"]
            for variable, tensor in sorted(_tensors(inputs, rows).items()):
                value = tensor.SerializeToString()
                log.predict_log.request.inputs.add(key=variable, value=value)
            file.write(log.SerializeToString(deterministic=True))


def read(version: pathlib.Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """The requests: the signature, and its inputs by name.

    Raises:
        ValueError: If a record cannot be read.
    """
    try:
        for record in tf.data.TFRecordDataset(str(version / WARMUP)).as_numpy_iterator():
            request = wire.message("PredictionLog").FromString(record).predict_log.request
            tensors = {pair.key: tensor_pb2.TensorProto.FromString(pair.value) for pair in request.inputs}
            yield request.model_spec.signature_name, {key: tf.make_ndarray(value) for key, value in tensors.items()}
    except Exception as error:  # of the file, of a record, or of a tensor in it
        raise ValueError(f"{WARMUP} cannot be read: {error}.") from error


def _tensors(inputs: Mapping[str, Mapping[str, Any]], rows: int) -> dict[str, tensor_pb2.TensorProto]:
    """Zeros, written as one number, where these have an answer; else the same row over and over."""
    row = requests.example(inputs, 1)
    out = {}
    for name, value in row.items():
        plain = inputs[name].get("values", "whole").startswith(("finite", "whole", "in [0, "))
        many = np.zeros([], value.dtype) if plain else np.repeat(value, rows, 0)
        out[name] = tf.make_tensor_proto(many, shape=[rows, *value.shape[1:]])
    return out
