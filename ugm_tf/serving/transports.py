"""How a client reaches a server: by gRPC with TensorFlow Serving's stubs, or by REST with Python's own library."""

import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2

from ugm_tf.serving import http_calls, json_tensors
from ugm_tf.serving.errors import ServingError, of_code, of_status
from ugm_tf.serving.stubs import stubs

__all__ = ["Grpc", "Rest", "Spec"]

Spec = tuple[str, int | None, str | None]  # the model's name, and a version or a label
_T = TypeVar("_T")
_MOST_BYTES = 256 * 2**20  # of an answer


class Grpc:
    """Calls by gRPC.

    Args:
        address: Host and port.
    """

    def __init__(self, address: str):
        self._stubs, self._address = stubs(), address
        options = [(f"grpc.max_{way}_message_length", _MOST_BYTES) for way in ("send", "receive")]
        self._channel = self._stubs.grpc.insecure_channel(address, options)
        self._predicting = self._stubs.prediction_service.PredictionServiceStub(self._channel)
        self._telling = self._stubs.model_service.ModelServiceStub(self._channel)

    def predict(
        self, spec: Spec, signature: str, inputs: Mapping[str, np.ndarray], dtypes: Mapping[str, Any], timeout: float
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature."""
        request = self._request(self._stubs.predict.PredictRequest(), spec)
        request.model_spec.signature_name = signature
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
        response = self._call(self._predicting.Predict, request, timeout)
        return _read(self._address, lambda: {key: tf.make_ndarray(response.outputs[key]) for key in dtypes})

    def signatures(self, spec: Spec, timeout: float) -> Mapping[str, Any]:
        """The signatures, as `SignatureDef`."""
        request = self._request(self._stubs.metadata.GetModelMetadataRequest(metadata_field=["signature_def"]), spec)
        response = self._call(self._predicting.GetModelMetadata, request, timeout)
        found = self._stubs.metadata.SignatureDefMap()
        _read(self._address, lambda: response.metadata["signature_def"].Unpack(found))
        return found.signature_def

    def status(self, spec: Spec, timeout: float) -> dict[int, str]:
        """The state of each version."""
        request = self._request(self._stubs.status.GetModelStatusRequest(), spec)
        states = self._stubs.status.ModelVersionStatus.State
        found = self._call(self._telling.GetModelStatus, request, timeout).model_version_status
        return _read(self._address, lambda: {version.version: states.Name(version.state) for version in found})

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def _request(self, request: Any, spec: Spec) -> Any:
        name, version, label = spec
        request.model_spec.name = name
        if version is not None:
            request.model_spec.version.value = version
        elif label is not None:
            request.model_spec.version_label = label
        return request

    def _call(self, method: Any, request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout)
        except self._stubs.grpc.RpcError as error:
            raise of_code(error.code().name, error.details()) from error


class Rest:
    """Calls by REST.

    Args:
        address: Such as "http://localhost:8501".

    Raises:
        ValueError: If it is no address.
    """

    def __init__(self, address: str):
        self._address = http_calls.checked(address)

    def predict(
        self, spec: Spec, signature: str, inputs: Mapping[str, np.ndarray], dtypes: Mapping[str, Any], timeout: float
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature."""
        lists = {key: json_tensors.plain(value) for key, value in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": lists}).encode()
        url = self._url(spec) + ":predict"
        return self._call(url, body, timeout, lambda answer: json_tensors.columns(answer, dtypes))

    def signatures(self, spec: Spec, timeout: float) -> Mapping[str, Any]:
        """The signatures, as `SignatureDef`."""

        def read(answer: Any) -> Mapping[str, Any]:
            found = answer["metadata"]["signature_def"]["signature_def"].items()
            return {
                name: json_format.ParseDict(content, meta_graph_pb2.SignatureDef(), True) for name, content in found
            }

        return self._call(self._url(spec) + "/metadata", None, timeout, read)

    def status(self, spec: Spec, timeout: float) -> dict[int, str]:
        """The state of each version."""

        def read(answer: Any) -> dict[int, str]:
            return {int(version["version"]): version["state"] for version in answer["model_version_status"]}

        return self._call(self._url(spec), None, timeout, read)

    def close(self) -> None:
        """There is nothing to end: each call has a connection of its own."""

    def _url(self, spec: Spec) -> str:
        name, version, label = spec
        which = f"/versions/{version}" if version is not None else f"/labels/{urllib.parse.quote(label or '', '')}"
        own = which if version is not None or label is not None else ""
        return f"{self._address}/v1/models/{urllib.parse.quote(name, '')}{own}"

    def _call(self, url: str, body: bytes | None, timeout: float, read: Callable[[Any], _T]) -> _T:
        status, content = http_calls.exchange(url, body, timeout, _MOST_BYTES)
        if not 200 <= status < 300:
            raise of_status(status, _words(content))
        return _read(url, lambda: read(json.loads(content)))


def _read(address: str, read: Callable[[], _T]) -> _T:
    """What an answer says, whatever it may be that answers."""
    try:
        return read()
    except Exception as error:  # an answer of any form, and so an error of any kind
        words = f"{type(error).__name__}: {error}"[:300]
        raise ServingError(f"{address} answers as no TensorFlow Serving does: {words}.", "INTERNAL") from error


def _words(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"])[:4000]
    except (ValueError, KeyError, TypeError, RecursionError):
        return content.decode(errors="replace")[:1000]
