"""Lemma 1 for a BiGAN: domain adaptation of pairs, both sides of which learn; asked of the recipe's own phase on S2.

y = 0 are the pairs of p(z) p(x | z), y = 1 those of p_data(x) q(z | x), both in two dimensions."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, gradient, log_data, log_normal

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature on both sides
BIGAN = ugm_tf.recipes.bigan()
NODES, PROBABILITIES = exact.nodes(0.2)
STEP = 0.1  # between the codes of the lemma's grid
CODES = tf.range(-10.0, 10.0 + STEP / 2, STEP, dtype=tf.float64)[:, None]
THETA, ETA = slice(0, 3), slice(3, 6)


def logit(x, z):
    """That of a discriminator which is far from the best one, and biased."""
    return 4 * tf.tanh((0.6 * x - 0.9 * z + 0.5 * tf.sin(x + z)) / 4) + 0.7


def loss(v, labels=("fool", "fool_real"), judge=logit):
    """Half of what `generate` minimises: p(y) = 1/2.  Noise of z stands on the first axis, that of x on the second."""
    codes = NODES[:, None]
    densities = {
        "prior": exact.Noisy(lambda: tfd.Normal(tf.constant(0.0, tf.float64), 1.0), codes[:, None]),
        "encoder": exact.Noisy(lambda x: tfd.Normal(v[3] * x + v[4], tf.exp(v[5])), codes[:, None]),
        "decoder": exact.Noisy(lambda z: tfd.Normal(v[0] * z + v[1], tf.exp(v[2])), codes),
        "discriminator": exact.Law(lambda x, z: tfd.Bernoulli(logits=judge(x, z))),
    }
    x, of_noise = X[::8], len(NODES) * PROBABILITIES
    weight = of_noise[:, None, None] * of_noise[:, None] * len(x) * 8 * exact.DX * tf.exp(log_data(x))
    start = ugm_tf.JointSample(densities, BIGAN.roles, {"x": x}, training=True, weight=weight)
    return 0.5 * exact.loss(exact.only(BIGAN.phase("generate"), *labels), start)


def log_pairs(v):
    """log of both sides' densities on the grid, z by x, with its step in z: integrals over x are then over pairs."""
    a, b, log_s, c, d, log_t = tf.unstack(tf.convert_to_tensor(v, tf.float64))
    generated = log_normal(CODES, 0.0, tf.constant(1.0, tf.float64)) + log_normal(X, a * CODES + b, tf.exp(log_s))
    inferred = log_data(X) + log_normal(CODES, c * X + d, tf.exp(log_t))
    return generated + np.log(STEP), inferred + np.log(STEP)


def lemma(v, jsd=True):
    sides = log_pairs(v)
    out = exact.lemma_1(tuple(zip(sides, log_pairs(V0), strict=True)), logit(X, CODES))
    return out if jsd else out + exact.jsd(*sides)


class BiganTest(absltest.TestCase):
    def test_decoder_and_encoder_descend_the_kl_minus_the_jsd_of_pairs(self):
        left = gradient(loss, V0)
        np.testing.assert_allclose(left, gradient(lemma, V0), atol=TOLERANCE)
        self.assertGreater(min(np.max(np.abs(left[part])) for part in (THETA, ETA)), 1e-2)

    def test_the_grid_holds_both_sides(self):
        for side in log_pairs(V0):
            self.assertAlmostEqual(exact.integral(tf.exp(side)).numpy(), 1.0, delta=1e-12)

    def test_not_without_the_jsd(self):
        left = gradient(loss, V0)
        self.assertGreater(np.max(np.abs(left - gradient(lambda v: lemma(v, jsd=False), V0))), 1e-2)

    def test_nor_if_the_encoder_does_not_learn(self):
        """As in a GAN, whose real side has nothing to learn."""
        left, right = gradient(lambda v: loss(v, ("fool",)), V0), gradient(lemma, V0)
        np.testing.assert_allclose(left[THETA], right[THETA], atol=TOLERANCE)
        np.testing.assert_array_equal(left[ETA], 0.0)
        self.assertGreater(np.max(np.abs(right[ETA])), 1e-2)

    def test_nor_with_the_codes_of_the_data_unseen(self):
        left = gradient(lambda v: loss(v, judge=lambda x, z: logit(x, 0.0 * z)), V0)
        self.assertGreater(np.max(np.abs(left - gradient(lemma, V0))), 1e-2)


if __name__ == "__main__":
    absltest.main()
