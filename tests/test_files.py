"""Files are the old ones or the new ones, and a folder has one writer."""

import os
import pathlib
import signal
import subprocess
import sys
from unittest import mock

from absl.testing import absltest

from ugm_tf import files


class FilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "new" / "model.keras"

    def test_a_file_is_written_with_its_folder(self):
        self.assertEqual(files.write(self.path, b"abc"), self.path)
        self.assertEqual(self.path.read_bytes(), b"abc")

    def test_a_draft_has_the_suffix_is_hidden_and_takes_the_name_at_the_end(self):
        with files.replacing(self.path) as draft:
            self.assertEqual((draft.suffix, draft.name[0], draft.parent), (".keras", ".", self.path.parent))
            draft.write_bytes(b"abc")
            self.assertFalse(self.path.exists())
        self.assertEqual(list(self.path.parent.iterdir()), [self.path])

    def test_where_writing_fails_the_old_file_stays_and_no_draft_is_left(self):
        files.write(self.path, b"old")
        for failing in ("fsync", "replace"):
            with mock.patch.object(os, failing, side_effect=OSError(28, "No space left on device")):
                with self.assertRaisesRegex(OSError, "No space left"):
                    files.write(self.path, b"new")
            self.assertEqual([p.read_bytes() for p in self.path.parent.iterdir()], [b"old"])

    def test_content_is_on_the_disk_before_the_name_and_then_the_name(self):
        calls = []
        sync, replace = files.sync, os.replace
        with (
            mock.patch.object(files, "sync", lambda path: (calls.append(pathlib.Path(path).name), sync(path))),
            mock.patch.object(os, "replace", lambda *paths: (calls.append("replace"), replace(*paths))),
        ):
            files.write(self.path, b"abc")
        self.assertEqual(calls, [f".model.{os.getpid()}.tmp.keras", "replace", "new"])

    def test_drafts_of_killed_writers_are_removed_and_nothing_else(self):
        for name in (".model.1.tmp.keras", ".flags.2.tmp.txt", ".lock", "model.keras"):
            (self.folder / name).write_bytes(b"")
        files.remove_drafts(self.folder)
        self.assertCountEqual([p.name for p in self.folder.iterdir()], [".lock", "model.keras"])


class LockedTest(absltest.TestCase):
    def test_a_second_holder_is_told_of_the_first_and_may_follow_it(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "run" / ".lock"
        with files.locked(path):
            with self.assertRaisesRegex(files.Locked, rf"process {os.getpid()} on \S+"), files.locked(path):
                pass
        with files.locked(path):
            pass
        self.assertEmpty(list(path.parent.iterdir()))

    def test_a_killed_process_holds_nothing(self):
        path = pathlib.Path(self.create_tempdir().full_path) / ".lock"
        held = f"import fcntl, time; f = open({str(path)!r}, 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True)"
        with subprocess.Popen([sys.executable, "-c", f"{held}; time.sleep(60)"], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            with self.assertRaises(files.Locked), files.locked(path):
                pass
            process.kill()
        with files.locked(path):
            pass

    def test_a_fork_of_a_killed_process_holds_nothing(self):
        path = pathlib.Path(self.create_tempdir().full_path) / ".lock"
        script = f"""
import importlib.util, os, time
spec = importlib.util.spec_from_file_location("files", {files.__file__!r})
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
with files.locked({str(path)!r}):
    if not os.fork():
        print(os.getpid(), flush=True)
    time.sleep(60)
"""
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            fork = int(process.stdout.readline())
            try:
                with self.assertRaises(files.Locked), files.locked(path):
                    pass
                process.kill()
                process.wait()
                with files.locked(path):
                    pass
            finally:
                os.kill(fork, signal.SIGKILL)

    def test_a_fork_leaves_the_lock_to_its_process(self):
        path = pathlib.Path(self.create_tempdir().full_path) / ".lock"
        ended = []
        with files.locked(path) as is_there:
            fork = os.fork()
            if fork:
                ended.append(os.waitpid(fork, 0)[1])
                self.assertTrue(is_there())
                with self.assertRaises(files.Locked), files.locked(path):
                    pass
        if not fork:
            os._exit(0 if path.exists() else 1)  # its block has ended
        self.assertEqual(ended, [0])


if __name__ == "__main__":
    absltest.main()
