"""How a client reaches a server: by gRPC with TensorFlow Serving's stubs, or by REST with Python's own library."""

import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2

from ugm_tf.serving import json_tensors
from ugm_tf.serving.errors import DeadlineExceeded, ServingError, Unavailable, of_code, of_status
from ugm_tf.serving.stubs import stubs

__all__ = ["Grpc", "Rest", "Spec"]

Spec = tuple[str, int | None, str | None]  # the model's name, and a version or a label
_MOST_BYTES = 256 * 2**20  # of an answer


class Grpc:
    """Calls by gRPC.

    Args:
        address: Host and port.
    """

    def __init__(self, address: str):
        self._stubs = stubs()
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
        return {key: tf.make_ndarray(proto) for key, proto in response.outputs.items()}

    def signatures(self, spec: Spec, timeout: float) -> Mapping[str, Any]:
        """The signatures, as `SignatureDef`."""
        request = self._request(self._stubs.metadata.GetModelMetadataRequest(metadata_field=["signature_def"]), spec)
        response = self._call(self._predicting.GetModelMetadata, request, timeout)
        found = self._stubs.metadata.SignatureDefMap()
        response.metadata["signature_def"].Unpack(found)
        return found.signature_def

    def status(self, spec: Spec, timeout: float) -> dict[int, str]:
        """The state of each version."""
        request = self._request(self._stubs.status.GetModelStatusRequest(), spec)
        states = self._stubs.status.ModelVersionStatus.State
        found = self._call(self._telling.GetModelStatus, request, timeout).model_version_status
        return {version.version: states.Name(version.state) for version in found}

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
    """

    def __init__(self, address: str):
        self._address = address.rstrip("/")

    def predict(
        self, spec: Spec, signature: str, inputs: Mapping[str, np.ndarray], dtypes: Mapping[str, Any], timeout: float
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature."""
        lists = {key: json_tensors.plain(value) for key, value in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": lists}).encode()
        return json_tensors.columns(self._call(self._url(spec) + ":predict", body, timeout), dtypes)

    def signatures(self, spec: Spec, timeout: float) -> Mapping[str, Any]:
        """The signatures, as `SignatureDef`."""
        answer = self._call(self._url(spec) + "/metadata", None, timeout)
        found = answer["metadata"]["signature_def"]["signature_def"]
        message = meta_graph_pb2.SignatureDef
        return {name: json_format.ParseDict(content, message(), True) for name, content in found.items()}

    def status(self, spec: Spec, timeout: float) -> dict[int, str]:
        """The state of each version."""
        found = self._call(self._url(spec), None, timeout)["model_version_status"]
        return {int(version["version"]): version["state"] for version in found}

    def close(self) -> None:
        """There is nothing to end: each call has a connection of its own."""

    def _url(self, spec: Spec) -> str:
        name, version, label = spec
        which = f"/versions/{version}" if version is not None else f"/labels/{urllib.parse.quote(label or '')}"
        own = which if version is not None or label is not None else ""
        return f"{self._address}/v1/models/{urllib.parse.quote(name)}{own}"

    def _call(self, url: str, body: bytes | None, timeout: float) -> Any:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.loads(answer.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            raise of_status(error.code, _words(error.read(65536))) from error
        except TimeoutError as error:
            raise DeadlineExceeded(f"{url} did not answer in {timeout:.1f} s.") from error
        except (urllib.error.URLError, ConnectionError, socket.gaierror) as error:
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise DeadlineExceeded(f"{url} did not answer in {timeout:.1f} s.") from error
            raise Unavailable(f"{url} cannot be reached: {getattr(error, 'reason', error)}.") from error
        except ValueError as error:
            raise ServingError(f"{url} answers with what is no JSON: {error}.", "INTERNAL") from error


def _words(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:1000]
