"""Tests of the rule for splits."""

import hashlib

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.data.splits import fixed_spans, splits_by_content

HELD_OUT = ("test", "validation")


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


def digests(number, first=0):
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(first, first + number)]


class SplitsByContentTest(parameterized.TestCase):
    def test_are_where_the_digest_says(self):
        found = splits_by_content(
            ["0" * 16, "1" * 16, "19" + "9" * 14, "2" * 16, "34" + "0" * 14, "f" * 16], None, HELD_OUT
        )
        expected = {
            "train": [4, 5],
            "test": [0, 1, 2],
            "validation": [3],
        }  # below 0.1: 1 / 15, 0x19 / 256; below 0.2: 2 / 15
        self.assertEqual({split: rows.tolist() for split, rows in found.items()}, expected)

    def test_are_a_tenth_each(self):
        found = splits_by_content(digests(20_000), None, HELD_OUT)
        np.testing.assert_allclose([len(found[split]) for split in HELD_OUT], 2_000, atol=130)
        np.testing.assert_array_equal(np.sort(np.concatenate(list(found.values()))), np.arange(20_000))

    def test_of_one_example_do_not_depend_on_the_others(self):
        some, more = (splits_by_content(digests(n), ["ab"[i % 2] for i in range(n)], HELD_OUT) for n in (200, 900))
        for split, rows in some.items():
            self.assertEqual(rows.tolist(), [row for row in more[split] if row < 200])

    def test_that_a_set_has_itself_are_not_held_out_and_move_nothing(self):
        both, one = (splits_by_content(digests(200), None, missing) for missing in (HELD_OUT, ("validation",)))
        self.assertEqual(list(one), ["train", "validation"])
        np.testing.assert_array_equal(both["validation"], one["validation"])

    @parameterized.parameters(3, 4, 7, 12, 25)
    def test_of_few_examples_all_have_some(self, number):
        for first in range(0, 1_000, 50):
            found = splits_by_content(digests(number, first), None, HELD_OUT)
            self.assertGreater(min(map(len, found.values())), 0)
            self.assertEqual(sum(map(len, found.values())), number)

    def test_of_copies_are_one_as_far_as_no_split_is_empty(self):
        found = splits_by_content(["0" * 16] * 5, None, HELD_OUT)
        self.assertEqual({split: len(rows) for split, rows in found.items()}, {"train": 1, "test": 3, "validation": 1})

    def test_leave_each_class_an_example_to_train_on(self):
        for first in range(0, 1_000, 50):
            classes = [str(i % 10) for i in range(20)]
            found = splits_by_content(digests(20, first), classes, HELD_OUT)
            self.assertLen({classes[row] for row in found["train"]}, 10)

    def test_refuse_too_few_examples(self):
        with self.assertRaisesRegex(ValueError, "2 examples are too few to be divided into train, test, validation"):
            splits_by_content(digests(2), None, HELD_OUT)
        with self.assertRaisesRegex(
            ValueError, "class '[abc]' has no example left to train on, as each split needs one"
        ):
            splits_by_content(digests(3), ["a", "b", "c"], HELD_OUT)


if __name__ == "__main__":
    absltest.main()
