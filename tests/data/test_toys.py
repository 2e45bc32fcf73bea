"""Tests of the toy densities."""

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import data


class ToysTest(parameterized.TestCase):
    def test_ring_has_eight_modes_on_the_unit_circle(self):
        half = np.sqrt(0.5)
        expected = [(1, 0), (half, half), (0, 1), (-half, half), (-1, 0), (-half, -half), (0, -1), (half, -half)]
        np.testing.assert_allclose(data.centers("ring"), expected, atol=1e-7)

    def test_grid_has_every_pair_of_five_coordinates(self):
        expected = [(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)]
        np.testing.assert_array_equal(data.centers("grid"), expected)

    @parameterized.parameters((data.ring, 1e-4), (data.grid, 2.5e-3))
    def test_examples_scatter_about_the_mode_that_labels_them(self, draw, variance):
        examples = draw(20_000, seed=1)
        name = examples.name
        self.assertAlmostEqual(data.scale(name) ** 2, variance)
        distance = examples.x - data.centers(name)[examples.c]
        # The mean of 40,000 squares has a relative standard error of sqrt(2 / 40,000) = 0.7%: five of them.
        self.assertAlmostEqual(np.mean(distance**2) / variance, 1.0, delta=0.035)

    @parameterized.parameters((data.ring, 8), (data.grid, 25))
    def test_modes_are_equally_likely(self, draw, modes):
        examples = draw(20_000)
        counts = np.bincount(examples.c, minlength=modes)
        chi2 = np.sum((counts - 20_000 / modes) ** 2) / (20_000 / modes)
        self.assertLess(chi2, modes - 1 + 5 * np.sqrt(2 * (modes - 1)))
        self.assertEqual(examples.num_classes, modes)

    def test_draws_are_fixed_by_the_seed(self):
        np.testing.assert_array_equal(data.ring(10, seed=3).x, data.ring(10, seed=3).x)
        self.assertFalse(np.array_equal(data.ring(10, seed=3).x, data.ring(10, seed=4).x))

    def test_splits_have_draws_of_their_own(self):
        first = {tuple(data.load("ring", split).x[0]) for split in data.SPLITS}
        self.assertLen(first, 3)

    def test_splits_have_the_published_number_of_test_examples(self):
        self.assertLen(data.load("grid", "test"), 2_500)

    def test_seed_of_load_chooses_the_draws(self):
        self.assertFalse(np.array_equal(data.load("ring", "test", seed=1).x, data.load("ring", "test").x))

    def test_refuses_no_examples(self):
        with self.assertRaisesRegex(ValueError, "num_examples must be at least 1.*0"):
            data.ring(0)

    @parameterized.parameters(data.centers, data.scale)
    def test_refuses_other_names(self, function):
        with self.assertRaisesRegex(ValueError, "grid, ring. Received: 'mnist'"):
            function("mnist")


if __name__ == "__main__":
    absltest.main()
