"""Tests of where examples lie."""

import logging
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.data.folder_case import FolderCase
from ugm_tf import data
from ugm_tf.data import storage


class ChosenTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.cache = str(self.create_tempdir().full_path)
        self.classes(a=10, b=10)

    def test_what_is_small_is_kept_in_memory(self):
        self.assertEqual(self.load().storage, "memory")
        self.assertEqual(self.load().labelled_subset(per_class=1).storage, "memory")

    @parameterized.parameters((0, "mapped"), (1, "memory"))
    def test_what_is_larger_than_the_limit_is_mapped_by_itself_and_said(self, more, expected):
        size = self.load().x.nbytes
        with mock.patch.object(storage, "MAX_BYTES", size - 1 + more):
            with self.assertLogs("ugm_tf.data", "INFO") as log:
                logging.getLogger("ugm_tf.data").info("there is a line at least")
                found = self.load(cache_dir=self.cache)
                self.assertEqual(self.load(storage="memory").storage, "memory")  # who insists is heard
        self.assertEqual(found.storage, expected)
        self.assertEqual("is mapped from a file, and not kept in memory" in "".join(log.output), not more)

    def test_a_half_of_a_small_machine_is_the_limit(self):
        size = self.load().x.nbytes
        for memory, expected in ((2 * size - 2, "mapped"), (2 * size, "memory")):
            with mock.patch.object(storage, "_memory", return_value=memory):
                self.assertEqual(self.load(cache_dir=self.cache).storage, expected)

    def test_the_memory_of_a_container_is_what_it_may_have(self):
        group = pathlib.Path(self.create_tempdir().full_path) / "memory.max"
        physical = storage._memory()
        for text, expected in (("1000\n", 1_000), ("max\n", physical), (str(2**60), physical)):
            group.write_text(text)
            with mock.patch.object(storage, "_GROUP", group):
                self.assertEqual(storage._memory(), min(expected, physical) if text != "max\n" else expected)

    def test_a_users_own_mapped_array_is_not_copied(self):
        file = pathlib.Path(self.cache) / "x.npy"
        np.save(file, np.arange(64, dtype=np.uint8).reshape(4, 4, 4, 1))
        mapped = np.load(file, mmap_mode="r")
        examples = data.Examples(mapped)
        self.assertEqual(examples.storage, "mapped")
        self.assertTrue(np.shares_memory(examples.x, mapped))

    @parameterized.parameters(
        ({"storage": "disk"}, "one of memory, mapped, files. Received: storage='disk'"),
        ({"storage": "memory", "cache_dir": "x"}, "cache_dir='x' belongs to storage='mapped', and .* kept in memory"),
        ({"storage": "files", "cache_dir": "x"}, "cache_dir='x' belongs to storage='mapped', and .* kept in files"),
    )
    def test_refuses_other_options(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            self.load(**options)

    @parameterized.parameters(
        ("digits", "mapped", "folders of images, files and data sets of TFDS, and 'digits'"),
        ("ring", "mapped", "folders of images, files and data sets of TFDS"),
        ("stacked_digits", "mapped", "folders of images, files and data sets of TFDS"),
        ("npz:a.npz", "files", "folders of images, and 'npz:a.npz'"),
        ("mnist", "files", "folders of images, and 'mnist'"),
    )
    def test_what_a_storage_does_not_suit_is_refused_by_name(self, name, kind, owners):
        with self.assertRaisesRegex(ValueError, f"storage='{kind}' belongs to {owners}"):
            data.load(name, storage=kind)


class TensorTest(parameterized.TestCase):
    @parameterized.parameters(np.uint8, np.float32)
    def test_shares_the_memory_of_an_aligned_array_that_may_be_read_only(self, dtype):
        x = storage.empty((50, 3), dtype)
        x[...] = np.arange(150).reshape(50, 3)
        locked = x.view()
        locked.flags.writeable = False
        tensor = storage.as_tensor(locked)
        np.testing.assert_array_equal(tensor, x)
        x[7] = 99  # which only a test may do
        self.assertEqual(tensor[7].numpy().tolist(), [99] * 3)

    def test_outlives_the_array(self):
        x = storage.empty((1_000, 1_000))
        x[...] = 3
        tensor = storage.as_tensor(x)
        del x
        self.assertEqual(int(tf.reduce_max([storage.empty((1_000, 1_000))[0, 0] * 0 + 3])), 3)
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
