"""Tests of `load` and `names`."""

from absl.testing import absltest, parameterized

from ugm_tf import data


class LoadTest(parameterized.TestCase):
    def test_names_are_sorted(self):
        expected = ["cifar10", "digits", "fashion_mnist", "grid", "mnist", "ring", "svhn_cropped"]
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
    )
    def test_an_option_that_would_be_ignored_is_refused(self, name, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            data.load(name, **options)


if __name__ == "__main__":
    absltest.main()
