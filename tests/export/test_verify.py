"""The script: a version directory in, an exit status and a line for each finding out."""

import contextlib
import io
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from absl.testing import absltest, flagsaver

import ugm_tf
from export import command_line, verify
from tests.serving import served


class VerifyTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = served.model("gan")
        self.model.compile("adam", jit_compile=False)
        self.model.save(self.folder / "model.keras")
        self.version = ugm_tf.serving.export_model(self.model, self.folder / "base", endpoints=["decode"])

    def run_script(self, *arguments, **flags):
        """Exit status, lines printed, and lines of errors."""
        out, errors = io.StringIO(), io.StringIO()
        with flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                command_line.start(verify.main, arguments=True, command_line=["verify", *map(str, arguments)])
                status = 0
            except SystemExit as end:
                status = end.code
        return status, out.getvalue().splitlines(), errors.getvalue()

    def test_a_good_version_is_verified_against_its_run(self):
        self.assertEqual(self.run_script(self.version), (0, [f"{self.version}: verified"], ""))
        self.assertEqual(self.run_script(self.version, run=str(self.folder))[0], 0)

    def test_each_finding_is_a_line(self):
        self.model.decoder.set_weights([np.zeros_like(weight) for weight in self.model.decoder.get_weights()])
        self.model.save(self.folder / "model.keras")
        status, lines, _ = self.run_script(self.version, run=str(self.folder))
        self.assertEqual(status, 1)
        self.assertRegex(lines[0], f"^{self.version}: model: 'decode' answers with x other than this model's")
        (self.version / "fingerprint.pb").unlink()
        self.assertEqual(self.run_script(self.version)[1], [f"{self.version}: files: fingerprint.pb is missing."])

    @pytest.mark.slow
    def test_a_base_path_is_verified_whole(self):
        base = self.folder / "models"
        first = ugm_tf.serving.export_bundle(self.model, base, "m", endpoints=["decode"])
        second = ugm_tf.serving.export_bundle(self.model, base, "m", endpoints=["decode"])
        self.assertEqual(self.run_script(base), (0, [f"{first}: verified", f"{second}: verified"], ""))
        (first / "fingerprint.pb").unlink()
        shutil.rmtree(second)
        (base / "page.html").write_text("other")
        (base / "README.md").unlink()
        status, lines, _ = self.run_script(base)
        self.assertEqual(status, 1)
        self.assertEqual(
            [line.removeprefix(f"{base}: ").removeprefix(f"{first}: ") for line in lines],
            [
                "models.config has version 2 (canary) of 'm', which is not there.",
                "README.md is missing.",
                "page.html is not the page of this version of ugm_tf. The next export writes it.",
                "files: fingerprint.pb is missing.",
            ],
        )
        self.assertIn("--run goes with one version", self.run_script(base, run=str(self.folder))[2])

    def test_a_flag_that_there_is_not_is_one_line(self):
        for flags in (["--rum=a"], ["--run"], []):
            done = self.run_script(*flags)
            self.assertEqual((done[0], done[1], len(done[2].splitlines())), (2, [], 1), done)

    def test_a_flag_that_is_nearly_one_is_named(self):
        status, lines, errors = self.run_script("--rum=a")
        self.assertEqual((status, lines), (2, []))
        self.assertRegex(
            errors, r"^error: Unknown command line flag 'rum', did you mean --run\b[^.\n]*\? See --help\.\n$"
        )

    def test_a_flag_without_a_value_is_said(self):
        self.assertEqual(
            self.run_script("--run="), (2, [], "error: --run= says nothing. Leave it out, or give it a value.\n")
        )

    def test_help_is_no_failure(self):
        done = subprocess.run([sys.executable, "-m", "export.verify", "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--run:", done.stdout)

    def test_a_run_without_a_model_is_an_error(self):
        status, lines, errors = self.run_script(self.version, run=str(self.folder / "none"))
        self.assertEqual((status, lines), (2, []))
        self.assertIn(f"error: There is no file {self.folder}/none/model.keras", errors)


if __name__ == "__main__":
    absltest.main()
