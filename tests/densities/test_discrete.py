import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

from tests.densities import table
from ugm_tf.densities import Bernoulli, Categorical, Logit, OneHot, RelaxedBernoulli, RelaxedOneHot

tfd = tfp.distributions

N = 20_000  # draws, whose frequencies are held to 5 standard errors
SEEDS = (0, 1, 2)
LOGITS = np.array([0.5, -1.0, 2.0, 0.0], np.float32)
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum()
SIGMOID = 1 / (1 + np.exp(-LOGITS))


class FrequencyTestCase(parameterized.TestCase):
    def assert_frequencies(self, found, expected):
        error = np.sqrt(expected * (1 - expected) / N)
        np.testing.assert_allclose((found - expected) / error, np.zeros_like(expected), atol=5)


class BernoulliTest(FrequencyTestCase):
    def test_log_prob(self):
        x = np.array([1.0, 0.0, 0.0, 1.0])
        by_hand = np.log(np.where(x == 1, SIGMOID, 1 - SIGMOID)).sum()
        self.assertAlmostEqual(table.log_prob(Bernoulli(), LOGITS, x), by_hand, delta=1e-5)

    @parameterized.parameters(((3,), (3,)), ((2, 3), (3,)), ((3,), (4, 2, 3)))
    def test_log_prob_and_its_gradients_are_those_of_tfp(self, values_shape, logits_shape):
        rng = np.random.default_rng(0)
        x, logits = tf.constant(rng.random(values_shape), tf.float32), tf.constant(rng.normal(size=logits_shape) * 5)
        logits = tf.cast(logits, tf.float32) * tf.constant([0.0, 1.0, 1.0])  # at 0 the gradient is 1/2 - x too
        found, expected = [], []
        for law, out in ((Bernoulli().distribution(logits, 0).distribution, found), (tfd.Bernoulli(logits), expected)):
            with tf.GradientTape() as tape:
                tape.watch([x, logits])
                log_prob = law.log_prob(x)
            out += [log_prob, *tape.gradient(log_prob, [x, logits])]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

    def test_batches_of_sizes_known_only_when_it_runs(self):
        @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, None, 2])])
        def log_prob(x, logits):
            return Bernoulli().distribution(logits, 1).log_prob(x)

        x, logits = np.float32([[0.0, 1.0]] * 3), np.float32(np.arange(12).reshape(2, 3, 2))
        np.testing.assert_allclose(log_prob(x, logits), Bernoulli().distribution(logits, 1).log_prob(x), rtol=1e-6)

    def test_huge_logits_are_finite(self):
        self.assertEqual(table.log_prob(Bernoulli(), [1e4, -1e4], [0.0, 1.0]), -2e4)

    @parameterized.parameters(*SEEDS)
    def test_draws(self, seed):
        self.assert_frequencies(table.draws(Bernoulli(), LOGITS, N, seed).mean(0), SIGMOID)

    def test_certain_coins(self):
        x = table.draws(Bernoulli(), np.float32([100.0, -100.0]), 1000, 0)
        np.testing.assert_array_equal(x.mean(0), [1.0, 0.0])


class LogitTest(FrequencyTestCase):
    def test_log_prob_of_both_sides(self):
        self.assertAlmostEqual(table.log_prob(Logit(), [0.5], 1.0), np.log(SIGMOID[0]), delta=1e-6)
        self.assertAlmostEqual(table.log_prob(Logit(), [0.5], 0.0), np.log(1 - SIGMOID[0]), delta=1e-6)

    def test_the_logit_is_the_networks_output(self):
        law = Logit().distribution(tf.constant([[0.5], [3.0]]), 0)
        np.testing.assert_allclose(law.logits, [0.5, 3.0])

    @parameterized.parameters(*SEEDS)
    def test_draws(self, seed):
        self.assert_frequencies(table.draws(Logit(), LOGITS[:1], N, seed).mean(0), SIGMOID[0])

    @parameterized.parameters(((),), ((2,),), ((4, 1),))
    def test_refuses_more_than_one_number(self, shape):
        with self.assertRaisesRegex(
            ValueError, r"one logit an example: end its network in Dense\(1\) and no activation"
        ):
            Logit().event_shape(shape)


class OneHotTest(FrequencyTestCase):
    def test_log_prob(self):
        for c in range(4):
            self.assertAlmostEqual(table.log_prob(OneHot(), LOGITS, np.eye(4)[c]), np.log(SOFTMAX[c]), delta=1e-6)

    @parameterized.parameters(*SEEDS)
    def test_draws(self, seed):
        self.assert_frequencies(table.draws(OneHot(), LOGITS, N, seed).mean(0), SOFTMAX)

    def test_the_ends_of_the_noise_pick_a_class(self):
        law = table.distribution(OneHot(), LOGITS)
        for ends in (2.0**-24, 1 - 2.0**-24):
            np.testing.assert_array_equal(OneHot().draw(law, tf.fill([4], tf.constant(ends))), [0.0, 0.0, 1.0, 0.0])


class CategoricalTest(FrequencyTestCase):
    def test_log_prob_is_over_all_labels(self):
        logits = np.stack([LOGITS, -LOGITS])
        by_hand = np.log(SOFTMAX[2]) + np.log(np.exp(-LOGITS[1]) / np.exp(-LOGITS).sum())
        self.assertAlmostEqual(table.log_prob(Categorical(4), logits, [2.0, 1.0]), by_hand, delta=1e-5)

    @parameterized.parameters(*SEEDS)
    def test_draws(self, seed):
        x = table.draws(Categorical(4), LOGITS, N, seed)
        self.assert_frequencies(np.array([(x == c).mean() for c in range(4)]), SOFTMAX)

    def test_shows_the_most_probable_label(self):
        np.testing.assert_array_equal(
            Categorical(4).location(table.distribution(Categorical(4), np.stack([LOGITS, -LOGITS]))), [2.0, 1.0]
        )

    def test_refuses_another_number_of_logits(self):
        with self.assertRaisesRegex(ValueError, r"takes 10 logits on the last axis.*\(3, 4\): give classes=4"):
            Categorical().event_shape((3, 4))


class RelaxedOneHotTest(FrequencyTestCase):
    def log_density(self, x, temperature):
        """Equation 22 of Maddison et al.: (C-1)! T^(C-1) prod(a x^(-T-1)) / (sum a x^-T)^C, with a = exp(logits)."""
        a, size = np.exp(LOGITS.astype(np.float64)), len(x)
        product = np.sum(np.log(a) - (temperature + 1) * np.log(x))
        normaliser = size * np.log(np.sum(a * x**-temperature))
        return np.log(6.0) + (size - 1) * np.log(temperature) + product - normaliser

    @parameterized.parameters(0.5, 1.3)
    def test_log_prob(self, temperature):
        x = np.array([0.1, 0.2, 0.4, 0.3])
        found = table.log_prob(RelaxedOneHot(temperature), LOGITS, x)
        self.assertAlmostEqual(found, self.log_density(x, temperature), delta=1e-4)

    @parameterized.product(seed=SEEDS, temperature=[0.2, 2.0])
    def test_the_largest_coordinate_is_a_draw_of_the_class(self, seed, temperature):
        x = table.draws(RelaxedOneHot(temperature), LOGITS, N, seed).argmax(-1)
        self.assert_frequencies(np.array([(x == c).mean() for c in range(4)]), SOFTMAX)

    def test_a_low_temperature_makes_nearly_one_hot_vectors(self):
        sharp, soft = (table.draws(RelaxedOneHot(t), LOGITS, 1000, 0).max(-1).mean() for t in (0.05, 5.0))
        self.assertGreater(sharp, 0.97)
        self.assertLess(soft, 0.6)

    @parameterized.parameters(0.0, -0.5)
    def test_refuses_a_temperature_that_is_not_positive(self, temperature):
        with self.assertRaisesRegex(
            ValueError, f"temperature of a RelaxedOneHot must be positive. Received: {temperature}"
        ):
            RelaxedOneHot(temperature)


class RelaxedBernoulliTest(FrequencyTestCase):
    """The first coordinate of a RelaxedOneHot of the logits (l, 0)."""

    def log_density(self, x, logits, temperature):
        """Equation 24 of Maddison et al.: T a x^(-T-1) (1-x)^(-T-1) / (a x^-T + (1-x)^-T)^2, with a = exp(l)."""
        a = np.exp(logits.astype(np.float64))
        powers = np.log(temperature * a) - (temperature + 1) * np.log(x * (1 - x))
        return np.sum(powers - 2 * np.log(a * x**-temperature + (1 - x) ** -temperature))

    @parameterized.parameters(0.5, 1.3)
    def test_log_prob(self, temperature):
        x = np.array([0.1, 0.9, 0.4, 0.75])
        found = table.log_prob(RelaxedBernoulli(temperature), LOGITS, x)
        self.assertAlmostEqual(found, self.log_density(x, LOGITS, temperature), delta=1e-4)

    @parameterized.product(seed=SEEDS, temperature=[0.2, 2.0])
    def test_a_draw_above_a_half_is_a_draw_of_the_coin(self, seed, temperature):
        x = table.draws(RelaxedBernoulli(temperature), LOGITS, N, seed)
        self.assert_frequencies((x > 0.5).mean(0), 1 / (1 + np.exp(-LOGITS)))

    def test_a_low_temperature_makes_nearly_coins(self):
        sharp, soft = (np.abs(table.draws(RelaxedBernoulli(t), LOGITS, 1000, 0) - 0.5).mean() for t in (0.05, 5.0))
        self.assertGreater(sharp, 0.48)
        self.assertLess(soft, 0.25)

    def test_certain_coins_stay_inside_where_they_have_a_density(self):
        logits = np.float32([100.0, -100.0, 10.0, -10.0])
        x = table.draws(RelaxedBernoulli(0.1), logits, 1000, 0)
        self.assertTrue(np.all((x > 0.0) & (x < 1.0)))
        self.assertTrue(np.all(np.isfinite(table.log_prob(RelaxedBernoulli(0.1), logits, x))))

    def test_shows_the_probability(self):
        law = table.distribution(RelaxedBernoulli(), LOGITS)
        np.testing.assert_allclose(RelaxedBernoulli().location(law), 1 / (1 + np.exp(-LOGITS)), rtol=1e-5)

    @parameterized.parameters(0.0, -0.5)
    def test_refuses_a_temperature_that_is_not_positive(self, temperature):
        with self.assertRaisesRegex(
            ValueError, f"temperature of a RelaxedBernoulli must be positive. Received: {temperature}"
        ):
            RelaxedBernoulli(temperature)


if __name__ == "__main__":
    absltest.main()
