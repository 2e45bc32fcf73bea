"""The exporter under its first name: it is `ugm_tf.serving.export_model`."""

from ugm_tf.serving import CARD, export_model

__all__ = ["CARD", "export_model"]
