"""Run directories belong to one set of flags."""

import errno
import os
import pathlib
import shutil

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from trainers import inputs, known_data, options, rundir
from trainers.rates import PhaseRates, Rate
from trainers.settings import Settings

VAE = Settings("vae", "digits")


def known(value):
    """What a run knows of 3 images of one value."""
    images = ugm_tf.data.Examples(np.full([3, 8, 8, 1], value, np.uint8))
    return known_data.describe(inputs.Inputs(images, ("x",), "grey"))


class RunDirectoryTest(parameterized.TestCase):
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
            r"--epochs \(there 'unset', now '3'\). Give a new --workdir, "
            r"or go on with that run by --flagfile=.*flags.txt --workdir=.*run"
        )
        with self.assertRaisesRegex(ValueError, advice):
            rundir.RunDirectory(self.path, Settings("gan", "digits", epochs=3))

    def test_another_storage_is_taken_and_kept_as_the_batches_are_the_same(self):
        rundir.RunDirectory(self.path, Settings("vae", "digits"))  # of a version that did not write it down
        for storage in ("memory", "mapped"):
            found = rundir.RunDirectory(self.path, Settings("vae", "digits", storage=storage))
            self.assertEqual(options.read(found.flags).storage, storage)
        with self.assertRaisesRegex(ValueError, "belongs to other flags: --recipe"):
            rundir.RunDirectory(self.path, Settings("gan", "digits", storage="files"))
        self.assertEqual(options.read(found.flags).storage, "mapped")

    def test_a_flag_file_may_have_comments_and_values_with_equal_signs(self):
        self.path.mkdir(parents=True)
        (self.path / "flags.txt").write_text("# a VAE\n--hyperparameter=beta=4.0,kl=sampled\n\n")
        rundir.RunDirectory(self.path, Settings("vae", "digits", (("beta", 4.0), ("kl", "sampled"))))

    def test_a_draft_that_a_kill_left_behind_is_no_harm(self):
        self.path.mkdir(parents=True)
        (self.path / ".flags.txt.123.tmp").write_text("--rec")
        rundir.RunDirectory(self.path, VAE)
        self.assertEqual(options.read(self.path / "flags.txt"), VAE)

    def test_the_same_run_with_more_epochs_goes_on_and_what_the_shorter_ended_with_is_kept(self):
        directory = rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=3))
        for name in ("model.keras", "evaluation.json", "metrics.csv"):
            (self.path / name).write_text("of 3 epochs")
        longer = Settings("vae", "digits", epochs=8)
        rundir.RunDirectory(self.path, longer)
        self.assertEqual(options.read(directory.flags), longer)
        kept = [path.name for path in (self.path / "epochs_3").iterdir()]
        self.assertCountEqual(kept, ["model.keras", "evaluation.json"])
        self.assertCountEqual([path.name for path in self.path.iterdir()], ["epochs_3", "flags.txt", "metrics.csv"])

    def test_a_stopped_run_has_nothing_to_keep(self):
        rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=3))
        rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=8))
        self.assertEqual([path.name for path in self.path.iterdir()], ["flags.txt"])

    def test_fewer_epochs_or_more_of_another_run_are_refused(self):
        rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=3))
        with self.assertRaisesRegex(ValueError, r"--epochs \(there '3', now '2'\). Give a new"):
            rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=2))
        with self.assertRaisesRegex(ValueError, r"--epochs \(there '3', now '4'\), --seed \(there '0', now '1'\)"):
            rundir.RunDirectory(self.path, Settings("vae", "digits", epochs=4, seed=1))

    def test_more_epochs_are_refused_where_a_setting_depends_on_their_number(self):
        for name, settings, epochs in (
            ("learning_rate=cosine.0.001.", {"learning_rate": Rate("cosine", 1e-3)}, (3, 8)),
            (
                "learning_rate=wake=linear.0.001.",
                {"learning_rate": PhaseRates((("wake", Rate("linear", 1e-3)),))},
                (3, 8),
            ),
            ("keep_best=val_wake/loss", {"keep_best": "val_wake/loss"}, (60, 120)),  # validated at every other epoch
        ):
            path = self.path / name
            rundir.RunDirectory(path, Settings("vae", "digits", epochs=epochs[0], **settings))
            advice = f"cannot go on from .* epochs: --{name} depends on the length of the run.* --init_from="
            with self.assertRaisesRegex(ValueError, advice):
                rundir.RunDirectory(path, Settings("vae", "digits", epochs=epochs[1], **settings))
        path = self.path / "best"
        for epochs in (3, 8):  # validated at each
            rundir.RunDirectory(path, Settings("vae", "digits", epochs=epochs, keep_best="val_wake/loss"))

    def test_keeps_what_it_knows_of_its_data_and_refuses_others(self):
        data = {n: known(x) for n, x in (("first", 0), ("other", 1))}
        rundir.RunDirectory(self.path, VAE, data["first"])
        self.assertEqual(rundir.RunDirectory(self.path, VAE, data["first"]).read_json("data"), data["first"])
        with self.assertRaisesRegex(ValueError, "data of --dataset are not those .* began with: 1 array changed: x"):
            rundir.RunDirectory(self.path, VAE, data["other"])
        with self.assertRaisesRegex(ValueError, "belongs to other flags: --dataset"):
            rundir.RunDirectory(self.path, Settings("vae", "mnist"), data["other"])

    def test_a_run_that_knows_nothing_of_its_data_learns_it(self):
        rundir.RunDirectory(self.path, VAE)
        rundir.RunDirectory(self.path, VAE, known(0))
        with self.assertRaisesRegex(ValueError, "1 array changed"):
            rundir.RunDirectory(self.path, VAE, known(1))

    def test_equations_that_changed_are_refused(self):
        for _ in range(2):
            rundir.RunDirectory(self.path, VAE, equations="wake: minimise")
        with self.assertRaisesRegex(ValueError, "began with another recipe of this name: see .*equations.txt. Give a"):
            rundir.RunDirectory(self.path, VAE, equations="wake: maximise")

    def test_a_damaged_file_that_the_end_needs_is_said_at_the_start(self):
        rundir.RunDirectory(self.path, VAE)
        (self.path / "timing.json").write_text('{"seconds": 1')
        with self.assertRaisesRegex(ValueError, "timing.json"):
            rundir.RunDirectory(self.path, VAE)

    def test_a_directory_is_free_where_nothing_or_a_run_is(self):
        rundir.check_free(self.path / "nothing")
        rundir.RunDirectory(self.path / "run", VAE)
        rundir.check_free(self.path / "run")
        with self.assertRaisesRegex(ValueError, "is not empty and has no flags.txt"):
            rundir.check_free(self.path)

    def test_the_latest_export_is_the_highest_number(self):
        directory = rundir.RunDirectory(self.path, VAE)
        self.assertIsNone(directory.latest_export())
        for name in ("9", "10", ".tmp-3"):
            (directory.saved_model / name).mkdir(parents=True)
        self.assertEqual(directory.latest_export(), directory.saved_model / "10")

    def test_json_is_written_and_read(self):
        directory = rundir.RunDirectory(self.path, VAE)
        self.assertEqual(directory.read_json("figures"), {})
        directory.write_json("figures", {"wake/loss": 1.5})
        self.assertEqual(directory.read_json("figures"), {"wake/loss": 1.5})

    def test_json_that_is_damaged_is_named(self):
        directory = rundir.RunDirectory(self.path, VAE)
        for content in (b"", b'{"a": 1', b"[]", b"[1, 2]", b"\xff", b"null"):
            (self.path / "versions.json").write_bytes(content)
            with self.assertRaisesRegex(
                ValueError, r"versions.json' is damaged: .*Take it away; python -m .*report --"
            ):
                directory.read_json("versions")
        for content in ("[]", '{"dataset": 3}', '{"dataset": {"fingerprint": 1}}', '{"dataset": {}}'):
            (self.path / "data.json").write_text(content)
            with self.assertRaisesRegex(ValueError, "data.json' is damaged: it "):
                _ = directory.data

    @parameterized.parameters("folder", "npz")
    def test_data_that_were_moved_are_the_same(self, kind):
        there, here, other = (Settings("vae", name) for name in (f"{kind}:there", f"{kind}:here", "mnist"))
        rundir.RunDirectory(self.path, there, known(0))
        with self.assertLogs("ugm_tf.trainers", "INFO") as logs:
            rundir.RunDirectory(self.path, here, known(0))
        self.assertIn(f"lay in {kind}:there, and are the same in {kind}:here", logs.output[0])
        self.assertEqual(options.read(self.path / "flags.txt").dataset, f"{kind}:here")
        for settings, data in ((there, known(1)), (other, known(0))):
            with self.assertRaisesRegex(ValueError, "belongs to other flags: --dataset"):
                rundir.RunDirectory(self.path, settings, data)

    def test_versions_tell_what_a_run_depends_on(self):
        self.assertContainsSubset(["python", "tensorflow", "keras", "numpy", "machine"], rundir.versions())


class HeldTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "run"

    def test_a_second_run_is_refused_with_the_first_ones_process(self):
        advice = rf"run' is being written by process {os.getpid()} on \S+. Wait for it, stop it, or give another"
        with rundir.held(self.path):
            rundir.RunDirectory(self.path, VAE)
            with self.assertRaisesRegex(ValueError, advice), rundir.held(self.path):
                pass
        with rundir.held(self.path):
            pass

    def test_a_directory_that_was_removed(self):
        with self.assertRaisesRegex(rundir.Lost, "run' was removed while the run wrote to it. Train again"):
            with rundir.held(self.path):
                shutil.rmtree(self.path)
                (self.path / "metrics.csv").write_text("")

    @parameterized.parameters("in part", "and made anew")
    def test_a_directory_that_was_removed_and_is_there_again(self, how):
        with self.assertRaisesRegex(rundir.Lost, "run' was removed while the run wrote to it. Train again"):
            with rundir.held(self.path) as check:
                check()
                shutil.rmtree(self.path)
                self.path.mkdir()
                if how == "and made anew":
                    (self.path / ".lock").write_text("another's")
        self.assertLen(list(self.path.iterdir()), how == "and made anew")

    @parameterized.parameters(
        (errno.ENOSPC, "is full. Make room, and the same command goes on"),
        (errno.EROFS, "can no longer be written: Read-only file system. Once it can, the same command goes on from"),
    )
    def test_a_disk_that_takes_no_more(self, number, words):
        with self.assertRaisesRegex(rundir.Lost, words), rundir.held(self.path):
            raise OSError(number, os.strerror(number))

    def test_other_errors_are_what_they_are(self):
        with self.assertRaisesRegex(FileNotFoundError, "labels.txt"), rundir.held(self.path):
            (self.path / "labels.txt").read_text()

    def test_a_directory_that_cannot_be_made(self):
        self.path.write_text("")
        with self.assertRaisesRegex(ValueError, "cannot be written: .*Give another --workdir"), rundir.held(self.path):
            pass


if __name__ == "__main__":
    absltest.main()
