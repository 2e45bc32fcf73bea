"""The local server's PredictionService and ModelService."""

import math
from collections.abc import Callable
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.serving.errors import InvalidRequest, ServingError
from ugm_tf.serving.stubs import stubs

__all__ = ["MOST_BYTES", "start"]

MOST_BYTES = 64 * 2**20  # of a message, and of the tensors that it stands for
_MOST_AXES, _STRING = 64, 64  # of a tensor; and the bytes that each string takes at least, as an object of Python
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
        spec, signature = _spec(request.model_spec), request.model_spec.signature_name
        servable = self._server.servables.get(*spec)
        servable.check(signature, {key: _dtype(key, proto) for key, proto in request.inputs.items()})
        wanted = _wanted(request.output_filter, servable.signature(signature).outputs)
        servable, future = self._server.ask(spec, signature, _arrays(request.inputs))
        context.add_callback(future.cancel)  # of a client that went away
        found = self._server.outputs(
            future, min(_TIMEOUT if (left := context.time_remaining()) is None else left, _TIMEOUT)
        )
        response = self._stubs.predict.PredictResponse()
        _tell(response.model_spec, servable, signature)
        for key in wanted or found:
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
        try:
            found = self._server.servables.status(*_spec(request.model_spec))
        except ServingError as error:
            self._refuse(context, error)
        response = self._stubs.status.GetModelStatusResponse()
        for number, state, message in found:
            made = response.model_version_status.add(version=number, state=state)
            made.status.error_code, made.status.error_message = (2, message) if message else (0, "")
        return response


def _spec(spec: Any) -> tuple[str, int | None, str | None]:
    which = spec.WhichOneof("version_choice")
    version = spec.version.value if which == "version" else None
    return spec.name, version, spec.version_label if which == "version_label" else None


def _tell(spec: Any, servable: Any, signature: str) -> None:
    spec.name, spec.signature_name = servable.name, signature or "serving_default"
    spec.version.value = servable.version


def _wanted(names: Any, outputs: Any) -> list[str]:
    """The outputs that a request's filter names, in order.  It ends at the first that is wrong."""
    found: dict[str, None] = {}
    for key in names:
        if key not in outputs:
            raise InvalidRequest(f"output tensor alias not found in signature: {key}")
        if key in found:
            raise InvalidRequest(f"duplicate output tensor alias: {key}")
        found[key] = None
    return list(found)


def _dtype(key: str, proto: Any) -> tf.DType:
    try:
        return tf.as_dtype(proto.dtype)
    except TypeError as error:
        raise InvalidRequest(f"tensor parsing error: {key}") from error


def _arrays(protos: Any) -> dict[str, np.ndarray]:
    """The tensors of a message.  One number may stand for many there, so all sizes are looked at before one is made."""
    left = MOST_BYTES
    for key, proto in protos.items():
        left -= _size(key, proto)
        if left < 0:
            raise InvalidRequest(f"tensor parsing error: {key} has more than {MOST_BYTES} bytes, with other inputs")
    return {key: _array(key, proto) for key, proto in protos.items()}


def _size(key: str, proto: Any) -> int:
    """The bytes of a tensor."""
    shape = proto.tensor_shape
    if shape.unknown_rank or len(shape.dim) > _MOST_AXES or any(dim.size < 0 for dim in shape.dim):
        raise InvalidRequest(f"tensor parsing error: {key}")
    dtype = _dtype(key, proto)
    return math.prod(dim.size for dim in shape.dim) * (_STRING if dtype == tf.string else dtype.size or 1)


def _array(key: str, proto: Any) -> np.ndarray:
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise InvalidRequest(f"tensor parsing error: {key}") from error
