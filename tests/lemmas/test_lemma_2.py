"""Lemma 2 (equations 11 to 14): the ELBO is the unified objective with a perfect discriminator, and extends wake."""

import dataclasses

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, elbo, gradient, integral, log_data, log_generated, log_mixture

TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12

# d E_data[ELBO] / d(a, b, log s, c, d, log t)
GOLDEN = (0.4659375, -0.3125, 0.95315625, 0.67875, -0.28125, -0.11015625)


def wake_loss(v, phase, recipe=None):
    """The loss of a wake phase, with z summed over in place of drawn."""
    start = exact.data(recipe or ugm_tf.recipes.vae(), exact.vae_densities(v))
    return exact.loss(exact.exactly(phase, encoder=0.5), start)


def unified(v, perfect=1.0):
    """Equation 12, line 1, with q^r(y=0 | x) = `perfect` on data and 1 - `perfect` on what p_theta0 generates.

    Its y=1 branch has p(x | z, 1) = p_data and KL(q(z | x, 1) || p(z | 1)) = 0.
    """

    def under(log_density, q_0):
        entropy = -sum(q * np.log(q) for q in (q_0, 1 - q_0) if q > 0)
        value = q_0 * elbo(v, X) + (1 - q_0) * log_data(X) + np.log(0.5) + entropy
        return integral(tf.exp(log_density) * value)

    generated = log_generated(tf.constant(V0, tf.float64), X)  # theta_0: frozen
    return 0.5 * under(log_data(X), perfect) + 0.5 * under(generated, 1.0 - perfect)


class Lemma2Test(parameterized.TestCase):
    @parameterized.parameters("analytic", "sampled")
    def test_wake_ascends_the_unified_objective_with_a_perfect_discriminator(self, kl):
        recipe = ugm_tf.recipes.vae(kl=kl)
        ascent = -gradient(lambda v: wake_loss(v, recipe.phase("wake"), recipe), V0)
        np.testing.assert_allclose(ascent, gradient(lambda v: 2 * unified(v), V0), atol=TOLERANCE)
        np.testing.assert_allclose(ascent, GOLDEN, atol=TOLERANCE)

    @parameterized.parameters(*range(3))
    def test_their_values_differ_by_a_constant(self, seed):
        v = tf.constant(V0 + 0.3 * np.random.default_rng(seed).normal(size=6))
        gap = 2 * unified(v) + wake_loss(v, ugm_tf.recipes.vae().phase("wake"))
        self.assertAlmostEqual(gap.numpy(), -3.3837415280671204, delta=TOLERANCE)

    def test_not_with_an_imperfect_discriminator(self):
        ascent = -gradient(lambda v: wake_loss(v, ugm_tf.recipes.vae().phase("wake")), V0)
        imperfect = gradient(lambda v: 2 * unified(v, perfect=0.9), V0)
        self.assertGreater(np.max(np.abs(ascent - imperfect)), 1e-2)

    def test_not_with_another_beta(self):
        recipe = ugm_tf.recipes.vae(beta=2.0)
        ascent = -gradient(lambda v: wake_loss(v, recipe.phase("wake"), recipe), V0)
        np.testing.assert_allclose(ascent[:3], GOLDEN[:3], atol=TOLERANCE)  # the rate does not know theta
        self.assertGreater(np.max(np.abs(ascent[3:] - GOLDEN[3:])), 1e-2)

    def test_line_2_has_the_same_gradient_at_theta_0_and_another_elsewhere(self):
        generated = log_generated(tf.constant(V0, tf.float64), X)  # theta_0: frozen

        def line_2(v):
            log_p = log_mixture(log_generated(v, X), log_data(X))
            return 2 * unified(v) - integral((tf.exp(log_data(X)) + tf.exp(generated)) * log_p)

        np.testing.assert_allclose(gradient(line_2, V0), GOLDEN, atol=TOLERANCE)
        elsewhere = np.add(V0, (0.3, -0.2, 0.15, 0.1, 0.2, -0.1))
        ascent = -gradient(lambda v: wake_loss(v, ugm_tf.recipes.vae().phase("wake")), elsewhere)
        gap = gradient(line_2, elsewhere) - ascent
        golden = (0.12993225262229272, -0.04636461623700833, 0.09354143764902141, 0.0, 0.0, 0.0)
        np.testing.assert_allclose(gap, golden, atol=TOLERANCE)

    def test_line_2_averaged_over_data_alone_is_another_gradient(self):
        def line_2(v):
            log_p = log_mixture(log_generated(v, X), log_data(X))
            return -wake_loss(v, ugm_tf.recipes.vae().phase("wake")) - integral(tf.exp(log_data(X)) * log_p)

        golden = (0.3460369850483702, -0.28334301400730527, 0.8678936615894953, *GOLDEN[3:])
        np.testing.assert_allclose(gradient(line_2, V0), golden, atol=TOLERANCE)
        self.assertGreater(np.max(np.abs(np.subtract(golden, GOLDEN))), 1e-2)


class WakeSleepTest(absltest.TestCase):
    """Equation 14: max over theta of E[x ~ data, h ~ q(h | x)] log p(x | h), with h = z."""

    def setUp(self):
        super().setUp()
        self.vae = ugm_tf.recipes.vae().phase("wake")
        reconstruction = tuple(e for e in self.vae.minimise if e.label == "distortion")
        self.wake = dataclasses.replace(self.vae, minimise=reconstruction, updates=("decoder",))

    def test_the_wake_phase_has_the_vaes_gradient_in_theta(self):
        wake = gradient(lambda v: wake_loss(v, self.wake), V0)[:3]
        np.testing.assert_allclose(wake, gradient(lambda v: wake_loss(v, self.vae), V0)[:3], atol=TOLERANCE)
        np.testing.assert_allclose(-wake, GOLDEN[:3], atol=TOLERANCE)

    def test_it_is_the_expected_log_likelihood(self):
        def closed_form(v):
            a, b, log_s, c, d, log_t = tf.unstack(v)
            s2, t2 = tf.exp(2 * log_s), tf.exp(2 * log_t)
            error = (X - a * (c * X + d) - b) ** 2 + a**2 * t2
            return integral(tf.exp(log_data(X)) * (0.5 * tf.math.log(2 * np.pi * s2) + error / (2 * s2)))

        v = tf.constant(V0, tf.float64)
        self.assertAlmostEqual(wake_loss(v, self.wake).numpy(), closed_form(v).numpy(), delta=TOLERANCE)

    def test_in_eta_the_vae_extends_it_by_the_rate(self):
        wake = gradient(lambda v: wake_loss(v, self.wake), V0)[3:]
        self.assertGreater(np.max(np.abs(-wake - GOLDEN[3:])), 1e-2)


if __name__ == "__main__":
    absltest.main()
