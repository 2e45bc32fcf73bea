"""Densities in closed form, that count how often they are asked."""

import tensorflow as tf
import tensorflow_probability as tfp

import ugm_tf

tfd = tfp.distributions


class Stub:
    """A density whose distribution is a function of its parents.

    Attributes:
        asked: For each time that the distribution was computed, its parents and the `training` flag.
    """

    def __init__(self, function, family="gaussian"):
        self.function, self.family, self.asked = function, ugm_tf.densities.get(family), []

    def distribution(self, *given, training=None):
        self.asked.append((given, training))
        return self.function(*given)

    flow, through = None, ()
    draw, value, location = ugm_tf.Density.draw, ugm_tf.Density.value, ugm_tf.Density.location


def standard(size=2):
    """N(0, I)."""
    return Stub(lambda: tfd.Independent(tfd.Normal(tf.zeros(size), 1.0), 1))


def shifted(shift=1.0):
    """N(sum of the parents + shift, I)."""
    return Stub(lambda *given: tfd.Independent(tfd.Normal(tf.add_n(given) + shift, 1.0), 1))


def point(slope=2.0):
    """slope * the parent, for certain."""
    return Stub(lambda z: tfd.Independent(tfd.Deterministic(slope * z), 1), "point")


def judge(function):
    """A discriminator whose logit is a function of its parents."""
    return Stub(lambda *given: tfd.Bernoulli(logits=function(*given)), "logit")


def classes(function):
    """A one-hot density whose logits are a function of its parents."""
    return Stub(lambda *given: tfd.OneHotCategorical(logits=function(*given), dtype=tf.float32), "one_hot")


def roles(**texts):
    return ugm_tf.algebra.Roles({name: ugm_tf.Role.parse(text) for name, text in texts.items()})


def seed(number=0):
    return tf.constant([number, 0])
