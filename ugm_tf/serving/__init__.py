"""Trained models as SavedModels that TensorFlow Serving and other runtimes load."""

from ugm_tf.serving.bundle import export_bundle
from ugm_tf.serving.cards import CARD
from ugm_tf.serving.saved_model import export_model
from ugm_tf.serving.session import ServedModel
from ugm_tf.serving.signatures import MAX_BATCH, Signature, signatures
from ugm_tf.serving.verification import VerificationError, verify

__all__ = [
    "CARD",
    "MAX_BATCH",
    "ServedModel",
    "Signature",
    "VerificationError",
    "export_bundle",
    "export_model",
    "signatures",
    "verify",
]
