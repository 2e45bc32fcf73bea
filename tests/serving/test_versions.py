"""Versions of an export: their numbers, and that each appears whole or not at all."""

import os
import pathlib
from unittest import mock

import pytest
from absl.testing import absltest, parameterized

from tests.serving import served
from ugm_tf.serving import publishing, saved_model


class VersionsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path) / "base"
        self.model = served.model("gan")

    def export(self, **options):
        return saved_model.export_model(self.model, self.base, endpoints=["discriminate"], **options)

    def test_the_next_version_is_one_above_the_highest(self):
        for name in ("1", "7", "007a", ".tmp-9"):
            (self.base / name).mkdir(parents=True)
        self.assertEqual(self.export(), self.base / "8")

    def test_the_first_version_is_1(self):
        self.assertEqual(self.export(), self.base / "1")

    def test_a_version_is_never_written_over(self):
        path = self.export(version=3)
        before = (path / "saved_model.pb").stat().st_mtime_ns
        with self.assertRaisesRegex(ValueError, "base/3 exists, and a served version is never changed. Give another"):
            self.export(version=3)
        self.assertEqual((path / "saved_model.pb").stat().st_mtime_ns, before)
        self.assertEqual(os.listdir(self.base), ["3"])

    @pytest.mark.slow
    def test_a_version_that_another_export_took_meanwhile_is_left(self):
        self.export()
        with mock.patch.object(publishing, "check_version"):  # as if it had not been there yet
            with self.assertRaisesRegex(ValueError, "base/1 exists"):
                self.export(version=1)
        self.assertEqual(os.listdir(self.base), ["1"])

    def test_a_failure_leaves_nothing(self):
        with mock.patch.object(publishing, "_sync", side_effect=OSError(28, "No space left on device")):
            with self.assertRaisesRegex(ValueError, "Cannot write to .*base: No space left on device. Give a"):
                self.export()
        self.assertFalse(self.base.exists())

    def test_everything_is_on_the_disk_before_it_has_its_name(self):
        synced, renamed = set(), []
        rename = pathlib.Path.rename

        def record(path, target):
            renamed.append({p.stat().st_ino for p in (path, *path.rglob("*"))} - synced)
            return rename(path, target)

        with mock.patch.object(os, "fsync", side_effect=lambda file: synced.add(os.fstat(file).st_ino)):
            with mock.patch.object(pathlib.Path, "rename", record):
                self.export()
        self.assertEqual(renamed, [set()])
        self.assertIn(self.base.stat().st_ino, synced)

    def test_others_may_read_it(self):
        self.addCleanup(os.umask, os.umask(0o022))
        path = self.export()
        self.assertEqual({p.stat().st_mode & 0o777 for p in (path, *path.rglob("*"))}, {0o755, 0o644})

    def test_keeps_as_many_as_asked_for_and_the_new_one(self):
        for name in ("1", "2", "9"):
            (self.base / name).mkdir(parents=True)
        self.export(version=3, keep=2)
        self.assertCountEqual(os.listdir(self.base), ["3", "9"])
        self.export(version=4, keep=1)
        self.assertCountEqual(os.listdir(self.base), ["4", "9"])

    def test_removes_no_version_before_the_new_one_is_there(self):
        (self.base / "1").mkdir(parents=True)
        with mock.patch.object(publishing, "_sync", side_effect=OSError(28, "No space left on device")):
            with self.assertRaisesRegex(ValueError, "No space left"):
                self.export(keep=1)
        self.assertEqual(os.listdir(self.base), ["1"])

    def test_drafts_of_dead_exporters_are_removed_and_those_of_living_ones_are_not(self):
        (self.base / ".tmp-dead").mkdir(parents=True)
        with publishing.drafted(self.base) as living:
            self.export()
            self.assertCountEqual(os.listdir(self.base), ["1", living.name])
        self.assertEqual(os.listdir(self.base), ["1"])

    @parameterized.parameters(0, True, "2")
    def test_refuses_to_keep_no_number_of_versions(self, keep):
        with self.assertRaisesRegex(ValueError, "keep is the number of versions to keep, at least 1, or None for all"):
            self.export(keep=keep)

    def test_refuses_a_directory_that_cannot_be_written(self):
        self.base.touch()
        with self.assertRaisesRegex(ValueError, "Cannot write to .*base: Not a directory. Give a directory"):
            self.export()


if __name__ == "__main__":
    absltest.main()
