"""Equation 17: the adversary-activated VAE, asked of `aavae`'s own wake phase."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, arbitrary_logit, elbo, gradient, integral, log_data, log_generated

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12

V_0 = tf.constant(V0, tf.float64)
VAE = np.array([0.4659375, -0.3125, 0.95315625, 0.67875, -0.28125, -0.11015625])  # the VAE's ascent, lemma 2
GOLDEN = (
    0.06228755332845133,
    0.17735301369959747,
    0.21182726580147118,
    0.17227250370971392,
    -0.029535084163589964,
    -0.052083057733428216,
)  # with the arbitrary discriminator


def optimal_logit(x):
    return log_data(x) - log_generated(V_0, x)


class Perfect:
    """q_*(y | x): y = 1 on the very tensor of data, and y = 0 on whatever else, whichever its values."""

    def distribution(self, x, training=None):
        return tfd.Bernoulli(logits=tf.zeros_like(x) + (1e3 if x is X else -1e3))


def wake_loss(v, logit=arbitrary_logit, phase=None, densities=None, **hyperparameters):
    """The loss of the wake phase with every draw summed over."""
    recipe = ugm_tf.recipes.aavae(**hyperparameters)
    phase = exact.exactly(phase or recipe.phase("wake"), prior=0.1, decoder=0.1, encoder=0.5)
    return exact.loss(phase, exact.data(recipe, densities or exact.vae_densities(v, logit)))


def ascent(logit=arbitrary_logit, **kwargs):
    return -gradient(lambda v: wake_loss(v, logit, **kwargs), V0)


def equation_17(v):
    """The whole objective, with q^r(y=0 | x) = D.

    E_p_theta0(x)[ E log p(x | z, y) - KL(q(z | x, y) q^r(y | x) || p(z | y) p(y)) ]
    """
    d = tf.sigmoid(arbitrary_logit(X))
    entropy = -d * tf.math.log(d) - (1 - d) * tf.math.log(1 - d)
    value = d * elbo(v, X) + (1 - d) * log_data(X) + np.log(0.5) + entropy
    p_0 = 0.5 * (tf.exp(log_data(X)) + tf.exp(log_generated(V_0, X)))
    return integral(p_0 * value)


def weighted_elbo(v, d_data, d_generated):
    """1/2 E_data[D ELBO] + 1/2 E_generated[D ELBO], with p_g frozen at theta_0."""
    p = d_data * tf.exp(log_data(X)) + d_generated * tf.exp(log_generated(V_0, X))
    return 0.5 * integral(p * elbo(v, X))


class Equation17Test(parameterized.TestCase):
    def test_wake_ascends_equation_17(self):
        np.testing.assert_allclose(ascent(), gradient(equation_17, V0), atol=TOLERANCE)
        np.testing.assert_allclose(ascent(), GOLDEN, atol=TOLERANCE)

    def test_it_is_the_elbo_weighted_by_the_discriminator_on_data_and_on_generated_x(self):
        d = tf.sigmoid(arbitrary_logit(X))
        np.testing.assert_allclose(ascent(), gradient(lambda v: weighted_elbo(v, d, d), V0), atol=TOLERANCE)
        self.assertAlmostEqual(-wake_loss(V_0).numpy(), weighted_elbo(V_0, d, d).numpy(), delta=TOLERANCE)

    def test_not_with_the_weights_on_one_side_alone(self):
        d = tf.sigmoid(arbitrary_logit(X))
        for weights in ((1.0, d), (d, 1.0), (d, 0.0), (0.0, d)):
            other = gradient(lambda v, weights=weights: weighted_elbo(v, *weights), V0)
            self.assertGreater(np.max(np.abs(other - GOLDEN)), 1e-2)

    def test_the_sampled_rate_has_the_same_expectation(self):
        np.testing.assert_allclose(ascent(kl="sampled"), GOLDEN, atol=TOLERANCE)

    def test_a_perfect_discriminator_makes_it_half_the_vae(self):
        def loss(v):
            return wake_loss(v, densities={**exact.vae_densities(v), "discriminator": Perfect()})

        np.testing.assert_allclose(-gradient(loss, V0), 0.5 * VAE, atol=TOLERANCE)

    def test_so_does_the_optimal_one(self):
        np.testing.assert_allclose(ascent(optimal_logit), 0.5 * VAE, atol=TOLERANCE)

    def test_an_undecided_one_makes_it_a_quarter_of_the_vae_on_data_and_on_generated_x(self):
        golden = (0.09646484375, -0.11328125, 0.317830078125, 0.24615234375, -0.126953125, -0.05507812500)
        np.testing.assert_allclose(ascent(lambda x: 0.0 * x), golden, atol=TOLERANCE)

    @parameterized.parameters((1.5, 0.9993503841246087), (3.0, 0.9960752506748928), (5.0, 0.9933279818824551))
    def test_a_temperature_smooths_the_weights(self, temperature, cosine):
        d = tf.sigmoid(optimal_logit(X) / temperature)
        smoothed = ascent(optimal_logit, temperature=temperature)
        np.testing.assert_allclose(smoothed, gradient(lambda v: weighted_elbo(v, d, d), V0), atol=TOLERANCE)
        self.assertAlmostEqual(smoothed @ VAE / np.linalg.norm(smoothed) / np.linalg.norm(VAE), cosine, delta=TOLERANCE)

    def test_beta_weighs_the_rate_on_both_sides(self):
        one, two, three = (ascent(beta=beta) for beta in (1.0, 2.0, 3.0))
        np.testing.assert_allclose(two - one, three - two, atol=TOLERANCE)
        np.testing.assert_allclose(two[:3], one[:3], atol=TOLERANCE)
        self.assertGreater(np.max(np.abs(two - one)), 1e-2)


class DetachedTest(absltest.TestCase):
    """Nothing flows back through generated x, and nothing through the weights."""

    def generated(self, phase, v):
        """Values of x in the expectations over generated x."""
        recipe = ugm_tf.recipes.aavae()
        phase = exact.exactly(phase, prior=0.5, decoder=0.5, encoder=0.5)
        start = exact.data(recipe, exact.vae_densities(v, arbitrary_logit))
        samples = [e.under(start, tf.constant([0, 0])) for e in phase.minimise if e.label.endswith("generated")]
        self.assertLen(samples, 2)
        return [sample["x"] for sample in samples]

    def through_generated_x(self, phase):
        with tf.GradientTape(persistent=True) as tape:
            v = tf.constant(V0, tf.float64)
            tape.watch(v)
            values = self.generated(phase, v)
        return [tape.gradient(x, v) for x in values]

    def test_generated_x_carries_no_gradient(self):
        wake = ugm_tf.recipes.aavae().phase("wake")
        self.assertEqual(self.through_generated_x(wake), [None, None])

    def test_without_the_detach_step_it_would(self):
        wake = exact.undetached(ugm_tf.recipes.aavae().phase("wake"))
        for through in self.through_generated_x(wake):
            self.assertGreater(np.max(np.abs(through)), 1.0)

    def test_without_the_detach_step_the_gradient_in_theta_would_be_another(self):
        leaked = ascent(phase=exact.undetached(ugm_tf.recipes.aavae().phase("wake")))
        self.assertGreater(np.max(np.abs(leaked[:3] - GOLDEN[:3])), 1e-2)
        np.testing.assert_allclose(leaked[3:], GOLDEN[3:], atol=TOLERANCE)  # eta draws no x

    def test_with_no_gradient_stopped_it_would_be_that_of_a_live_p_g(self):
        def live(v):
            p = tf.exp(log_data(X)) + tf.exp(log_generated(v, X))
            return 0.5 * integral(p * tf.sigmoid(arbitrary_logit(X)) * elbo(v, X))

        with absltest.mock.patch.object(tf, "stop_gradient", tf.identity):
            leaked = ascent()
        np.testing.assert_allclose(leaked, gradient(live, V0), atol=TOLERANCE)
        golden = (-0.08003407101503379, -0.021821372218529717, 0.11062077737924077, *GOLDEN[3:])
        np.testing.assert_allclose(leaked, golden, atol=TOLERANCE)

    def test_wake_teaches_the_discriminator_nothing(self):
        phi = tf.constant(0.3, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(phi)
            loss = wake_loss(V_0, lambda x: phi + arbitrary_logit(x))
        self.assertIsNone(tape.gradient(loss, phi))

    def test_without_detached_weights_it_would(self):
        phi = tf.constant(0.3, tf.float64)
        with absltest.mock.patch.object(tf, "stop_gradient", tf.identity), tf.GradientTape() as tape:
            tape.watch(phi)
            loss = wake_loss(V_0, lambda x: phi + arbitrary_logit(x))
        self.assertGreater(abs(tape.gradient(loss, phi).numpy()), 1e-2)


if __name__ == "__main__":
    absltest.main()
