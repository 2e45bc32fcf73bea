"""Trained models as SavedModels that TensorFlow Serving and other runtimes load; clients, and a server for tests."""

from ugm_tf.serving.bundle import export_bundle
from ugm_tf.serving.cards import CARD
from ugm_tf.serving.client import Client
from ugm_tf.serving.errors import DeadlineExceeded, InvalidRequest, NotFound, ServingError, TooLarge, Unavailable
from ugm_tf.serving.local import LocalServer
from ugm_tf.serving.pictures import to_pictures
from ugm_tf.serving.portable import convert
from ugm_tf.serving.runtimes import RUNTIMES
from ugm_tf.serving.saved_model import export_model
from ugm_tf.serving.session import ServedModel
from ugm_tf.serving.signatures import MAX_BATCH, Signature, signatures
from ugm_tf.serving.variants import default_variants
from ugm_tf.serving.verification import VerificationError, verify

__all__ = [
    "CARD",
    "MAX_BATCH",
    "RUNTIMES",
    "Client",
    "DeadlineExceeded",
    "InvalidRequest",
    "LocalServer",
    "NotFound",
    "ServedModel",
    "ServingError",
    "Signature",
    "TooLarge",
    "Unavailable",
    "VerificationError",
    "convert",
    "default_variants",
    "export_bundle",
    "export_model",
    "signatures",
    "to_pictures",
    "verify",
]
