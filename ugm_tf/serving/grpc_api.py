"""The local server's PredictionService and ModelService."""

from collections.abc import Callable
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.serving.errors import InvalidRequest, ServingError
from ugm_tf.serving.stubs import stubs

__all__ = ["MOST_BYTES", "start"]

MOST_BYTES = 64 * 2**20  # of a message, and of a tensor in one
_THREADS, _MOST_CALLS = 64, 1000
_TIMEOUT = 30.0  # of calls without a deadline


def start(server: Any, port: int) -> tuple[str, Callable[[], None]]:
    """Listens.

    Args:
        server: What answers: a `LocalServer`.
        port: A port, or 0.

    Returns:
        The address, and how to end it.

    Raises:
        RuntimeError: If the port is taken.
        ImportError: If the stubs are not installed.
    """
    found = stubs()
    options = [("grpc.max_receive_message_length", MOST_BYTES), ("grpc.so_reuseport", 0)]
    made = found.grpc.server(futures.ThreadPoolExecutor(_THREADS), options=options, maximum_concurrent_rpcs=_MOST_CALLS)
    predicting = type("Predicting", (_Predicting, found.prediction_service.PredictionServiceServicer), {})
    telling = type("Telling", (_Telling, found.model_service.ModelServiceServicer), {})
    found.prediction_service.add_PredictionServiceServicer_to_server(predicting(server, found), made)
    found.model_service.add_ModelServiceServicer_to_server(telling(server, found), made)
    bound = made.add_insecure_port(f"127.0.0.1:{port}")
    made.start()
    return f"127.0.0.1:{bound}", lambda: made.stop(1.0).wait()


class _Answering:
    def __init__(self, server: Any, found: Any):
        self._server, self._stubs = server, found

    def _refuse(self, context: Any, error: ServingError) -> None:
        context.abort(getattr(self._stubs.grpc.StatusCode, error.code), error.message[:4000])


class _Predicting(_Answering):
    def Predict(self, request: Any, context: Any) -> Any:
        try:
            return self._predict(request, context)
        except ServingError as error:
            self._refuse(context, error)

    def _predict(self, request: Any, context: Any) -> Any:
        inputs = {key: _array(key, proto) for key, proto in request.inputs.items()}
        servable, future = self._server.ask(_spec(request.model_spec), request.model_spec.signature_name, inputs)
        context.add_callback(future.cancel)  # of a client that went away
        found = self._server.outputs(
            future, min(_TIMEOUT if (left := context.time_remaining()) is None else left, _TIMEOUT)
        )
        wanted = list(request.output_filter) or list(found)
        if unknown := [key for key in wanted if key not in found]:
            raise InvalidRequest(f"output tensor alias not found in signature: {unknown[0]}")
        response = self._stubs.predict.PredictResponse()
        _tell(response.model_spec, servable, request.model_spec.signature_name)
        for key in wanted:
            response.outputs[key].CopyFrom(tf.make_tensor_proto(found[key]))
        return response

    def GetModelMetadata(self, request: Any, context: Any) -> Any:
        try:
            if list(request.metadata_field) != ["signature_def"]:
                raise InvalidRequest("Metadata field signature_def is the only one supported.")
            servable = self._server.servables.get(*_spec(request.model_spec))
        except ServingError as error:
            self._refuse(context, error)
        response = self._stubs.metadata.GetModelMetadataResponse()
        _tell(response.model_spec, servable, "")
        signatures = self._stubs.metadata.SignatureDefMap()
        for name, signature in servable.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(signatures)
        return response


class _Telling(_Answering):
    def GetModelStatus(self, request: Any, context: Any) -> Any:
        name, version, _ = _spec(request.model_spec)
        try:
            found = self._server.servables.status(name, version)
        except ServingError as error:
            self._refuse(context, error)
        response = self._stubs.status.GetModelStatusResponse()
        for number, state, message in found:
            made = response.model_version_status.add(version=number, state=state)
            made.status.error_code, made.status.error_message = (2, message) if message else (0, "")
        return response


def _spec(spec: Any) -> tuple[str, int | None, str | None]:
    which = spec.WhichOneof("version_choice")
    return spec.name, spec.version.value if which == "version" else None, spec.version_label or None


def _tell(spec: Any, servable: Any, signature: str) -> None:
    spec.name, spec.signature_name = servable.name, signature or "serving_default"
    spec.version.value = servable.version


def _array(key: str, proto: Any) -> np.ndarray:
    """A tensor of a message.  One number may stand for many there, so its size is looked at before it is made."""
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise InvalidRequest(f"tensor parsing error: {key}")
    try:
        item = max(1, tf.as_dtype(proto.dtype).size or 1)
        if int(np.prod(sizes, dtype=object)) * item > MOST_BYTES:
            raise InvalidRequest(f"tensor parsing error: {key} has more than {MOST_BYTES} bytes")
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InvalidRequest(f"tensor parsing error: {key}") from error
