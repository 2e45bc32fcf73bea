"""Equation 15: a GAN's bound on log q(y) is the importance-weighted bound with x in the place of z; and what
equation 16, with its two approximations, is of it.  Asked of the production term and of `iwgan`'s own phase."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import X, arbitrary_logit, gradient, integral, jsd, log_data, log_mixture, log_normal
from ugm_tf.algebra import Draw, E, ImportanceWeight, ImportanceWeightedBound, Phase, Recipe
from ugm_tf.algebra.samplers import Ancestral

tfd = tfp.distributions

THETA_0 = (0.7, np.log(1.3))  # x = m + exp(r) z, theta = (m, r)
TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12
IWGAN = ugm_tf.recipes.iwgan()


def log_fake(x, theta=THETA_0):
    theta = tf.convert_to_tensor(theta, tf.float64)
    return log_normal(x, theta[0], tf.exp(theta[1]))


def log_prior(x):
    """log p_theta0(x), the mixture of both sides."""
    return log_mixture(log_fake(x), log_data(x))


def optimal_logit(x):
    return log_data(x) - log_fake(x)


class Scored:
    """A density with this log-probability."""

    def __init__(self, log_prob):
        self.log_prob = log_prob

    def distribution(self, training=None):
        return self


def quantiles(k):
    """k draws of a standard normal, spread as evenly as can be: sums over them tend to integrals as 1/k."""
    return tfd.Normal(tf.constant(0.0, tf.float64), 1.0).quantile((tf.range(k, dtype=tf.float64) + 0.5) / k)


# x is the latent variable and y the visible one: q(y | x) is the likelihood, p_theta0(x) the prior, and the generator
# the inference network, written q(x | e) where e is nothing.
BOUND = Recipe(
    densities={"discriminator": "q(y | x)", "mixture": "p(x)", "generator": "q(x | e)"},
    phases=(
        Phase(
            "fool",
            (
                E(
                    ImportanceWeightedBound(("discriminator", "mixture"), ("generator",)),
                    Ancestral((Draw("generator", 1),)),
                ),
            ),
            updates=("generator",),
        ),
    ),
    data=("e", "y"),
)


def bound(theta, noise, logit=arbitrary_logit, weight=None):
    """-log q^r(y=0) as bounded by draws at this noise, [k, B]: q^r(y=0 | x) = q(y=1 | x)."""
    densities = {
        "discriminator": exact.judge(logit),
        "mixture": Scored(log_prior),
        "generator": exact.Noisy(lambda e: tfd.Normal(theta[0], tf.exp(theta[1])), noise),
    }
    ones = tf.ones([noise.shape[-1]], tf.float64)
    start = ugm_tf.JointSample(densities, BOUND.roles, {"e": ones, "y": ones}, training=True, weight=weight)
    return exact.loss(BOUND.phases[0], start)


def one_draw(theta):
    noise, probabilities = exact.nodes(0.1)
    return bound(theta, noise[None], weight=len(noise) * probabilities)


def two_draws(theta):
    noise, probabilities = exact.nodes(0.2)
    pairs = tf.stack([tf.reshape(part, [-1]) for part in tf.meshgrid(noise, noise)])
    return bound(theta, pairs, weight=pairs.shape[1] * tf.reshape(probabilities[:, None] * probabilities, [-1]))


def many_draws(theta, k=1024):
    return bound(theta, quantiles(k)[:, None])


def generate(theta, logit, k):
    """The loss of `iwgan`'s phase on a batch of k."""
    decoder = exact.Law(lambda z: tfd.Deterministic(theta[0] + tf.exp(theta[1]) * z))
    densities = {
        "prior": exact.Noisy(lambda: tfd.Normal(tf.constant(0.0, tf.float64), 1.0), quantiles(k)),
        "decoder": decoder,
        "discriminator": exact.judge(logit),
    }
    start = ugm_tf.JointSample(densities, IWGAN.roles, {"x": X}, training=True)
    return exact.loss(IWGAN.phase("generate"), start)


LOG_Z = tf.math.log(integral(tf.sigmoid(arbitrary_logit(X)) * tf.exp(log_prior(X)))).numpy()
TWO_JSD = gradient(lambda theta: 2 * jsd(log_fake(X, theta), log_data(X)), THETA_0)


class BoundTest(absltest.TestCase):
    def test_one_draw_makes_it_minus_the_kl_plus_log_z(self):
        log_posterior = tf.math.log_sigmoid(arbitrary_logit(X)) + log_prior(X) - LOG_Z
        kl = exact.kl(log_fake(X), log_posterior)
        found = -one_draw(tf.constant(THETA_0, tf.float64)).numpy()
        self.assertAlmostEqual(found, (LOG_Z - kl).numpy(), delta=TOLERANCE)
        self.assertAlmostEqual(found, -0.7990980747787415, delta=TOLERANCE)

    def test_more_draws_make_it_tighter_and_many_make_it_log_z(self):
        theta = tf.constant(THETA_0, tf.float64)
        one, two, many = (-f(theta).numpy() for f in (one_draw, two_draws, many_draws))
        self.assertLess(one, two)
        self.assertLess(two, LOG_Z)
        self.assertAlmostEqual(two, -0.7497111939101767, delta=5 * 2.3e-4)  # the oracle's standard error
        self.assertAlmostEqual(LOG_Z, -0.702197589919664, delta=TOLERANCE)
        self.assertAlmostEqual(many, LOG_Z, delta=1e-3)  # of evenly spread draws, which have no variance

    def test_at_one_draw_equation_16_is_its_gradient_and_twice_that_of_the_jsd(self):
        exactly, approximately = gradient(one_draw, THETA_0), 2 * gradient(half_gan, THETA_0)
        np.testing.assert_allclose(-exactly, (0.2837415236357418, 0.03453644248556981), atol=TOLERANCE)
        np.testing.assert_allclose(exactly - approximately, TWO_JSD, atol=TOLERANCE)

    def test_with_many_draws_its_gradient_vanishes_and_that_of_equation_16_does_not(self):
        exactly = gradient(many_draws, THETA_0)
        approximately = gradient(lambda theta: generate(theta, arbitrary_logit, 1024), THETA_0)
        np.testing.assert_allclose(exactly, (0.0, 0.0), atol=0.01)
        np.testing.assert_allclose(-approximately, (0.164, 0.0167), atol=5e-3)  # the oracle's, by Monte Carlo


def half_gan(theta):
    """Half the loss of `gan`'s phase: equation 16 with batches of one, in expectation."""
    recipe = ugm_tf.recipes.gan()
    decoder = exact.Law(lambda z: tfd.Deterministic(theta[0] + tf.exp(theta[1]) * z))
    densities = {"prior": exact.STANDARD, "decoder": decoder, "discriminator": exact.judge(arbitrary_logit)}
    return 0.5 * exact.loss(exact.exactly(recipe.phase("generate"), prior=0.1), exact.data(recipe, densities))


class LargeBatchTest(parameterized.TestCase):
    """With the best discriminator."""

    def test_the_larger_the_batch_the_nearer_iwgan_is_to_descending_twice_the_jsd(self):
        errors = []
        for k in (64, 512, 4096):
            left = gradient(lambda theta, k=k: generate(theta, optimal_logit, k), THETA_0)
            errors.append(np.max(np.abs(left - TWO_JSD)))
        self.assertLess(errors[2], 2e-3)
        self.assertTrue(errors[0] > errors[1] > errors[2], errors)

    def test_the_gan_does_not(self):
        gan = 2 * gradient(lambda theta: 2 * half_gan(theta), THETA_0)
        self.assertGreater(np.max(np.abs(gan - TWO_JSD)), 0.05)

    @parameterized.parameters((optimal_logit, True), (arbitrary_logit, False))
    def test_weights_are_those_of_the_bound_if_the_discriminator_is_the_best(self, logit, same):
        x = tf.boolean_mask(X, tf.abs(X) < 4)
        roles = ugm_tf.recipes.gan().roles
        sample = ugm_tf.JointSample({"discriminator": exact.judge(logit)}, roles, {"x": x}, training=True)
        found = ImportanceWeight()(sample)
        weight = tf.sigmoid(logit(x)) * tf.exp(log_prior(x) - log_fake(x))
        error = np.max(np.abs(found - weight / tf.reduce_mean(weight)))
        self.assertEqual(bool(error < 1e-10), same)

    @parameterized.parameters((optimal_logit, True), (arbitrary_logit, False))
    def test_the_best_discriminators_weights_make_data_of_draws(self, logit, same):
        x = THETA_0[0] + np.exp(THETA_0[1]) * quantiles(4096)
        roles = ugm_tf.recipes.gan().roles
        sample = ugm_tf.JointSample({"discriminator": exact.judge(logit)}, roles, {"x": x}, training=True)
        weight = ImportanceWeight()(sample)
        moments = [tf.reduce_mean(weight * x).numpy(), tf.reduce_mean(weight * x**2).numpy()]
        of_data = [integral(tf.exp(log_data(X)) * X).numpy(), integral(tf.exp(log_data(X)) * X**2).numpy()]
        self.assertEqual(np.allclose(moments, of_data, atol=5e-3), same)


if __name__ == "__main__":
    absltest.main()
