import keras
import numpy as np
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from ugm_tf.algebra import (
    INFERRED,
    KL,
    Ancestral,
    DiscriminatorLoss,
    DiscriminatorProbability,
    E,
    Enumerate,
    JointSample,
    NegativeLogProb,
    Phase,
    Term,
    Weight,
    contests,
)

tfd, tfb = stubs.tfd, tfp.bijectors
ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)", decoder="p(x | z)", discriminator="q(y | x)")
X = tf.constant([[0.5], [-1.0], [2.0]])
Z = tf.constant([[0.3], [0.7], [-0.4]])
LOGITS = np.array([2.0, -3.0, 0.5])


def gaussian(mean, scale):
    return stubs.Stub(lambda *given: tfd.Independent(tfd.Normal(mean(*given), scale), 1))


def sample(**values):
    densities = {
        "prior": stubs.standard(1),
        "encoder": gaussian(lambda x: 0.5 * x, 0.7),
        "decoder": gaussian(lambda z: 2.0 * z + 0.1, 0.6),
        "discriminator": stubs.judge(lambda x: tf.constant(LOGITS, tf.float32)),
    }
    return JointSample(densities, ROLES, {"x": X} | values, training=True)


class NegativeLogProbTest(absltest.TestCase):
    def test_is_minus_log_of_the_density_at_the_value(self):
        by_hand = -scipy.stats.norm.logpdf(X, 2.0 * Z + 0.1, 0.6)[:, 0]
        np.testing.assert_allclose(NegativeLogProb("decoder")(sample(z=Z)), by_hand, rtol=1e-5)

    def test_describes_itself(self):
        term = NegativeLogProb("decoder")
        self.assertEqual(
            (term.describe(ROLES), term.label, term.scored, term.conditioned),
            ("-log p(x | z)", "decoder", ("decoder",), ()),
        )


class KLTest(absltest.TestCase):
    def test_closed_form(self):
        mean = 0.5 * X.numpy()[:, 0]
        by_hand = 0.5 * (0.49 + mean**2 - 1 - np.log(0.49))
        np.testing.assert_allclose(KL("encoder", "prior")(sample()), by_hand, rtol=1e-5)

    def test_sides_are_not_exchanged(self):
        mean = 0.5 * X.numpy()[:, 0]
        by_hand = 0.5 * ((1 + mean**2) / 0.49 - 1 + np.log(0.49))
        np.testing.assert_allclose(KL("prior", "encoder")(sample()), by_hand, rtol=1e-5)

    def test_sampled_is_the_log_ratio_at_the_draw(self):
        by_hand = (scipy.stats.norm.logpdf(Z, 0.5 * X, 0.7) - scipy.stats.norm.logpdf(Z))[:, 0]
        np.testing.assert_allclose(KL("encoder", "prior", sampled=True)(sample(z=Z)), by_hand, rtol=1e-4, atol=1e-6)

    def test_without_a_closed_form_it_says_what_to_do(self):
        start = sample()
        start.densities["prior"] = stubs.Stub(lambda: tfd.Independent(tfd.Laplace([0.0], 1.0), 1), "laplace")
        with self.assertRaisesRegex(
            ValueError,
            r"KL\('encoder', 'prior'\) has no closed form for Gaussian\(.*\) and Laplace\(.*\). "
            r"Estimate it at the draws: KL\('encoder', 'prior', sampled=True\); in `vae`, kl='sampled'",
        ):
            KL("encoder", "prior")(start)

    def test_describes_itself(self):
        self.assertEqual(KL("encoder", "prior").describe(ROLES), "KL(q(z | x) || p(z))")
        self.assertEqual(KL("encoder", "prior", sampled=True).describe(ROLES), "[log q(z | x) - log p(z)]")
        self.assertEqual(KL("encoder", "prior").label, "kl_encoder_prior")

    def test_only_the_sampled_one_needs_a_draw(self):
        both = ("encoder", "prior")
        self.assertEqual((KL(*both).scored, KL(*both).conditioned), ((), both))
        self.assertEqual((KL(*both, sampled=True).scored, KL(*both, sampled=True).conditioned), (both, ()))


class FreeBitsTest(parameterized.TestCase):
    """Of KL(N(x w, s) || N(0, I)) in two dimensions, by hand."""

    def sample(self):
        scale = tf.constant([0.7, 0.5])
        densities = {
            "prior": stubs.standard(2),
            "encoder": stubs.Stub(lambda x: tfd.Independent(tfd.Normal(x * tf.constant([1.0, 0.1]), scale), 1)),
        }
        s = scale.numpy()
        each = 0.5 * ((X.numpy() * [1.0, 0.1]) ** 2 + s**2 - 1.0) - np.log(s)  # [B, 2]
        return JointSample(densities, ROLES, {"x": X}, training=True), each

    def test_per_example_is_the_larger_of_both(self):
        sample, each = self.sample()
        term = KL("encoder", "prior", free=0.9)
        np.testing.assert_allclose(term(sample), np.maximum(each.sum(1), 0.9), rtol=1e-5)
        self.assertEqual(term.describe(ROLES), "max(0.9, KL(q(z | x) || p(z)))")

    @parameterized.parameters(0.2, 0.4, 2.0)
    def test_per_dimension_is_of_the_batchs_mean(self, free):
        sample, each = self.sample()
        term = KL("encoder", "prior", free=free, per="dimension")
        np.testing.assert_allclose(term(sample), np.full(3, np.maximum(each.mean(0), free).sum()), rtol=1e-5)
        self.assertEqual(term.describe(ROLES), f"sum_j max({free:g}, mean_batch KL(q(z | x) || p(z))_j)")

    def test_a_weighted_mean_is_printed_as_one(self):
        term = KL("encoder", "prior", free=0.5, per="dimension")
        roles = stubs.roles(prior="p(z)", encoder="q(z | x)", classifier="q(c | x)", discriminator="q(y | x)")
        sums = Ancestral((Enumerate("classifier"), "encoder"))
        for e, mean in (
            (E(term, INFERRED), "batch"),
            (E(term, INFERRED, weight=DiscriminatorProbability()), "weighted"),
            (E(term, sums), "weighted"),
            (E(term, Ancestral(("encoder",), k=3)), "batch"),
        ):
            self.assertEndsWith(e.describe(roles, ("x",)), f"sum_j max(0.5, mean_{mean} KL(q(z | x) || p(z))_j)")

    @parameterized.product(free=[0.01, 0.35, 2.0], sampled=[False, True])
    def test_per_dimension_is_of_a_weighted_mean_where_examples_have_weights(self, free, sampled):
        """sum_j max(free, E[w KL_j] / E[w]) E[w]: where nothing binds, the weighted divergence of each example."""
        sample, each = self.sample()
        w = np.array([0.2, 1.5, 0.6], np.float32)

        @ugm_tf.record
        class ByTable(Weight):
            takes = ()

            def __call__(self, sample):
                return tf.constant(w)

        term = KL("encoder", "prior", free=free, per="dimension")
        by_hand = w.mean() * np.maximum((w[:, None] * each).mean(0) / w.mean(), free).sum()
        # A weight of the expectation, or one that the sample carries, as an exact sum does.
        found = E(term)(sample.where(weight=tf.constant(w))) if sampled else E(term, weight=ByTable())(sample)
        np.testing.assert_allclose(found, by_hand, rtol=1e-5)
        if free == 0.01:
            np.testing.assert_allclose(found, (w * each.sum(1)).mean(), rtol=1e-5)

    def test_the_divergence_itself_is_logged_beside_it(self):
        sample, each = self.sample()
        for per in ("example", "dimension"):
            e = E(KL("encoder", "prior", free=2.0, per=per), name="rate")
            np.testing.assert_allclose(e.beside(sample)["kl"], each.sum(1).mean(), rtol=1e-5)
            phase = Phase("wake", (e,), ("encoder",))
            self.assertEqual(phase.metrics, ("wake/rate", "wake/rate_kl", "wake/loss"))
        self.assertEqual(E(KL("encoder", "prior")).beside(sample), {})

    def test_of_a_flow_it_says_what_to_use_instead(self):
        base = tfd.Independent(tfd.Normal(tf.zeros([3, 2]), 1.0), 1)
        bent = stubs.Stub(lambda x: tfd.TransformedDistribution(base, tfb.Scale(2.0)))
        bent.flow = keras.layers.Layer(name="iaf")
        start = JointSample({"prior": stubs.standard(2), "encoder": bent}, ROLES, {"x": X}, training=True)
        found = r"no closed form for Gaussian\(scale=None\) with a flow, iaf, and Gaussian\(scale=None\)"
        for free, without in ((0.0, ";"), (0.5, r", without free bits \(received: free=0.5\);")):
            with self.assertRaisesRegex(ValueError, f"{found}.*sampled=True\\){without} in `vae`, kl='sampled'"):
                KL("encoder", "prior", free=free)(start)

    def test_what_is_free_has_no_gradient(self):
        shift = tf.Variable([0.0, 0.0])
        densities = {
            "prior": stubs.standard(2),
            "encoder": stubs.Stub(lambda x: tfd.Independent(tfd.Normal(x + tf.constant([3.0, 0.0]) + shift, 1.0), 1)),
        }
        with tf.GradientTape() as tape:
            start = JointSample(densities, ROLES, {"x": 0.0 * X}, training=True)
            value = tf.reduce_mean(KL("encoder", "prior", free=0.5, per="dimension")(start))
        np.testing.assert_allclose(tape.gradient(value, shift), [3.0, 0.0])

    @parameterized.parameters(
        (dict(free=-1.0), "at least 0, in nats. Received: free=-1.0"),
        (dict(free=float("inf")), "at least 0, in nats. Received: free=inf"),
        (dict(free=True), "at least 0, in nats. Received: free=True"),
        (dict(free=ugm_tf.schedules.warmup(5)), r"at least 0, in nats. Received: free=linear\(0, 1, 5\)"),
        (dict(free=0.5, per="batch"), "per 'example' or 'dimension'. Received: per='batch'"),
        (dict(free=0.5, sampled=True), "of a divergence in closed form"),
    )
    def test_refuses(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            KL("encoder", "prior", **options)

    def test_per_dimension_refuses_what_does_not_factorise(self):
        law = tfd.MultivariateNormalTriL(tf.zeros([3, 2]), tf.eye(2)[None])
        densities = {"prior": stubs.Stub(lambda: law), "encoder": stubs.Stub(lambda x: law)}
        start = JointSample(densities, ROLES, {"x": X}, training=True)
        with self.assertRaisesRegex(ValueError, "take densities that factorise.*Use per='example'"):
            KL("encoder", "prior", free=0.5, per="dimension")(start)
        np.testing.assert_allclose(KL("encoder", "prior", free=0.5)(start), [0.5] * 3)


class DiscriminatorLossTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("data", DiscriminatorLoss(1), 1, "-log q(y=1 | x)", "discriminator_y1"),
        ("generated", DiscriminatorLoss(0), -1, "-log q(y=0 | x)", "discriminator_y0"),
        ("generated_reversed", DiscriminatorLoss(0, reverse=True), 1, "-log q^r(y=0 | x)", "discriminator_y0_reversed"),
        ("data_reversed", DiscriminatorLoss(1, reverse=True), -1, "-log q^r(y=1 | x)", "discriminator_y1_reversed"),
    )
    def test_is_minus_log_of_a_side(self, term, sign, text, label):
        by_hand = -np.log(1 / (1 + np.exp(-sign * LOGITS)))
        np.testing.assert_allclose(term(sample()), by_hand, rtol=1e-5)
        self.assertEqual((term.describe(ROLES), term.label), (text, label))

    def test_the_two_sides_are_probabilities(self):
        both = tf.exp(-DiscriminatorLoss(0)(sample())) + tf.exp(-DiscriminatorLoss(1)(sample()))
        np.testing.assert_allclose(both, np.ones(3), rtol=1e-6)

    def test_huge_logits_are_finite(self):
        start = sample()
        start.densities["discriminator"] = stubs.judge(lambda x: tf.constant([1e4, -1e4, 0.0]))
        np.testing.assert_allclose(DiscriminatorLoss(1)(start), [0.0, 1e4, np.log(2)], rtol=1e-6)

    def test_agrees_with_the_densitys_own_log_prob(self):
        for y in (0, 1):
            np.testing.assert_allclose(
                DiscriminatorLoss(y)(sample()), -sample(y=tf.fill([3], float(y))).log_prob("discriminator"), rtol=1e-5
            )

    @parameterized.product(y=[0, 1], reverse=[False, True], contest=contests.names())
    def test_plays_its_contest(self, y, reverse, contest):
        term = DiscriminatorLoss(y, reverse=reverse, contest=contest)
        logits = tf.constant(LOGITS, tf.float32)
        np.testing.assert_array_equal(term(sample()), contests.get(contest).loss(y, reverse)(logits))
        self.assertEqual(term.describe(ROLES), contests.get(contest).text(y, reverse, "discriminator", ROLES))

    def test_refuses_another_contest(self):
        with self.assertRaisesRegex(ValueError, "no contest 'wgan'. There are: logistic, minimax"):
            DiscriminatorLoss(1, contest="wgan")

    def test_asks_its_discriminator_for_a_logit(self):
        term = DiscriminatorLoss(1, "critic")
        self.assertEqual((term.judges, term.conditioned, term.scored), (("critic",), ("critic",), ()))

    @parameterized.parameters(2, -1, "real")
    def test_refuses_another_provenance(self, y):
        with self.assertRaisesRegex(ValueError, f"1 for data or 0 for generated. Received: y={y}"):
            DiscriminatorLoss(y)


class TermTest(absltest.TestCase):
    def test_a_term_of_ones_own_has_a_name_and_needs_nothing(self):
        class Brier(Term):
            pass

        term = Brier()
        self.assertEqual((term.describe(ROLES), term.label, term.scored, term.conditioned), ("Brier", "brier", (), ()))


if __name__ == "__main__":
    absltest.main()
