import json

import keras
import numpy as np
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import Ancestral, DiscriminatorProbability, ImportanceWeight, JointSample, PosteriorWeight

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


class SideTest(absltest.TestCase):
    """y = 1: q^r(y=1 | .) / q(y=1 | .) = q(y=0 | .) / q(y=1 | .) = exp(-l)."""

    def test_is_the_odds_against_divided_by_their_mean(self):
        d = 1 / (1 + np.exp(-LOGITS))
        odds = (1 - d) / d
        np.testing.assert_allclose(ImportanceWeight(y=1)(sample()), odds / odds.mean(), rtol=1e-5)

    def test_is_the_other_side_of_the_negative_logits(self):
        np.testing.assert_allclose(ImportanceWeight(y=1)(sample()), ImportanceWeight()(sample(-LOGITS)), rtol=1e-6)

    def test_describes_itself(self):
        self.assertEqual(ImportanceWeight(y=1).describe(ROLES), "w[q^r(y=1 | x) / q(y=1 | x)]")


class WithinTest(parameterized.TestCase):
    """Normalised over the examples of each class."""

    CLASSES = np.eye(4)[[0, 2, 0, 1, 2, 2]]  # none of class 3
    LOGITS = np.array([1.0, -2.0, 0.5, 7.0, 3.0, 0.0])

    def weights(self, logits=LOGITS, **options):
        densities = {"discriminator": stubs.judge(lambda x: tf.constant(logits, tf.float32))}
        values = {"x": tf.zeros([6, 1]), "c": tf.constant(self.CLASSES, tf.float32)}
        joint = JointSample(densities, ROLES, values, training=True)
        return ImportanceWeight(within="c", **options)(joint).numpy()

    @parameterized.parameters(0, 1)
    def test_is_the_odds_divided_by_the_mean_of_their_class(self, y):
        odds = np.exp(-self.LOGITS if y else self.LOGITS)
        means = (self.CLASSES.T @ odds) / np.maximum(self.CLASSES.sum(0), 1)
        np.testing.assert_allclose(self.weights(y=y), odds / (self.CLASSES @ means), rtol=1e-5)

    def test_sums_to_the_number_of_each_class(self):
        np.testing.assert_allclose(self.weights() @ self.CLASSES, self.CLASSES.sum(0), rtol=1e-6)
        self.assertAlmostEqual(self.weights().mean(), 1.0, places=6)

    def test_the_only_one_of_its_class_weighs_one(self):
        self.assertAlmostEqual(self.weights()[3], 1.0, places=6)

    def test_is_another_than_over_the_whole_batch(self):
        whole = np.exp(self.LOGITS) / np.exp(self.LOGITS).mean()
        self.assertGreater(np.abs(self.weights() - whole).max(), 1.0)

    def test_huge_logits_are_finite(self):
        out = self.weights(np.array([1e4, -1e4, -1e4, 0.0, 1e4, 1e4]))
        np.testing.assert_allclose(out, [2.0, 0.0, 0.0, 1.0, 1.5, 1.5])

    def test_describes_itself(self):
        text = "w[q^r(y=0 | x, c) / q(y=0 | x, c) within c]"
        self.assertEqual(ImportanceWeight("second", "c").describe(ROLES), text)


class PosteriorWeightTest(parameterized.TestCase):
    """Of x = 2 z + e with z, e ~ N(0, 1), under draws from N(x / 4, 0.49)."""

    def drawn(self, k, repeats=1):
        def normal(mean, scale):
            return stubs.Stub(lambda *given: stubs.tfd.Independent(stubs.tfd.Normal(mean(*given), scale), 1))

        densities = {
            "prior": stubs.standard(1),
            "encoder": normal(lambda x: 0.25 * x, 0.7),
            "decoder": normal(lambda z: 2.0 * z, 1.0),
        }
        roles = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)")
        x = tf.repeat(tf.constant([[0.5], [-1.0]]), repeats, 0)
        return Ancestral(("encoder",), k=k)(JointSample(densities, roles, {"x": x}, training=True), stubs.seed())

    def test_is_the_ratio_divided_by_its_mean_over_draws(self):
        drawn, norm = self.drawn(5), scipy.stats.norm.pdf
        z, x = drawn["z"].numpy()[..., 0], drawn["x"].numpy()[:, 0]
        ratio = norm(x, 2 * z, 1.0) * norm(z) / norm(z, 0.25 * x, 0.7)
        np.testing.assert_allclose(PosteriorWeight()(drawn), ratio / ratio.mean(0), rtol=1e-4)

    def test_one_draw_weighs_one(self):
        np.testing.assert_array_equal(PosteriorWeight()(self.drawn(1)), np.ones([1, 2]))

    def test_the_weighted_mean_is_the_posteriors(self):
        """E[z | x] = 2 x / 5, where the draws have the mean x / 4."""
        drawn = self.drawn(50, repeats=4000)
        means = tf.reduce_mean(PosteriorWeight()(drawn) * drawn["z"][..., 0], 0).numpy().reshape(2, 4000).mean(1)
        np.testing.assert_allclose(means, [0.2, -0.4], atol=0.01)
        plain = tf.reduce_mean(drawn["z"][..., 0], 0).numpy().reshape(2, 4000).mean(1)
        np.testing.assert_allclose(plain, [0.125, -0.25], atol=0.01)

    def test_scores_its_densities_and_judges_nothing(self):
        weight = PosteriorWeight(("decoder", "middle", "prior"), ("encoder", "top"))
        self.assertEqual(weight.scored, ("decoder", "middle", "prior", "encoder", "top"))
        self.assertEqual((weight.judges, weight.conditioned), ((), ()))

    def test_describes_itself(self):
        roles = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)")
        self.assertEqual(PosteriorWeight().describe(roles), "w[p(x | z) p(z) / q(z | x)]")

    def test_is_saved_and_loaded(self):
        weight = PosteriorWeight(("decoder", "top"), ("encoder",))
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(weight)))
        loaded = keras.saving.deserialize_keras_object(config)
        self.assertEqual((loaded, hash(loaded)), (weight, hash(weight)))


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
