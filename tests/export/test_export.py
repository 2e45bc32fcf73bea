"""The script: flags in, a version out."""

import os
import pathlib
import subprocess
import sys

import pytest
from absl.testing import absltest

import ugm_tf
from tests.serving import served

ROOT = pathlib.Path(ugm_tf.__file__).parents[1]


class ExportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def run_script(self, *flags):
        command = [sys.executable, "-m", "export.export", *flags]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    @pytest.mark.slow
    def test_writes_the_endpoints_that_were_asked_for(self):
        of = served.model("gan")
        of.compile("adam", jit_compile=False)
        of.save(self.folder / "model.keras")
        base = self.folder / "served"
        done = self.run_script(
            f"--model={self.folder}/model.keras", f"--output={base}", "--version=4", "--endpoints=decode,sample"
        )
        self.assertEqual(done.stdout, f"{base}/4: decode, sample\n", done.stderr)
        self.assertNotIn("INFO", done.stderr)
        card = (base / "4/assets.extra/model.json").read_text()
        self.assertIn('"serving_default": "decode"', card)
        self.assertNotIn(str(self.folder), card)  # no path of the machine that made it

    @pytest.mark.slow
    def test_writes_what_a_server_needs_of_a_run(self):
        of = served.model("gan")
        of.compile("adam", jit_compile=False)
        run = self.folder / "run"
        run.mkdir()
        of.save(run / "model.keras")
        (run / "flags.txt").write_text("--recipe=gan\n--workdir=run\n")
        base = self.folder / "base"
        self.addCleanup(os.umask, os.umask(0o077))
        done = self.run_script(f"--run={run}", f"--base={base}", "--endpoints=decode", "--max_batch=2")
        self.assertEqual(done.stdout, f"{base}/run/1: decode\n", done.stderr)
        self.assertIn(f"run as others: chmod -R o+rX {base}\n", done.stderr)
        self.assertIn("- [run](#run): gan: ", (base / "README.md").read_text())
        self.assertIn("# gan\n", (base / "run/1/assets.extra/MODEL_CARD.md").read_text())

    @pytest.mark.slow
    def test_flags_of_both_ways_at_once_are_refused(self):
        done = self.run_script("--model=a", "--output=b", "--name=c")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Give --run and --base, maybe with --name; or --model and --output.", done.stdout + done.stderr)

    @pytest.mark.slow
    def test_a_refusal_is_its_message_and_no_traceback(self):
        done = self.run_script(f"--model={self.folder}/none.keras", f"--output={self.folder}")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"\nerror: There is no file {self.folder}/none.keras.", "\n" + done.stderr)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    absltest.main()
