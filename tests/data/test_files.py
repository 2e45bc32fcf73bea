"""Tests of a user's own data: folders of images and .npz files."""

import pathlib
from unittest import mock

import numpy as np
import PIL.Image
from absl.testing import absltest, parameterized

from ugm_tf import data
from ugm_tf.data import examples


def grey(level, size=(4, 4)):
    return np.full(size, level, np.uint8)


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def write(self, path, pixels):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(pixels).save(file)

    def folder(self, split="train", **options):
        return data.load(f"folder:{self.root}", split, **options)

    def npz(self, split="train", **arrays):
        np.savez(self.root / "data.npz", **arrays)
        return data.load(f"npz:{self.root / 'data.npz'}", split)


class FolderTest(TestCase):
    def test_with_splits_is_read_as_it_is(self):
        for split, levels in {"train": range(20), "validation": (100,), "test": (200, 201)}.items():
            for level in levels:
                self.write(f"{split}/{'ab'[level % 2]}/{level}.png", grey(level))
        self.assertCountEqual(self.folder("train").x[:, 0, 0, 0], range(20))
        self.assertCountEqual(self.folder("test").x[:, 0, 0, 0], [200, 201])
        self.assertEqual(self.folder("validation").shape, (4, 4, 1))
        self.assertEqual(self.folder("validation").num_classes, 2)

    def test_labels_are_the_subfolders_in_order(self):
        for level in range(20):
            self.write(f"{'zebra' if level % 2 else 'ant'}/{level}.png", grey(level))
        found = self.folder()
        np.testing.assert_array_equal(found.c, found.x[:, 0, 0, 0] % 2)

    def test_without_splits_is_divided_and_mixed(self):
        for level in range(30):
            self.write(f"{'ab'[level // 15]}/{level:02d}.png", grey(level))
        splits = {split: self.folder(split) for split in data.SPLITS}
        self.assertEqual({split: len(e) for split, e in splits.items()}, {"train": 24, "validation": 3, "test": 3})
        levels = np.concatenate([e.x[:, 0, 0, 0] for e in splits.values()])
        np.testing.assert_array_equal(np.sort(levels), np.arange(30))
        self.assertNotEqual(sorted(splits["test"].x[:, 0, 0, 0]), [27, 28, 29])  # the last files

    def test_of_grey_and_colour_images_is_rgb_in_every_split(self):
        for level in range(19):
            self.write(f"a/{level:02d}.png", grey(level))
        self.write("a/00 colour.png", np.full([4, 4, 4], (100, 150, 200, 128), np.uint8))  # with an alpha channel
        pixels = np.concatenate([self.folder(split).x[:, 0, 0] for split in data.SPLITS])
        expected = [(level,) * 3 for level in range(19)] + [(100, 150, 200)]
        self.assertCountEqual([tuple(pixel) for pixel in pixels], expected)

    def test_of_16_bit_images_is_refused(self):
        for level in range(10):
            self.write(f"a/{level}.png", np.full([4, 4], level, np.uint16))
        with self.assertRaisesRegex(ValueError, r"a/\d.png' has pixels of mode 'I;16'.*8 bits"):
            self.folder()

    def test_that_would_not_fit_in_memory_is_refused(self):
        for level in range(10):
            self.write(f"a/{level}.png", grey(level))
        with mock.patch.object(examples, "MAX_BYTES", 8 * 4 * 4 - 1):
            with self.assertRaisesRegex(ValueError, "GiB of memory.*image_size=64"):
                self.folder()

    def test_image_size_makes_sizes_equal(self):
        for level in range(10):
            self.write(f"a/{level}.png", grey(level, (4 + level, 6)))
        self.assertEqual(self.folder(image_size=5).shape, (5, 5, 1))
        with self.assertRaisesRegex(ValueError, "differ in size.*image_size=64"):
            self.folder()

    def test_may_not_be_missing_or_empty(self):
        with self.assertRaisesRegex(ValueError, "no images. Expected .*/split/class/image.png or .*/class/image.png"):
            self.folder()
        (self.root / "train" / "a").mkdir(parents=True)
        with self.assertRaisesRegex(ValueError, "train' has no images"):
            self.folder()
        with self.assertRaisesRegex(ValueError, "There is no folder"):
            data.load(f"folder:{self.root}/nowhere")

    def test_may_not_mix_splits_and_classes(self):
        self.write("train/a/1.png", grey(1))
        self.write("dev/a/1.png", grey(1))
        with self.assertRaisesRegex(ValueError, "has splits and also dev. A split is one of train, validation, test"):
            self.folder()

    def test_names_an_image_that_is_broken(self):
        for level in range(10):
            (self.root / "a").mkdir(exist_ok=True)
            (self.root / f"a/{level}.png").write_bytes(b"not a picture")
        with self.assertRaisesRegex(ValueError, r"a/\d.png' is not an image"):
            self.folder()


class NpzTest(TestCase):
    def test_undivided_arrays_are_divided_with_their_labels(self):
        x = np.arange(60, dtype=np.float32).reshape(30, 2)
        splits = {split: self.npz(split, x=x, c=np.arange(30) % 5) for split in data.SPLITS}
        self.assertEqual({split: len(e) for split, e in splits.items()}, {"train": 24, "validation": 3, "test": 3})
        for found in splits.values():
            np.testing.assert_array_equal(found.c, found.x[:, 0] / 2 % 5)  # row n is (2 n, 2 n + 1)
            self.assertEqual(found.num_classes, 5)

    def test_named_splits_are_kept(self):
        x = np.zeros([20, 4, 4, 3], np.uint8)
        test = self.npz("test", x_train=x, x_test=x[:3] + 7)
        np.testing.assert_array_equal(test.x, x[:3] + 7)
        self.assertIsNone(test.c)

    def test_labels_may_be_called_as_in_keras_and_images_may_lack_channels(self):
        x, y = np.zeros([20, 4, 4], np.uint8), np.arange(20, dtype=np.uint8) % 4
        found = self.npz("train", x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
        self.assertEqual((found.shape, found.num_classes, len(found)), ((4, 4, 1), 4, 18))

    def test_double_precision_vectors_become_single(self):
        self.assertEqual(self.npz(x=np.zeros([20, 2])).x.dtype, np.float32)

    @parameterized.named_parameters(
        ("float_images", {"x": np.zeros([20, 4, 4, 1])}, r"np.rint\(255 \* x\)"),
        ("flat", {"x": np.zeros([20], np.float32)}, r"Received: float32 \[20\]"),
        ("not_a_number", {"x": np.full([20, 2], np.nan, np.float32)}, "NaN or infinite numbers in 20 of 20"),
        ("unknown_name", {"x": np.zeros([20, 2]), "labels": np.zeros(20)}, "called 'labels'. Expected x and c"),
        ("unknown_split", {"x_train": np.zeros([20, 2]), "x_dev": np.zeros([2, 2])}, "called 'x_dev'"),
        ("twice", {"x": np.zeros([20, 2]), "c": np.zeros(20, int), "y": np.zeros(20, int)}, "called 'y'"),
        ("no_data", {"c": np.zeros(20, int)}, "data for nothing and labels for train"),
        ("some_labels", {"x_train": np.zeros([20, 2]), "x_test": np.zeros([2, 2]), "c_train": np.zeros(20, int)},
         "labels for all of it or for none"),
        ("too_few_labels", {"x": np.zeros([20, 2]), "c": np.zeros(19, int)}, r"shape \[20\]"),
        ("negative_labels", {"x": np.zeros([20, 2]), "c": np.full(20, -1)}, "num_classes"),
        ("float_labels", {"x": np.zeros([20, 2]), "c": np.zeros(20)}, "labels must be integers"),
        ("pickled", {"x": np.array([{}] * 20)}, "without pickle"),
    )  # fmt: skip
    def test_refuses_other_arrays(self, arrays, advice):
        with self.assertRaisesRegex(ValueError, advice):
            self.npz(**arrays)

    def test_refuses_a_missing_file(self):
        with self.assertRaisesRegex(ValueError, "There is no file 'nowhere.npz'"):
            data.load("npz:nowhere.npz")

    def test_refuses_a_truncated_file(self):
        self.npz(x=np.zeros([200, 2]))
        file = self.root / "data.npz"
        file.write_bytes(file.read_bytes()[:-50])
        with self.assertRaisesRegex(ValueError, "not an .npz file"):
            data.load(f"npz:{file}")

    def test_refuses_another_file(self):
        np.save(self.root / "data.npy", np.zeros(3))
        with self.assertRaisesRegex(ValueError, "not an .npz file"):
            data.load(f"npz:{self.root / 'data.npy'}")


if __name__ == "__main__":
    absltest.main()
