"""The importance-weighted bound: its value, its groups, its two gradients."""

import json

import keras
import numpy as np
import scipy.special
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import Ancestral, Draw, ImportanceWeightedBound, JointSample
from ugm_tf.densities import InverseAutoregressiveFlow

tfd = stubs.tfd
ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)", middle="p(z | h)", top="p(h)", up="q(h | z)")
X = tf.constant([[0.5], [-1.0], [2.0]])
NORM = scipy.stats.norm.logpdf


def gaussian(mean, scale):
    return stubs.Stub(lambda *given: tfd.Independent(tfd.Normal(mean(*given), scale), 1))


def start(slope=0.5, x=X):
    densities = {
        "prior": stubs.standard(1),
        "encoder": gaussian(lambda x: slope * x, 0.7),
        "decoder": gaussian(lambda z: 2.0 * z + 0.1, 0.6),
        "top": stubs.standard(1),
        "middle": gaussian(lambda h: 0.3 * h, 0.9),
        "up": gaussian(lambda z: 0.2 * z, 1.1),
    }
    return JointSample(densities, ROLES, {"x": x}, training=True)


def log_weights(drawn):
    z, x = drawn["z"].numpy()[..., 0], drawn["x"].numpy()[:, 0]
    return NORM(x, 2.0 * z + 0.1, 0.6) + NORM(z) - NORM(z, 0.5 * x, 0.7)


class ValueTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 10)
    def test_is_minus_log_of_the_mean_ratio(self, k):
        drawn = Ancestral(("encoder",), k=k)(start(), stubs.seed())
        bound = ImportanceWeightedBound()(drawn)
        self.assertEqual(tuple(bound.shape), (3,))
        by_hand = np.log(k) - scipy.special.logsumexp(log_weights(drawn), axis=0)
        np.testing.assert_allclose(bound, by_hand, rtol=1e-4)

    def test_of_several_layers_has_every_density(self):
        drawn = Ancestral((Draw("encoder", 4), "up"))(start(), stubs.seed())
        z, h, x = drawn["z"].numpy()[..., 0], drawn["h"].numpy()[..., 0], X.numpy()[:, 0]
        log_w = (
            NORM(x, 2 * z + 0.1, 0.6) + NORM(z, 0.3 * h, 0.9) + NORM(h) - NORM(z, 0.5 * x, 0.7) - NORM(h, 0.2 * z, 1.1)
        )
        bound = ImportanceWeightedBound(("decoder", "middle", "top"), ("encoder", "up"))(drawn)
        np.testing.assert_allclose(bound, np.log(4) - scipy.special.logsumexp(log_w, axis=0), rtol=1e-4)

    def test_is_log_p_of_x_where_the_encoder_is_the_posterior(self):
        """x = 2 z + 0.1 + 0.6 e: p(x) = N(0.1, 4.36), p(z | x) = N(2 (x - 0.1) / 4.36, 0.36 / 4.36)."""
        exact = start()
        exact.densities["encoder"] = gaussian(lambda x: 2.0 * (x - 0.1) / 4.36, 0.6 / 4.36**0.5)
        for k, term in ((1, ImportanceWeightedBound()), (6, ImportanceWeightedBound(group=3))):
            bound = term(Ancestral(("encoder",), k=k)(exact, stubs.seed()))
            np.testing.assert_allclose(tf.reshape(bound, [-1, 3])[0], -NORM(X[:, 0], 0.1, np.sqrt(4.36)), rtol=1e-4)

    def test_refuses_a_sample_without_draws(self):
        with self.assertRaisesRegex(
            ValueError, r"leading axis of draws, \[k, B\]: draw with Ancestral\(\('encoder',\), k=50\).*\(3,\)"
        ):
            ImportanceWeightedBound()(Ancestral(("encoder",))(start(), stubs.seed()))

    @parameterized.parameters(
        (ImportanceWeightedBound(), "-log mean_k[p(x | z) p(z) / q(z | x)]"),
        (ImportanceWeightedBound(group=5), "-log mean_5[p(x | z) p(z) / q(z | x)] over groups of 5 draws, k/5 apart"),
        (ImportanceWeightedBound(doubly_reparameterised=True), "-log mean_k[p(x | z) p(z) / q(z | x)], dreg"),
        (
            ImportanceWeightedBound(("decoder", "middle", "top"), ("encoder", "up")),
            "-log mean_k[p(x | z) p(z | h) p(h) / (q(z | x) q(h | z))]",
        ),
    )
    def test_describes_itself(self, term, text):
        self.assertEqual((term.describe(ROLES), term.label), (text, "bound"))
        self.assertEqual(term.scored, (*term.generative, *term.inference))

    @parameterized.parameters(
        ImportanceWeightedBound(), ImportanceWeightedBound(("decoder", "top"), ("up", "encoder"), 3)
    )
    def test_is_saved_and_loaded(self, term):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(term)))
        loaded = keras.saving.deserialize_keras_object(config)
        self.assertEqual((loaded, hash(loaded)), (term, hash(term)))


class GroupTest(parameterized.TestCase):
    def test_each_group_has_a_bound_of_its_own(self):
        drawn = Ancestral(("encoder",), k=12)(start(), stubs.seed())
        found = ImportanceWeightedBound(group=4)(drawn)
        self.assertEqual(tuple(found.shape), (3, 3))  # M, B
        groups = log_weights(drawn).reshape(4, 3, 3)  # K, M, B: a partition of the draws
        np.testing.assert_allclose(found, np.log(4) - scipy.special.logsumexp(groups, axis=0), rtol=1e-4)

    def test_one_group_is_the_bound_of_all_draws(self):
        drawn = Ancestral(("encoder",), k=6)(start(), stubs.seed())
        np.testing.assert_allclose(
            ImportanceWeightedBound(group=6)(drawn)[0], ImportanceWeightedBound()(drawn), rtol=1e-6
        )

    def test_groups_of_one_are_elbos(self):
        drawn = Ancestral(("encoder",), k=6)(start(), stubs.seed())
        np.testing.assert_allclose(ImportanceWeightedBound(group=1)(drawn), -log_weights(drawn), rtol=1e-4)

    def test_larger_groups_are_tighter(self):
        drawn = Ancestral(("encoder",), k=24)(start(x=tf.repeat(X, 300, 0)), stubs.seed())
        means = [float(tf.reduce_mean(ImportanceWeightedBound(group=group)(drawn))) for group in (1, 4, 24)]
        self.assertGreater(means[0] - means[1], 0.05)
        self.assertGreater(means[1] - means[2], 0.005)

    @parameterized.parameters(5, 7, 24)
    def test_refuses_a_number_of_draws_that_is_no_multiple(self, group):
        drawn = Ancestral(("encoder",), k=12)(start(), stubs.seed())
        with self.assertRaisesRegex(
            ValueError, f"Groups of {group} draws need k to be a multiple of it. Received: k=12"
        ):
            ImportanceWeightedBound(group=group)(drawn)


class DoublyReparameterisedTest(parameterized.TestCase):
    """DReG: the same value, the same expected gradient of the encoder, of less variance."""

    def gradients(self, doubly, k, repeats, seed=0):
        """Of the bound by the encoder's slope, one an example, for many copies of one x."""
        slopes = tf.Variable(tf.fill([repeats, 1], 0.5))
        term = ImportanceWeightedBound(doubly_reparameterised=doubly)
        with tf.GradientTape() as tape:
            bound = term(Ancestral(("encoder",), k=k)(start(slopes, tf.fill([repeats, 1], 0.8)), stubs.seed(seed)))
        return bound.numpy(), tape.gradient(bound, slopes).numpy()[:, 0]

    @parameterized.parameters(1, 2, 5)
    def test_the_value_is_the_bound(self, k):
        np.testing.assert_allclose(self.gradients(True, k, 50)[0], self.gradients(False, k, 50)[0], rtol=1e-5)

    def test_the_gradient_is_its_formula(self):
        """-sum w~^2 (d log w / dz) dz/ds at z = s x + 0.7 e, where dz/ds = x and

        d log w / dz = 2 (x - 2 z - 0.1) / 0.36 - z + (z - s x) / 0.49
        """
        x, k = 0.8, 5
        drawn = Ancestral(("encoder",), k=k)(start(x=tf.fill([7, 1], x)), stubs.seed())
        z, weights = drawn["z"].numpy()[..., 0], scipy.special.softmax(log_weights(drawn), axis=0)
        slope = 2 * (x - 2 * z - 0.1) / 0.36 - z + (z - 0.5 * x) / 0.49
        np.testing.assert_allclose(
            self.gradients(True, k, 7)[1], -np.sum(weights**2 * slope * x, 0), rtol=1e-3, atol=1e-4
        )

    @parameterized.parameters(1, 2, 5)
    def test_its_expectation_is_that_of_the_ordinary_gradient(self, k):
        one, other = (self.gradients(doubly, k, 100_000, seed=k)[1] for doubly in (True, False))
        error = np.sqrt((one.var() + other.var()) / 100_000)
        self.assertAlmostEqual(one.mean(), other.mean(), delta=5 * error)
        self.assertGreater(abs(other.mean()), 5 * error)  # the two could not both be 0

    def test_varies_less_where_the_encoder_is_nearly_the_posterior(self):
        def variance(doubly):
            slope = tf.Variable(tf.fill([2000, 1], 2.0 / 4.36))
            close = start(x=tf.fill([2000, 1], 0.8))
            close.densities["encoder"] = gaussian(lambda x: slope * (x - 0.1), 0.6 / 4.36**0.5)
            with tf.GradientTape() as tape:
                bound = ImportanceWeightedBound(doubly_reparameterised=doubly)(
                    Ancestral(("encoder",), k=5)(close, stubs.seed())
                )
            return np.var(tape.gradient(bound, slope))

        self.assertLess(variance(True), 1e-3 * variance(False))

    def test_of_several_layers_is_refused(self):
        with self.assertRaisesRegex(
            ValueError, r"is for one inferring density.*Received: inference=\('encoder', 'up'\)"
        ):
            ImportanceWeightedBound(inference=("encoder", "up"), doubly_reparameterised=True)

    def test_of_a_flow_is_refused_with_a_way_out(self):
        flow = InverseAutoregressiveFlow(2, context=3)

        def bent(x):
            base = tfd.Independent(tfd.Normal(tf.zeros([3, 2]), 1.0), 1)
            return tfd.TransformedDistribution(base, flow.bijector(tf.zeros([3, 3])))

        drawn = start().where(z=tf.zeros([4, 3, 2]), axis=4)
        drawn.densities.update(encoder=stubs.Stub(bent), prior=stubs.standard(2))
        with self.assertRaisesRegex(ValueError, "'encoder' cannot be held fixed in .*Use .*gradient='reparameterised'"):
            drawn.log_weights(("prior",), ("encoder",), frozen=True)


if __name__ == "__main__":
    absltest.main()
