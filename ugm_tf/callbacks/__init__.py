"""Callbacks: checkpoints, progress, pictures and a probe of divergences."""

from ugm_tf.callbacks.checkpoints import Checkpoints
from ugm_tf.callbacks.probe import DivergenceProbe
from ugm_tf.callbacks.progress import Progress
from ugm_tf.callbacks.samples import SampleGrids

__all__ = ["Checkpoints", "DivergenceProbe", "Progress", "SampleGrids"]
