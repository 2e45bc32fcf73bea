"""Bernoulli distributions given by logits, whose log-probability costs one exponential and one logarithm."""

import tensorflow as tf
from tensorflow_probability import distributions as tfd

__all__ = ["LogitBernoulli", "PatchBernoulli"]


class LogitBernoulli(tfd.Bernoulli):
    """Bernoulli distributions given by logits l, with log P(x) = x l - log(1 + exp(l)) in one expression.

    (TFP's own takes log P(0) and log P(1) of every variable and weighs them by x: twice the transcendental
    functions, forwards and backwards, for every pixel of a batch.)

    Args:
        As `tfd.Bernoulli`, of which `logits` are to be given.
    """

    def _log_prob(self, event):
        event, logits = tf.cast(event, self.logits.dtype), tf.convert_to_tensor(self.logits)
        if not (event.shape.is_fully_defined() and event.shape == logits.shape):
            shape = tf.broadcast_dynamic_shape(tf.shape(event), tf.shape(logits))
            event, logits = tf.broadcast_to(event, shape), tf.broadcast_to(logits, shape)
        return -tf.nn.sigmoid_cross_entropy_with_logits(event, logits)


class PatchBernoulli(LogitBernoulli):
    """A Bernoulli variable given by a map of logits, whose mean is its own.

    Attributes:
        patches: All of them, [..., n].
    """

    patches: tf.Tensor

    @classmethod
    def of(cls, patches: tf.Tensor) -> "PatchBernoulli":
        """The variable of these logits, [..., n]."""
        made = cls(tf.reduce_mean(patches, -1), dtype=tf.float32)
        made.patches = patches
        return made
