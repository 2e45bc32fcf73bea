"""Trained models as SavedModels that TensorFlow Serving and other runtimes load."""

from ugm_tf.serving.saved_model import CARD, export_model

__all__ = ["CARD", "export_model"]
