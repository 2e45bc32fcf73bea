"""Tests of where examples lie."""

import collections
import os
import pathlib
import shutil
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.data.folder_case import FolderCase, flat
from ugm_tf import data
from ugm_tf.data import folders, storage


class MappedTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.cache = pathlib.Path(self.create_tempdir().full_path)
        self.classes(a=30, b=30)

    def mapped(self, split="train", **options):
        return self.load(split, storage="mapped", cache_dir=str(self.cache), **options)

    def files(self):
        return sorted(path.name for path in self.cache.iterdir())

    def test_examples_and_batches_are_those_in_memory_bit_for_bit(self):
        for split in data.SPLITS:
            one, other = self.load(split, image_size=3), self.mapped(split, image_size=3)
            np.testing.assert_array_equal(one.x, other.x)
            np.testing.assert_array_equal(one.c, other.c)
        one, other = self.load(), self.mapped()
        for observation in ("dequantised", "static"):
            batches = [data.batches(e, 7, observation=observation, start_step=3).take(12) for e in (one, other)]
            for a, b in zip(*(list(dataset.as_numpy_iterator()) for dataset in batches), strict=True):
                np.testing.assert_array_equal(a["x"], b["x"])

    def test_are_prepared_once(self):
        self.mapped()
        self.assertLen(self.files(), 2)
        with mock.patch.object(folders, "read", side_effect=AssertionError("is read again")):
            self.mapped()
            with self.assertRaisesRegex(AssertionError, "is read again"):
                self.mapped("test")

    @parameterized.parameters(({"image_size": 3},), ({"background": "black"},), ({},))
    def test_read_otherwise_or_of_other_content_are_another_file(self, options):
        before = self.mapped()
        if not options:
            self.write("a/more.png", flat(200))
            self.write("a/more still.png", flat(201))
        after = self.mapped(**options)
        self.assertLen(self.files(), 4)
        self.assertTrue(options or len(after) > len(before))

    @parameterized.parameters("flipped", "cut", "noteless")
    def test_a_damaged_file_is_prepared_anew(self, how):
        before = self.mapped().x.copy()
        file = next(self.cache.glob("*.npy"))
        content = bytearray(file.read_bytes())
        content[200] ^= 1
        if how == "noteless":
            file.with_suffix(".json").write_text("{")
        else:
            file.write_bytes(content if how == "flipped" else content[:-5])
        with self.assertLogs("ugm_tf.data", "WARNING") as log:
            np.testing.assert_array_equal(self.mapped().x, before)
        self.assertRegex(log.output[0], "is damaged. It is prepared anew")
        self.assertLen(self.files(), 2)

    def test_nothing_is_left_of_a_preparation_that_failed(self):
        with mock.patch.object(os, "fsync", side_effect=OSError(28, "No space left on device")):
            with self.assertRaisesRegex(
                ValueError, "cannot be prepared in .*No space left.*Make room.*--cache_dir=DIR"
            ):
                self.mapped()
        self.assertEqual(self.files(), [])

    def test_too_little_room_is_said_before_work_starts(self):
        usage = collections.namedtuple("usage", "free")(100)
        with mock.patch.object(shutil, "disk_usage", return_value=usage), mock.patch.object(folders, "read") as read:
            with self.assertRaisesRegex(ValueError, "GiB are needed there, and there are less. Make room"):
                self.mapped()
        read.assert_not_called()

    def test_files_lie_in_the_users_cache_by_default(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(self.cache)}):
            self.load(storage="mapped")
        self.assertEqual(self.files(), ["ugm_tf"])

    @parameterized.parameters(
        ({"storage": "files"}, "one of memory, mapped. Received: storage='files'"),
        ({"cache_dir": "x"}, "cache_dir='x' belongs to storage='mapped'"),
    )
    def test_refuses_other_options(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            self.load(**options)

    @parameterized.parameters("digits", "ring", "npz:a.npz")
    def test_is_for_images_that_may_be_large(self, name):
        with self.assertRaisesRegex(ValueError, "storage='mapped' belongs to folders of images and data sets of TFDS"):
            data.load(name, storage="mapped")


class TensorTest(parameterized.TestCase):
    @parameterized.parameters(np.uint8, np.float32)
    def test_shares_the_memory_of_an_aligned_array_that_may_be_read_only(self, dtype):
        x = storage._empty((50, 3), dtype)
        x[...] = np.arange(150).reshape(50, 3)
        locked = x.view()
        locked.flags.writeable = False
        tensor = storage.as_tensor(locked)
        np.testing.assert_array_equal(tensor, x)
        x[7] = 99  # which only a test may do
        self.assertEqual(tensor[7].numpy().tolist(), [99] * 3)

    def test_outlives_the_array(self):
        x = storage._empty((1_000, 1_000))
        x[...] = 3
        tensor = storage.as_tensor(x)
        del x
        self.assertEqual(int(tf.reduce_max([storage._empty((1_000, 1_000))[0, 0] * 0 + 3])), 3)
        self.assertEqual(np.unique(tensor).tolist(), [3])

    @parameterized.parameters("shifted", "broadcast", "transposed", "reversed")
    def test_of_any_other_array_has_its_values(self, how):
        base = np.arange(121, dtype=np.uint8)
        x = {
            "shifted": base[1:].reshape(2, 60),
            "broadcast": np.broadcast_to(base, [3, 121]),
            "transposed": base.reshape(11, 11).T,
            "reversed": base[::-1].reshape(11, 11),
        }[how]
        np.testing.assert_array_equal(storage.as_tensor(x), x)


if __name__ == "__main__":
    absltest.main()
