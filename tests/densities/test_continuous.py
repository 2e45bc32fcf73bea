import numpy as np
import scipy.integrate
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.densities import table
from ugm_tf.densities import (
    ContinuousBernoulli,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Gaussian,
    Laplace,
    Point,
    Uniform,
)

N = 20_000  # draws, whose means are held to 5 standard errors: for three seeds and a few values a false alarm in 10^5
SEEDS = (0, 1, 2)


def softplus(x):
    return np.log1p(np.exp(x))


class MomentsTestCase(parameterized.TestCase):
    def assert_moments(self, family, parameters, mean, deviation):
        """Mean and standard deviation of draws, [*event_shape], are these."""
        for seed in SEEDS:
            x = table.draws(family, np.float32(parameters), N, seed).astype(np.float64)
            np.testing.assert_allclose(
                (x.mean(0) - mean) / (np.asarray(deviation) / np.sqrt(N)), np.zeros(x[0].shape), atol=5
            )
            error = np.sqrt(np.var((x - x.mean(0)) ** 2, axis=0) / N)  # of the variance
            np.testing.assert_allclose((x.var(0) - np.square(deviation)) / error, np.zeros(x[0].shape), atol=5)


class GaussianTest(MomentsTestCase):
    def test_log_prob_with_a_learned_scale(self):
        by_hand = scipy.stats.norm.logpdf([0.1, 2.0], [1.0, -1.0], softplus(np.array([0.5, -2.0])) + 1e-4).sum()
        self.assertAlmostEqual(
            table.log_prob(Gaussian(), [1.0, -1.0, 0.5, -2.0], [0.1, 2.0]), by_hand, delta=1e-4 * abs(by_hand)
        )

    def test_log_prob_with_a_given_scale(self):
        by_hand = scipy.stats.norm.logpdf([0.1, 2.0], [1.0, -1.0], 0.3).sum()
        self.assertAlmostEqual(
            table.log_prob(Gaussian(scale=0.3), [1.0, -1.0], [0.1, 2.0]), by_hand, delta=1e-4 * abs(by_hand)
        )

    def test_draws(self):
        self.assert_moments(Gaussian(), [1.0, -1.0, 0.5, -2.0], [1.0, -1.0], softplus(np.array([0.5, -2.0])) + 1e-4)
        self.assert_moments(Gaussian(scale=0.3), [1.0, -1.0], [1.0, -1.0], 0.3)

    def test_the_scale_never_vanishes(self):
        self.assertTrue(np.isfinite(table.log_prob(Gaussian(), [0.0, -1e4], [0.0])))

    @parameterized.parameters(0.0, -1.0, float("nan"))
    def test_refuses_a_scale_that_is_not_positive(self, scale):
        with self.assertRaisesRegex(
            ValueError, f"scale of a Gaussian must be positive, or None to learn it. Received: {scale}"
        ):
            Gaussian(scale=scale)

    def test_refuses_an_odd_last_axis(self):
        with self.assertRaisesRegex(
            ValueError, r"a location and a scale for each value, .*even last axis.*\(4, 4, 3\)"
        ):
            Gaussian().event_shape((4, 4, 3))


class LaplaceTest(MomentsTestCase):
    def test_log_prob(self):
        by_hand = scipy.stats.laplace.logpdf([0.1, 2.0], [1.0, -1.0], 0.3).sum()
        self.assertAlmostEqual(
            table.log_prob(Laplace(scale=0.3), [1.0, -1.0], [0.1, 2.0]), by_hand, delta=1e-4 * abs(by_hand)
        )

    def test_with_scale_1_it_is_the_absolute_error(self):
        self.assertAlmostEqual(
            -table.log_prob(Laplace(), [1.0, -1.0], [0.1, 2.0]), 0.9 + 3.0 + 2 * np.log(2), delta=1e-5
        )

    def test_draws(self):
        self.assert_moments(Laplace(scale=0.3), [1.0, -1.0], [1.0, -1.0], 0.3 * np.sqrt(2))
        self.assert_moments(Laplace(scale=None), [1.0, 0.5], [1.0], (softplus(0.5) + 1e-4) * np.sqrt(2))

    def test_draws_are_finite_at_the_ends_of_the_noise(self):
        law = table.distribution(Laplace(), [0.0])
        self.assertTrue(np.all(np.isfinite(Laplace().draw(law, tf.constant([[2.0**-24], [1 - 2.0**-24]])))))


class UniformTest(MomentsTestCase):
    def test_log_prob(self):
        family = Uniform(width=4.0)
        self.assertAlmostEqual(table.log_prob(family, [1.0, -1.0], [2.9, -2.9]), -2 * np.log(4.0), delta=1e-6)
        self.assertEqual(table.log_prob(family, [1.0, -1.0], [3.1, 0.0]), -np.inf)

    def test_draws(self):
        self.assert_moments(Uniform(width=4.0), [1.0, -1.0], [1.0, -1.0], 4.0 / np.sqrt(12))

    @parameterized.parameters(0.0, -1.0)
    def test_refuses_a_width_that_is_not_positive(self, width):
        with self.assertRaisesRegex(ValueError, f"width of a Uniform must be positive. Received: {width}"):
            Uniform(width=width)


class FullCovarianceGaussianTest(MomentsTestCase):
    PARAMETERS = np.array([1.0, -1.0, 0.5, -0.3, 0.8], np.float32)

    def triangle(self):
        return table.distribution(FullCovarianceGaussian(), self.PARAMETERS).scale_tril.numpy()

    def test_the_triangle_holds_the_raw_numbers_below_a_positive_diagonal(self):
        triangle = self.triangle()
        raw = self.PARAMETERS[2:]
        below = [value for value in raw if np.isclose(value, triangle[1, 0])]
        self.assertLen(below, 1)
        rest = np.sort([softplus(value) + 1e-4 for value in raw if value != below[0]])
        np.testing.assert_allclose(np.sort(np.diag(triangle)), rest, rtol=1e-5)
        self.assertEqual(triangle[0, 1], 0.0)

    def test_log_prob(self):
        covariance = self.triangle() @ self.triangle().T
        by_hand = scipy.stats.multivariate_normal.logpdf([0.1, 2.0], [1.0, -1.0], covariance)
        self.assertAlmostEqual(
            table.log_prob(FullCovarianceGaussian(), self.PARAMETERS, [0.1, 2.0]), by_hand, delta=1e-3
        )

    def test_draws_have_this_covariance(self):
        covariance = self.triangle() @ self.triangle().T
        self.assert_moments(FullCovarianceGaussian(), self.PARAMETERS, [1.0, -1.0], np.sqrt(np.diag(covariance)))
        for seed in SEEDS:
            x = table.draws(FullCovarianceGaussian(), self.PARAMETERS, N, seed)
            product = (x[:, 0] - 1.0) * (x[:, 1] + 1.0)
            self.assertAlmostEqual(product.mean(), covariance[0, 1], delta=5 * product.std() / np.sqrt(N))

    @parameterized.parameters(((4,),), ((1,),), ((2, 5),))
    def test_refuses_what_is_no_mean_and_triangle(self, shape):
        with self.assertRaisesRegex(ValueError, r"a vector of n \+ n\(n\+1\)/2 parameters, such as 5 for n=2"):
            FullCovarianceGaussian().event_shape(shape)


class ContinuousBernoulliTest(MomentsTestCase):
    def log_density(self, x, logit):
        """log C(p) + x log p + (1 - x) log(1 - p), with C(p) = 2 atanh(1 - 2p) / (1 - 2p)."""
        p = 1 / (1 + np.exp(-logit))
        constant = 2.0 if p == 0.5 else 2 * np.arctanh(1 - 2 * p) / (1 - 2 * p)
        return np.log(constant) + x * np.log(p) + (1 - x) * np.log(1 - p)

    @parameterized.parameters(-8.0, -1.0, -0.01, 0.0, 1e-3, 0.5, 5.0)
    def test_log_prob(self, logit):
        for x in (0.0, 0.2, 1.0):
            by_hand = self.log_density(x, logit)
            self.assertAlmostEqual(
                table.log_prob(ContinuousBernoulli(), [logit], [x]), by_hand, delta=2e-5 * max(1, abs(by_hand))
            )

    @parameterized.parameters(-3.0, 0.7)
    def test_draws(self, logit):
        mean, second = (
            scipy.integrate.quad(lambda x, n=n: x**n * np.exp(self.log_density(x, logit)), 0, 1)[0] for n in (1, 2)
        )
        self.assert_moments(ContinuousBernoulli(), [logit], [mean], [np.sqrt(second - mean**2)])

    @parameterized.parameters(
        0.0, 1e-30, 1e-7, -1e-5, 1e-3, -0.02, 0.099, -0.101, 1.0, -6.0, 15.0, -15.0, -40.0, 300.0, 1e15
    )
    def test_draws_and_their_gradients_are_those_of_the_quantile_in_float64(self, logit):
        """Near logit 0 the closed form is 0 / 0, and at the ends of the noise it is near the logarithm of 0."""
        noise = tf.constant([2.0**-24, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 2.0**-24])
        logits = tf.fill([7, 1], logit)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            law = ContinuousBernoulli().distribution(logits, 1)
            x = ContinuousBernoulli().draw(law, noise[:, None])
        x, gradient = x.numpy()[:, 0], tape.gradient(x, logits).numpy()[:, 0]

        u, a = noise.numpy().astype(np.float64), np.float64(np.float32(logit))
        if abs(a) < 1e-4:
            by_hand = u + a * u * (1 - u) / 2, u * (1 - u) / 2
        else:
            odds = np.logaddexp(np.log1p(-u), np.log(u) + a)  # log(1 - u + u e^a)
            by_hand = odds / a, np.exp(np.log(u) + a - odds) / a - odds / a**2
        np.testing.assert_allclose(x, by_hand[0], atol=1e-6)
        np.testing.assert_allclose(gradient, by_hand[1], atol=2e-5)
        self.assertTrue(np.all((x >= 0) & (x <= 1)), x)

    @parameterized.parameters(0.0, 1e-7, -1e-5, 1e-3, -3.9e-3, 4.1e-3, 0.02, -1.0, 15.0, -40.0, 80.0)
    def test_log_prob_and_its_gradient_are_finite(self, logit):
        logits = tf.constant([logit])
        for x in (0.0, 0.5, 1.0):
            with tf.GradientTape() as tape:
                tape.watch(logits)
                log_prob = table.distribution(ContinuousBernoulli(), logits).log_prob([x])
            self.assertTrue(np.isfinite(log_prob), log_prob)
            self.assertTrue(np.all(np.isfinite(tape.gradient(log_prob, logits))), x)


class DiscretizedLogisticTest(MomentsTestCase):
    def test_learns_a_location_and_a_scale(self):
        family = DiscretizedLogistic(levels=8)
        law = table.distribution(family, [0.3, 0.6, -2.0, -1.0]).distribution
        np.testing.assert_allclose(law._loc, [0.3, 0.6])
        np.testing.assert_allclose(law._scale, softplus(np.array([-2.0, -1.0])) + 1e-4, rtol=1e-5)

    def test_draws(self):
        levels = np.arange(8) / 7
        family = DiscretizedLogistic(scale=0.15, levels=8)
        p = np.exp([table.log_prob(family, [0.3], [x]) for x in levels])
        mean = (p * levels).sum()
        self.assert_moments(family, [0.3], [mean], [np.sqrt((p * levels**2).sum() - mean**2)])

    @parameterized.parameters(1, 0)
    def test_refuses_fewer_than_two_levels(self, levels):
        with self.assertRaisesRegex(ValueError, f"at least 2 levels, such as 256 for 8-bit images. Received: {levels}"):
            DiscretizedLogistic(levels=levels)


class PointTest(absltest.TestCase):
    def test_its_draw_is_the_networks_output(self):
        values = np.float32([1.0, -1.0])
        np.testing.assert_array_equal(Point().draw(table.distribution(Point(), values), None), values)

    def test_it_has_no_log_prob(self):
        self.assertFalse(Point().has_log_prob)


if __name__ == "__main__":
    absltest.main()
