"""A VAE of two layers: `hierarchical_vae`'s own phase against the bound in closed form, in a linear-Gaussian model."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature
X = 1.5
# h ~ N(0, 1), z | h ~ N(0.7 h + 0.2, 0.9^2), x | z ~ N(1.1 z - 0.3, 0.8^2)
# z | x ~ N(0.5 x - 0.1, 0.7^2), h | z ~ N(0.4 z + 0.1, 0.85^2)
MIDDLE, DECODER, ENCODER, TOP = (0.7, 0.2, 0.9), (1.1, -0.3, 0.8), (0.5, -0.1, 0.7), (0.4, 0.1, 0.85)
NOISE, PROBABILITIES = exact.nodes(0.5)


def grid(*axes):
    return tf.stack([tf.reshape(part, [-1]) for part in tf.meshgrid(*axes)])


def bound(k, encoder=ENCODER, top=TOP):
    """The expected bound on log p(x) with k draws of (z, h), over a grid of nodes."""
    nodes, probabilities = (NOISE, PROBABILITIES) if k == 1 else (NOISE[::2], 2.0 * PROBABILITIES[::2])
    noise = grid(*[nodes] * (2 * k))
    weight = tf.reduce_prod(grid(*[probabilities] * (2 * k)), 0)

    def normal(law, noise=None):
        slope, shift, scale = (tf.constant(value, tf.float64) for value in law)
        law = exact.normal(slope, shift, scale)
        return law if noise is None else exact.Noisy(law.function, noise)

    recipe = ugm_tf.recipes.hierarchical_vae(k=k)
    densities = {
        "prior": exact.STANDARD,
        "middle": normal(MIDDLE),
        "decoder": normal(DECODER),
        "encoder": normal(encoder, noise[:k]),
        "top_encoder": normal(top, noise[k:]),
    }
    x = tf.fill([noise.shape[1]], tf.constant(X, tf.float64))
    start = ugm_tf.JointSample(densities, recipe.roles, {"x": x}, training=True, weight=len(x) * weight)
    return -exact.loss(recipe.phase("wake"), start).numpy()


def expected_log_normal(slope, shift, scale, mean, variance, of_mean, of_variance, covariance):
    """E log N(v; slope u + shift, scale^2) for u, v of these moments."""
    error = (of_mean - slope * mean - shift) ** 2 + of_variance - 2 * slope * covariance + slope**2 * variance
    return -0.5 * np.log(2 * np.pi * scale**2) - error / (2 * scale**2)


def closed_form():
    c, d, t = ENCODER
    e, f, u = TOP
    z, zz = c * X + d, t**2
    h, hh, zh = e * z + f, e**2 * zz + u**2, e * zz
    log_x = expected_log_normal(*DECODER, z, zz, X, 0.0, 0.0)
    log_z = expected_log_normal(*MIDDLE, h, hh, z, zz, zh)
    log_h = -0.5 * np.log(2 * np.pi) - 0.5 * (h**2 + hh)
    entropies = 0.5 * np.log(2 * np.pi * np.e * t**2) + 0.5 * np.log(2 * np.pi * np.e * u**2)
    return log_x + log_z + log_h + entropies


def marginal():
    """Mean and variance of p(z), and log p(x) at X."""
    a, b, s = MIDDLE
    slope, shift, scale = DECODER
    mean, variance = b, a**2 + s**2
    of_x = slope**2 * variance + scale**2
    return mean, variance, -0.5 * np.log(2 * np.pi * of_x) - (X - slope * mean - shift) ** 2 / (2 * of_x)


class HierarchicalVaeTest(absltest.TestCase):
    def test_one_draw_makes_it_the_negative_elbo_of_two_layers(self):
        self.assertAlmostEqual(bound(1), closed_form(), delta=TOLERANCE)

    def test_another_top_encoder_has_another_elbo(self):
        self.assertGreater(abs(bound(1, top=(0.4, 0.1, 0.5)) - closed_form()), 0.01)

    def test_two_draws_are_tighter_and_no_tighter_than_log_p(self):
        self.assertLess(bound(1), bound(2) - 1e-3)
        self.assertLess(bound(2), marginal()[2])

    def test_the_posteriors_of_both_layers_make_it_log_p(self):
        a, b, s = MIDDLE
        slope, shift, scale = DECODER
        mean, variance, log_p = marginal()
        precision = 1 / variance + slope**2 / scale**2
        encoder = (slope / scale**2 / precision, (mean / variance - slope * shift / scale**2) / precision)
        up = 1 + a**2 / s**2
        top = (a / s**2 / up, -a * b / s**2 / up, up**-0.5)
        self.assertAlmostEqual(bound(1, (*encoder, precision**-0.5), top), log_p, delta=TOLERANCE)


if __name__ == "__main__":
    absltest.main()
