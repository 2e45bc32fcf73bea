"""Tests of which files of a folder are its images."""

import os

from absl.testing import absltest, parameterized

from tests.data.folder_case import FolderCase, flat
from ugm_tf.data.listing import list_images, suffixes


class ListingTest(FolderCase):
    def listed(self):
        return list_images(str(self.root))

    def names(self):
        files = self.listed().files
        return {split: {name: len(found) for name, found in classes.items()} for split, classes in files.items()}

    def test_folders_that_systems_leave_are_no_classes(self):
        self.classes(a=3, b=3)
        self.write("__MACOSX/a/000.png", flat(0))
        self.write(".ipynb_checkpoints/000.png", flat(0))
        (self.root / "empty").mkdir()
        found = self.listed()
        self.assertEqual(found.classes, ("a", "b"))
        expected = {"folders called __MACOSX": 1, "hidden files": 1, "folders without images": 1}
        self.assertEqual(found.passed_over, expected)

    def test_hidden_files_are_no_images(self):
        self.classes(a=3)
        self.touch("a/._000.png")
        self.touch("a/.DS_Store")
        self.assertEqual((self.names(), self.listed().passed_over), ({"train": {"a": 3}}, {"hidden files": 2}))

    @parameterized.parameters("jfif", "webp", "tif", "TIFF", "avif", "PNG", "jpeg", "gif", "bmp", "ppm")
    def test_reads_what_pillow_reads(self, suffix):
        if f".{suffix.lower()}" not in suffixes():
            self.skipTest(f"this Pillow reads no .{suffix}")
        self.touch(f"a/1.{suffix}")
        self.assertEqual(self.names(), {"train": {"a": 1}})

    def test_names_what_was_passed_over_by_kind(self):
        self.classes(a=3)
        for name in ("a/1.heic", "a/2.HEIC", "b.csv", "LICENSE", "stray.png"):
            self.touch(name)
        os.symlink("nowhere", self.root / "a/broken.png")
        expected = {"files ending in .heic": 2, "files ending in .csv": 1, "files without an ending": 1,
                    "images beside the class folders": 1, "broken links": 1}  # fmt: skip
        self.assertEqual(self.listed().passed_over, expected)

    def test_many_kinds_are_not_all_named(self):
        self.classes(a=3)
        for number in range(20):
            self.touch(f"a/1.x{number}")
        self.assertEqual(self.listed().passed_over["others"], 12)

    def test_images_deeper_in_a_class_folder_are_of_the_class(self):
        self.classes(a=3, b=3)
        self.write("a/more/still more/1.png", flat(0))
        self.assertEqual((self.names(), self.listed().nested), ({"train": {"a": 4, "b": 3}}, 1))

    def test_links_are_followed_and_circles_are_not(self):
        self.classes(a=3)
        os.symlink(self.root / "a", self.root / "a/itself")
        self.write("elsewhere/z/1.png", flat(0))
        os.symlink(self.root / "elsewhere/z", self.root / "b")
        self.assertEqual(self.names()["train"]["b"], 1)
        self.assertEqual(self.names()["train"]["a"], 3)

    @parameterized.parameters("a/up", "a/deeper/up", "up")
    def test_links_to_a_folder_above_do_not_give_a_class_the_images_of_others(self, link):
        self.classes(a=3, b=2)
        self.write("a/deeper/1.png", flat(0))
        os.symlink(self.root, self.root / link)
        self.assertEqual(self.names(), {"train": {"a": 4, "b": 2}})
        self.assertEqual(self.listed().passed_over, {"links to a folder that they lie in": 1})

    def test_links_between_all_classes_are_followed_once_each(self):
        names = "abcdefghij"
        self.classes(**dict.fromkeys(names, 2))
        for one in names:
            for other in set(names) - {one}:
                os.symlink(self.root / other, self.root / one / f"to_{other}")
        self.assertEqual(self.names()["train"], dict.fromkeys(names, 20))

    @parameterized.parameters("val", "valid", "Validation", "VAL")
    def test_splits_have_their_usual_names(self, name):
        for split in ("Train", name, "testing"):
            self.write(f"{split}/a/1.png", flat(0))
        self.assertEqual(self.names(), dict.fromkeys(("train", "validation", "test"), {"a": 1}))

    def test_classes_may_be_called_valid_where_there_is_no_training_split(self):
        self.classes(valid=2, invalid=2)
        self.assertEqual(self.listed().classes, ("invalid", "valid"))

    def test_images_in_the_folder_itself_have_no_classes(self):
        for name in ("1.png", "2.png"):
            self.write(name, flat(0))
        self.assertIsNone(self.listed().classes)


class RefusalsTest(FolderCase):
    def refused(self, advice):
        with self.assertRaisesRegex(ValueError, advice):
            list_images(str(self.root))

    def test_a_folder_that_is_not_there(self):
        with self.assertRaisesRegex(ValueError, "There is no folder '/nowhere'"):
            list_images("/nowhere")

    def test_a_file(self):
        self.touch("1.png")
        with self.assertRaisesRegex(ValueError, "1.png' is a file, and no folder"):
            list_images(str(self.root / "1.png"))

    @parameterized.parameters(
        ("", "'folder:' is followed by a path, as in 'folder:pictures'"),
        ("~nobody_of_this_name/x", "The folder '~nobody_of_this_name/x' cannot be read: "),
        ("x" * 5000, "The folder 'x{200}' cannot be read: File name too long"),
    )
    def test_a_path_that_is_none(self, path, advice):
        with self.assertRaisesRegex(ValueError, advice):
            list_images(path)

    def test_a_class_whose_name_is_no_text(self):
        self.touch(b"\xff\xfe/1.png".decode(errors="surrogateescape"))
        self.refused(r"The folder b'.xff.xfe' gives a class a name that is no UTF-8, which no report can show. Rename")

    def test_a_folder_without_images_says_what_is_there(self):
        self.refused("no images. Expected .*/split/class/image.png or .*/class/image.png, or .*/image.png, .*png, .jpg")
        self.touch("a/1.heic")
        self.refused(r"no images. .*Passed over: files ending in .heic \(1\), folders without images \(1\)")
        (self.root / "train" / "a").mkdir(parents=True)
        self.refused("train' has no images")

    def test_splits_and_classes_side_by_side(self):
        self.write("train/a/1.png", flat(1))
        self.write("dev/a/1.png", flat(1))
        self.refused("has splits and also dev. A split is one of train, validation, test")

    def test_a_split_twice(self):
        self.write("train/a/1.png", flat(1))
        self.write("Training/a/1.png", flat(1))
        self.refused("has the split 'train' more than once: Training, train")

    def test_classes_that_differ_between_splits(self):
        for path in ("train/a/1.png", "train/b/1.png", "test/a/1.png"):
            self.write(path, flat(1))
        self.refused("Classes differ between splits: '.*train' has images of b, and '.*test' has none. Give each split")

    def test_an_empty_class_folder_does_not_make_up_for_images(self):
        for path in ("train/a/1.png", "train/b/1.png", "test/a/1.png"):
            self.write(path, flat(1))
        (self.root / "test/b").mkdir()
        self.refused("images of b, and '.*test' has none")

    @parameterized.parameters(("Cat", "cat"), ("caf\u00e9", "cafe\u0301"))
    def test_classes_that_differ_in_case_or_encoding_only(self, one, other):
        self.classes(**{one: 1, other: 1})
        self.refused("differ in case or accents' encoding only. Put their images into one folder")

    def test_classes_in_one_split_and_none_in_another(self):
        self.write("train/a/1.png", flat(1))
        self.write("test/1.png", flat(1))
        self.refused("train' has class folders and '.*test' has none. Lay out all splits alike")

    def test_as_many_images_beside_the_class_folders_as_in_them(self):
        self.classes(a=2)
        for name in ("1.png", "2.png"):
            self.write(name, flat(0))
        self.refused("has 2 images in itself and 2 in its folders a: with classes or without")

    def test_a_folder_around_the_class_folders(self):
        self.classes(**{"all/a": 2, "all/b": 2})
        self.refused("has images only in '.*all', in folders a, b. Give folder:.*/all, if these are its classes")

    def test_splits_inside_classes(self):
        self.classes(**{"a/train": 2, "a/test": 2, "b/train": 2})
        self.refused("a/t.*' is a split inside a class. Expected .*/split/class/image.png")

    def test_a_folder_that_may_not_be_read(self):
        self.classes(a=2)
        (self.root / "a").chmod(0)
        self.addCleanup((self.root / "a").chmod, 0o700)
        if os.access(self.root / "a", os.R_OK):
            self.skipTest("this user may read everything")
        self.refused("a' cannot be read: Permission denied")


if __name__ == "__main__":
    absltest.main()
