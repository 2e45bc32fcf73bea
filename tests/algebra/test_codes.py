"""Terms of the codes of a batch against loops over its pairs, permutations, and what none of them takes."""

import numpy as np
import scipy.special
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import MMD, Ancestral, Draw, JointSample, Permute, Rename, TotalCorrelation

tfd = stubs.tfd
ROLES = stubs.roles(prior="p(z)", encoder="q(z | x)")
X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
Z = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
V = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)
W = np.array([0.5, 0.0, 2.0, 1.0, 1.0, 0.3])


def encoder(scale=0.7):
    return stubs.Stub(lambda x: tfd.Independent(tfd.Normal(0.5 * x, scale), 1))


def sample(weight=None, law=None, **values):
    densities = {"prior": stubs.standard(3), "encoder": law or encoder()}
    weight = None if weight is None else tf.constant(weight, tf.float32)
    return JointSample(densities, ROLES, {"x": tf.constant(X)} | values, training=True, weight=weight)


def total_correlation(weights):
    """log q(z[i]) - sum_j log q(z[i, j]), with q(z) a weighted mean over the batch."""
    each = scipy.stats.norm.logpdf(Z[:, None], 0.5 * X, 0.7)  # [i, of example, j]
    b = (weights / weights.sum())[None, :]
    joint = scipy.special.logsumexp(each.sum(-1), 1, b=b)
    return joint - scipy.special.logsumexp(each, 1, b=b[..., None]).sum(-1)


def squared_mmd(a, b, kernel):
    """By the definition, over all pairs."""
    n, k = len(a), kernel
    among = sum(k(a[i], a[j]) + k(b[i], b[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return among - 2 * sum(k(a[i], b[j]) for i in range(n) for j in range(n)) / n**2


class TotalCorrelationTest(parameterized.TestCase):
    def test_is_that_of_the_mean_of_the_posteriors_of_the_batch(self):
        found = TotalCorrelation()(sample(z=tf.constant(Z)))
        np.testing.assert_allclose(found, total_correlation(np.ones(6)), rtol=1e-5)

    def test_the_mean_is_weighted_where_examples_weigh(self):
        found = TotalCorrelation()(sample(W, z=tf.constant(Z)))
        np.testing.assert_allclose(found, total_correlation(W), rtol=1e-4)
        self.assertGreater(np.max(np.abs(found - total_correlation(np.ones(6)))), 0.05)

    def test_examples_that_weigh_nothing_make_no_nan(self):
        self.assertTrue(np.all(np.isfinite(TotalCorrelation()(sample(np.zeros(6), z=tf.constant(Z))))))

    def test_of_one_dimension_there_is_none(self):
        law = stubs.Stub(lambda x: tfd.Independent(tfd.Normal(x[:, :1], 0.7), 1))
        np.testing.assert_allclose(TotalCorrelation()(sample(law=law, z=tf.constant(Z[:, :1]))), np.zeros(6), atol=1e-6)

    def test_describes_itself(self):
        term = TotalCorrelation()
        self.assertEqual((term.describe(ROLES), term.label), ("[log q(z) - sum_j log q(z_j)]", "total_correlation"))

    def test_refuses_several_draws(self):
        drawn = Ancestral((Draw("encoder", 4),))(sample(), stubs.seed())
        with self.assertRaisesRegex(
            ValueError, r"takes one vector of z .* Received shape \[4, 6, 3\], with axes \[4\]"
        ):
            TotalCorrelation()(drawn)


class MMDTest(parameterized.TestCase):
    @parameterized.parameters(
        ("inverse_multiquadric", None, lambda a, b: 6.0 / (6.0 + np.sum((a - b) ** 2))),
        ("inverse_multiquadric", 2.0, lambda a, b: 2.0 / (2.0 + np.sum((a - b) ** 2))),
        ("gaussian", None, lambda a, b: np.exp(-np.sum((a - b) ** 2) / 3.0)),
        ("gaussian", 0.5, lambda a, b: np.exp(-np.sum((a - b) ** 2) / 0.5)),
    )
    def test_its_mean_is_the_estimate_by_all_pairs(self, kernel, size, function):
        found = MMD("z", "v", kernel, size)(sample(z=tf.constant(Z), v=tf.constant(V)))
        self.assertEqual(found.shape, (6,))
        self.assertAlmostEqual(found.numpy().mean(), squared_mmd(Z, V, function), delta=1e-6)

    def test_is_near_0_between_draws_of_one_distribution_and_far_from_it_between_two(self):
        n = 1000
        a, b = (tf.random.stateless_normal([n, 3], [0, i]) for i in (1, 2))
        start = JointSample({}, {}, {"z": a, "v": b, "shifted": b + 1.0}, training=True)
        same, other = (MMD("z", name)(start).numpy().mean() for name in ("v", "shifted"))
        self.assertLess(abs(same), 0.005)
        self.assertGreater(other, 0.05)

    def test_of_a_single_example_it_is_finite(self):
        start = JointSample({}, {}, {"z": tf.constant(Z[:1]), "v": tf.constant(V[:1])}, training=True)
        self.assertTrue(np.all(np.isfinite(MMD("z", "v")(start))))

    def test_refuses_images(self):
        start = JointSample({}, {}, {"z": tf.zeros([6, 4, 4, 1]), "v": tf.constant(V)}, training=True)
        with self.assertRaisesRegex(ValueError, r"takes one vector of z .* Received shape \[6, 4, 4, 1\]"):
            MMD("z", "v")(start)


class PermuteTest(parameterized.TestCase):
    def permuted(self, seed=0, value=Z):
        return Permute("z")(sample(z=tf.constant(value)), stubs.seed(seed))["z"].numpy()

    def test_each_dimension_keeps_its_values_in_an_order_of_its_own(self):
        found = self.permuted()
        np.testing.assert_array_equal(np.sort(found, 0), np.sort(Z, 0))
        orders = [tuple(np.argmax(found[:, [j]] == Z[:, j], 1)) for j in range(3)]
        self.assertLen(set(orders), 3)

    def test_the_order_is_the_seeds(self):
        np.testing.assert_array_equal(self.permuted(3), self.permuted(3))
        self.assertGreater(np.max(np.abs(self.permuted(3) - self.permuted(4))), 0.0)

    def test_every_order_is_as_likely(self):
        """Of three examples: the 6 orders of one dimension, by a chi-square."""
        value = np.arange(3, dtype=np.float32)[:, None] + np.zeros([1, 1000], np.float32)
        columns = self.permuted(1, value[:, :1000])
        _, counts = np.unique(columns, axis=1, return_counts=True)
        self.assertLen(counts, 6)
        self.assertLess(scipy.stats.chisquare(counts).statistic, scipy.stats.chi2.ppf(0.999, 5))

    def test_makes_what_depends_independent(self):
        z = np.repeat(np.random.default_rng(0).normal(size=(4000, 1)), 2, 1).astype(np.float32)
        permuted = Permute("z")(JointSample({}, ROLES, {"z": tf.constant(z)}, training=True), stubs.seed())["z"]
        self.assertLess(abs(np.corrcoef(permuted.numpy().T)[0, 1]), 5 / np.sqrt(4000))

    def test_a_gradient_goes_back_to_where_each_value_is_from(self):
        z = tf.constant(Z)
        with tf.GradientTape() as tape:
            tape.watch(z)
            total = tf.reduce_sum(Permute("z")(sample(z=z), stubs.seed())["z"] * tf.constant([[1.0, 2.0, 3.0]]))
        np.testing.assert_array_equal(tape.gradient(total, z), np.tile([[1.0, 2.0, 3.0]], (6, 1)))

    def test_images_are_permuted_by_pixel(self):
        images = tf.random.stateless_normal([5, 2, 2, 1], [0, 0])
        found = Permute("x")(JointSample({}, ROLES, {"x": images}, training=True), stubs.seed())["x"]
        np.testing.assert_array_equal(np.sort(found, 0), np.sort(images, 0))

    def test_keeps_who_drew_it(self):
        sampler = Ancestral(("encoder", Permute("z")))
        self.assertEqual(sampler(sample(), stubs.seed()).drawn_by, {"encoder"})
        self.assertEqual(sampler.describe(ROLES, ("x",)), "x ~ data, z ~ encoder, z = permuted z")

    def test_refuses_several_draws(self):
        with self.assertRaisesRegex(ValueError, r"Permute takes a single value of z .* \[4\]. Draw one, without k"):
            Ancestral((Draw("encoder", 4), Permute("z")))(sample(), stubs.seed())

    def test_needs_the_variable(self):
        self.assertEqual((Permute("z").needs(ROLES), Permute("z").sets(ROLES)), (("z",), "z"))
        self.assertTrue(Permute("z").of_batch)
        self.assertFalse(Rename("z", "v").of_batch)


if __name__ == "__main__":
    absltest.main()
