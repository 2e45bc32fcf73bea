"""Tests of the observations: what a likelihood sees of a stored image."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf import data
from ugm_tf.data.observations import observe, static_bits, unpacked

LEVELS = np.tile(np.arange(256, dtype=np.uint8), [4_000, 1]).reshape(-1, 16, 16, 1)  # 4,000 of each level


class ObserveTest(parameterized.TestCase):
    def test_grey_is_the_level_over_255(self):
        x = observe(LEVELS[:1], "grey", (0, 0)).numpy().reshape(-1)
        np.testing.assert_allclose(x, np.arange(256) / 255, rtol=1e-6)
        self.assertEqual((x[0], x[255]), (0.0, 1.0))

    def test_dequantised_is_uniform_within_its_level(self):
        x = observe(LEVELS, "dequantised", (0, 1)).numpy()
        u = 256 * x.astype(np.float64) - LEVELS
        self.assertGreaterEqual(u.min(), 0.0)
        self.assertLess(u.max(), 1.0)
        # A million draws: mean 1/2 and variance 1/12, each to five standard errors.
        self.assertAlmostEqual(u.mean(), 1 / 2, delta=5 * np.sqrt(1 / 12 / u.size))
        self.assertAlmostEqual(u.var(), 1 / 12, delta=5 * np.sqrt(1 / 180 / u.size))

    def test_dequantised_pixels_of_a_word_are_independent(self):
        u = 256 * observe(LEVELS, "dequantised", (0, 1)).numpy().reshape(-1, 4).astype(np.float64) % 1.0
        correlation = np.corrcoef(u.T) - np.eye(4)  # four pixels share a random word
        self.assertLess(np.abs(correlation).max(), 5 / np.sqrt(len(u)))

    @parameterized.parameters("binarised", "static")
    def test_bit_is_one_with_the_probability_of_its_level(self, observation):
        if observation == "static":
            x = unpacked(tf.constant(static_bits(LEVELS, 2)), (16, 16, 1)).numpy()
        else:
            x = observe(LEVELS, observation, (0, 2)).numpy()
        self.assertEqual(set(np.unique(x)), {0, 1})
        mean, p = x.reshape(-1, 256).astype(np.float64).mean(axis=0), np.arange(256) / 255
        self.assertEqual((mean[0], mean[255]), (0.0, 1.0))  # black and white are certain
        error = (mean - p)[1:-1] / np.sqrt(p * (1 - p) / len(LEVELS))[1:-1]
        self.assertLess(np.abs(error).max(), 5.0)

    @parameterized.parameters("dequantised", "binarised")
    def test_noise_is_fixed_by_the_seed(self, observation):
        x = LEVELS[:3]
        np.testing.assert_array_equal(observe(x, observation, (0, 1)), observe(x, observation, (0, 1)))
        self.assertFalse(np.array_equal(observe(x, observation, (0, 1)), observe(x, observation, (0, 2))))

    def test_noise_of_steps_that_follow_each_other_is_unrelated(self):
        u = np.stack([observe(LEVELS[:1], "dequantised", (7, step)).numpy().ravel() % (1 / 256) for step in range(400)])
        u = (u - u.mean()) / u.std()
        for by in (1, 2, 7):  # the same place some steps later, and another place of the same step
            for product in (u[by:] * u[:-by], u[:, by:] * u[:, :-by]):
                self.assertLess(abs(product.mean()), 5 / np.sqrt(product.size))

    @parameterized.parameters("dequantised", "binarised")
    def test_accepts_images_whose_pixels_fill_no_whole_word(self, observation):
        self.assertEqual(observe(np.full([1, 3, 3, 1], 255, np.uint8), observation, (0, 1)).shape, (1, 3, 3, 1))

    def test_raw_leaves_vectors_alone(self):
        x = np.array([[0.5, -3.0]], np.float32)
        np.testing.assert_array_equal(observe(x, "raw", (0, 0)), x)

    def test_static_bits_of_an_example_do_not_depend_on_how_many_follow(self):
        few, many = (static_bits(LEVELS[:n], 1) for n in (5, 2_003))
        np.testing.assert_array_equal(few, many[:5])
        self.assertFalse(np.array_equal(many[1_000:1_005], few))  # the next thousand has noise of its own

    def test_static_bits_are_those_of_the_noise_packed(self):
        x = LEVELS[:1_200].reshape(-1, 256)[:, :25].reshape(-1, 5, 5, 1)  # 25 bits fill no whole byte
        bits = static_bits(x, 3)
        self.assertEqual(bits.shape, (1_200, 4))
        expected = observe(x[:1_000], "binarised", tf.constant([3, 0], tf.int64))
        np.testing.assert_array_equal(unpacked(tf.constant(bits), (5, 5, 1))[:1_000], expected)


class SupportTest(parameterized.TestCase):
    @parameterized.parameters(
        ("grey", "levels"), ("dequantised", "unit"), ("binarised", "binary"), ("static", "binary"), ("raw", "real")
    )
    def test_is_stated_for_each_observation(self, observation, expected):
        self.assertEqual(data.support(observation), expected)

    def test_covers_all_observations(self):
        self.assertEqual(set(data.OBSERVATIONS), {"grey", "dequantised", "binarised", "static", "raw"})

    def test_refuses_an_unknown_observation(self):
        with self.assertRaisesRegex(ValueError, "one of grey, dequantised, binarised, static, raw.*'gray'"):
            data.support("gray")


if __name__ == "__main__":
    absltest.main()
