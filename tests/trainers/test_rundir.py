"""Run directories belong to one set of flags."""

import pathlib

from absl.testing import absltest

from trainers import options, rundir
from trainers.settings import Settings

VAE = Settings("vae", "digits")


class RunDirectoryTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a" / "run"

    def test_is_made_with_its_flags(self):
        directory = rundir.RunDirectory(self.path, VAE)
        self.assertEqual(options.read(directory.flags), VAE)
        self.assertEqual([path.name for path in self.path.iterdir()], ["flags.txt"])

    def test_takes_the_same_flags_again_in_any_order(self):
        rundir.RunDirectory(self.path, VAE)
        lines = sorted((self.path / "flags.txt").read_text().splitlines())
        (self.path / "flags.txt").write_text("\n".join(lines))
        rundir.RunDirectory(self.path, VAE)

    def test_refuses_flags_that_differ_are_missing_or_are_new(self):
        rundir.RunDirectory(self.path, Settings("vae", "digits", labels=2))
        advice = (
            r"belongs to other flags: --recipe \(there 'vae', now 'gan'\), --labels \(there '2', now 'unset'\), "
            r"--epochs \(there 'unset', now '3'\). Give a new --workdir, or go on with that run by --flagfile=.*flags"
        )
        with self.assertRaisesRegex(ValueError, advice):
            rundir.RunDirectory(self.path, Settings("gan", "digits", epochs=3))

    def test_a_flag_file_may_have_comments_and_values_with_equal_signs(self):
        self.path.mkdir(parents=True)
        (self.path / "flags.txt").write_text("# a VAE\n--hyperparameter=beta=4.0,kl=sampled\n\n")
        rundir.RunDirectory(self.path, Settings("vae", "digits", (("beta", 4.0), ("kl", "sampled"))))

    def test_a_draft_that_a_kill_left_behind_is_no_harm(self):
        self.path.mkdir(parents=True)
        (self.path / ".flags.txt.123.tmp").write_text("--rec")
        rundir.RunDirectory(self.path, VAE)
        self.assertEqual(options.read(self.path / "flags.txt"), VAE)

    def test_json_is_written_and_read(self):
        directory = rundir.RunDirectory(self.path, VAE)
        self.assertEqual(directory.read_json("figures"), {})
        directory.write_json("figures", {"wake/loss": 1.5})
        self.assertEqual(directory.read_json("figures"), {"wake/loss": 1.5})

    def test_versions_tell_what_a_run_depends_on(self):
        self.assertContainsSubset(["python", "tensorflow", "keras", "numpy", "machine"], rundir.versions())


if __name__ == "__main__":
    absltest.main()
