"""Frechet, kernel and sliced distances against closed forms and hand computation."""

import numpy as np
from absl.testing import absltest, parameterized

from tests.evaluation.exact import assert_within
from ugm_tf.evaluation.samples import (
    frechet_distance,
    frechet_distance_at_infinity,
    frechet_distance_of_moments,
    kernel_distance,
    sliced_wasserstein_distance,
)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


class FrechetTest(parameterized.TestCase):
    @parameterized.parameters(
        ((1.0, 4.0), (9.0, 4.0), 4.0),  # (3 - 1)^2
        ((4.0, 0.0), (0.0, 9.0), 13.0),  # of rank one each, and orthogonal: both traces
        ((4.0, 0.0), (9.0, 0.0), 1.0),
        ((0.0, 0.0), (0.0, 0.0), 0.0),
    )
    def test_of_diagonal_covariances(self, first, second, distance):
        found = frechet_distance_of_moments(np.zeros(2), np.diag(first), np.ones(2), np.diag(second))
        self.assertAlmostEqual(found, distance + 2.0, delta=1e-12)

    @parameterized.parameters(2, 6, 40)
    def test_of_copies_scaled_and_moved_at_any_rank(self, size):
        x = normal(0, 20, 3) @ normal(1, 3, size)
        found = frechet_distance(x, 2.0 * x + 1.0)
        truth = np.sum((x.mean(0) + 1.0) ** 2) + np.trace(np.cov(x.T))
        self.assertAlmostEqual(found.value, truth, delta=1e-10 * truth)

    @parameterized.parameters(0, 1, 2)
    def test_many_rows_of_known_gaussians(self, seed):
        mix = normal(7, 4, 4)
        real = normal(seed, 20_000, 4) @ mix + 0.2
        fake = normal(seed + 10, 20_000, 4) * [1.0, 2.0, 0.5, 1.0]
        truth = frechet_distance_of_moments(np.full(4, 0.2), mix.T @ mix, np.zeros(4), np.diag([1.0, 4.0, 0.25, 1.0]))
        assert_within(self, frechet_distance(real, fake), truth)
        assert_within(self, frechet_distance_at_infinity(real, fake), truth)

    def test_refuses_a_covariance_that_is_none(self):
        with self.assertRaisesRegex(ValueError, "no symmetric positive semi-definite matrix"):
            frechet_distance_of_moments(np.zeros(2), np.diag([1.0, -1.0]), np.zeros(2), np.eye(2))


class KernelTest(parameterized.TestCase):
    def test_by_hand(self):
        """k(0, .) = 1 and k(1, 2) = 27, of x = 0, 0 and y = 1, 2."""
        found = kernel_distance(np.zeros([2, 1]), np.array([[1.0], [2.0]]))
        self.assertAlmostEqual(found.value, 1.0 + 27.0 - 2.0, delta=1e-12)

    @parameterized.parameters((0.0, 1.0), (0.5, 1.0), (0.0, 1.3), (-0.3, 0.7))
    def test_of_normal_numbers_by_moments(self, mean, scale):
        """(x y + 1)^3 is a sum over moments: the distance is 3 d1^2 + 3 d2^2 + d3^2 of their differences."""
        moments = np.array([mean, mean**2 + scale**2, mean**3 + 3 * mean * scale**2]) - [0.0, 1.0, 0.0]
        truth = np.sum([3.0, 3.0, 1.0] * moments**2)
        real, fake = normal(1, 3000, 1), mean + scale * normal(2, 3000, 1)
        assert_within(self, kernel_distance(real, fake), truth)
        assert_within(self, kernel_distance(real, fake, subsets=10), truth)

    def test_refuses_subsets_of_one_row(self):
        with self.assertRaisesRegex(ValueError, "subsets is a whole number of at least 2 and at most 3"):
            kernel_distance(np.zeros([6, 1]), np.zeros([6, 1]), subsets=4)


class SlicedTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 5)
    def test_of_a_shift(self, size):
        x = normal(3, 60, size)
        assert_within(self, sliced_wasserstein_distance(x, x + 2.0), 2.0, least=1e-12)  # |shift| / sqrt(D)

    def test_of_sets_of_other_sizes(self):
        """Halves of the mass move by 1 and by 0."""
        found = sliced_wasserstein_distance(np.array([[0.0], [0.0]]), np.array([[0.0], [0.0], [1.0], [1.0]]), order=1)
        self.assertAlmostEqual(found.value, 0.5, delta=1e-12)


class RefusalTest(parameterized.TestCase):
    @parameterized.product(
        function=[frechet_distance, kernel_distance, sliced_wasserstein_distance],
        case=[
            (np.zeros([0, 2]), "at least 2 rows"),
            (np.zeros([1, 2]), "at least 2 rows"),
            (np.full([3, 2], np.nan), "NaN or infinity in 3 of 3 rows"),
            (np.zeros([3, 5]), "of one D. Received: real"),
            (np.zeros([3]), "of 2 axes"),
        ],
    )
    def test_of_features(self, function, case):
        fake, advice = case
        with self.assertRaisesRegex(ValueError, advice):
            function(np.zeros([3, 2]), fake)


if __name__ == "__main__":
    absltest.main()
