"""Exact expectations for the lemmas: production phases with quadrature in place of draws, on the paper's toy densities.

Everything is float64.  The two set-ups are those of the numpy oracle that the golden numbers of the tests come from:
S1, a one-dimensional GAN, and S2, a linear-Gaussian VAE, on the same mixture of two normals.
"""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import ugm_tf
from ugm_tf.algebra import Ancestral, Detach, Draw, Draws, Step

tfd = tfp.distributions

X = tf.linspace(tf.constant(-14.0, tf.float64), 14.0, 1401)  # the trapezoid rule is spectrally accurate here
DX = 28.0 / 1400
_NUMBERS = itertools.count()


def nodes(step):
    """Values of a standard normal this far apart, and their probabilities."""
    half = round(9.0 / step)
    values = step * tf.range(-half, half + 1, dtype=tf.float64)
    return values, tf.exp(-0.5 * values**2) * step / np.sqrt(2 * np.pi)


def integral(values):
    return tf.reduce_sum(values) * DX


def log_normal(x, mean, scale):
    return -0.5 * ((x - mean) / scale) ** 2 - tf.math.log(scale) - 0.5 * np.log(2 * np.pi)


def log_data(x):
    """log p_data: 0.6 N(-1, 0.8^2) + 0.4 N(2, 0.6^2)."""
    parts = [
        np.log(w) + log_normal(x, m, tf.constant(s, tf.float64)) for w, m, s in ((0.6, -1.0, 0.8), (0.4, 2.0, 0.6))
    ]
    return tf.reduce_logsumexp(tf.stack(parts), 0)


def arbitrary_logit(x):
    """The logit of a discriminator that is far from optimal."""
    return 6 * tf.tanh((0.8 * x - 0.3 + 0.9 * tf.sin(2 * x)) / 6)


def kl(log_p, log_q):
    return integral(tf.exp(log_p) * (log_p - log_q))


def jsd(log_p, log_q):
    middle = log_mixture(log_p, log_q)
    return 0.5 * kl(log_p, middle) + 0.5 * kl(log_q, middle)


def log_mixture(log_p, log_q):
    return tf.reduce_logsumexp(tf.stack([log_p, log_q]), 0) - np.log(2.0)


class Law:
    """A density of one variable given others, in closed form: a function from the parents to a distribution."""

    through = ()

    def __init__(self, function):
        self.function = function

    def distribution(self, *given, training=None):
        return self.function(*given)

    def draw(self, distribution, lead, seed):
        """A point's only value: everything else is summed over."""
        return distribution.loc


def normal(slope, shift, scale):
    """N(slope * parent + shift, scale^2)."""
    return Law(lambda parent: tfd.Normal(slope * parent + shift, scale))


def judge(logit):
    """A discriminator with this logit."""
    return Law(lambda x: tfd.Bernoulli(logits=logit(x)))


STANDARD = Law(lambda: tfd.Normal(tf.constant(0.0, tf.float64), 1.0))


class Noisy(Law):
    """A normal density whose draws are at the noise given: nodes, if their weights are in the sample's weight."""

    def __init__(self, function, noise):
        super().__init__(function)
        self.noise = noise

    def draw(self, distribution, lead, seed):
        return distribution.loc + distribution.scale * self.noise


@ugm_tf.record
class Quadrature(Step):
    """In place of a draw from a normal density, nodes on a new leading axis with their weights: an exact expectation.

    The nodes move with the parameters as a reparameterised draw does.  Without parents, they are the batch.
    """

    density: str = dataclasses.field()
    step: float

    def __call__(self, sample, seed):
        distribution, role = sample.distribution(self.density), sample.roles[self.density]
        shape = [-1] + [1] * len(distribution.batch_shape)
        values, probabilities = nodes(self.step)
        weight = tf.reshape(values.shape[0] * probabilities, shape)  # their mean is 1
        if role.given:
            weight *= sample.weight
        value = distribution.loc + distribution.scale * tf.reshape(values, shape)
        return sample.where(weight=weight, drawn_by=(self.density,), **{role.of: value}).of_any_size()


def exactly(phase, **steps):
    """The phase with each draw from one of these densities replaced by nodes this far apart; nothing else changes."""

    def exact(step):
        return (
            Quadrature(step.density, steps[step.density]) if isinstance(step, Draw) and step.density in steps else step
        )

    terms = [
        dataclasses.replace(e, under=Ancestral(tuple(exact(step) for step in e.under.steps))) for e in phase.minimise
    ]
    return dataclasses.replace(phase, minimise=tuple(terms))


def under(function):
    """What an expectation is under, as a function from the start and a seed to a joint sample."""
    own = {
        "__annotations__": {"side": ugm_tf.Sampler},
        "side": ugm_tf.DATA,
        "sides": property(lambda self: (self.side,)),
        "each": lambda self, change: dataclasses.replace(self, side=change(self.side)),
        "draw": lambda self, draws, seed: function(draws.start, seed).of_any_size(),
    }
    return ugm_tf.record(type(f"Under_{next(_NUMBERS)}", (ugm_tf.Sampler,), own))()  # a class each: it is saved by name


def only(phase, *labels):
    """The phase without its other expectations."""
    return dataclasses.replace(phase, minimise=tuple(e for e in phase.minimise if e.label in labels))


def undetached(phase):
    """The phase without its Detach steps."""

    def live(e):
        return Ancestral(tuple(step for step in e.under.steps if not isinstance(step, Detach)))

    return dataclasses.replace(phase, minimise=tuple(dataclasses.replace(e, under=live(e)) for e in phase.minimise))


def data(recipe, densities):
    """The joint sample that phases start from: x ~ data, exactly."""
    weight = len(X) * DX * tf.exp(log_data(X))
    return ugm_tf.JointSample(densities, recipe.roles, {"x": X}, training=True, weight=weight)


def lemma_1(sides, logit, p_real=0.5):
    """The right-hand side of lemma 1: E_p(y) KL(p(x | y) || q^r(x | y)) less the JSD that p(y) weighs.

    Args:
        sides: Pairs of log p_theta(x | y) and of its values at theta_0, on X: for y = 0, then for y = 1.
        logit: The discriminator's, on X.
        p_real: p(y = 1).
    """
    p_y = (1.0 - p_real, p_real)
    live, frozen = zip(*sides, strict=True)
    middle, prior = (
        tf.reduce_logsumexp(tf.stack([np.log(p) + side for p, side in zip(p_y, each, strict=True)]), 0)
        for each in (live, frozen)
    )
    out = tf.constant(0.0, tf.float64)
    for p, side, sign in zip(p_y, live, (1.0, -1.0), strict=True):
        posterior = tf.math.log_sigmoid(sign * logit) + prior
        posterior -= tf.math.log(integral(tf.exp(posterior)))
        out += p * (kl(side, posterior) - kl(side, middle))
    return out


def loss(phase, start):
    """What the phase minimises."""
    return phase.loss(phase.values(Draws(start), seed=(0, 0)))


# S2: theta = (a, b, log s) and eta = (c, d, log t), with x | z ~ N(a z + b, s^2) and z | x ~ N(c x + d, t^2).
V0 = (0.9, 0.4, np.log(0.8), 0.5, -0.1, np.log(0.7))


def vae_densities(v, logit=None):
    """S2's densities at the parameters v, with a discriminator if its logit is given."""
    a, b, log_s, c, d, log_t = tf.unstack(v)
    out = {"prior": STANDARD, "encoder": normal(c, d, tf.exp(log_t)), "decoder": normal(a, b, tf.exp(log_s))}
    return out if logit is None else {**out, "discriminator": judge(logit)}


def log_generated(v, x):
    """log p_g of S2, N(b, a^2 + s^2), at x."""
    return log_normal(x, v[1], tf.sqrt(v[0] ** 2 + tf.exp(2 * v[2])))


def elbo(v, x):
    """S2's evidence lower bound in closed form, in nats."""
    a, b, log_s, c, d, log_t = tf.unstack(v)
    mean, s2, t2 = c * x + d, tf.exp(2 * log_s), tf.exp(2 * log_t)
    distortion = 0.5 * tf.math.log(2 * np.pi * s2) + ((x - a * mean - b) ** 2 + a**2 * t2) / (2 * s2)
    return -distortion - 0.5 * (t2 + mean**2 - 1 - tf.math.log(t2))


def gradient(function, at):
    """The gradient of a scalar function of one vector."""
    variable = tf.constant(at, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = function(variable)
    return tape.gradient(value, variable).numpy()
