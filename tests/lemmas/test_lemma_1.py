"""Lemma 1 (equation 6): fooling the discriminator descends a KL minus a JSD.  Asked of `gan`'s own phases."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import DX, X, arbitrary_logit, gradient, integral, jsd, kl, log_data, log_mixture

tfd = tfp.distributions

THETA_0 = (0.7, np.log(1.3))  # x = m + exp(r) z, theta = (m, r)

# float64 quadrature on both sides; the oracle's own error is 1e-12.
TOLERANCE = 1e-8


def log_fake(theta):
    return exact.log_normal(X, theta[0], tf.exp(theta[1]))


def optimal_logit(x):
    """log p_data - log p_theta0: that of the best discriminator at theta_0."""
    return log_data(x) - exact.log_normal(x, THETA_0[0], tf.exp(tf.constant(THETA_0[1], tf.float64)))


def biased_logit(x):
    return arbitrary_logit(x) + 1.5


def value(name, theta, logit, contest="logistic"):
    """Half the loss (p(y) is uniform) of a phase of `gan`, with z summed over in place of drawn."""
    recipe = ugm_tf.recipes.gan(contest=contest)
    decoder = exact.Law(lambda z: tfd.Deterministic(theta[0] + tf.exp(theta[1]) * z))
    densities = {"prior": exact.STANDARD, "decoder": decoder, "discriminator": exact.judge(logit)}
    return 0.5 * exact.loss(exact.exactly(recipe.phase(name), prior=0.1), exact.data(recipe, densities))


def left(logit, at=THETA_0):
    """The gradient of the generate phase."""
    return gradient(lambda theta: value("generate", theta, logit), at)


def posteriors(logit, log_prior):
    """log q^r(x | y) for y = 0, 1 and log Z(y), with q^r(x | y) ~ q^r(y | x) p(x)."""
    sides = [tf.math.log_sigmoid(sign * logit(X)) + log_prior for sign in (1, -1)]
    log_z = [tf.math.log(integral(tf.exp(side))) for side in sides]
    return [side - z for side, z in zip(sides, log_z, strict=True)], log_z


def frozen_prior():
    return log_mixture(log_fake(tf.constant(THETA_0, tf.float64)), log_data(X))


def expected_kl(theta, logit, log_prior):
    """E_p(y) KL(p_theta(x | y) || q^r(x | y))."""
    (to_fake, to_real), _ = posteriors(logit, log_prior)
    return 0.5 * kl(log_fake(theta), to_fake) + 0.5 * kl(log_data(X), to_real)


def right(logit, at=THETA_0):
    """The gradient of the lemma's right-hand side, with the prior inside q^r frozen at theta_0."""
    return gradient(lambda theta: expected_kl(theta, logit, frozen_prior()) - jsd(log_fake(theta), log_data(X)), at)


class Lemma1Test(parameterized.TestCase):
    @parameterized.named_parameters(
        ("an_arbitrary_one", arbitrary_logit, (-0.1937139379581867, 0.13308266816481498)),
        ("a_biased_one", biased_logit, (-0.08591229092399578, 0.07048253277732726)),
        ("the_optimal_one", optimal_logit, (0.05523950517106907, -0.10201484472464452)),
    )
    def test_generate_descends_the_kl_minus_the_jsd_whatever_the_discriminator(self, logit, golden):
        np.testing.assert_allclose(left(logit), right(logit), atol=TOLERANCE)
        np.testing.assert_allclose(left(logit), golden, atol=TOLERANCE)

    def test_the_jsd_is_needed(self):
        no_jsd = gradient(lambda theta: expected_kl(theta, arbitrary_logit, frozen_prior()), THETA_0)
        self.assertAlmostEqual(np.max(np.abs(left(arbitrary_logit) - no_jsd)), 0.15035088940759989, delta=TOLERANCE)

    def test_it_holds_at_theta_0_only(self):
        elsewhere = np.add(THETA_0, (0.4, -0.2))
        gap = left(arbitrary_logit, elsewhere) - right(arbitrary_logit, elsewhere)
        np.testing.assert_allclose(gap, (-0.038892022830738046, 0.06189198826620643), atol=TOLERANCE)

    def test_the_factor_p_y_is_needed(self):
        gap = 2 * left(arbitrary_logit) - right(arbitrary_logit)
        self.assertAlmostEqual(np.max(np.abs(gap)), 0.1937139379581867, delta=TOLERANCE)

    @parameterized.named_parameters(("a_biased_one", biased_logit, True), ("the_optimal_one", optimal_logit, False))
    def test_a_live_prior_is_off_by_the_gradient_of_log_z_unless_d_is_balanced(self, logit, off):
        def live(theta):
            prior = log_mixture(log_fake(theta), log_data(X))
            return expected_kl(theta, logit, prior) - jsd(log_fake(theta), log_data(X))

        def log_z(theta):
            _, parts = posteriors(logit, log_mixture(log_fake(theta), log_data(X)))
            return 0.5 * tf.add_n(parts)

        gap = gradient(live, THETA_0) - left(logit)
        np.testing.assert_allclose(gap, gradient(log_z, THETA_0), atol=TOLERANCE)
        np.testing.assert_allclose(gap, (-0.07513038260355727, 0.052816968382949726) if off else (0, 0), atol=TOLERANCE)

    def test_a_constant_discriminator_teaches_nothing(self):
        np.testing.assert_allclose(left(lambda x: 0.0 * x), (0, 0), atol=TOLERANCE)


class OptimalDiscriminatorTest(absltest.TestCase):
    """Equation 8 and its neighbours."""

    def test_generate_descends_half_the_reverse_kl_minus_the_jsd(self):
        def divergence(theta):
            return 0.5 * kl(log_fake(theta), log_data(X)) - jsd(log_fake(theta), log_data(X))

        np.testing.assert_allclose(left(optimal_logit), gradient(divergence, THETA_0), atol=TOLERANCE)

    def test_it_does_not_with_another_discriminator(self):
        self.assertGreater(np.max(np.abs(left(arbitrary_logit) - left(optimal_logit))), 0.1)

    def test_minimax_descends_the_jsd(self):
        minimax = gradient(lambda theta: value("generate", theta, optimal_logit, contest="minimax"), THETA_0)
        np.testing.assert_allclose(
            minimax, gradient(lambda theta: jsd(log_fake(theta), log_data(X)), THETA_0), atol=TOLERANCE
        )
        np.testing.assert_allclose(minimax, (0.051843176140315785, -0.1503508894075999), atol=TOLERANCE)

    def test_discriminate_reaches_log_2_minus_the_jsd_and_no_less(self):
        theta = tf.constant(THETA_0, tf.float64)
        best = value("discriminate", theta, optimal_logit).numpy()
        self.assertAlmostEqual(best, 0.6087585881994532, delta=TOLERANCE)
        self.assertAlmostEqual(best, (np.log(2.0) - jsd(log_fake(theta), log_data(X))).numpy(), delta=TOLERANCE)
        self.assertGreater(value("discriminate", theta, arbitrary_logit).numpy(), best + 0.01)


POINTS = 6  # the whole of x's support


def discrete_kl(p, q):
    return tf.reduce_sum(p * tf.math.log(p / q))


class Lemma1OnPointsTest(parameterized.TestCase):
    """The lemma on six points, with any generator and any discriminator that there are."""

    @parameterized.parameters(*range(5))
    def test_generate_descends_the_kl_minus_the_jsd(self, seed):
        rng = np.random.default_rng(seed)
        theta, phi = tf.constant(rng.normal(size=POINTS)), tf.constant(1.0 + rng.normal(size=POINTS))
        p_data = tf.constant(rng.dirichlet(np.ones(POINTS)))
        recipe = ugm_tf.recipes.gan()
        table = exact.judge(lambda x: tf.linalg.matvec(x, phi))
        every_x = tf.eye(POINTS, dtype=tf.float64)
        start = ugm_tf.JointSample({"discriminator": table}, recipe.roles, {"x": every_x}, training=True)

        def loss(theta):
            def every(sample, seed):
                return sample.where(x=every_x, weight=POINTS * tf.nn.softmax(theta))

            generate = recipe.phase("generate")
            terms = tuple(dataclasses.replace(e, under=exact.under(every)) for e in generate.minimise)
            return 0.5 * exact.loss(dataclasses.replace(generate, minimise=terms), start)

        prior, q = 0.5 * (tf.nn.softmax(theta) + p_data), tf.sigmoid(phi)
        to_fake, to_real = (side * prior / tf.reduce_sum(side * prior) for side in (q, 1 - q))

        def lemma(theta):
            p_fake = tf.nn.softmax(theta)
            middle = 0.5 * (p_fake + p_data)
            return (
                0.5 * discrete_kl(p_fake, to_fake)
                + 0.5 * discrete_kl(p_data, to_real)
                - 0.5 * discrete_kl(p_fake, middle)
                - 0.5 * discrete_kl(p_data, middle)
            )

        np.testing.assert_allclose(gradient(loss, theta), gradient(lemma, theta), atol=1e-14)  # sums of six float64


class QuadratureTest(absltest.TestCase):
    """The other tests stand on it."""

    def test_the_densities_and_the_nodes_integrate_to_1(self):
        self.assertAlmostEqual(integral(tf.exp(log_data(X))).numpy(), 1.0, delta=1e-14)
        self.assertAlmostEqual(tf.reduce_sum(exact.nodes(0.1)[1]).numpy(), 1.0, delta=1e-14)
        self.assertAlmostEqual(DX, (X[1] - X[0]).numpy(), delta=1e-14)


if __name__ == "__main__":
    absltest.main()
