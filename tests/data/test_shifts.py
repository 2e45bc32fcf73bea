"""Tests of the second domains that are made of a first one."""

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import data

PAIR = data.Examples(
    np.array([[[0, 10], [20, 255]], [[1, 2], [3, 4]]], np.uint8)[..., None], np.array([1, 0]), 2, "pair", "train"
)


class ShiftsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("negative", [[255, 245], [235, 0]]),
        ("mirrored", [[10, 0], [255, 20]]),
        ("rotated", [[10, 255], [0, 20]]),  # against the clock: the right column becomes the upper row
    )
    def test_by_hand(self, shift, expected):
        np.testing.assert_array_equal(data.shifted(PAIR, shift).x[0, :, :, 0], expected)

    @parameterized.parameters("noisy", "background")
    def test_of_black_images_is_a_texture_of_dark_levels(self, shift):
        black = data.Examples(np.zeros([50, 6, 8, 3], np.uint8))
        x = data.shifted(black, shift).x
        self.assertLess(x.max(), 128)
        self.assertBetween(x.mean(), 55, 72)  # 63.5 and its noise
        self.assertGreater(x.std(axis=0).min(), 10)  # another one for each image

    @parameterized.parameters("noisy", "background")
    def test_of_white_images_is_what_is_left_to_white(self, shift):
        black, white = (data.Examples(np.full([5, 4, 4, 1], level, np.uint8)) for level in (0, 255))
        np.testing.assert_array_equal(data.shifted(white, shift).x, 255 - data.shifted(black, shift).x)

    def test_a_background_is_smooth_and_noise_is_not(self):
        black = data.Examples(np.zeros([20, 9, 9, 1], np.uint8))
        steps = {
            s: np.abs(np.diff(data.shifted(black, s).x.astype(float), axis=2)).max() for s in ("noisy", "background")
        }
        self.assertLessEqual(steps["background"], 33)  # 4 pixels between coarse points: a quarter of 127, rounded
        self.assertGreater(steps["noisy"], 60)

    @parameterized.parameters(*data.SHIFTS)
    def test_is_a_function_of_examples_and_seed_and_keeps_labels(self, shift):
        digits = data.load("digits", "test")
        first, again = data.shifted(digits, shift), data.shifted(digits, shift)
        np.testing.assert_array_equal(first.x, again.x)
        np.testing.assert_array_equal(first.c, digits.c)
        self.assertFalse(np.array_equal(first.x, digits.x))
        self.assertEqual(first.title, f"digits, {shift}/test")

    @parameterized.parameters("noisy", "background")
    def test_textures_differ_by_seed_and_by_split(self, shift):
        black = np.zeros([3, 4, 4, 1], np.uint8)
        train, test = (data.Examples(black, split=split) for split in ("train", "test"))
        self.assertFalse(np.array_equal(data.shifted(train, shift).x, data.shifted(train, shift, seed=1).x))
        self.assertFalse(np.array_equal(data.shifted(train, shift).x, data.shifted(test, shift).x))


class RefusalsTest(absltest.TestCase):
    def test_a_shift_that_there_is_not(self):
        with self.assertRaisesRegex(ValueError, "A shift is one of background, mirrored, .*Received: shift='inverse'"):
            data.shifted(PAIR, "inverse")

    def test_vectors(self):
        with self.assertRaisesRegex(
            ValueError, "ring holds vectors, and shift='negative' is of images. Give a data set"
        ):
            data.shifted(data.ring(10), "negative")

    def test_images_that_are_not_square_are_not_rotated(self):
        wide = data.Examples(np.zeros([1, 4, 6, 1], np.uint8))
        with self.assertRaisesRegex(ValueError, "images of 4x6, and shift='rotated' is of square ones. .*image_size"):
            data.shifted(wide, "rotated")


if __name__ == "__main__":
    absltest.main()
