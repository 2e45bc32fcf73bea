"""Tests of the rule for splits."""

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.data.splits import fixed_order, fixed_spans


class FixedSpansTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("mnist", {"train": 60_000, "test": 10_000}, (0, 55_000), ("train", 55_000, 60_000), ("test", 0, 10_000)),
        ("own_splits", {"train": 9, "validation": 2, "test": 3}, (0, 9), ("validation", 0, 2), ("test", 0, 3)),
        ("no_test", {"train": 100, "validation": 7}, (0, 90), ("validation", 0, 7), ("train", 90, 100)),
        ("undivided", {"train": 100}, (0, 80), ("train", 80, 90), ("train", 90, 100)),
        ("more_parts", {"train": 50, "test": 5, "extra": 500}, (0, 45), ("train", 45, 50), ("test", 0, 5)),
    )
    def test_holds_out_a_tenth_of_what_is_missing(self, sizes, train, validation, test):
        expected = {"train": ("train", *train), "validation": validation, "test": test}
        self.assertEqual(fixed_spans(sizes, "toy"), expected)

    def test_refuses_too_few_examples(self):
        with self.assertRaisesRegex(ValueError, "toy has 9 training examples and no test split.*at least 10"):
            fixed_spans({"train": 9}, "toy")

    def test_refuses_data_without_a_training_part(self):
        with self.assertRaisesRegex(ValueError, "toy has no part called 'train'. It has: test, extra"):
            fixed_spans({"test": 9, "extra": 3}, "toy")


class FixedOrderTest(absltest.TestCase):
    def test_is_a_permutation_but_not_the_order_of_the_files(self):
        order = fixed_order(100)
        np.testing.assert_array_equal(np.sort(order), np.arange(100))
        self.assertFalse(np.array_equal(order, np.arange(100)))
        np.testing.assert_array_equal(order, fixed_order(100))


if __name__ == "__main__":
    absltest.main()
