"""Callbacks: checkpoints, progress and pictures."""

from ugm_tf.callbacks.checkpoints import Checkpoints
from ugm_tf.callbacks.progress import Progress
from ugm_tf.callbacks.samples import SampleGrids

__all__ = ["Checkpoints", "Progress", "SampleGrids"]
