"""Tests of what identifies data."""

import json

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.data.fingerprints import Fingerprint, array_digest

FILES = Fingerprint("file", {"a/1.png": "5f", "a/2.png": "77"}, {"image_size": "32"})


class FingerprintTest(parameterized.TestCase):
    def test_of_the_same_data_differs_in_nothing(self):
        same = Fingerprint("file", {"a/2.png": "77", "a/1.png": "5f"}, {"image_size": "32"})
        self.assertEqual((FILES.differences(same), FILES.digest), ([], same.digest))

    @parameterized.parameters(
        ({"a/1.png": "5f"}, "32", ["1 file removed: a/2.png"]),
        ({"a/1.png": "5f", "a/2.png": "78"}, "32", ["1 file changed: a/2.png"]),
        ({"a/1.png": "5f", "a/2.png": "77"}, "64", ["image_size was 32 and is 64"]),
        ({f"a/{i}.png": "0" for i in range(3, 1_237)}, "32",
         ["2 files removed: a/1.png, a/2.png", "1,234 files added: a/10.png, a/100.png, a/1000.png and 1,231 more"]),
    )  # fmt: skip
    def test_says_what_changed(self, parts, size, expected):
        other = Fingerprint("file", parts, {"image_size": size})
        self.assertEqual(FILES.differences(other), expected)
        self.assertNotEqual(FILES.digest, other.digest)

    def test_says_that_data_are_of_another_kind(self):
        self.assertEqual(
            FILES.differences(Fingerprint("array", {})), ["the data were made of files and are made of arrays"]
        )

    def test_is_written_down_and_read_again(self):
        names = Fingerprint("file", {"caf\u00e9\udcff.png": "1"})  # a name that is not UTF-8
        for before in (FILES, names):
            self.assertEqual(Fingerprint.from_dict(json.loads(json.dumps(before.to_dict()))), before)

    @parameterized.parameters({}, {"kind": "file", "parts": 3, "facts": {}, "digest": ""})
    def test_refuses_what_is_none(self, **values):
        with self.assertRaisesRegex(ValueError, "no fingerprint of data"):
            Fingerprint.from_dict(values)

    def test_refuses_one_that_was_changed(self):
        values = FILES.to_dict()
        values["parts"]["a/1.png"] = "60"
        with self.assertRaisesRegex(ValueError, "fingerprint of data is damaged"):
            Fingerprint.from_dict(values)

    def test_of_something_made_of_the_data_says_how(self):
        made = FILES.derived(shift="negative")
        self.assertEqual(FILES.differences(made), ["shift was not given and is negative"])


class ArrayDigestTest(absltest.TestCase):
    def test_depends_on_dtype_shape_and_values_and_not_on_the_layout(self):
        x = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        others = [x + 1, x.reshape(3, 2, 4), x.view(np.int8), x[:1]]
        self.assertLen({array_digest(array) for array in (x, *others)}, 5)
        self.assertEqual(array_digest(x), array_digest(np.asfortranarray(x)))
        self.assertStartsWith(array_digest(x), "uint8 [2, 3, 4] ")

    def test_takes_large_empty_and_single_ones(self):
        large = np.zeros([3, 2**24], np.uint8)
        self.assertEqual(array_digest(large).split()[-1], array_digest(large.reshape(-1)).split()[-1])
        self.assertStartsWith(array_digest(np.zeros([0, 3])), "float64 [0, 3] ")
        self.assertStartsWith(array_digest(np.array("a")), "<U1 [] ")


if __name__ == "__main__":
    absltest.main()
