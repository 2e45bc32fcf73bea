"""Tests of `load` and `names`."""

import dataclasses

from absl.testing import absltest, parameterized

from ugm_tf import data


class LoadTest(parameterized.TestCase):
    def test_names_are_sorted(self):
        expected = [
            "cifar10",
            "digits",
            "fashion_mnist",
            "grid",
            "mnist",
            "ring",
            "stacked_digits",
            "stacked_mnist",
            "svhn_cropped",
        ]
        self.assertEqual(data.names(), expected)

    @parameterized.parameters(("mnits", "mnist"), ("kmnis", "kmnist"), ("rnig", "ring"))
    def test_an_unknown_name_is_refused_with_the_nearest(self, name, near):
        with self.assertRaisesRegex(ValueError, f"no data set '{name}'. Did you mean '{near}'.*cifar10, digits"):
            data.load(name)

    def test_a_name_like_no_other_is_refused_without_a_guess(self):
        with self.assertRaisesRegex(ValueError, "no data set 'qqqqqq'. Known"):
            data.load("qqqqqq")

    def test_an_unknown_split_is_refused(self):
        with self.assertRaisesRegex(ValueError, "one of train, validation, test. Received: split='dev'"):
            data.load("digits", "dev")

    @parameterized.parameters(
        ("ring", {"data_dir": "x"}, "data_dir='x' belongs to data sets of TFDS, and 'ring'"),
        ("npz:a.npz", {"manual_dir": "x"}, "manual_dir='x' belongs to data sets of TFDS"),
        ("folder:a", {"download": True}, "download=True belongs to data sets of TFDS"),
        ("digits", {"seed": 1}, "seed=1 belongs to ring and grid"),
        ("grid", {"image_size": 8}, "image_size=8 belongs to images"),
        ("npz:a.npz", {"image_size": 8}, "image_size=8 belongs to"),
        ("digits", {"image_size": 0}, "at least 1"),
        ("digits", {"image_size": "8"}, "takes image_size, a whole number of at least 1. Received: image_size='8'"),
        ("digits", {"image_size": 2.5}, "image_size=2.5"),
        ("/tmp", {}, "There is no data set '/tmp'. Did you mean 'folder:/tmp'"),
        ("digits", {"background": "black"}, "background='black' belongs to folders of images, and 'digits'"),
        ("npz:a.npz", {"background": "black"}, "background='black' belongs to folders"),
        ("folder:a", {"background": "blue"}, "white, black or a colour #rrggbb"),
    )
    def test_an_option_that_would_be_ignored_is_refused(self, name, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            data.load(name, **options)


class IdentityTest(parameterized.TestCase):
    @parameterized.parameters("digits", "ring")
    def test_all_splits_have_the_reading_and_the_fingerprint_of_the_whole(self, name):
        train, test = (data.load(name, split) for split in ("train", "test"))
        self.assertEqual((train.reading, train.fingerprint), (test.reading, test.fingerprint))
        self.assertEqual(train.reading.sizes["test"], len(test))

    def test_digits_of_another_size_and_points_of_another_seed_are_other_data(self):
        found = data.load("digits").fingerprint.differences(data.load("digits", image_size=16).fingerprint)
        self.assertEqual(found, ["image_size was as stored and is 16"])
        found = data.load("ring").fingerprint.differences(data.load("grid", seed=1).fingerprint)
        self.assertEqual(found, ["density was ring and is grid", "seed was 0 and is 1"])

    def test_examples_made_of_others_say_so(self):
        digits = data.load("digits")
        subset, negative = digits.labelled_subset(per_class=3), data.shifted(digits, "negative")
        expected = ["labelled_subset was not given and is 3 of each class by seed 0"]
        self.assertEqual(digits.fingerprint.differences(subset.fingerprint), expected)
        self.assertEqual(
            digits.fingerprint.differences(negative.fingerprint), ["shift was not given and is negative by seed 0"]
        )
        self.assertEqual(subset.class_names, digits.class_names)

    def test_other_arrays_in_place_of_those_loaded_are_identified_by_themselves(self):
        digits = data.load("digits")
        cut = dataclasses.replace(digits, x=digits.x[:60], c=digits.c[:60])
        self.assertEqual(set(cut.fingerprint.parts), {"x", "c"})
        self.assertNotEqual(cut.fingerprint, dataclasses.replace(cut, x=255 - cut.x).fingerprint)
        self.assertIsNone(cut.reading)


if __name__ == "__main__":
    absltest.main()
