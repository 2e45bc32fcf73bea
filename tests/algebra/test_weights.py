import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import DiscriminatorProbability, ImportanceWeight, JointSample

ROLES = stubs.roles(discriminator="q(y | x)", second="q(y | x, c)")
LOGITS = np.array([2.0, -3.0, 0.5])


def sample(logits=LOGITS):
    densities = {
        "discriminator": stubs.judge(lambda x: tf.constant(logits, tf.float32)),
        "second": stubs.judge(lambda x, c: tf.constant(logits, tf.float32) + c),
    }
    return JointSample(densities, ROLES, {"x": tf.zeros([3, 1]), "c": tf.constant([1.0, 0.0, 0.0])}, training=True)


class ImportanceWeightTest(absltest.TestCase):
    def test_is_the_odds_divided_by_their_mean(self):
        d = 1 / (1 + np.exp(-LOGITS))
        odds = d / (1 - d)
        np.testing.assert_allclose(ImportanceWeight()(sample()), odds / odds.mean(), rtol=1e-5)

    def test_is_normalised_over_all_axes(self):
        logits = np.random.default_rng(0).normal(size=(5, 3))
        weight = ImportanceWeight()(sample(logits))
        self.assertEqual(tuple(weight.shape), (5, 3))
        np.testing.assert_allclose(weight, np.exp(logits) / np.exp(logits).mean(), rtol=1e-5)

    def test_one_draw_weighs_one(self):
        np.testing.assert_array_equal(ImportanceWeight()(sample(np.array([37.5]))), [1.0])

    def test_huge_logits_are_finite(self):
        np.testing.assert_allclose(ImportanceWeight()(sample(np.array([1e4, -1e4, 1e4]))), [1.5, 0.0, 1.5])

    def test_asks_the_discriminator_that_it_names(self):
        shifted = LOGITS + [1.0, 0.0, 0.0]
        np.testing.assert_allclose(
            ImportanceWeight("second")(sample()), np.exp(shifted) / np.exp(shifted).mean(), rtol=1e-5
        )

    def test_describes_itself(self):
        self.assertEqual(ImportanceWeight("second").describe(ROLES), "w[q^r(y=0 | x, c) / q(y=0 | x, c)]")


class DiscriminatorProbabilityTest(parameterized.TestCase):
    @parameterized.parameters(1.0, 1.5, 5.0)
    def test_is_the_sigmoid_of_the_logit_over_the_temperature(self, temperature):
        by_hand = 1 / (1 + np.exp(-LOGITS / temperature))
        np.testing.assert_allclose(DiscriminatorProbability(temperature=temperature)(sample()), by_hand, rtol=1e-5)

    @parameterized.parameters(0.0, -1.0, float("nan"))
    def test_refuses_a_temperature_that_is_not_positive(self, temperature):
        with self.assertRaisesRegex(ValueError, f"must be positive. Received: {temperature}"):
            DiscriminatorProbability(temperature=temperature)

    def test_describes_itself(self):
        self.assertEqual(DiscriminatorProbability().describe(ROLES), "q(y=1 | x)")
        self.assertEqual(DiscriminatorProbability(temperature=1.5).describe(ROLES), "q^(1/1.5)(y=1 | x)")


if __name__ == "__main__":
    absltest.main()
