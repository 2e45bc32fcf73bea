"""Tests of resizing."""

import numpy as np
from absl.testing import absltest

from ugm_tf.data.resizing import check_image_size, square


class SquareTest(absltest.TestCase):
    def test_keeps_images_of_that_size_bit_for_bit(self):
        x = np.random.default_rng(0).integers(0, 256, [2, 5, 5, 3], np.uint8)
        np.testing.assert_array_equal(square(x, 5), x)

    def test_crops_the_largest_centred_square(self):
        wide = np.zeros([1, 4, 8, 1], np.uint8)
        wide[:, :, 2:6] = 200
        np.testing.assert_array_equal(square(wide, 4), np.full([1, 4, 4, 1], 200))
        np.testing.assert_array_equal(square(np.swapaxes(wide, 1, 2), 4), np.full([1, 4, 4, 1], 200))

    def test_shrinks_by_averaging(self):
        stripes = np.zeros([1, 32, 32, 1], np.uint8)
        stripes[:, :, np.isin(np.arange(32) % 8, (3, 4))] = 255  # just what sampling without averaging would see
        small = square(stripes, 4)
        self.assertEqual(small.dtype, np.uint8)
        np.testing.assert_allclose(small, 255 / 4, atol=10)  # a quarter is white; the filter is cut at the edges

    def test_refuses_no_size(self):
        with self.assertRaisesRegex(ValueError, "at least 1.*image_size=0"):
            check_image_size(0)


if __name__ == "__main__":
    absltest.main()
