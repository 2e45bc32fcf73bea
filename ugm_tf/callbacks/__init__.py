"""Callbacks: checkpoints, progress, pictures and a watch for divergence."""

from ugm_tf.callbacks.checkpoints import Checkpoints
from ugm_tf.callbacks.divergence import DivergenceMonitor
from ugm_tf.callbacks.probe import DivergenceProbe
from ugm_tf.callbacks.progress import Progress
from ugm_tf.callbacks.samples import SampleGrids

__all__ = ["Checkpoints", "DivergenceMonitor", "DivergenceProbe", "Progress", "SampleGrids"]
