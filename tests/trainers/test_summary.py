"""The end of a run: its parts are independent."""

import dataclasses
import json
import pathlib
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import defaults, figures, looking, page, pictures, rundir, subject, summary
from trainers.figure import Figure
from trainers.settings import Settings
from ugm_tf.evaluation import Estimate

VAE = defaults.resolve(Settings("vae", "digits"), (8, 8, 1), 1297)


def bound(*_, **__):
    return Figure("bound on log p(x)", Estimate(-1.5, None, 1))


def broken(message):
    return mock.Mock(side_effect=OSError(message))


class EndTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model, cls.training, cls.held_out = untrained("vae")
        cls.model.compile("adam")

    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "run"
        quick = {"sample_quality": lambda *_, **__: [Figure("classes covered", Estimate(7.0, None, 1))], "bound": bound}
        self.enter_context(mock.patch.multiple(figures, **quick))
        self.enter_context(mock.patch.object(subject.Subject, "classes", None))
        self.exported = self.enter_context(mock.patch.object(summary, "_export"))

    def end(self, trained=False):
        directory = rundir.RunDirectory(self.path, VAE)
        return summary.write(self.model, directory, VAE, self.training, self.held_out, "train", None, trained)

    def report(self):
        return (self.path / "report.html").read_text()

    @pytest.mark.slow
    def test_few_held_out_examples_are_a_doubt(self):
        few = self.held_out.examples
        few = ugm_tf.data.Examples(few.x[:3], few.c[:3], name=few.name, split=few.split, class_names=few.class_names)
        first = dataclasses.replace(self.held_out, examples=few)
        with mock.patch.object(self, "held_out", first):
            self.end()
        self.assertIn("Validation has 3 examples: its figures say", (self.path / "report.html").read_text())

    def test_nothing_failed(self):
        end = self.end(trained=True)
        self.assertEqual(end.failures, [])
        for name in ("model.keras", "samples.png", "figures.json", "versions.json", "report.html"):
            self.assertTrue((self.path / name).exists(), name)
        self.assertFalse((self.path / "errors.txt").exists())
        self.assertNotIn("<h2>Failed</h2>", self.report())

    def test_what_fails_is_named_with_its_traceback_and_the_others_are_written(self):
        self.exported.side_effect = ValueError("no disk left")
        walks = mock.patch.object(pictures, "interpolations", broken("cannot walk"))
        judged = mock.patch.object(figures, "sample_quality", broken("cannot judge"))
        mapped = mock.patch.object(looking, "map_of_codes", broken("cannot map"))
        with walks, judged, mapped, self.assertLogs("ugm_tf.trainers", "ERROR") as logged:
            end = self.end()
        parts = ["saved_model", "figures: classes covered", "interpolations", "map of codes"]
        self.assertEqual([failure.part.partition(",")[0] for failure in end.failures], parts)
        self.assertLen(logged.output, 4)
        text = self.report()
        for word in ("<h2>Failed</h2>", "OSError: cannot walk", "OSError: cannot judge", "ValueError: no disk left"):
            self.assertIn(word, text)
        for section in ("Samples", "Reconstructions", "Codes", "Nearest training examples", "Figures"):
            self.assertIn(f"<h2>{section}</h2>", text)
        self.assertIn("Traceback", (self.path / "errors.txt").read_text())
        written = json.loads((self.path / "figures.json").read_text())
        self.assertEqual(written["bound on log p(x), k=100"], -1.5)
        self.assertNotIn("classes covered", written)

    @pytest.mark.slow
    def test_made_again_once_the_cause_is_mended_it_is_whole(self):
        with mock.patch.object(pictures, "interpolations", broken("cannot walk")):
            with self.assertLogs("ugm_tf.trainers", "ERROR"):
                self.end()
        self.assertEqual(self.end().failures, [])
        self.assertFalse((self.path / "errors.txt").exists())
        self.assertIn("<h2>Interpolations</h2>", self.report())

    @pytest.mark.slow
    def test_a_page_that_cannot_be_drawn_gives_way_to_words_and_figures(self):
        with mock.patch.object(page, "_pictures", mock.Mock(side_effect=[ValueError("odd shapes"), {}])):
            with self.assertLogs("ugm_tf.trainers", "ERROR"):
                end = self.end()
        self.assertEqual([failure.part for failure in end.failures], ["report.html"])
        self.assertIn("ValueError: odd shapes", self.report())
        self.assertIn("<h2>Figures</h2>", self.report())


@pytest.mark.slow
class ExportTest(absltest.TestCase):
    def test_is_made_once_for_a_state_and_anew_for_a_later_one(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        directory = rundir.RunDirectory(path / "run", VAE)
        model, *_ = untrained("vae")
        for steps, versions in ((0, ["1"]), (0, ["1"]), (5, ["1", "2"])):
            model.steps.assign(steps)
            summary._export(model, directory)
            self.assertCountEqual([version.name for version in directory.saved_model.iterdir()], versions)


class WeightsTest(absltest.TestCase):
    def test_are_averages_where_the_run_keeps_them(self):
        model = mock.Mock()
        for ema, expected in ((None, False), (0.0, False), (0.9, True)):
            model.averaged.reset_mock()
            pictures.weights(model, Settings("vae", "digits", ema=ema))
            self.assertEqual(model.averaged.called, expected, ema)


class FewExamplesTest(absltest.TestCase):
    @pytest.mark.slow
    def test_walks_are_between_as_many_pairs_as_there_are(self):
        model, _, held_out = untrained("vae")
        for number, walks in ((2, 1), (7, 3), (12, 6), (40, 6)):
            few = mock.Mock(first=lambda n, number=number: held_out.first(min(n, number)))
            self.assertLen(pictures.interpolations(model, few), walks)
        few = mock.Mock(first=lambda _: held_out.first(1))
        self.assertIsNone(pictures.interpolations(model, few))

    def test_a_bound_over_one_example_has_no_standard_error(self):
        model, _, held_out = untrained("vae")
        found = figures.bound(model, held_out, draws=2, number=1)
        self.assertTrue(np.isfinite(found.value))
        self.assertIsNone(found.spread)
        self.assertEqual(found.how, "n 1; split validation; k 2; seed 0; observation binarised")


if __name__ == "__main__":
    absltest.main()
