"""Tests of `Examples`."""

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.data import Examples

IMAGES = np.zeros([6, 8, 8, 1], np.uint8)


def labelled(counts):
    """Examples whose vectors are their own row numbers, `counts[c]` of them in class c."""
    c = np.repeat(np.arange(len(counts)), counts)
    return Examples(np.arange(2 * len(c), dtype=np.float32).reshape(-1, 2), c, len(counts), "toy", "train")


class ExamplesTest(parameterized.TestCase):
    def test_keeps_images_and_makes_labels_int32(self):
        examples = Examples(IMAGES, np.array([0, 1, 2, 0, 1, 2], np.int64), 3)
        self.assertEqual((len(examples), examples.shape, examples.is_image), (6, (8, 8, 1), True))
        self.assertEqual((examples.x.dtype, examples.c.dtype), (np.uint8, np.int32))

    def test_arrays_cannot_be_written(self):
        with self.assertRaises(ValueError):
            Examples(IMAGES).x[0] = 1

    def test_leaves_the_callers_array_writable(self):
        mine = IMAGES.copy()
        Examples(mine)
        mine[0] = 1

    def test_prints_what_it_holds(self):
        self.assertEqual(repr(labelled([2, 1])), "Examples(toy/train: 3 of shape (2,), float32, 2 classes)")

    @parameterized.parameters(
        (np.zeros([4, 8, 8, 1], np.float32), r"Received: float32 \[4, 8, 8, 1\].*np.rint\(255"),
        (np.zeros([4, 8, 8], np.uint8), r"Received: uint8 \[4, 8, 8\].*np.newaxis"),
        (np.zeros([4, 8, 8, 2], np.uint8), "C = 1 or 3"),
        (np.zeros([4, 2], np.float64), "float32"),
        (np.zeros([0, 8, 8, 1], np.uint8), "is empty"),
        (np.zeros([4, 0], np.float32), "is empty"),
    )
    def test_refuses_other_data(self, x, advice):
        with self.assertRaisesRegex(ValueError, advice):
            Examples(x)

    @parameterized.parameters(np.nan, np.inf)
    def test_refuses_numbers_that_are_not_finite_and_says_where(self, value):
        x = np.zeros([4, 2], np.float32)
        x[2, 1] = value
        with self.assertRaisesRegex(ValueError, "1 of 4 examples, first in example 2.*np.isfinite"):
            Examples(x)

    @parameterized.parameters(
        (np.array([0, 1, 2, 3, 1, 0]), "0 to 2.*from 0 to 3"),
        (np.array([0, 1, 2, -1, 1, 0]), "0 to 2.*from -1 to 2"),
        (np.array([0, 1, 2]), r"shape \[6\].*\[3\]"),
        (np.zeros(6, np.float32), "integers.*float32"),
        (np.eye(6, 3, dtype=np.int32), r"argmax\(axis=1\)"),
    )
    def test_refuses_other_labels(self, c, advice):
        with self.assertRaisesRegex(ValueError, advice):
            Examples(IMAGES, c, 3)

    @parameterized.parameters((None, 3), (np.zeros(6, np.int32), None))
    def test_refuses_labels_and_classes_without_each_other(self, c, num_classes):
        with self.assertRaisesRegex(ValueError, "give both or neither"):
            Examples(IMAGES, c, num_classes)


class LabelledSubsetTest(parameterized.TestCase):
    def test_has_the_same_number_of_each_class(self):
        subset = labelled([5, 9, 30]).labelled_subset(per_class=4, seed=1)
        np.testing.assert_array_equal(np.bincount(subset.c), [4, 4, 4])

    def test_keeps_each_label_with_its_example(self):
        whole = labelled([5, 9, 30])
        subset = whole.labelled_subset(per_class=3)
        rows = (subset.x[:, 0] / 2).astype(int)  # row n of `labelled` is (2 n, 2 n + 1)
        np.testing.assert_array_equal(subset.c, whole.c[rows])
        self.assertLen(set(rows), 9)

    def test_is_the_same_for_the_same_seed_and_another_for_another(self):
        whole = labelled([50, 50])
        first, again, other = (whole.labelled_subset(per_class=10, seed=seed) for seed in (3, 3, 4))
        np.testing.assert_array_equal(first.x, again.x)
        self.assertFalse(np.array_equal(first.x, other.x))

    def test_of_one_seed_are_nested(self):
        whole = labelled([50, 50])
        small, large = (set(whole.labelled_subset(per_class=k, seed=3).x[:, 0]) for k in (5, 20))
        self.assertLess(small, large)

    @parameterized.parameters((0.1, 10), (0.004, 1), (1.0, 100))
    def test_fraction_is_of_all_examples(self, fraction, per_class):
        subset = labelled([100, 100]).labelled_subset(fraction=fraction)
        np.testing.assert_array_equal(np.bincount(subset.c), [per_class, per_class])

    @parameterized.parameters(
        (0.1, [4, 4, 4]), (0.39, [10, 20, 20]), (0.4, [10, 21, 21]), (0.7, [10, 30, 51]), (1.0, [10, 30, 90])
    )
    def test_of_a_fraction_a_small_class_gives_all(self, fraction, counts):
        subset = labelled([10, 30, 90]).labelled_subset(fraction=fraction, seed=2)
        np.testing.assert_array_equal(np.bincount(subset.c), counts)

    @parameterized.parameters(
        ({}, "either per_class or fraction"),
        ({"per_class": 1, "fraction": 0.5}, "either per_class or fraction"),
        ({"fraction": 1.5}, "above 0 and at most 1"),
        ({"fraction": 0.0}, "above 0 and at most 1"),
        ({"per_class": 0}, "at least 1"),
        ({"per_class": 4}, "only 3 examples of class 1.*per_class=3"),
    )
    def test_refuses_other_sizes(self, arguments, advice):
        with self.assertRaisesRegex(ValueError, advice):
            labelled([5, 3]).labelled_subset(**arguments)

    def test_refuses_examples_without_labels(self):
        with self.assertRaisesRegex(ValueError, "has no labels"):
            Examples(IMAGES).labelled_subset(per_class=1)


if __name__ == "__main__":
    absltest.main()
