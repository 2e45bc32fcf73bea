"""Which figures a model has, at the end of its run and in an evaluation; and why it has no others."""

import dataclasses
import json
import pathlib
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import evaluation, figure_table, figures
from trainers.settings import Settings


def named(name):
    return lambda *_, **__: [figures.Figure(name, 0.0)]


def stubs():
    """Every measurement as a figure of its name, but for the losses."""
    found = {name: named(name) for name in ("accuracies", "sample_quality", "losses", "translations", "redundancy")}
    return mock.patch.multiple(figures, **found, bound=lambda *_, **__: figures.Figure("bound", 0.0))


def measure(recipe, effort, **changes):
    model, training, held_out = untrained(recipe)
    training = dataclasses.replace(training, examples=dataclasses.replace(training.examples, **changes))
    with stubs():
        found, skipped = figure_table.measure(figure_table.Subject(model, training, held_out), effort)
    return [f.name for f in found], {s.name: s.reason for s in skipped}


class FigureTableTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", ["sample_quality", "bound", "losses"]),
        ("semi_supervised_vae", ["accuracies", "sample_quality", "bound", "losses"]),
        ("predictability_minimization", ["redundancy", "losses"]),
        ("cyclegan", ["translations", "losses"]),
    )
    def test_the_end_of_a_run_has_what_the_model_has_an_answer_to_first_things_first(self, recipe, expected):
        self.assertEqual(measure(recipe, figure_table.AT_THE_END)[0], expected)

    def test_an_evaluation_has_the_elbo_beside_the_tighter_bound(self):
        self.assertEqual(measure("vae", figure_table.Effort())[0], ["sample_quality", "bound", "bound", "losses"])

    @parameterized.parameters(
        ("gan", "accuracy", "the recipe has no classifier"),
        ("gan", "cycle error", "the recipe does not translate between domains"),
        ("gan", "bound on log p(x)", "the recipe has no bound on log p(x)"),
        ("gan", "redundancy of the code", "the recipe has no predictor of its code's units"),
        ("predictability_minimization", "inception score", "the recipe draws no samples"),
    )
    def test_what_a_recipe_lacks_is_said_in_words(self, recipe, name, reason):
        self.assertEqual(measure(recipe, figure_table.Effort())[1][name], reason)

    def test_what_the_data_lack_is_said_in_words(self):
        _, skipped = measure("gan", figure_table.Effort(), c=None, num_classes=None, class_names=None)
        self.assertEqual(skipped["inception score"], "the data have no labels")
        _, skipped = measure("gan", figure_table.Effort(), x=np.zeros([1297, 2], np.float32))
        self.assertEqual(skipped["inception score"], "the data are no images")

    def test_no_set_of_samples_is_judged_where_none_was_asked_for(self):
        found, skipped = measure("gan", figure_table.Effort(seeds=0))
        self.assertEqual(found, ["losses"])
        self.assertEqual(skipped["classes covered"], "no set of samples was asked for: --seeds=0")

    def test_the_end_of_a_large_run_trains_no_classifier_of_the_data(self):
        many = {"x": np.zeros([10_001, 8, 8, 1], np.uint8), "c": np.zeros([10_001], np.int64)}
        found, skipped = measure("semi_supervised_vae", figure_table.AT_THE_END, **many)
        self.assertEqual(found, ["accuracies", "bound", "losses"])
        self.assertEqual(
            skipped["classes covered"],
            "a classifier of 10,001 examples takes minutes to train; `trainers.evaluate` trains one",
        )
        self.assertIn("sample_quality", measure("semi_supervised_vae", figure_table.Effort(), **many)[0])

    def test_every_name_is_measured_or_skipped(self):
        names = [name for row in figure_table.ROWS for name in row.names]
        self.assertLen(set(names), len(names))
        found, skipped = measure("vae", figure_table.Effort())
        measured = ["classes covered", "classifier's confidence", "class entropy of a sample", "inception score"]
        self.assertCountEqual([*skipped, *measured, "ELBO", "bound on log p(x)", "loss of each phase"], names)

    def test_a_figure_has_the_unit_of_its_row_unless_it_says_another(self):
        own = [figures.Figure("a", 1.0), figures.Figure("b", 2.0, unit="of 10")]
        row = figure_table.Row(("a", "b"), (), lambda *_: own, unit="nats")
        model, training, held_out = untrained("gan")
        subject = figure_table.Subject(model, training, held_out)
        found, _ = figure_table.measure(subject, figure_table.AT_THE_END, [row])
        self.assertEqual([f.unit for f in found], ["nats", "of 10"])

    def test_a_figure_says_which_weights_it_is_of(self):
        row = figure_table.Row(
            ("a", "b"), (), lambda *_: [figures.Figure("a", 1.0, how="3 x"), figures.Figure("b", 2.0)]
        )
        subject = figure_table.Subject(*untrained("gan"), weights="the weights after 7 steps")
        found, _ = figure_table.measure(subject, figure_table.AT_THE_END, [row])
        self.assertEqual([f.how for f in found], ["3 x; of the weights after 7 steps", "of the weights after 7 steps"])


class EvaluationTest(absltest.TestCase):
    def test_writes_figures_by_name_and_what_was_skipped_with_the_reason(self):
        model, training, held_out = untrained("gan")
        path = pathlib.Path(self.create_tempdir().full_path)
        run = mock.Mock(model=model, settings=Settings("gan", "digits"))
        run.split = {"train": training, "test": held_out}.get
        run.directory.write_json = lambda name, value: (path / f"{name}.json").write_text(json.dumps(value))
        with stubs(), mock.patch.object(evaluation.finished, "load", return_value=run):
            found = evaluation.evaluate("run")
        written = json.loads((path / "evaluation.json").read_text())
        self.assertEqual([f.name for f in found], ["sample_quality", "losses"])
        of = "of the weights after 0 steps"
        self.assertEqual(written["losses"], {"value": 0.0, "spread": None, "unit": "nats", "how": of})
        self.assertIn({"name": "accuracy", "reason": "the recipe has no classifier"}, written["skipped"])

    @pytest.mark.slow
    def test_every_recipe_has_figures_or_a_reason(self):
        for name in ugm_tf.recipes.names():
            found, skipped = measure(name, figure_table.Effort())
            self.assertIn("losses", found, name)
            self.assertTrue(all(skipped.values()), name)


if __name__ == "__main__":
    absltest.main()
