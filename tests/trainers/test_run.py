"""A run from data to report: what it writes, how it goes on."""

import dataclasses
import functools
import os
import pathlib
import shutil
import signal
import tempfile
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from trainers import defaults, fitting, metrics, run, rundir, stopping
from trainers.settings import Settings
from ugm_tf.evaluation import features
from ugm_tf.training import execution

SMALL = Settings(
    recipe="vae", dataset="digits", epochs=3, batch_size=256, hidden=(8,), code_size=2, xla="off", seed=3
)  # 5 steps an epoch


def train(settings, workdir, **options):
    """A run whose classifier is trained for a moment only."""
    quick = functools.partial(ugm_tf.evaluation.train_classifier, epochs=1)
    with mock.patch.object(features, "train_classifier", quick):
        return run.train(settings, workdir, show=False, **options)


def without_an_end():
    """A run that stops short of figures, pictures, export and report."""
    return mock.patch.object(run.summary, "write", lambda *_, **__: run.summary.End({}, []))


@pytest.mark.slow
class RunTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = pathlib.Path(tempfile.mkdtemp())
        cls.finished = train(SMALL, cls.path / "run", command="python -m trainers.train --seed=3")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.path)
        super().tearDownClass()

    def test_writes_all_that_belongs_to_it(self):
        directory = self.path / "run"
        for name in ("report.html", "model.keras", "samples.png", "metrics.csv", "figures.json", "versions.json"):
            self.assertGreater((directory / name).stat().st_size, 100, name)
        self.assertTrue((directory / "saved_model" / "1" / "saved_model.pb").exists())
        self.assertNotEmpty(list((directory / "tensorboard").rglob("events.*")))
        self.assertNotEmpty(list((directory / "checkpoints").glob("step-0000000015.state")))
        names = [f"{name}_{step:08d}.png" for name in ("reconstructions", "samples") for step in (5, 10, 15)]
        self.assertCountEqual([path.name for path in (directory / "samples").iterdir()], names)
        self.assertTrue("<span>--seed=3</span>" in (directory / "report.html").read_text())  # the command

    def test_what_was_chosen_is_said_with_the_reason_and_what_was_asked_for_is_not(self):
        for asked, said in (("auto", True), ("float32", False)):
            settings = dataclasses.replace(SMALL, epochs=1, precision=asked)
            with without_an_end(), self.assertLogs("ugm_tf.trainers", "INFO") as logs:
                train(settings, self.path / f"in_{asked}")
            lines = " ".join(logs.output)
            self.assertEqual("  --precision=float32: bfloat16 gains for convolutions" in lines, said)
            self.assertIn("Chosen, as no flag says otherwise:\n", lines)
            self.assertIn("  --observation=binarised: grey images that are scored", lines)
            self.assertNotIn("  --epochs=", lines)
        text = (self.path / "in_auto" / "flags.txt").read_text()
        self.assertIn("# chosen: bfloat16 gains for convolutions\n--precision=float32\n", text)

    @parameterized.parameters((1, True), (2, False))
    def test_a_class_that_is_the_only_one_is_said_to_tell_nothing(self, classes, said):
        data = ugm_tf.data.load("digits", "train")
        some = dataclasses.replace(data, c=data.c % classes, num_classes=classes, class_names=None)
        resolved = defaults.resolve(Settings("conditional_gan", "digits", hidden=(4,)), (8, 8, 1), len(data))
        model = run.building.build(resolved.make_recipe(), resolved, some)
        with self.assertLogs("ugm_tf.trainers", "INFO") as logs:
            run._LOG.info("lines")
            run._say_what_may_surprise(resolved, {}, some, model, 20)
        self.assertEqual("The data have one class, which tells the model nothing." in " ".join(logs.output), said)

    @parameterized.parameters(("sigmoid", False), (None, True))
    def test_a_network_that_may_leave_the_range_of_the_data_is_said(self, activation, said):
        data = ugm_tf.data.load("digits", "train")
        resolved = defaults.resolve(Settings("gan", "digits", hidden=(4,)), (8, 8, 1), len(data))
        model = run.building.build(resolved.make_recipe(), resolved, data)
        last = [keras.layers.Dense(64, activation=activation), keras.layers.Reshape((8, 8, 1))]
        network = keras.Sequential([keras.Input((32,)), *last])
        model = ugm_tf.UnifiedModel(model.recipe, {**model.densities, "decoder": ugm_tf.Density(network, "point")})
        with self.assertLogs("ugm_tf.trainers", "INFO") as logs:
            run._LOG.info("lines")
            run._say_what_may_surprise(resolved, {}, data, model, 20)
        self.assertEqual("'decoder' draws images that are judged beside data in [0, 1]" in " ".join(logs.output), said)

    @parameterized.parameters((1000, True), (64, False))
    def test_what_an_epoch_leaves_out_is_said_where_it_is_much(self, batch_size, said):
        settings, n = (
            dataclasses.replace(SMALL, epochs=1, batch_size=batch_size),
            len(ugm_tf.data.load("digits", "train")),
        )
        with without_an_end(), self.assertLogs("ugm_tf.trainers", "INFO") as logs:
            train(settings, self.path / f"of_{batch_size}")
        line = f"Each epoch leaves out {n - 1000} of the {n} examples, others each time, as its batches are of 1000."
        self.assertEqual(line in " ".join(logs.output), said)

    def test_every_setting_is_written_down(self):
        lines = (self.path / "run" / "flags.txt").read_text().splitlines()
        self.assertContainsSubset(["--recipe=vae", "--hidden=8", "--seed=3", "--observation=binarised"], lines)
        stored = dataclasses.replace(SMALL, storage="memory")
        self.assertEqual(self.finished.settings, defaults.resolve(stored, (8, 8, 1), 1297))
        self.assertContainsSubset(["ugm_tf", "tensorflow", "keras"], self.finished.directory.read_json("versions"))

    def test_metrics_have_a_row_an_epoch_with_the_validation(self):
        rows = metrics.read(self.path / "run" / "metrics.csv")
        self.assertEqual([row["epoch"] for row in rows], [0, 1, 2])
        terms = [f"{prefix}wake/{term}" for prefix in ("", "val_") for term in ("distortion", "rate", "loss")]
        self.assertCountEqual(rows[0], ["epoch", *terms])
        self.assertLess(rows[2]["val_wake/loss"], rows[0]["val_wake/loss"])

    def test_figures_tell_bound_and_judgement(self):
        figures = self.finished.directory.read_json("figures")
        self.assertEqual(figures, self.finished.end.figures)
        bound = next(value for name, value in figures.items() if name.startswith("bound on log p(x)"))
        self.assertGreater(bound, -figures["wake/loss"])  # 100 draws bound it tighter than one
        self.assertBetween(figures["classes covered"], 1, 10)

    def test_the_same_flags_give_the_same_numbers(self):
        with without_an_end():
            again = train(SMALL, self.path / "again", checkpoint_steps=2)
        self.assertEqual(
            (self.path / "again" / "metrics.csv").read_bytes(), (self.path / "run" / "metrics.csv").read_bytes()
        )
        table.assert_same(table.state(again.model), table.state(self.finished.model))

    def test_a_finished_run_is_only_reported_anew(self):
        directory = self.path / "finished"
        shutil.copytree(self.path / "run", directory)
        (directory / "report.html").unlink()
        with mock.patch.object(ugm_tf.UnifiedModel, "fit", side_effect=AssertionError("trained again")):
            again = train(SMALL, directory)
        table.assert_same(table.state(again.model), table.state(self.finished.model))
        self.assertEqual(again.end.figures, self.finished.end.figures)
        self.assertTrue((directory / "report.html").exists())

    def test_the_end_is_made_again_and_nothing_is_trained_or_exported_anew(self):
        directory = self.path / "again_reported"
        shutil.copytree(self.path / "run", directory)
        (directory / "report.html").unlink()
        quick = functools.partial(ugm_tf.evaluation.train_classifier, epochs=1)
        fit = mock.patch.object(ugm_tf.UnifiedModel, "fit", side_effect=AssertionError("trained again"))
        with mock.patch.object(features, "train_classifier", quick), fit:
            end, _ = run.summary.write_again(directory)
        self.assertEqual(end, self.finished.end)
        self.assertIn("--flagfile=", (directory / "report.html").read_text())
        self.assertEqual([path.name for path in (directory / "saved_model").iterdir()], ["1"])

    def test_goes_on_longer_to_the_bits_of_a_run_that_was_asked_so_at_once(self):
        longer = dataclasses.replace(SMALL, epochs=5)
        directory = self.path / "longer"
        shutil.copytree(self.path / "run", directory)
        with without_an_end():
            again, at_once = train(longer, directory), train(longer, self.path / "at_once")
        table.assert_same(table.state(again.model), table.state(at_once.model))
        written = [(self.path / name / "metrics.csv").read_bytes() for name in ("longer", "at_once")]
        self.assertEqual(*written)
        self.assertTrue((directory / "epochs_3" / "model.keras").exists())

    def test_a_signal_ends_it_with_a_saved_state_and_it_goes_on_to_the_same_end(self):
        directory, calls = self.path / "signalled", []

        def signalled(self, batch, logs=None):
            calls.append(batch)
            if len(calls) == 7:  # after step 2 of epoch 1
                os.kill(os.getpid(), signal.SIGTERM)

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        with one_a_call, without_an_end():
            with mock.patch.object(fitting.Progress, "on_train_batch_end", signalled):
                with self.assertRaisesRegex(stopping.Stopped, "Stopped at step 7 of 15, which is saved") as raised:
                    train(SMALL, directory)
            self.assertEqual(raised.exception.status, 143)
            again = train(SMALL, directory)
        table.assert_same(table.state(again.model), table.state(self.finished.model))

    def test_a_directory_that_is_removed_in_part_ends_it_at_the_epochs_end(self):
        directory, calls = self.path / "removed", []

        def remove(self, batch, logs=None):
            calls.append(batch)
            (directory / ".lock").unlink(missing_ok=True)

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        with one_a_call, mock.patch.object(fitting.Progress, "on_train_batch_end", remove):
            with self.assertRaisesRegex(rundir.Lost, "removed' was removed while the run wrote to it. Train again"):
                train(SMALL, directory)
        self.assertLen(calls, 5)

    def test_stopped_within_an_epoch_it_goes_on_to_the_same_end(self):
        directory, calls = self.path / "stopped", []

        def stop(self, batch, logs=None):
            calls.append(batch)
            if len(calls) == 7:  # after step 2 of epoch 1
                raise KeyboardInterrupt

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        stopping = mock.patch.object(fitting.Progress, "on_train_batch_end", stop)
        with one_a_call, stopping, self.assertRaises(KeyboardInterrupt):
            train(SMALL, directory, checkpoint_steps=1)
        self.assertEqual(max(path.name for path in (directory / "checkpoints").iterdir()), "step-0000000006.state")
        with one_a_call, without_an_end():
            again = train(SMALL, directory, checkpoint_steps=1)
        table.assert_same(table.state(again.model), table.state(self.finished.model))
        left, right = (metrics.read(self.path / name / "metrics.csv") for name in ("stopped", "run"))
        for a, b in zip(left, right, strict=True):  # sums of 5 steps in another order of additions
            table.assert_same(a, b, rtol=1e-6)

    def test_refuses_a_directory_of_other_flags(self):
        advice = (
            r"belongs to other flags: --hidden \(there '8', now '9'\). Give a new --workdir, or go on with that run"
        )
        with self.assertRaisesRegex(ValueError, advice):
            train(dataclasses.replace(SMALL, hidden=(9,)), self.path / "run")

    def test_the_model_is_the_trained_one(self):
        loaded = ugm_tf.load_model(self.path / "run" / "model.keras")
        np.testing.assert_array_equal(loaded.sample(4), self.finished.model.sample(4))
        self.assertEqual(int(loaded.steps), 15)


class OtherRunsTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_points_of_the_plane(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        settings = dataclasses.replace(SMALL, recipe="gan", dataset="ring", batch_size=20_000, epochs=1)
        finished = train(settings, path)
        self.assertEqual(finished.model.sample(3).shape, (3, 2))
        for name in ("report.html", "samples.png", "samples/samples_00000005.png"):
            self.assertGreater((path / name).stat().st_size, 100, name)

    @pytest.mark.slow
    def test_mixed_precision_and_both_phases_at_once(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        changes = {"recipe": "aavae", "precision": "mixed_bfloat16", "schedule": "simultaneous", "epochs": 1}
        finished = train(dataclasses.replace(SMALL, **changes), path)
        self.assertEqual(finished.model.decoder.network.compute_dtype, "bfloat16")
        self.assertEqual(finished.model.schedule, "simultaneous")
        self.assertEqual(keras.config.dtype_policy().name, "float32")  # of what is built after it


class OtherDataTest(parameterized.TestCase):
    """Recipes whose batches hold more than x."""

    @parameterized.parameters(
        ("semi_supervised_vae", "accuracy", ("samples.png",)),
        ("cyclegan", "accuracy, source to target", ("samples.png",)),
        ("adversarial_domain_adaptation", "accuracy of the target", ()),
    )
    @pytest.mark.slow
    def test_ends_with_figures_report_and_export(self, recipe, figure, pictures):
        path = pathlib.Path(self.create_tempdir().full_path)
        size = None if recipe == "cyclegan" else 2
        finished = train(dataclasses.replace(SMALL, recipe=recipe, code_size=size, epochs=1), path)
        self.assertIn(figure, finished.end.figures)
        for name in ("report.html", "model.keras", "saved_model/1/saved_model.pb", *pictures):
            self.assertGreater((path / name).stat().st_size, 100, name)

    @pytest.mark.slow
    def test_trains_the_recipe_with_the_hyperparameters_that_were_resolved(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        with without_an_end():
            finished = train(dataclasses.replace(SMALL, recipe="infogan", epochs=1), path)
        self.assertEqual(finished.settings.hyperparameters, (("r1", 1.0),))
        self.assertEqual(finished.model.recipe, ugm_tf.recipes.infogan(r1=1.0))

    @pytest.mark.slow  # RunTest tells the same of batches without labels
    def test_labelled_batches_go_on_to_the_same_end_too(self):
        path, calls = pathlib.Path(self.create_tempdir().full_path), []
        settings = dataclasses.replace(
            SMALL, recipe="semi_supervised_vae", labels=2, epochs=2
        )  # 20 labels a batch of 256

        def stop(self, batch, logs=None):
            calls.append(batch)
            if len(calls) == 7:
                raise KeyboardInterrupt

        one_a_call = mock.patch.object(execution, "choose_steps", lambda *_: 1)
        with one_a_call, without_an_end():
            whole = train(settings, path / "whole", checkpoint_steps=1)
            with mock.patch.object(fitting.Progress, "on_train_batch_end", stop), self.assertRaises(KeyboardInterrupt):
                train(settings, path / "stopped", checkpoint_steps=1)
            again = train(settings, path / "stopped", checkpoint_steps=1)
        table.assert_same(table.state(again.model), table.state(whole.model))

    @pytest.mark.slow  # tests/test_averaging.py and tests/export tell it of their parts
    def test_averages_of_the_weights_draw_and_the_weights_themselves_are_kept(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        finished = train(dataclasses.replace(SMALL, recipe="gan", ema=0.9, epochs=1), path)
        loaded = ugm_tf.load_model(path / "model.keras")
        exported = tf.saved_model.load(str(path / "saved_model" / "1")).signatures["sample"]
        drawn = exported(seed=tf.stack([tf.zeros([4], tf.int32), tf.range(4)], 1))["x"]
        np.testing.assert_array_equal(loaded.sample(4), finished.model.sample(4))
        self.assertGreater(np.abs(loaded.sample(4) - drawn).max(), 1e-4)
        with loaded.averaged():
            np.testing.assert_allclose(loaded.sample(4), drawn, atol=1e-5)


class LongerTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_from_40_epochs_to_80_is_80_at_once(self):
        self.check("gan")

    @parameterized.parameters("vae", "iwgan", "semi_supervised_vae")
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_from_40_epochs_to_80_is_80_at_once_for(self, recipe):
        self.check(recipe)

    def check(self, recipe):
        path = pathlib.Path(self.create_tempdir().full_path)
        settings = dataclasses.replace(SMALL, recipe=recipe, epochs=80, batch_size=648)  # 2 steps an epoch
        with without_an_end():
            at_once = train(settings, path / "at_once")
            train(dataclasses.replace(settings, epochs=40), path / "longer")
            longer = train(settings, path / "longer")
        table.assert_same(table.state(longer.model), table.state(at_once.model))
        written = [(path / name / "metrics.csv").read_bytes() for name in ("longer", "at_once")]
        self.assertEqual(*written)


if __name__ == "__main__":
    absltest.main()
