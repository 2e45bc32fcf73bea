"""Tests of the files that are prepared to be mapped."""

import collections
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest, parameterized

from benchmarks.processes import tmpfs
from tests.data.folder_case import FolderCase, flat
from ugm_tf import data
from ugm_tf.data import image_files, prepared
from ugm_tf.data.fingerprints import Fingerprint

SLOW = """
import itertools, sys, time
import numpy as np
from ugm_tf.data import prepared
from ugm_tf.data.fingerprints import Fingerprint

def chunks():
    for i in range(4):
        open(f"{sys.argv[2]}.{i}", "w").close()
        yield slice(i, i + 1), np.full([1, 8], i + 1, np.uint8)
        time.sleep(float(sys.argv[3]))

origin = Fingerprint("array", {"x": "1"})
x = prepared.mapped(chunks(), (4, 8), np.dtype(np.uint8), sys.argv[1], origin, "slow", "train")
assert (np.asarray(x) == np.arange(1, 5)[:, None]).all()
"""


def mapped(cache, chunks, rows=4, dtype=np.uint8, content="1"):
    origin = Fingerprint("array", {"x": content})
    return prepared.mapped(chunks, (rows, 8), np.dtype(dtype), str(cache), origin, "toy", "train")


class FolderTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.cache = pathlib.Path(self.create_tempdir().full_path)
        self.classes(a=30, b=30)

    def mapped(self, split="train", **options):
        return self.load(split, storage="mapped", cache_dir=str(self.cache), **options)

    def files(self):
        return sorted(path.name for path in self.cache.iterdir())

    def test_examples_and_batches_are_those_in_memory_bit_for_bit(self):
        for split in ("train", "test"):
            one, other = self.load(split, image_size=3), self.mapped(split, image_size=3)
            self.assertEqual(other.storage, "mapped")
            np.testing.assert_array_equal(one.x, other.x)
            np.testing.assert_array_equal(one.c, other.c)
        one, other = self.load(), self.mapped()
        batches = [data.batches(e, 7, observation="dequantised", start_step=3).take(9) for e in (one, other)]
        for a, b in zip(*(list(dataset.as_numpy_iterator()) for dataset in batches), strict=True):
            np.testing.assert_array_equal(a["x"], b["x"])

    def test_are_prepared_once(self):
        self.mapped()
        self.assertLen(self.files(), 2)
        with mock.patch.object(image_files, "read", side_effect=AssertionError("is read again")):
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

    def test_too_little_room_is_said_before_work_starts(self):
        usage = collections.namedtuple("usage", "free")(100)
        with (
            mock.patch.object(shutil, "disk_usage", return_value=usage),
            mock.patch.object(image_files, "read") as read,
        ):
            with self.assertRaisesRegex(ValueError, "GiB are needed there, and there are less. Make room"):
                self.mapped()
        read.assert_not_called()

    def test_files_lie_in_the_users_cache_by_default(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(self.cache)}):
            self.load(storage="mapped")
        self.assertEqual(self.files(), ["ugm_tf"])


class PreparedTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.cache = pathlib.Path(self.create_tempdir().full_path) / "cache"
        self.cache.mkdir()
        self.x = np.arange(32, dtype=np.uint8).reshape(4, 8)

    def whole(self, dtype=np.uint8):
        return mapped(self.cache, [(slice(0, 4), self.x)], dtype=dtype)

    def files(self):
        return sorted(path.name for path in self.cache.iterdir())

    def process(self, name, pause):
        command = [sys.executable, "-c", SLOW, str(self.cache), str(self.cache.parent / name), str(pause)]
        return subprocess.Popen(command, stderr=subprocess.PIPE)

    def test_examples_come_to_their_places_in_any_order(self):
        chunks = [(np.array([3, 0]), self.x[[3, 0]]), (np.array([], int), self.x[:0]), (slice(1, 3), self.x[1:3])]
        found = mapped(self.cache, chunks)
        np.testing.assert_array_equal(found, self.x)
        self.assertFalse(found.flags.writeable)

    def test_vectors_too_lie_as_tensorflow_takes_them_without_a_copy(self):
        found = self.whole(np.float32)
        self.assertEqual((found.dtype, found.ctypes.data % 64), (np.float32, 0))
        np.testing.assert_array_equal(found, self.x)

    @parameterized.parameters("flipped", "cut", "noteless")
    def test_a_damaged_file_is_prepared_anew(self, how):
        self.whole()
        file = next(self.cache.glob("*.npy"))
        content = bytearray(file.read_bytes())
        content[140] ^= 1
        if how == "noteless":
            file.with_suffix(".json").write_text("{")
        else:
            file.write_bytes(content if how == "flipped" else content[:-5])
        with self.assertLogs("ugm_tf.data", "WARNING") as log:
            np.testing.assert_array_equal(self.whole(), self.x)
        self.assertRegex(log.output[0], "is damaged. It is prepared anew")
        self.assertLen(self.files(), 2)

    @parameterized.parameters(3, 5)
    def test_a_source_that_gives_less_or_more_is_refused_and_leaves_nothing(self, number):
        with self.assertRaisesRegex(ValueError, f"{number} of 4 examples are prepared. Were the data changed"):
            mapped(self.cache, [(np.arange(number) % 4, self.x[np.arange(number) % 4])])
        self.assertEqual(self.files(), [])

    def test_a_disk_that_is_full_is_said_in_one_line_and_nothing_is_left(self):
        with mock.patch.object(os, "pwrite", side_effect=[3, OSError(28, "No space left on device")]):
            with self.assertRaisesRegex(
                ValueError, "'toy' cannot be prepared in .*No space left.*Make room.*--cache_dir=DIR"
            ) as caught:
                self.whole()
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual(self.files(), [])

    def test_what_a_disk_takes_a_part_of_is_written_to_its_end(self):
        whole = os.pwrite
        with mock.patch.object(os, "pwrite", side_effect=lambda f, content, at: whole(f, content[:5], at)):
            np.testing.assert_array_equal(self.whole(), self.x)

    def test_progress_is_said_now_and_then(self):
        with mock.patch.object(prepared, "_SAID", 0.0), self.assertLogs("ugm_tf.data", "INFO") as log:
            mapped(self.cache, [(slice(0, 3), self.x[:3]), (slice(3, 4), self.x[3:])])
        self.assertRegex(log.output[0], r"toy/train: preparing 4 examples in .* \(0.00 GiB\), once")
        self.assertRegex(log.output[1], "toy/train: 3 of 4 examples are prepared")

    def test_a_process_waits_for_the_one_that_prepares(self):
        go, begun = threading.Event(), threading.Event()

        def chunks():
            begun.set()
            go.wait(10)
            yield slice(0, 4), self.x

        found = []
        first = threading.Thread(target=lambda: mapped(self.cache, chunks()))
        other = threading.Thread(target=lambda: found.append(mapped(self.cache, self.not_read())))
        with mock.patch.object(prepared, "_WAIT", 0.01), self.assertLogs("ugm_tf.data", "INFO") as log:
            first.start()
            begun.wait(10)
            other.start()
            while not any("waiting" in line for line in log.output) and other.is_alive():
                time.sleep(0.01)
            go.set()
            first.join(10)
            other.join(10)
        np.testing.assert_array_equal(found[0], self.x)
        self.assertRegex("".join(log.output), rf"is being prepared by process {os.getpid()} on .*: waiting for it")

    def not_read(self):
        raise AssertionError("is read twice")
        yield

    @pytest.mark.slow
    def test_nothing_of_a_process_that_was_killed_is_used_or_left(self):
        process = self.process("killed", 60)
        while not (self.cache.parent / "killed.0").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertEmpty(list(self.cache.glob("[!.]*.npy")))
        self.assertLen([name for name in self.files() if ".tmp" in name], 1)
        with self.process("again", 0) as process:
            self.assertEqual(process.wait(), 0)
        self.assertLen([name for name in self.files() if not name.endswith(".lock")], 2)

    @pytest.mark.slow
    def test_of_two_processes_one_prepares_and_both_have_it(self):
        processes = [self.process(name, 0.3) for name in ("one", "other")]
        for process in processes:
            process.communicate()
            self.assertEqual(process.returncode, 0)
        begun = [name for name in ("one", "other") if (self.cache.parent / f"{name}.0").exists()]
        self.assertLen(begun, 1)
        self.assertLen(self.files(), 2)

    @pytest.mark.slow
    def test_a_real_disk_that_fills_up_is_said_in_one_line(self):
        if os.geteuid():
            self.skipTest("only root may mount a small disk")
        disk = self.cache / "disk"
        chunks = ((slice(i, i + 1), np.zeros([1, 2**20], np.uint8)) for i in range(4))
        plenty = collections.namedtuple("usage", "free")(2**40)
        try:
            with tmpfs(disk, "size=2m"), mock.patch.object(shutil, "disk_usage", return_value=plenty):
                with self.assertRaisesRegex(ValueError, "cannot be prepared in .*No space left on device. Make room"):
                    origin = Fingerprint("array", {"x": "1"})
                    prepared.mapped(chunks, (4, 2**20), np.dtype(np.uint8), str(disk), origin, "toy", "train")
                self.assertEqual(list(disk.iterdir()), [])
        except subprocess.CalledProcessError:
            self.skipTest("this machine mounts nothing")


if __name__ == "__main__":
    absltest.main()
