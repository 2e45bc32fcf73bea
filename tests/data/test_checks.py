"""Tests that a refusal of arrays says what is wrong with these, and that following it mends them."""

import re

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.data import Examples

BYTES = np.random.default_rng(0).integers(0, 256, [6, 8, 8, 3], np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def refusal(*arguments, **options):
    try:
        Examples(*arguments, **options)
    except ValueError as error:
        return str(error)
    raise AssertionError("was not refused")


class DataTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("of_int64", BYTES.astype(np.int64), "become uint8 by (x.astype(np.uint8))"),
        ("in_0_to_1", BYTES / 255, "become uint8 by (np.rint(255 * x).astype(np.uint8))"),
        ("in_0_to_1_of_half_precision", (BYTES / 255).astype(np.float16), "by (np.rint(255 * x).astype(np.uint8))"),
        ("in_minus_1_to_1", BYTES / 127.5 - 1, "become uint8 by (np.rint(127.5 * (x + 1)).astype(np.uint8))"),
        ("of_float_0_to_255", BYTES.astype(np.float32), "become uint8 by (np.rint(x).astype(np.uint8))"),
        ("of_16_bits", BYTES.astype(np.uint16) * 257, "become uint8 by ((x // 257).astype(np.uint8))"),
        ("channels_first", np.moveaxis(BYTES, -1, 1), "Channels come last: x = (np.moveaxis(x, 1, -1))"),
    )  # fmt: skip
    def test_images_are_mended_by_the_advice(self, x, advice):
        before, _, rest = advice.partition("(")
        message = refusal(x)
        self.assertIn(before + rest[:-1], message)
        mended = eval(rest[:-1], {"np": np, "x": x})  # as a reader would type it
        np.testing.assert_allclose(Examples(mended).x.astype(int), BYTES, atol=0 if x.dtype != np.float16 else 1)

    @parameterized.named_parameters(
        ("bits", BYTES > 100, r"Bits become grey levels by 255 \* x.astype\(np.uint8\)"),
        ("whole_0_to_1", (BYTES > 100).astype(int), r"Values from 0 to 1 become uint8 by \(255 \* x\)"),
        ("transparent", np.zeros([4, 8, 8, 4], np.uint8),
         r"last of 4 channels is transparency.*white by a = x\[..., 3:\]"),
        ("grey_transparent", np.zeros([4, 8, 8, 2], np.uint8), r"C = 1 or 3.*last of 2 channels is transparency"),
        ("many_channels", np.zeros([4, 8, 8, 12], np.uint8), "12 channels are neither grey nor RGB: choose"),
        ("no_channels", np.zeros([4, 8, 8]), r"get them by x\[..., np.newaxis\]; then values from 0 to 0 become uint8"),
        ("channels_first_in_0_to_1", np.moveaxis(BYTES, -1, 1) / 255, r"moveaxis\(x, 1, -1\); then values from 0 to 1"),
        ("of_any_range", BYTES * 7.0, r"Values from 0 to 1785 become uint8 by np.rint\(255 \* \(x - x.min\(\)\)"),
        ("nan", np.full([4, 8, 8, 1], np.nan), "some numbers are NaN or infinite|Some numbers are NaN"),
        ("flat_images", np.zeros([4, 64], np.uint8), r"float32 by x.astype\(np.float32\). Flat images.*reshape\(-1, H"),
        ("half_vectors", np.zeros([4, 2], np.float16), r"Vectors become float32 by x.astype\(np.float32\)"),
        ("numbers", np.zeros(4), r"by x\[:, np.newaxis\].astype\(np.float32\)"),
        ("films", np.zeros([4, 9, 8, 8, 3], np.uint8), "Images have four axes and vectors two: reshape x"),
        ("objects", np.array([{}] * 4), "holds no numbers"),
        ("lists_of_unequal_length", [[1.0], [1.0, 2.0]], "x is not one array: .*Give all examples one shape"),
    )  # fmt: skip
    def test_says_what_is_wrong(self, x, advice):
        self.assertRegex(refusal(x), advice)

    def test_composing_on_white_as_advised_does(self):
        x = np.concatenate([BYTES, np.full([6, 8, 8, 1], 51, np.uint8)], axis=-1)
        names = {"np": np, "x": x}
        steps = re.search(r"by (a = .*) and (np.rint.*)\.$", refusal(x))
        exec(steps[1], names)
        np.testing.assert_allclose(Examples(eval(steps[2], names)).x, 0.2 * BYTES + 0.8 * 255, atol=0.51)


class LabelsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("from_one", LABELS + 1, 4, "1 of 4 have none, the first of them class 0.*np.unique.*class_names="),
        ("with_a_gap", LABELS * 2, 5, "2 of 5 have none, the first of them class 1"),
        ("last_one_missing", LABELS, 4, "1 of 4 have none, the first of them class 3"),
        ("out_of_range", LABELS + 1, 3, "0 to 2.*from 1 to 3.*np.unique"),
        ("of_a_column", LABELS[:, None], 3, r"a vector by c\[:, 0\]"),
        ("one_hot", np.eye(3)[LABELS], 3, r"by c.argmax\(axis=1\)"),
        ("of_floats", LABELS / 1.0, 3, r"Whole numbers become integers by c.astype\(np.int32\)"),
        ("of_fractions", LABELS + 0.5, 3, "Labels of any kind become integers by names, c = np.unique"),
        ("bits", LABELS > 1, 2, r"two classes become integers by c.astype\(np.int32\)"),
        ("names", np.array(list("abcabc")), 3, "Names become integers by names, c = np.unique.*give class_names=names"),
        ("objects", np.array(list("abcabc"), object), 3, "Names become integers by"),
        ("too_few", LABELS[:4], 2, "as many labels as examples"),
        ("of_another_axis", np.arange(8) % 2, 2, r"lie along axis 1 of x: np.moveaxis\(x, 1, 0\)"),
        ("no_number", LABELS, 0, "num_classes must be a whole number from 1 on. Received: num_classes=0"),
        ("no_whole_number", LABELS, 3.0, "whole number.*num_classes=3.0"),
    )  # fmt: skip
    def test_says_what_is_wrong(self, c, num_classes, advice):
        self.assertRegex(refusal(BYTES, c, num_classes), advice)

    def test_the_advice_for_labels_with_gaps_mends_them(self):
        names, c = np.unique(LABELS * 1000, return_inverse=True)
        self.assertEqual(Examples(BYTES, c, class_names=names).class_names, ("0", "1000", "2000"))

    def test_a_billion_classes_are_refused_at_once(self):
        self.assertIn("1,000,000,000 of 1,000,000,003", refusal(BYTES, LABELS + 10**9, 10**9 + 3))

    def test_numpys_numbers_are_numbers(self):
        self.assertEqual(Examples(BYTES, LABELS, np.int64(3)).num_classes, 3)


class NamesTest(parameterized.TestCase):
    def test_strings_are_labels_where_names_are_given(self):
        found = Examples(BYTES, list("cabcab"), class_names=("a", "b", "c"))
        self.assertEqual((found.c.tolist(), found.num_classes), ([2, 0, 1, 2, 0, 1], 3))

    def test_named_classes_may_have_no_example(self):
        found = Examples(BYTES, LABELS, class_names=("a", "b", "c", "d"))
        self.assertEqual((found.num_classes, found.class_counts.tolist()), (4, [2, 2, 2, 0]))

    def test_classes_without_names_are_called_by_their_numbers(self):
        self.assertEqual(Examples(BYTES, LABELS, 3).class_names, ("0", "1", "2"))
        self.assertEqual(Examples(BYTES).class_counts.tolist(), [])

    @parameterized.parameters(
        ({"class_names": ("a", "b", "a")}, "different names. Received: 3, of them more than once: 'a'"),
        ({"class_names": ("a", "b"), "num_classes": 3}, "num_classes=3 different names. Received: 2"),
        ({"class_names": ()}, "at least one different names. Received: 0"),
        ({"class_names": ("a", "b")}, "labels c must be 0 to 1"),
    )
    def test_refuses_others(self, options, advice):
        self.assertRegex(refusal(BYTES, LABELS, **options), advice)

    def test_a_label_that_is_no_name(self):
        self.assertRegex(refusal(BYTES, list("abcabz"), class_names=("a", "b", "c")), "labels 'z' are not among")


if __name__ == "__main__":
    absltest.main()
