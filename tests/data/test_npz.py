"""Tests of a user's own arrays in an .npz file."""

import pathlib
import tracemalloc
import zipfile
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import data
from ugm_tf.data import fingerprints, npz_arrays, storage

VECTORS = np.arange(60, dtype=np.float32).reshape(30, 2)  # row n is (2 n, 2 n + 1)


class NpzCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.create_tempdir().full_path) / "data.npz"

    def npz(self, split="train", **arrays):
        np.savez(self.file, **arrays)
        return data.load(f"npz:{self.file}", split)

    def whole(self, **arrays):
        return {split: self.npz(split, **arrays) for split in data.SPLITS}


class NpzTest(NpzCase):
    def test_undivided_arrays_are_divided_with_their_labels(self):
        splits = self.whole(x=VECTORS, c=np.arange(30) % 5)
        rows = np.concatenate([split.x[:, 0] / 2 for split in splits.values()])
        np.testing.assert_array_equal(np.sort(rows), np.arange(30))
        for found in splits.values():
            np.testing.assert_array_equal(found.c, found.x[:, 0] / 2 % 5)
            self.assertEqual((found.num_classes, found.class_names), (5, ("0", "1", "2", "3", "4")))

    def test_a_tenth_is_held_out_for_each_split(self):
        x = np.arange(10_000, dtype=np.float32).reshape(5_000, 2)
        sizes = [len(split) for split in self.whole(x=x).values()]
        np.testing.assert_allclose(sizes, [4_000, 500, 500], atol=65)  # three standard deviations of a draw

    def test_one_more_example_moves_no_other(self):
        def owners(x):
            return {row: name for name, split in self.whole(x=x).items() for row in split.x[:, 0].tolist()}

        before, after = owners(VECTORS), owners(np.concatenate([[[-1, -1], [-2, -2]], VECTORS]).astype(np.float32))
        self.assertEqual(before, {row: name for row, name in after.items() if row >= 0})

    def test_equal_rows_are_divided_too(self):
        sizes = [len(split) for split in self.whole(x=np.zeros([2_000, 2], np.float32)).values()]
        np.testing.assert_allclose(sizes, [1_600, 200, 200], atol=54)

    def test_named_splits_are_kept(self):
        x = np.zeros([20, 4, 4, 3], np.uint8)
        test = self.npz("test", x_train=x, x_test=x[:3] + np.arange(3, dtype=np.uint8)[:, None, None, None])
        np.testing.assert_array_equal(test.x[:, 0, 0, 0], [0, 1, 2])
        self.assertIsNone(test.c)

    def test_labels_may_be_called_as_in_keras_and_images_may_lack_channels(self):
        x, y = np.zeros([20, 4, 4], np.uint8), np.arange(20, dtype=np.uint8) % 4
        found = self.whole(x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
        self.assertEqual((found["train"].shape, found["train"].num_classes), ((4, 4, 1), 4))
        self.assertEqual(len(found["train"]) + len(found["validation"]), 20)

    def test_double_precision_vectors_become_single(self):
        self.assertEqual(self.npz(x=np.zeros([20, 2])).x.dtype, np.float32)

    def test_named_classes_may_have_no_example_and_labels_may_be_names(self):
        names = np.array(["ant", "bee", "cat"])
        for labels in (np.array([0, 2] * 15), np.array(["ant", "cat"] * 15)):
            found = self.npz(x=VECTORS, c=labels, class_names=names)
            self.assertEqual((found.class_names, found.class_counts[1]), (("ant", "bee", "cat"), 0))
            np.testing.assert_array_equal(found.c, found.x[:, 0] / 2 % 2 * 2)

    def test_three_examples_are_enough(self):
        self.assertEqual([len(split) for split in self.whole(x=VECTORS[:3]).values()], [1, 1, 1])

    def test_is_said_in_one_line(self):
        found = self.npz(x_train=VECTORS, x_validation=VECTORS[:4], x_test=VECTORS[:5])
        self.assertEndsWith(str(found.reading), ": 39 examples read (train 30, validation 4, test 5).")

    def test_fingerprint_is_of_the_arrays(self):
        before = self.npz(x=VECTORS, c=np.arange(30) % 5).fingerprint
        self.assertEqual(before, self.npz("test", x=VECTORS, c=np.arange(30) % 5).fingerprint)
        found = before.differences(self.npz(x=VECTORS[:29], c=np.arange(29) % 5).fingerprint)
        self.assertLen(found, 1)
        self.assertRegex(found[0], r"2 arrays changed: c \(int64 \[30\] \w+\) \(int64 \[29\] \w+\), x \(float32")


class LargeTest(NpzCase):
    """Files that are read a few rows at a time."""

    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(npz_arrays, "_CHUNK", 7 * 16 * 3))  # seven images
        self.x = np.random.default_rng(0).integers(0, 256, [60, 4, 4, 3], np.uint8)
        self.arrays = {"x": self.x, "c": np.arange(60) % 3}

    @parameterized.parameters(np.savez, np.savez_compressed)
    def test_mapped_examples_are_those_in_memory_in_the_same_order(self, save):
        save(self.file, **self.arrays)
        cache = str(self.create_tempdir().full_path)
        for split in data.SPLITS:
            one = data.load(f"npz:{self.file}", split, storage="memory")
            other = data.load(f"npz:{self.file}", split, storage="mapped", cache_dir=cache)
            self.assertEqual((one.storage, other.storage), ("memory", "mapped"))
            np.testing.assert_array_equal(one.x, other.x)
            rows = [np.flatnonzero((self.x == x).all((1, 2, 3))).item() for x in one.x]
            np.testing.assert_array_equal(one.c, np.array(rows) % 3)
            np.testing.assert_array_equal(one.c, other.c)

    def test_vectors_and_splits_of_their_own_too(self):
        x = np.random.default_rng(0).normal(size=[300, 9])
        cache = str(self.create_tempdir().full_path)
        np.savez(self.file, x_train=x, x_validation=x[:40], x_test=np.asfortranarray(x[:50]))
        for split, n in (("train", 300), ("validation", 40), ("test", 50)):
            found = data.load(f"npz:{self.file}", split, storage="mapped", cache_dir=cache)
            np.testing.assert_array_equal(found.x, x[:n].astype(np.float32))

    def test_the_fingerprint_is_that_of_the_whole_arrays(self):
        found = self.npz(**self.arrays).fingerprint
        self.assertEqual(dict(found.parts), {name: fingerprints.array_digest(a) for name, a in self.arrays.items()})

    def test_what_is_larger_than_the_limit_is_mapped_by_itself(self):
        np.savez(self.file, **self.arrays)
        with mock.patch.object(storage, "MAX_BYTES", 1_000):
            found = data.load(f"npz:{self.file}", cache_dir=str(self.create_tempdir().full_path))
        self.assertEqual(found.storage, "mapped")
        with mock.patch.object(storage, "_memory", return_value=1_000):
            with self.assertRaisesRegex(ValueError, "'npz:.*data.npz' would take 0.0 GiB of memory, and this machine"):
                data.load(f"npz:{self.file}", storage="memory")

    def test_a_file_that_changes_is_prepared_anew(self):
        cache = str(self.create_tempdir().full_path)
        for x in (self.x, 255 - self.x):
            np.savez(self.file, x_train=x, x_validation=x[:9], x_test=x[:9])
            found = data.load(f"npz:{self.file}", storage="mapped", cache_dir=cache)
            np.testing.assert_array_equal(found.x, x)

    def test_no_more_than_a_chunk_and_the_split_is_in_memory(self):
        x = np.zeros([2_000, 32, 32, 3], np.uint8)
        x[:, 0, 0, 0], x[:, 0, 0, 1] = np.arange(2_000) % 256, np.arange(2_000) // 256
        np.savez(self.file, x_train=x, x_validation=x[:9], x_test=x[:9])
        size = x.nbytes
        del x
        tracemalloc.start()
        with mock.patch.object(npz_arrays, "_CHUNK", size // 20):
            found = data.load(f"npz:{self.file}")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertLen(found, 2_000)
        self.assertLess(most, 1.3 * size)

    def test_a_damaged_array_is_found(self):
        np.savez(self.file, **self.arrays)
        content = bytearray(self.file.read_bytes())
        content[content.index(self.x[30].tobytes())] ^= 1
        self.file.write_bytes(content)
        with self.assertRaisesRegex(ValueError, "not an .npz file that NumPy can read without pickle: Bad CRC-32"):
            data.load(f"npz:{self.file}")


class RefusalsTest(NpzCase):
    @parameterized.named_parameters(
        ("float_images", {"x": np.zeros([20, 4, 4, 1])}, r"np.rint\(255 \* x\)"),
        ("flat", {"x": np.zeros([20], np.float32)}, r"Received: float32 \[20\]. Numbers.* x\[:, np.newaxis\]"),
        ("not_a_number", {"x": np.full([20, 2], np.nan, np.float32)}, "NaN or infinite numbers in 20 of 20"),
        ("unknown_name", {"x": np.zeros([20, 2]), "labels": np.zeros(20)}, "called 'labels'. Expected x and c"),
        ("unknown_split", {"x_train": np.zeros([20, 2]), "x_dev": np.zeros([2, 2])}, "called 'x_dev'"),
        ("twice", {"x": np.zeros([20, 2]), "c": np.zeros(20, int), "y": np.zeros(20, int)}, "called 'y'"),
        ("no_data", {"c": np.zeros(20, int)}, "data for nothing and labels for train"),
        ("no_training_part", {"x_test": np.zeros([20, 2])}, "has no x_train. It has: x_test"),
        ("some_labels", {"x_train": np.zeros([20, 2]), "x_test": np.zeros([2, 2]), "c_train": np.zeros(20, int)},
         "labels for all of it or for none"),
        ("too_few_labels", {"x": np.zeros([20, 2]), "c": np.zeros(19, int)}, r"shape \[20\]"),
        ("negative_labels", {"x": np.zeros([20, 2]), "c": np.full(20, -1)}, "num_classes.*np.unique"),
        ("minus_and_plus", {"x": np.zeros([20, 2]), "c": np.arange(20) % 2 * 2 - 1},
         "0 to 1.*from -1 to 1.*np.unique"),
        ("float_labels", {"x": np.zeros([20, 2]), "c": np.zeros(20)}, r"must be integers.*c.astype\(np.int32\)"),
        ("from_one", {"x": np.zeros([20, 2]), "c": np.arange(20) % 10 + 1},
         "/train: each class 0 to 10 needs an example, and 1 of 11 have none, the first of them class 0. Labels with "
         r"gaps become 0, 1, 2 and so on by names, c = np.unique\(c, return_inverse=True\)"),
        ("thousands", {"x": np.zeros([20, 2]), "c": np.arange(20) % 10 * 1000}, "8,991 of 9,001 have none.*class 1"),
        ("from_a_million", {"x": np.zeros([20, 2]), "c": np.arange(20) % 10 + 10**6}, "1,000,000 of 1,000,010"),
        ("strings", {"x": np.zeros([20, 2]), "c": np.array(["a", "b"] * 10)}, r"Names become integers by names, c ="),
        ("strange_name",
         {"x": np.zeros([4, 2]), "c": np.array(["a", "b", "d", "a"]), "class_names": np.array(["a", "b"])},
         "labels 'd' are not among the class_names 'a', 'b'"),
        ("names_alone", {"x": np.zeros([20, 2]), "class_names": np.array(["a"])}, "has class_names and no labels"),
        ("held_out_class", {"x_train": np.zeros([4, 2]), "c_train": np.arange(4), "x_test": np.zeros([2, 2]),
                            "c_test": np.array([0, 7])}, "/test: labels c must be 0 to 3.*from 0 to 7"),
        ("two_examples", {"x": np.zeros([2, 2])}, "2 examples are too few to be divided.*splits of its own"),
        ("bits", {"x": np.arange(80, dtype=np.uint8).reshape(20, 2, 2) % 2},
         r"values 0 and 1 of 0 to 255.*by 255 \* x"),
        ("pickled", {"x": np.array([{}] * 20)}, "without pickle"),
    )  # fmt: skip
    def test_other_arrays(self, arrays, advice):
        with self.assertRaisesRegex(ValueError, advice):
            self.npz(**arrays)

    def test_a_missing_file(self):
        with self.assertRaisesRegex(ValueError, "There is no file 'nowhere.npz'"):
            data.load("npz:nowhere.npz")

    def test_a_truncated_file(self):
        self.npz(x=np.zeros([200, 2]))
        self.file.write_bytes(self.file.read_bytes()[:-50])
        with self.assertRaisesRegex(ValueError, "not an .npz file"):
            data.load(f"npz:{self.file}")

    @parameterized.named_parameters(
        ("version", b"\x93NUMPY\x01", b"\x93NUMPY\x09", "an array has a header of version 9.0"),
        ("shape", b"(200, 2)", b"(-20, 2)", r"an array has a header of the shape \[-20, 2\]"),
    )
    def test_a_header_of_another_kind(self, good, bad, advice):
        self.npz(x=np.zeros([200, 2]))
        with zipfile.ZipFile(self.file) as archive:
            content = archive.read("x.npy")
        with zipfile.ZipFile(self.file, "w") as archive:
            archive.writestr("x.npy", content.replace(good, bad, 1))
        with self.assertRaisesRegex(ValueError, f"not an .npz file that NumPy can read without pickle: {advice}"):
            data.load(f"npz:{self.file}")

    @parameterized.parameters((6, 1, "encrypted"), (8, 99, "compression"))  # of the entry in the archive's directory
    def test_what_zip_cannot_read(self, place, value, advice):
        self.npz(x=np.zeros([200, 2]))
        content = bytearray(self.file.read_bytes())
        for signature, offset in ((b"PK\x01\x02", 2), (b"PK\x03\x04", 0)):
            content[content.index(signature) + place + offset] = value
        self.file.write_bytes(content)
        with self.assertRaisesRegex(ValueError, f"not an .npz file that NumPy can read.*{advice}"):
            data.load(f"npz:{self.file}")

    def test_another_file(self):
        other = self.file.with_name("data.npy")
        np.save(other, np.zeros(3))
        with self.assertRaisesRegex(ValueError, "not an .npz file"):
            data.load(f"npz:{other}")


if __name__ == "__main__":
    absltest.main()
