"""The rounded logistic law, compared with differences of scipy's distribution function in float64."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from scipy.stats import logistic

from ugm_tf.densities.quantized import QuantizedLogistic

CASES = [
    dict(loc=loc, scale=scale, levels=levels)
    for loc in (0.5, 0.0, 1.0, -3.0, 4.0, 0.123)
    for scale in (1e-4, 0.003, 0.1, 3.0)
    for levels in (256, 2, 5)
]


def log_probabilities(loc, scale, levels):
    """log P of every level, log(F(b) - F(a)), from the tail on its own side of the location: that loses nothing."""
    x = np.arange(levels) / (levels - 1)
    half = 0.5 / (levels - 1)
    low = np.where(x == 0, -np.inf, x - half)
    high = np.where(x == 1, np.inf, x + half)
    left = x < loc  # the law is symmetric
    low, high = np.where(left, 2 * loc - high, low), np.where(left, 2 * loc - low, high)
    nearer, farther = logistic.logsf(low, loc, scale), logistic.logsf(high, loc, scale)
    return x, nearer + np.log1p(-np.exp(farther - nearer))


def found(x, loc, scale, levels):
    return QuantizedLogistic(tf.constant(loc), tf.constant(scale), levels).log_prob(tf.constant(x, tf.float32)).numpy()


@parameterized.parameters(*CASES)
class LogProbTest(parameterized.TestCase):
    def test_probabilities_sum_to_1(self, **law):
        x, _ = log_probabilities(**law)
        # float32 at a distance of (x - loc) / scale standard units is exact to 1e-7 of that distance
        tolerance = 1e-5 + 1e-6 / law["scale"]
        self.assertAlmostEqual(np.exp(found(x, **law).astype(np.float64)).sum(), 1.0, delta=tolerance)

    def test_is_the_difference_of_the_distribution_function_into_the_tails(self, **law):
        x, by_hand = log_probabilities(**law)
        tolerance = 1e-5 + 1e-6 / law["scale"]  # as above
        np.testing.assert_allclose(found(x, **law), by_hand, rtol=2e-5, atol=tolerance)

    def test_gradients_are_finite(self, **law):
        x, _ = log_probabilities(**law)
        loc, scale = tf.fill(x.shape, law["loc"]), tf.fill(x.shape, law["scale"])
        with tf.GradientTape() as tape:
            tape.watch([loc, scale])
            log_prob = QuantizedLogistic(loc, scale, law["levels"]).log_prob(tf.constant(x, tf.float32))
        for gradient in tape.gradient(log_prob, [loc, scale]):
            self.assertTrue(np.all(np.isfinite(gradient)), gradient)


class GradientTest(absltest.TestCase):
    def test_by_differences_of_the_float64_formula(self):
        x, _ = log_probabilities(0.4, 0.1, 5)
        loc, scale = tf.fill(x.shape, 0.4), tf.fill(x.shape, 0.1)
        with tf.GradientTape() as tape:
            tape.watch([loc, scale])
            log_prob = QuantizedLogistic(loc, scale, 5).log_prob(tf.constant(x, tf.float32))
        by_loc, by_scale = tape.gradient(log_prob, [loc, scale])
        h = 1e-6
        differences = [
            (log_probabilities(0.4 + d, 0.1 + e, 5)[1] - log_probabilities(0.4 - d, 0.1 - e, 5)[1]) / (2 * h)
            for d, e in ((h, 0), (0, h))
        ]
        np.testing.assert_allclose(by_loc, differences[0], rtol=1e-4)
        np.testing.assert_allclose(by_scale, differences[1], rtol=1e-4)


class QuantileTest(parameterized.TestCase):
    @parameterized.parameters((0.3, 0.1, 8), (0.0, 0.5, 4), (1.2, 0.2, 3))
    def test_a_level_is_picked_by_as_much_noise_as_it_has_probability(self, loc, scale, levels):
        noise = (np.arange(100_000) + 0.5) / 100_000
        x = (
            QuantizedLogistic(tf.constant(loc), tf.constant(scale), levels)
            .quantile(tf.constant(noise, tf.float32))
            .numpy()
        )
        values, by_hand = log_probabilities(loc, scale, levels)
        shares = [np.mean(np.isclose(x, value)) for value in values]
        np.testing.assert_allclose(shares, np.exp(by_hand), atol=2e-5)  # the grid's step is 1e-5

    def test_it_rises_with_the_noise(self):
        noise = tf.constant([0.0, 2.0**-24, 0.1, 0.5, 0.9, 1 - 2.0**-24, 1.0])
        x = QuantizedLogistic(tf.constant(0.4), tf.constant(0.3), 256).quantile(noise).numpy()
        self.assertTrue(np.all(np.diff(x) >= 0))
        self.assertTrue(np.all(np.isfinite(x)))


class MeanTest(parameterized.TestCase):
    @parameterized.parameters((0.3, 0.3), (-2.0, 0.0), (1.7, 1.0))
    def test_is_the_location_held_inside_the_levels(self, loc, mean):
        self.assertAlmostEqual(QuantizedLogistic(tf.constant(loc), tf.constant(0.1)).mean().numpy(), mean, delta=1e-7)


if __name__ == "__main__":
    absltest.main()
