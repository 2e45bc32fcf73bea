"""Tests of the embedded digits, and of their TFDS builder."""

import pathlib

import numpy as np
import pytest
from absl.testing import absltest, parameterized
from sklearn import datasets

from ugm_tf import data
from ugm_tf.data import digits


class DigitsTest(parameterized.TestCase):
    @parameterized.parameters(("train", 1_297), ("validation", 250), ("test", 250))
    def test_splits_have_their_sizes(self, split, size):
        examples = data.load("digits", split)
        self.assertEqual((len(examples), examples.shape, examples.num_classes), (size, (8, 8, 1), 10))

    @parameterized.parameters("validation", "test")
    def test_held_out_splits_have_25_of_each_class(self, split):
        np.testing.assert_array_equal(np.bincount(data.load("digits", split).c), [25] * 10)

    def test_splits_are_all_of_scikit_learns_digits_each_once(self):
        ours = np.concatenate([digits.arrays(split)[0] for split in data.SPLITS]).reshape(-1, 64)
        theirs, _ = datasets.load_digits(return_X_y=True)
        back = np.rint(ours / 255 * 16)  # undoes the scaling
        np.testing.assert_array_equal(np.unique(back, axis=0), np.unique(theirs, axis=0))
        self.assertEqual(len(back), len(theirs))

    def test_labels_are_scikit_learns(self):
        images, labels = datasets.load_digits(return_X_y=True)
        known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
        x, c = digits.arrays("test")
        back = np.rint(x.reshape(-1, 64) / 255 * 16)
        self.assertEqual([known[image.tobytes()] for image in back], c.tolist())

    def test_levels_are_spread_over_a_byte(self):
        levels = np.unique(digits.arrays("train")[0])
        # 255 v / 16 = 15.9375 v, rounded by hand; v = 8 is halfway, and rounded up
        expected = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
        np.testing.assert_array_equal(levels, expected)

    def test_can_be_resized(self):
        self.assertEqual(data.load("digits", "test", image_size=16).shape, (16, 16, 1))

    @pytest.mark.slow
    def test_builder_gives_tfds_the_same_and_prepares_once(self):
        data_dir = self.create_tempdir().full_path
        for split in data.SPLITS:
            ours, theirs = data.load("digits", split), data.load("digits", split, data_dir=data_dir)
            np.testing.assert_array_equal(ours.x, theirs.x)
            np.testing.assert_array_equal(ours.c, theirs.c)
        (prepared,) = pathlib.Path(data_dir, "digits").iterdir()
        before = prepared.stat().st_mtime_ns
        data.load("digits", "test", data_dir=data_dir, download=False)
        self.assertEqual(prepared.stat().st_mtime_ns, before)


if __name__ == "__main__":
    absltest.main()
