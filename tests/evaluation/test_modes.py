"""Counting the modes of a mixture."""

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.evaluation import count_modes

CENTERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


class CountModesTest(parameterized.TestCase):
    @parameterized.parameters(("ring", 8), ("grid", 25))
    def test_the_data_find_all_modes_evenly(self, name, modes):
        x = ugm_tf.data.load(name, "test").x
        found = count_modes(x, ugm_tf.data.centers(name), ugm_tf.data.scale(name))
        self.assertEqual(found.found, modes)
        self.assertGreater(found.high_quality, 0.98)  # 1 - exp(-9/2) = 0.989
        self.assertLess(found.reverse_kl, 0.02)

    def test_shares_by_hand(self):
        points = np.array([[0.0, 0.1], [0.0, -0.1], [0.1, 0.0], [10.0, 0.0], [5.0, 5.0]])  # 3, 1, 0, 0, and one astray
        found = count_modes(points, CENTERS, scale=0.1)
        self.assertEqual((found.found, found.high_quality), (2, 0.8))
        self.assertAlmostEqual(found.reverse_kl, 0.75 * np.log(3.0) + 0.25 * np.log(1.0), delta=1e-12)

    @parameterized.parameters((0.29, 1), (0.31, 0))
    def test_a_sample_is_good_within_three_deviations(self, distance, modes):
        self.assertEqual(count_modes(np.array([[distance, 0.0]]), CENTERS, scale=0.1).found, modes)

    def test_a_mode_that_nobody_finds_costs_nothing_but_the_others_shares(self):
        self.assertAlmostEqual(count_modes(CENTERS[:1], CENTERS, 0.1).reverse_kl, np.log(4.0), delta=1e-12)

    def test_refuses_points_of_another_space(self):
        with self.assertRaisesRegex(ValueError, r"points of one space. Received: \(3, 3\), \(4, 2\)"):
            count_modes(np.zeros([3, 3]), CENTERS, 0.1)


if __name__ == "__main__":
    absltest.main()
