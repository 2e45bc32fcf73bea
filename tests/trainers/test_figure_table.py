"""Which figures a model has, at the end of its run and in an evaluation; and why it has no others."""

import contextlib
import dataclasses
from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.test_figures import untrained
from trainers import evaluation, figure_table, figures, likelihood_figures, page, rundir, sample_figures
from trainers.figure import Figure, from_dict
from trainers.settings import Settings
from trainers.subject import Features
from ugm_tf.evaluation import Estimate, FeatureNetwork


def named(name):
    return lambda *_, **__: [figure(name)]


def figure(name, value=0.0, unit="", **how):
    return Figure(name, Estimate(value, None, 3, how), unit)


def stubs():
    """Every measurement as a figure of its name; no classifier is trained."""
    stack = contextlib.ExitStack()
    for module, names in (
        (sample_figures, ("accuracy_score", "distances", "diversity", "manifold", "memorisation", "modes")),
        (likelihood_figures, ("annealed", "rates")),
    ):
        stack.enter_context(mock.patch.multiple(module, **{name: named(name) for name in names}))
    stack.enter_context(mock.patch.object(figure_table.Subject, "classes", None))
    found = {name: named(name) for name in ("accuracies", "sample_quality", "losses", "translations", "redundancy")}
    found["bounds"] = named("bound")
    stack.enter_context(mock.patch.multiple(figures, **found, bound=lambda *_, **__: figure("bound")))
    return stack


def measure(recipe, effort, **changes):
    model, training, held_out = untrained(recipe)
    training = dataclasses.replace(training, examples=dataclasses.replace(training.examples, **changes))
    with stubs():
        found, skipped = figure_table.measure(figure_table.Subject(model, training, held_out), effort)
    return [f.name for f in found], {s.name: s.reason for s in skipped}


COMPARED = ["distances", "manifold", "memorisation", "diversity"]
LABELLED = [*COMPARED, "accuracy_score"]


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
        self.assertEqual(
            measure("vae", figure_table.Effort())[0],
            ["sample_quality", *LABELLED, "bound", "bound", "rates", "losses"],
        )

    def test_what_takes_long_is_measured_where_it_is_asked_for(self):
        self.assertEqual(measure("gan", figure_table.Effort(metrics=("annealed",)))[0], ["annealed"])
        _, skipped = measure("gan", figure_table.Effort())
        self.assertEqual(skipped["annealed log p(x)"], "takes long, and is measured where --metrics names it")

    def test_only_what_is_asked_for_is_measured_and_unknown_metrics_are_refused(self):
        found, skipped = measure("vae", figure_table.Effort(metrics=("manifold", "bound")))
        self.assertEqual(found, ["manifold", "bound"])
        self.assertEqual(skipped["ELBO"], "not asked for: --metrics=manifold,bound")
        with self.assertRaisesRegex(ValueError, "--metrics knows accuracy, .*losses. Received: fid"):
            figure_table.check_metrics(["fid", "bound"])

    @parameterized.parameters(("conditional_gan", "asked for"), ("gan", "by a classifier of the training data"))
    def test_samples_to_learn_from_have_the_class_they_were_asked_for_or_the_classifiers(self, recipe, labels):
        subject = figure_table.Subject(*untrained(recipe))
        learned = []

        def score(images, labels, *_, train):
            learned.append((len(images), labels))
            return Estimate(0.5, 0.1, 7, {})

        classifier = mock.Mock(how={"network_hash": "abc"}, probabilities=lambda x: np.eye(10)[np.full(len(x), 3)])
        with (
            mock.patch.object(sample_figures.samples, "classification_accuracy_score", score),
            mock.patch.object(figure_table.Subject, "classes", classifier),
        ):
            (found,) = sample_figures.accuracy_score(subject, figure_table.Effort(samples=30))
        self.assertEqual([n for n, _ in learned], [30, 30])
        named = recipe == "gan"
        self.assertEqual([np.ptp(each) == 0 for _, each in learned], [named, named])
        for estimate in (found.estimate, found.real):
            self.assertEqual(estimate.how["labels"], labels)
            self.assertEqual("network_hash" in estimate.how, named)
        self.assertEqual(found.name.endswith("labelled by a classifier"), named)

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

    def test_samples_are_compared_in_the_shares_of_the_classes_that_were_learned(self):
        model, training, held_out = untrained("conditional_gan")
        examples = training.examples
        few = np.concatenate([np.flatnonzero(examples.c == 3)[:30], np.flatnonzero(examples.c == 7)[:10]])
        some = dataclasses.replace(
            training, examples=dataclasses.replace(examples, x=examples.x[few], c=examples.c[few])
        )
        subject = figure_table.Subject(model, some, held_out)
        with mock.patch.object(figure_table.Subject, "network", mock.Mock(how={"network": "none"})):
            self.assertEqual(subject.how, {"network": "none", "classes": "in the shares of the training data"})
        _, c = subject.drawn(figure_table.Effort(samples=20))
        np.testing.assert_array_equal(c, [3] * 15 + [7] * 5)
        self.assertIsNone(figure_table.Subject(*untrained("gan"))._shares)
        self.assertIsNone(figure_table.Subject(*untrained("infogan"))._shares)

    def test_few_held_out_examples_are_compared_with_nothing(self):
        model, training, held_out = untrained("gan")
        some = dataclasses.replace(held_out.examples, x=held_out.examples.x[:9], c=held_out.examples.c[:9])
        few = dataclasses.replace(held_out, examples=some)
        with stubs():
            found, skipped = figure_table.measure(figure_table.Subject(model, training, few), figure_table.Effort())
        self.assertEqual([figure.name for figure in found], ["sample_quality", "losses"])
        reasons = {each.name: each.reason for each in skipped}
        for name in ("coverage", "classification accuracy score"):
            self.assertEqual(reasons[name], "9 examples are held out, and these figures take at least 20")

    def test_what_is_under_way_is_counted_among_what_is_measured(self):
        rows = [
            figure_table.Row(key, "g", (key,), (lambda *_, why=why: why,), lambda *_: [figure("a")])
            for key, why in (("a", "none"), ("b", None), ("c", "none"), ("d", None))
        ]
        with self.assertLogs("ugm_tf.trainers", "INFO") as logs:
            figure_table.measure(figure_table.Subject(*untrained("gan")), figure_table.Effort(), rows)
        said = [record.getMessage() for record in logs.records]
        self.assertEqual(said, ["Measuring b (1 of 2).", "Measuring d (2 of 2)."])

    def test_no_set_of_samples_is_judged_where_none_was_asked_for(self):
        found, skipped = measure("gan", figure_table.Effort(seeds=0))
        self.assertEqual(found, [*COMPARED, "losses"])
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
        measured = {
            "classes",
            "distances",
            "manifold",
            "memorisation",
            "diversity",
            "cas",
            "elbo",
            "bound",
            "rates",
            "losses",
        }
        of = [name for row in figure_table.ROWS if row.key in measured for name in row.names]
        self.assertCountEqual([*skipped, *of], names)

    def test_a_figure_has_the_unit_of_its_row_unless_it_says_another(self):
        own = [figure("a"), figure("b", unit="of 10")]
        row = figure_table.Row("k", "g", ("a", "b"), (), lambda *_: own, unit="nats")
        model, training, held_out = untrained("gan")
        subject = figure_table.Subject(model, training, held_out)
        found, _ = figure_table.measure(subject, figure_table.AT_THE_END, [row])
        self.assertEqual([f.unit for f in found], ["nats", "of 10"])

    def test_a_figure_says_which_weights_it_is_of(self):
        row = figure_table.Row("k", "g", ("a", "b"), (), lambda *_: [figure("a", k=5), figure("b")])
        subject = figure_table.Subject(*untrained("gan"), weights="the weights after 7 steps")
        found, _ = figure_table.measure(subject, figure_table.AT_THE_END, [row])
        self.assertEqual(
            [f.how for f in found], ["n 3; k 5; of the weights after 7 steps", "n 3; of the weights after 7 steps"]
        )


class EvaluationTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.model, training, held_out = untrained("gan")
        self.directory = rundir.RunDirectory(self.create_tempdir().full_path + "/run", Settings("gan", "digits"))
        run = mock.Mock(model=self.model, settings=Settings("gan", "digits"), directory=self.directory)
        run.split = {"train": training, "test": held_out}.get
        self.enter_context(mock.patch.object(evaluation.finished, "load", return_value=run))

    def test_writes_every_figure_with_its_protocol_and_what_was_skipped_with_the_reason(self):
        with stubs():
            found = evaluation.evaluate("run", seeds=2)
        written = evaluation.read(self.directory.path / "evaluation.json")
        self.assertEqual([f.name for f in found.figures], ["sample_quality", *LABELLED, "losses"])
        estimate = {"value": 0.0, "error": None, "n": 3, "how": {"of": "the weights after 0 steps"}}
        losses = {"name": "losses", **estimate, "unit": "", "group": "Losses", "row": "losses", "real": None}
        self.assertEqual(written["figures"][-1], losses)
        self.assertEqual([from_dict(each) for each in written["figures"]], found.figures)
        self.assertIn({"name": "accuracy", "reason": "the recipe has no classifier"}, written["skipped"])
        self.assertEqual((written["schema"], written["asked"]["effort"]["seeds"]), (1, 2))
        self.assertEqual(written["data"]["fingerprint"], ugm_tf.data.load("digits", "test").fingerprint.digest)

    def test_goes_on_where_it_was_interrupted_if_the_same_is_asked_for(self):
        calls = []
        count = mock.patch.object(sample_figures, "manifold", lambda *_: calls.append(1) or [figure("manifold")])
        stopped = mock.patch.object(figures, "losses", mock.Mock(side_effect=KeyboardInterrupt))
        with stubs(), count, stopped, self.assertRaises(KeyboardInterrupt):
            evaluation.evaluate("run")
        with stubs(), count:
            found = evaluation.evaluate("run")
        self.assertLen(calls, 1)
        self.assertIn("manifold", [f.name for f in found.figures])
        self.assertEqual([path.name for path in self.directory.path.glob(".evaluation*")], [])
        with stubs(), count, stopped, self.assertRaises(KeyboardInterrupt):
            evaluation.evaluate("run")
        with stubs(), count:
            evaluation.evaluate("run", samples=70)
        self.assertLen(calls, 3)
        with stubs(), count:
            evaluation.evaluate("run")  # which another call in between cost nothing
        self.assertLen(calls, 3)

    def test_what_is_not_asked_for_stays_as_an_earlier_call_found_it(self):
        with stubs():
            whole = evaluation.evaluate("run")
            again = mock.patch.object(figures, "losses", lambda *_, **__: [figure("losses", 2.0)])
            with again:
                found = evaluation.evaluate("run", metrics=("losses",))
            self.assertEqual(found.figures[:-1], whole.figures[:-1])
            self.assertEqual((found.figures[-1].name, found.figures[-1].value), ("losses", 2.0))
            self.assertNotIn("recall", [each.name for each in found.skipped])
            self.assertIn("accuracy", [each.name for each in found.skipped])
            weights = self.model.get_weights()
            self.model.set_weights([weight + 1.0 for weight in weights])
            found = evaluation.evaluate("run", metrics=("losses",))
        self.assertEqual([each.name for each in found.figures], ["losses"])
        with self.assertRaisesRegex(ValueError, "--metrics is empty"):
            evaluation.evaluate("run", metrics=())

    def test_a_damaged_file_of_what_was_done_counts_as_none(self):
        stopped = mock.patch.object(figures, "losses", mock.Mock(side_effect=KeyboardInterrupt))
        with stubs(), stopped, self.assertRaises(KeyboardInterrupt):
            evaluation.evaluate("run")
        (kept,) = self.directory.path.glob(".evaluation*")
        kept.write_text('{"rows": {"manifold": [3]}')
        with stubs():
            self.assertEqual(evaluation.evaluate("run").figures[-1].name, "losses")

    def test_what_fails_is_a_reason_and_costs_no_other_figure(self):
        broken = mock.patch.object(sample_figures, "manifold", mock.Mock(side_effect=ValueError("no ball")))
        with stubs(), broken, self.assertLogs("ugm_tf.trainers", "ERROR"):
            found = evaluation.evaluate("run")
        self.assertLen(found.failures, 1)
        self.assertEqual({s.name: s.reason for s in found.skipped}["recall"], "failed: ValueError: no ball")
        self.assertEqual(found.figures[-1].name, "losses")

    def test_the_report_has_a_section_with_everything_in_one_place(self):
        page.write_report(
            self.directory.path, page.Report(title="t", recipe="r", dataset="d", command="c", equations="e")
        )
        real = mock.patch.object(
            sample_figures, "manifold", lambda *_: [figure("precision", 0.25)._replace(real=Estimate(0.75, 0.125, 9))]
        )
        for _ in range(2):  # the second takes the first one's place
            with stubs(), real:
                evaluation.evaluate("run")
        text = self.directory.report.read_text()
        self.assertEqual(text.count("<h2>Evaluation</h2>"), 1)
        for words in (
            "0.2500",
            "0.75 ± 0.12",
            "the recipe has no classifier",
            "<h3>Likelihood</h3>",
            "<h3>Samples</h3>",
        ):
            self.assertIn(words, text)

    @pytest.mark.slow
    def test_samples_are_compared_by_a_network_of_a_file(self):
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()]).save(self.directory.path / "flat.keras")
        features = Features(str(self.directory.path / "flat.keras"))
        with mock.patch.object(FeatureNetwork, "trained", mock.Mock(side_effect=AssertionError("trained one"))):
            found = evaluation.evaluate(
                "run", features=features, metrics=("distances", "manifold", "memorisation", "diversity"), samples=120
            )
        self.assertEqual(found.failures, [])
        figures = {f.name: f for f in found.figures}
        self.assertLen(figures, 13)
        for name, each in figures.items():
            self.assertEqual(each.estimate.how["network"], "flat.keras", name)
            self.assertEqual(each.estimate.how["split"], "validation", name)
            self.assertIsNotNone(each.real, name)
        of = figures["Frechet distance"]
        self.assertLess(of.real.value, of.value)
        with self.assertRaisesRegex(ValueError, "which is not there"):
            evaluation.evaluate("run", features=Features("none.keras"))

    @pytest.mark.slow
    def test_every_recipe_has_figures_or_a_reason(self):
        for name in ugm_tf.recipes.names():
            found, skipped = measure(name, figure_table.Effort())
            self.assertIn("losses", found, name)
            self.assertTrue(all(skipped.values()), name)


if __name__ == "__main__":
    absltest.main()
