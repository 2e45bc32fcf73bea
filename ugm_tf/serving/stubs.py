"""TensorFlow Serving's own gRPC stubs, which are an extra."""

import types
from typing import Any

__all__ = ["stubs"]


def stubs() -> Any:
    """The messages and stubs of `tensorflow_serving.apis`, in one namespace.

    Raises:
        ImportError: If they are not installed.
    """
    try:
        import grpc
        from tensorflow_serving.apis import (
            get_model_metadata_pb2,
            get_model_status_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_service_pb2_grpc,
        )
    except ImportError as error:
        raise ImportError(
            f"gRPC takes TensorFlow Serving's stubs, pip install 'ugm_tf[serving]': {error}. REST takes none."
        ) from error
    return types.SimpleNamespace(
        grpc=grpc,
        metadata=get_model_metadata_pb2,
        model_service=model_service_pb2_grpc,
        predict=predict_pb2,
        prediction_service=prediction_service_pb2_grpc,
        status=get_model_status_pb2,
    )
