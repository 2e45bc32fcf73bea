"""Tests of reading a user's own folder of images."""

import os
import warnings
from unittest import mock

import numpy as np
import PIL.Image
from absl.testing import absltest

from tests.data.folder_case import FolderCase, flat
from ugm_tf import data
from ugm_tf.data import storage


def levels(split):
    return split.x[:, 0, 0, 0].tolist()


class FolderTest(FolderCase):
    def test_with_splits_is_read_as_it_is(self):
        for split, shades in {"train": range(20), "validation": (100, 101), "test": (200, 201)}.items():
            for level in shades:
                self.write(f"{split}/{'ab'[level % 2]}/{level}.png", flat(level))
        found = self.whole()
        self.assertCountEqual(levels(found["train"]), range(20))
        self.assertCountEqual(levels(found["test"]), [200, 201])
        self.assertEqual((found["validation"].shape, found["validation"].num_classes), ((4, 4, 1), 2))

    def test_labels_are_the_subfolders_in_order_and_keep_their_names(self):
        for level in range(20):
            self.write(f"{'zebra' if level % 2 else 'ant'}/{level}.png", flat(level))
        found = self.load()
        np.testing.assert_array_equal(found.c, found.x[:, 0, 0, 0] % 2)
        self.assertEqual(found.class_names, ("ant", "zebra"))

    def test_all_broken_images_are_said_at_once(self):
        self.classes(a=20, b=20)
        for i in range(12):
            self.touch(f"a/broken_{i:02d}.png", b"no image")
        with self.assertRaisesRegex(ValueError, "^12 images cannot be read:\n'.*broken_00.png' (.*\n)+and 2 more$"):
            self.load()
        for i in range(11):
            (self.root / f"a/broken_{i:02d}.png").unlink()
        with self.assertRaisesRegex(ValueError, "^'.*broken_11.png' "):
            self.load()

    def test_its_title_is_no_path(self):
        self.classes(a=20)
        self.assertEqual(self.load().title, f"folder:{self.root}, train")

    def test_without_splits_is_divided_and_mixed(self):
        self.classes(a=60, b=60)
        found = self.whole()
        self.assertCountEqual(sum(map(levels, found.values()), []), range(120))
        self.assertGreater(len(found["train"]), 80)
        for split in found.values():
            self.assertNotEqual(levels(split), sorted(levels(split)))

    def test_one_more_image_moves_no_other(self):
        self.classes(a=40, b=40)
        before = {level: name for name, split in self.whole().items() for level in levels(split)}
        for level in range(200, 220):
            self.write(f"a/00{level}.png", flat(level))  # before all others by name
        after = {level: name for name, split in self.whole().items() for level in levels(split)}
        self.assertEqual(before, {level: name for level, name in after.items() if level < 200})
        self.assertLen(after, 100)

    def test_another_name_of_an_image_moves_nothing(self):
        self.classes(a=40)
        before = self.load("test")
        for file in sorted((self.root / "a").iterdir()):
            file.rename(file.with_name(f"x{hash(file.name) % 1000}{file.name}"))
        np.testing.assert_array_equal(before.x, self.load("test").x)

    def test_copies_of_an_image_lie_in_one_split(self):
        self.classes(a=40, b=10)
        for level in range(40):
            self.write(f"a/copy of {level}.png", flat(level))
        found = [set(levels(split)) for split in self.whole().values()]
        self.assertEqual(sum(map(len, found)), 50)

    def test_every_class_has_an_image_to_train_on(self):
        self.classes(**{f"class{i}": 1 for i in range(30)}, many=30)
        self.assertEqual(self.load().class_counts.min(), 1)

    def test_25_and_5_images_are_enough_for_all_splits(self):
        self.classes(a=5)
        self.assertEqual({name: len(s) for name, s in self.whole().items()}, {"train": 3, "validation": 1, "test": 1})
        self.classes(a=15, b=10)
        self.assertEqual(sum(len(split) for split in self.whole().values()), 25)

    def test_two_images_are_too_few(self):
        self.classes(a=2)
        with self.assertRaisesRegex(ValueError, "2 examples are too few to be divided into train.*Give it more images"):
            self.load()

    def test_a_class_without_an_image_to_train_on_is_refused_by_name(self):
        self.classes(ant=1, bee=1, cat=1)
        with self.assertRaisesRegex(ValueError, "class '(ant|bee|cat)' has no example left to train on.*more images"):
            self.load()

    def test_a_flat_folder_is_data_without_labels(self):
        for level in range(30):
            self.write(f"{level}.png", flat(level))
        found = self.load()
        self.assertIsNone(found.c)
        self.assertIsNone(found.class_names)
        self.assertNotIn("class", str(found.reading))

    def test_flat_splits_are_data_without_labels(self):
        for split, number in {"train": 9, "val": 1, "test": 1}.items():
            for level in range(number):
                self.write(f"{split}/{level}.png", flat(level))
        self.assertEqual({name: len(s) for name, s in self.whole().items()}, {"train": 9, "validation": 1, "test": 1})
        self.assertIsNone(self.load().num_classes)

    def test_of_grey_and_colour_images_is_rgb_in_every_split(self):
        self.classes(a=19)
        self.write("a/colour.png", flat((100, 150, 200)))
        pixels = np.concatenate([split.x[:, 0, 0] for split in self.whole().values()])
        expected = [(level,) * 3 for level in range(19)] + [(100, 150, 200)]
        self.assertCountEqual([tuple(pixel) for pixel in pixels], expected)

    def test_background_is_behind_transparent_pixels(self):
        for number in range(10):
            self.write(f"a/{number}.png", flat((255, 0, number, 0)))  # hides red
        self.assertEqual(self.load().x[0, 0, 0].tolist(), [255, 255, 255])
        self.assertEqual(self.load(background="black").x[0, 0, 0].tolist(), [0, 0, 0])
        self.assertEqual(self.load(background="#0080ff").x[0, 0, 0].tolist(), [0, 128, 255])
        with self.assertRaisesRegex(ValueError, "white, black or a colour #rrggbb. Received: background='clear'"):
            self.load(background="clear")

    def test_grey_images_with_transparency_stay_grey_on_a_grey_background(self):
        for number in range(10):
            self.write(f"a/{number}.png", flat((number, 0)))
        self.assertEqual(self.load().x[0, 0, 0].tolist(), [255])
        self.assertEqual(self.load(background="#ff0000").x[0, 0, 0].tolist(), [255, 0, 0])

    def test_that_would_not_fit_in_memory_is_refused(self):
        self.classes(a=10)
        with mock.patch.object(storage, "_memory", return_value=5 * 4 * 4 - 1):
            with self.assertRaisesRegex(ValueError, "GiB of memory, and this machine has.*image_size=64"):
                self.load(storage="memory")

    def test_image_size_makes_sizes_equal(self):
        for level in range(10):
            self.write(f"a/{level}.png", flat(level, (4 + level, 6)))
        self.assertEqual(self.load(image_size=5).shape, (5, 5, 1))
        with self.assertRaisesRegex(
            ValueError, r"differ in size: '.*0.png' is 6x4 and '.*1.png' is 6x5.*image_size=64"
        ):
            self.load()

    def test_a_broken_image_is_named_whichever_split_is_read(self):
        self.classes(a=20)
        whole = (self.root / "a/007.png").read_bytes()
        (self.root / "a/007.png").write_bytes(whole[:-25])
        for split in data.SPLITS:
            with self.assertRaisesRegex(ValueError, r"a/007.png' is not an image that Pillow can read: .*Mend it"):
                self.load(split)

    def test_a_mended_image_is_read_anew(self):
        self.classes(a=20)
        self.touch("a/007.png", b"not a picture")
        with self.assertRaisesRegex(ValueError, "a/007.png' is not an image"):
            self.load()
        self.write("a/007.png", flat(77))
        self.assertIn(77, sum(map(levels, self.whole().values()), []))

    def test_images_large_and_no_more_are_read_without_a_word_and_larger_ones_refused_by_name(self):
        self.classes(a=9)
        self.write("a/large.png", flat(9, (30, 50)))
        with mock.patch.object(PIL.Image, "MAX_IMAGE_PIXELS", 1_000), warnings.catch_warnings():
            warnings.simplefilter("error")
            self.load(image_size=4)
            self.write("a/large.png", flat(9, (50, 50)))
            with self.assertRaisesRegex(ValueError, "a/large.png' has too many pixels: .*2500 pixels.*Make it smaller"):
                self.load(image_size=4)

    def test_says_in_one_line_what_was_read_and_what_was_not(self):
        self.classes(a=10, b=10)
        self.write("a/more/deep.png", flat(99))
        self.touch("b/notes.TXT")
        with self.assertLogs("ugm_tf.data", "WARNING") as log:
            found = self.load()
        self.assertEqual(log.records[0].getMessage(), str(found.reading))
        self.assertRegex(
            str(found.reading),
            r"^folder:.*: 21 examples read \(train \d+, validation \d+, test \d+\) in 2 classes. 1 of them lie deeper "
            r"than their class folder. Passed over: files ending in .txt \(1\).$",
        )
        with self.assertNoLogs("ugm_tf.data"):
            self.load("test")

    def test_fingerprint_is_of_all_splits_and_not_of_the_path(self):
        self.classes(a=20)
        before = self.load()
        self.assertEqual(before.fingerprint, self.load("test").fingerprint)
        self.assertLen(before.fingerprint.parts, 20)
        other = self.root.with_name(self.root.name + " moved")
        os.rename(self.root, other)
        self.root = other
        self.assertEqual(before.fingerprint.differences(self.load().fingerprint), [])

    def test_fingerprint_says_what_changed(self):
        self.classes(a=20)
        before = self.load(image_size=8)
        self.write("a/new.png", flat(200))
        self.write("a/003.png", flat(201))
        (self.root / "a/004.png").unlink()
        found = before.fingerprint.differences(self.load(background="black").fingerprint)
        self.assertEqual(
            found,
            ["background was #ffffff and is #000000", "image_size was 8 and is as stored", "1 file removed: a/004.png",
             "1 file added: a/new.png", "1 file changed: a/003.png"],
        )  # fmt: skip


if __name__ == "__main__":
    absltest.main()
