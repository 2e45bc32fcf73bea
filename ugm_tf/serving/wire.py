"""The few messages of TensorFlow Serving that an export writes, so that it needs no package of its protos.

Each is written by its fields' names and numbers, which are the wire's:
https://github.com/tensorflow/serving/tree/master/tensorflow_serving (apis/prediction_log.proto, apis/predict.proto,
apis/model.proto, config/model_server_config.proto).  Embedded tensors and maps have the encoding of bytes and of
repeated pairs.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["message"]

_MESSAGES = {
    "ModelSpec": "string name=1, string signature_name=3",
    "Input": "string key=1, bytes value=2",
    "PredictRequest": "ModelSpec model_spec=1, Input* inputs=2",
    "PredictLog": "PredictRequest request=1",
    "PredictionLog": "PredictLog predict_log=6",
    "Specific": "int64* versions=1",
    "Policy": "Specific specific=102",
    "Label": "string key=1, int64 value=2",
    "ModelConfig": "string name=1, string base_path=2, string model_platform=4, Policy model_version_policy=7, "
    "Label* version_labels=8",
    "ModelConfigList": "ModelConfig* config=1",
    "ModelServerConfig": "ModelConfigList model_config_list=1",
}


def message(name: str) -> Any:
    """The class of a message, such as "PredictionLog"."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"ugm_tf.{name}"))


def _pool() -> descriptor_pool.DescriptorPool:
    field = descriptor_pb2.FieldDescriptorProto
    kinds = {"string": field.TYPE_STRING, "bytes": field.TYPE_BYTES, "int64": field.TYPE_INT64}
    file = descriptor_pb2.FileDescriptorProto(name="ugm_tf/wire.proto", package="ugm_tf", syntax="proto3")
    for name, fields in _MESSAGES.items():
        descriptor = file.message_type.add(name=name)
        for text in fields.split(", "):
            kind, _, rest = text.partition(" ")
            key, _, number = rest.partition("=")
            label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
            made = descriptor.field.add(name=key, number=int(number), label=label)
            kind = kind.removesuffix("*")
            made.type = kinds.get(kind, field.TYPE_MESSAGE)
            if kind not in kinds:
                made.type_name = f".ugm_tf.{kind}"
    pool = descriptor_pool.DescriptorPool()  # its own: the default one may hold TensorFlow Serving's
    pool.Add(file)
    return pool


_POOL = _pool()
