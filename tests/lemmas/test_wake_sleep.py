"""Equation 14: what the two phases of wake-sleep descend, asked of `wake_sleep`'s own, with every draw summed over."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, gradient, integral, log_generated
from ugm_tf.algebra import DiscriminatorLoss, NegativeLogProb

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12
RECIPE, VAE = ugm_tf.recipes.wake_sleep(), ugm_tf.recipes.vae()
THETA, ETA = slice(0, 3), slice(3, 6)


def loss(v, name, recipe=RECIPE):
    phase = exact.exactly(recipe.phase(name), prior=0.2, decoder=0.2, encoder=0.5)
    return exact.loss(phase, exact.data(recipe, exact.vae_densities(v)))


def posterior(x):
    """Mean and variance of p(z | x) at theta_0."""
    a, b, s2 = V0[0], V0[1], np.exp(2 * V0[2])
    return a * (x - b) / (a**2 + s2), s2 / (a**2 + s2)


def kl_to_encoder(v):
    """E_p_theta0(x) KL(p_theta0(z | x) || q(z | x))."""
    c, d, log_t = tf.unstack(v)[3:]
    t2, (mean, variance) = tf.exp(2 * log_t), posterior(X)
    value = 0.5 * (tf.math.log(t2 / variance) + (variance + (mean - c * X - d) ** 2) / t2 - 1)
    return integral(tf.exp(log_generated(tf.constant(V0, tf.float64), X)) * value)


class SleepTest(absltest.TestCase):
    def test_sleep_descends_the_kl_from_the_posterior_to_the_encoder(self):
        sleep = gradient(lambda v: loss(v, "sleep"), V0)[ETA]
        np.testing.assert_allclose(sleep, gradient(kl_to_encoder, V0)[ETA], atol=TOLERANCE)
        golden = (0.2755102040816933, -0.20408163265330423, -0.03571428571482368)
        np.testing.assert_allclose(-sleep, golden, atol=TOLERANCE)

    def test_the_vae_descends_the_other_kl(self):
        sleep, vae = gradient(lambda v: loss(v, "sleep"), V0)[ETA], gradient(lambda v: loss(v, "wake", VAE), V0)[ETA]
        self.assertGreater(np.max(np.abs(sleep - vae)), 1e-2)

    def test_at_the_posterior_both_rest(self):
        a, b, s2 = V0[0], V0[1], np.exp(2 * V0[2])
        variance = s2 / (a**2 + s2)
        at = (*V0[:3], a / (a**2 + s2), -a * b / (a**2 + s2), 0.5 * np.log(variance))
        for recipe, name in ((RECIPE, "sleep"), (VAE, "wake")):
            rest = gradient(lambda v, recipe=recipe, name=name: loss(v, name, recipe), at)[ETA]
            np.testing.assert_allclose(rest, np.zeros(3), atol=TOLERANCE)

    def test_a_discriminator_learns_by_the_sleep_phase_with_y_in_place_of_z(self):
        roles = ugm_tf.recipes.gan().roles
        for y in (0, 1):
            values = {"x": X, "y": tf.fill([len(X)], y)}
            sample = ugm_tf.JointSample({"discriminator": exact.judge(exact.arbitrary_logit)}, roles, values, True)
            asleep, gan = NegativeLogProb("discriminator")(sample), DiscriminatorLoss(y)(sample)
            np.testing.assert_allclose(asleep, gan, atol=1e-14)


class WakeTest(absltest.TestCase):
    def test_wake_has_the_vaes_gradient_in_theta(self):
        wake, vae = (gradient(lambda v, r=r: loss(v, "wake", r), V0)[THETA] for r in (RECIPE, VAE))
        np.testing.assert_allclose(wake, vae, atol=TOLERANCE)
        np.testing.assert_allclose(-wake, (0.4659375, -0.3125, 0.95315625), atol=TOLERANCE)

    def test_not_with_codes_of_the_prior_in_place_of_the_encoders(self):
        on_a = -V0[0] / np.exp(2 * V0[2])  # E[(x - a z - b) z / s^2] with x and z independent
        wake = gradient(lambda v: loss(v, "wake"), V0)[0]
        self.assertGreater(abs(-wake - on_a), 1e-2)


class ReweightedTest(absltest.TestCase):
    """Many draws of z, as evenly spread as they can be, so that sums over them tend to integrals as 1/k."""

    def loss(self, v, name, k):
        recipe = ugm_tf.recipes.reweighted_wake_sleep(k=k, inference="wake")
        normal = tfd.Normal(tf.constant(0.0, tf.float64), 1.0)
        noise = normal.quantile((tf.range(k, dtype=tf.float64) + 0.5) / k)[:, None]
        c, d, t = v[3], v[4], tf.exp(v[5])
        densities = {**exact.vae_densities(v), "encoder": exact.Noisy(lambda x: tfd.Normal(c * x + d, t), noise)}
        return exact.loss(recipe.phase(name), exact.data(recipe, densities))

    def kl_on_data(self, v):
        """E_data KL(p_theta0(z | x) || q(z | x)), up to a constant."""
        c, d, log_t = tf.unstack(v)[3:]
        mean, variance = posterior(X)
        error = (variance + (mean - c * X - d) ** 2) / tf.exp(2 * log_t)
        return integral(tf.exp(exact.log_data(X)) * (log_t + 0.5 * error))

    def test_many_draws_make_wake_descend_minus_log_p_itself(self):
        def minus_log_p(v):
            return -integral(tf.exp(exact.log_data(X)) * log_generated(v, X))

        wake = gradient(lambda v: self.loss(v, "wake", 512), V0)[THETA]
        np.testing.assert_allclose(wake, gradient(minus_log_p, V0)[THETA], atol=2e-3)

    def test_one_draw_makes_it_descend_the_bound(self):
        one, many = (gradient(lambda v, k=k: self.loss(v, "wake", k), V0)[THETA] for k in (1, 512))
        self.assertGreater(np.max(np.abs(one - many)), 0.1)

    def test_many_draws_make_the_encoder_descend_the_kl_from_the_posterior_on_data(self):
        reweighted = gradient(lambda v: self.loss(v, "sleep", 512), V0)[ETA]
        np.testing.assert_allclose(reweighted, gradient(self.kl_on_data, V0)[ETA], atol=4e-3)


if __name__ == "__main__":
    absltest.main()
