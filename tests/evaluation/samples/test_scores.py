"""Scores of given probabilities, neighbours and diversity, by hand and by closed forms."""

import numpy as np
from absl.testing import absltest, parameterized

from tests.evaluation.exact import assert_within
from ugm_tf.evaluation.samples import (
    authenticity,
    class_coverage,
    data_copying,
    feature_likelihood_divergence,
    inception_score,
    precision_recall_density_coverage,
    training_neighbours,
    vendi_score,
)


class ProbabilitiesTest(parameterized.TestCase):
    @parameterized.parameters(2, 5, 10)
    def test_certain_and_even(self, classes):
        p = np.tile(np.eye(classes), [20, 1])
        self.assertAlmostEqual(inception_score(p, splits=1).value, classes, delta=1e-9)

    def test_by_the_formula(self):
        p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.25, 0.25]])
        truth = np.exp(np.mean(np.sum(p * np.log(p / p.mean(0)), 1)))
        self.assertAlmostEqual(inception_score(p, splits=1).value, truth, delta=1e-12)

    def test_sorted_samples_are_shuffled_before_they_are_split(self):
        self.assertGreater(inception_score(np.repeat(np.eye(4), 250, 0), splits=10).value, 3.8)

    def test_coverage_entropy_and_divergence(self):
        p = np.eye(3)[[0] * 75 + [1] * 25]
        found = class_coverage(p, reference=np.array([0, 1] * 50))
        self.assertEqual((found.covered.value, found.shares), (2, (0.75, 0.25, 0.0)))
        plain = -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
        self.assertAlmostEqual(found.entropy.value, plain + 1 / 200, delta=1e-12)
        self.assertAlmostEqual(found.kl, np.log(2) - plain, delta=1e-12)
        self.assertEqual(class_coverage(p, reference=np.zeros(5, int)).kl, np.inf)

    @parameterized.parameters(
        (np.array([[0.5, 0.4]] * 3), "sum to 1 in each row. Received a sum of 0.9"),
        (np.array([[2.0, -1.0]] * 3), "lie in"),
        (np.array([[np.nan, 1.0]] * 3), "NaN or infinity"),
        (np.ones([1, 1]), "at least 2 rows"),
    )
    def test_refusals(self, p, advice):
        with self.assertRaisesRegex(ValueError, advice):
            inception_score(p, splits=1)


class NeighboursTest(parameterized.TestCase):
    def test_balls_by_hand(self):
        found = precision_recall_density_coverage(np.array([[0.0], [1.0], [5.0]]), np.array([[0.5], [9.5]]), k=1)
        # Real balls reach 1, 1 and 4: 0.5 is in two of them and 9.5 in none. Those of the samples reach 9.
        values = [getattr(found, part).value for part in ("precision", "density", "recall", "coverage")]
        np.testing.assert_allclose(values, [0.5, 1.0, 1.0, 2 / 3])

    @parameterized.parameters(1, 5)
    def test_density_and_coverage_of_one_law(self, k):
        """Density is 1; coverage 1 - (n-1)...(n-k) / ((n+m-1)...(n+m-k))."""
        real, fake = np.random.default_rng(k).normal(size=[2, 2000, 2])
        found, steps = precision_recall_density_coverage(real, fake, k=k), np.arange(1, k + 1)
        assert_within(self, found.density, 1.0, least=0.06)
        assert_within(self, found.coverage, 1.0 - np.prod((2000 - steps) / (4000 - steps)))

    def test_copies_are_found(self):
        train, held_out, fresh = np.random.default_rng(0).normal(size=[3, 200, 3])
        copies = train + 0.01
        self.assertLess(authenticity(train, copies).value, 0.05)
        self.assertLess(data_copying(train, held_out, copies).value, -10)
        self.assertLess(data_copying(train, held_out, copies, cells=3).how["p_copied"], 1e-6)
        found = training_neighbours(train, held_out, copies)
        self.assertEqual(found.share.value, 1.0)
        np.testing.assert_array_equal(found.index, np.arange(200))

    @parameterized.parameters(0, 1, 2)
    def test_fresh_data_of_few_values_are_none_either(self, seed):
        rng = np.random.default_rng(seed)
        train, held_out, fresh = (rng.integers(0, 32, (n, 1)).astype(float) for n in (400, 400, 300))
        found = training_neighbours(train, held_out, fresh).share
        assert_within(self, found, 0.5)
        self.assertGreater(found.how["p_copied"], 1e-3)

    @parameterized.parameters(0.0, 1e6, -1e8)
    def test_where_the_data_lie_says_nothing(self, offset):
        train, held_out, fake = np.random.default_rng(0).normal(size=[3, 100, 3])
        far = [part + offset for part in (train, held_out, fake)]
        self.assertEqual(authenticity(far[0], far[2]).value, authenticity(train, fake).value)
        share = training_neighbours(*far).share
        self.assertAlmostEqual(share.value, training_neighbours(train, held_out, fake).share.value)
        for name in ("precision", "recall", "density", "coverage"):
            ours, theirs = (precision_recall_density_coverage(*parts) for parts in ((train, fake), (far[0], far[2])))
            self.assertAlmostEqual(getattr(ours, name).value, getattr(theirs, name).value)

    def test_balls_around_equal_rows_are_empty_and_said_to_be(self):
        x = np.repeat(np.arange(8.0), 10)[:, None]
        found = precision_recall_density_coverage(x, x.copy()).precision
        self.assertEqual((found.value, found.how["empty_balls"]), (0.0, 1.0))

    def test_a_column_that_is_constant_but_for_rounding_is_refused(self):
        train, held_out, fake = (np.random.default_rng(i).normal(size=[40, 3]) for i in range(3))
        for part in (train, held_out, fake):
            part[:, 2] = 0.1
        with self.assertRaisesRegex(ValueError, "1 of 3 features are the same for all held-out examples"):
            feature_likelihood_divergence(train, held_out, fake)

    @parameterized.parameters(0, 1, 2)
    def test_fresh_data_are_none(self, seed):
        train, held_out, fresh = np.random.default_rng(seed).normal(size=[3, 300, 3])
        for estimate, truth in (
            (data_copying(train, held_out, fresh), 0.0),
            (data_copying(train, held_out, fresh, cells=2), 0.0),
            (training_neighbours(train, held_out, fresh).share, 0.5),
        ):
            assert_within(self, estimate, truth)

    def test_the_likelihood_divergence_rises_with_each_fault(self):
        rng = np.random.default_rng(0)
        train, held_out, fresh = rng.normal(size=[3, 80, 2]) + 10.0 * rng.integers(
            0, 2, size=[3, 80, 1]
        )  # two clusters
        good = feature_likelihood_divergence(train, held_out, fresh).value
        self.assertLess(abs(good), 15.0)
        for bad in (fresh + 2.0, fresh[fresh[:, 0] > 5.0], train):  # far off, one cluster alone, copied
            self.assertGreater(feature_likelihood_divergence(train, held_out, bad).value, good + 10.0)


class VendiTest(parameterized.TestCase):
    @parameterized.parameters(1, 3, 8)
    def test_counts_what_is_entirely_different(self, kinds):
        self.assertAlmostEqual(vendi_score(np.tile(np.eye(8)[:kinds], [6, 1])).value, kinds, delta=1e-9)

    def test_a_given_similarity_of_cosines_is_the_same(self):
        x = np.random.default_rng(0).normal(size=[50, 4])
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        own, given = vendi_score(x), vendi_score(x, unit @ unit.T)
        self.assertAlmostEqual(own.value, given.value, delta=1e-9)
        self.assertAlmostEqual(own.error, given.error, delta=1e-6)


if __name__ == "__main__":
    absltest.main()
