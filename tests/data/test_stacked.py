"""Stacked sets are three images of one set each, and their classes are the triples of its classes."""

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf


class StackedTest(parameterized.TestCase):
    @parameterized.parameters(("train", 12_800), ("validation", 2_500), ("test", 2_600))
    def test_channels_are_images_of_the_split_and_classes_their_triples(self, split, size):
        base, found = (ugm_tf.data.load(name, split) for name in ("digits", "stacked_digits"))
        self.assertEqual((len(found), found.shape, found.num_classes), (size, (8, 8, 3), 1000))
        known = {image.tobytes(): label for image, label in zip(base.x, base.c, strict=True)}
        for x, c in zip(found.x[:200], found.c[:200], strict=True):
            digits = [known[np.ascontiguousarray(x[..., channel : channel + 1]).tobytes()] for channel in range(3)]
            self.assertEqual(digits, [c // 100, c // 10 % 10, c % 10])
            self.assertEqual(found.class_names[c], "".join(map(str, digits)))

    def test_modes_are_about_even_and_all_there(self):
        c = ugm_tf.data.load("stacked_digits", "train").c
        self.assertLen(np.unique(c), 1000)
        self.assertLess(np.bincount(c).max(), 50)  # 12.8 expected

    def test_is_the_same_at_each_call_and_another_in_each_split(self):
        first, again = (ugm_tf.data.load("stacked_digits", "test") for _ in range(2))
        np.testing.assert_array_equal(first.x, again.x)
        self.assertEqual(first.fingerprint.differences(again.fingerprint), [])
        other = ugm_tf.data.load("stacked_digits", "validation")
        self.assertFalse(np.array_equal(first.c[:100], other.c[:100]))

    def test_its_first_channel_is_a_set_of_its_own(self):
        found = ugm_tf.data.load("stacked_digits", "test")
        first = ugm_tf.data.unstacked(found)
        np.testing.assert_array_equal(first.x, found.x[..., :1])
        np.testing.assert_array_equal(first.c, found.c // 100)
        self.assertIsNone(ugm_tf.data.unstacked(ugm_tf.data.load("digits", "test")))

    def test_takes_the_options_of_its_base_and_no_others(self):
        self.assertEqual(ugm_tf.data.load("stacked_digits", "test", image_size=4).shape, (4, 4, 3))
        with self.assertRaisesRegex(ValueError, "storage='mapped' belongs to"):
            ugm_tf.data.load("stacked_digits", "test", storage="mapped")
        with self.assertRaisesRegex(ValueError, "seed=1 belongs to ring and grid"):
            ugm_tf.data.load("stacked_digits", "test", seed=1)


if __name__ == "__main__":
    absltest.main()
