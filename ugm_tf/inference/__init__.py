"""Inference: what a joint answers, in Python and as endpoints for serving."""

from ugm_tf.inference.answers import Answers
from ugm_tf.inference.endpoints import VERBS, Endpoint

__all__ = ["VERBS", "Answers", "Endpoint"]
