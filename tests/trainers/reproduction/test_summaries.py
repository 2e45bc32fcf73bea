"""From results to means, differences and sentences: by hand, in any order, and with holes."""

import dataclasses
import json
import math
import random
from unittest import mock

import numpy as np
import scipy.stats
from absl.testing import absltest, parameterized

from tests.trainers.reproduction.test_declarations import experiment
from trainers.reproduction import catalogue, section, statistics, store, summaries, tables
from trainers.reproduction.declarations import SCALES, Measured, Scale
from trainers.reproduction.units import Plan

PLAN = Plan("small", "cpu")


def figure(name, value):
    return {"name": name, "value": value, "n": 250, "how": {"split": "test"}, "unit": "nats"}


def result(unit, value, validation=None, failed=None):
    """A result as a run leaves it."""
    return store.record(
        unit,
        figures=[] if failed else [figure("ELBO", value)],
        validation=[figure("ELBO", validation)] if validation is not None else [],
        failed=failed,
        versions={"python": "3"},
    )


class SmallTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(catalogue, "get", lambda _: experiment()))

    def results(self):
        """Those of a are 0, 1 and 2; of b's temperatures the second is better on validation data, with 1, 3 and 8."""
        units = PLAN.units()
        return [
            result(u, float(u.seed), None)
            if not u.choice
            else result(u, [1.0, 3.0, 8.0][u.seed] * (u.choice["temperature"] - 1.0), u.choice["temperature"] + u.seed)
            for u in units
        ]

    def summary(self, results=None):
        return summaries.summarise(PLAN, self.results() if results is None else results)


class SummaryTest(SmallTest):
    def test_means_deviations_and_differences_are_those_of_a_hand(self):
        summary = self.summary()
        a, b, _ = summary.cells
        self.assertEqual((a.ours.value, a.ours.spread, a.ours.seeds), (1.0, 1.0, 3))
        self.assertEqual(b.choice, "temperature 2")
        self.assertEqual(b.ours.value, 4.0)
        (pair,) = summary.pairs
        self.assertEqual((pair.ours.value, pair.published), (3.0, 1.0))  # 1, 2 and 6
        self.assertAlmostEqual(pair.ours.high - pair.ours.value, 4.302652730 * math.sqrt(7.0 / 3.0), places=6)
        self.assertEqual(pair.verdict, "as published, within the spread over seeds")

    def test_they_do_not_depend_on_the_order_of_the_results(self):
        results = self.results()
        first = json.dumps(tables.as_json(self.summary(store.collected(results, PLAN, "here"))))
        random.Random(0).shuffle(results)
        self.assertEqual(json.dumps(tables.as_json(self.summary(store.collected(results, PLAN, "here")))), first)

    def test_nothing_is_chosen_before_every_choice_is_validated_from_one_seed(self):
        results = [r for r in self.results() if r["choice"] != {"temperature": 2.0}]
        cell = self.summary(results).cells[1]
        self.assertEqual((cell.choice, cell.ours), ("not yet chosen", None))

    def test_seeds_that_choose_decide_for_all_once_each_has_every_choice(self):
        scales = dict.fromkeys(SCALES, Scale({"epochs": 1}, seeds=3, choosing=2))
        with mock.patch.object(catalogue, "get", lambda _: experiment(scales=scales)):
            results = [r for r in self.results() if r["seed"] < 2 or r["choice"] != {"temperature": 1.0}]
            summary = self.summary(results)
            self.assertEqual((summary.cells[1].choice, summary.cells[1].ours.seeds), ("temperature 2", 3))
            self.assertEqual((summary.done, summary.runs), (len(results), len(results)))
            for r in results:
                if r["seed"] == 2 and r["validation"]:
                    r["validation"] = [figure("ELBO", -1e6)]  # chooses nothing
            self.assertEqual(self.summary(results).cells[1].choice, "temperature 2")
            short = [r for r in results if (r["seed"], r["choice"]) != (1, {"temperature": 1.0})]
            self.assertEqual(self.summary(short).cells[1].choice, "not yet chosen")

    def test_a_choice_that_diverged_is_not_taken(self):
        units, results = PLAN.units(), self.results()
        for i, unit in enumerate(units):
            if unit.choice == {"temperature": 2.0} and unit.seed == 1:
                results[i] = result(unit, None, failed="not finite at step 7")
        self.assertEqual(self.summary(results).cells[1].choice, "temperature 1")

    def test_the_test_split_chooses_nothing(self):
        results = self.results()
        for r in results:
            if r["choice"] == {"temperature": 1.0}:
                r["figures"] = [figure("ELBO", 1e6)]
        self.assertEqual(self.summary(results).cells[1].choice, "temperature 2")

    def test_seeds_that_one_lacks_are_left_out_of_the_difference(self):
        results = [r for r in self.results() if (r["contender"], r["seed"]) != ("a", 2)]
        self.assertEqual(self.summary(results).pairs[0].ours.seeds, 2)
        self.assertIn("(2 of 3 seeds)", tables.markdown(self.summary(results)))

    def test_a_run_that_diverged_is_said(self):
        results = self.results()
        results[0] = result(PLAN.units()[0], None, failed="not finite at step 7")
        self.assertIn("2 of 3 seeds, 1 diverged", tables.markdown(self.summary(results)))

    def test_many_figures_stand_side_by_side_with_those_of_real_data(self):
        names = ["ELBO", "rate", "distortion", "active units"]
        measured = tuple(Measured(name, "rates") for name in names)
        with mock.patch.object(catalogue, "get", lambda _: experiment(figures=measured)):
            results = []
            for i, unit in enumerate(PLAN.units()):
                found = [figure(name, float(j + unit.seed)) for j, name in enumerate(names)]
                found[3]["real"] = figure("active units", 2.0 + i % 2)
                results.append(store.record(unit, figures=found, validation=[figure("ELBO", 0.0)], failed=None))
            summary = self.summary(results)
            text, page = tables.markdown(summary), section.render(summary)
        self.assertIn("| condition | contender | ELBO | rate | distortion | active units |", text)
        self.assertIn("| few | a | 1.0 ± 1.0 | 2.0 ± 1.0 | 3.0 ± 1.0 | 4.0 ± 1.0 |", text)
        self.assertIn("|  | real data, in the samples' place |  |  |  | 2.50 ± 0.52 |", text)
        self.assertIn('aria-label="All figures"', page)
        self.assertNotIn("All figures", section.render(self.summary()))

    def test_a_figure_of_which_nothing_is_published_has_no_such_column(self):
        plain = tuple(dataclasses.replace(c, published=()) for c in experiment().contenders)
        with mock.patch.object(catalogue, "get", lambda _: experiment(contenders=plain)):
            summary = self.summary()
            text, page = tables.markdown(summary), section.render(summary)
        self.assertNotIn("published", text + page)
        for written in (tables.markdown(self.summary()), section.render(self.summary())):
            self.assertGreater(written.count("published"), 2)

    def test_an_empty_store_has_tables_of_what_is_published(self):
        text = tables.markdown(self.summary([]))
        self.assertIn("0 of 12 runs: not yet whole", text)
        self.assertIn("| few | a |  | −10 | – (0 of 3 seeds) |", text)

    def test_published_values_of_other_data_are_not_shown(self):
        summary = summaries.summarise(Plan("small", "cpu", "fashion_mnist"), [])
        self.assertIsNone(summary.cells[0].published)

    def test_sentences_and_json_say_the_same(self):
        written = tables.as_json(self.summary())
        self.assertEqual(written["differences"][0]["ours"]["value"], 3.0)
        (line,) = written["readings"]
        self.assertStartsWith(line, "ELBO, b less a at few: +3.0 nats (")
        self.assertEndsWith(line, "over 3 seeds; published +1: as published, within the spread over seeds.")

    def test_infinite_values_are_written_as_words_and_drawn_nowhere(self):
        results = self.results()
        for r in results:
            r["figures"] = [figure("ELBO", math.inf)]
        summary = self.summary(results)
        json.dumps(tables.as_json(summary), allow_nan=False)
        self.assertIn("∞", tables.markdown(summary))
        section.render_page(summary)

    def test_the_page_has_tables_sentences_and_a_plot_and_asks_nothing_of_the_network(self):
        text = section.render_page(self.summary())
        for words in ("<svg", "b less a", "temperature 2", "+3.0", "t interval"):
            self.assertIn(words, text)
        self.assertNotIn("http://", text.replace("http://www.w3.org/2000/svg", ""))


class CollectedTest(SmallTest):
    def test_results_of_other_settings_are_refused(self):
        results = self.results()
        changed = experiment(scales=dict.fromkeys(SCALES, Scale({"epochs": 7}, seeds=3)))
        with (
            mock.patch.object(catalogue, "get", lambda _: changed),
            self.assertRaisesRegex(
                ValueError, "here has a result of a, few by other settings.*'epochs': None.*now.*'epochs': '7'"
            ),
        ):
            store.collected(results, PLAN, "here")

    def test_results_of_another_schema_are_refused(self):
        with self.assertRaisesRegex(ValueError, "of schema 0, and this version reads schema 1"):
            store.collected([{**self.results()[0], "schema": 0}], PLAN, "here")

    def test_results_of_more_seeds_are_left_out(self):
        self.assertLen(store.collected(self.results(), Plan("small", "cpu", seeds=2), "here"), 8)


class StatisticsTest(parameterized.TestCase):
    def test_the_interval_is_that_of_the_t_distribution_and_p_that_of_scipys_paired_test(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(size=(2, 5))
        found = statistics.paired(dict(enumerate(a)), dict(enumerate(b)))
        d, half = a - b, scipy.stats.t.ppf(0.975, 4) * np.std(a - b, ddof=1) / np.sqrt(5)
        np.testing.assert_allclose([found.low, found.high], [d.mean() - half, d.mean() + half])
        self.assertAlmostEqual(found.p, scipy.stats.ttest_rel(a, b).pvalue)

    def test_one_seed_has_no_interval_and_none_no_difference(self):
        self.assertEqual(statistics.paired({0: 2.0}, {0: 1.0}), statistics.Difference(1.0, None, None, None, 1))
        self.assertIsNone(statistics.paired({0: 2.0}, {1: 1.0}))
        self.assertIsNone(statistics.mean({}))

    def test_differences_that_are_all_alike_have_an_interval_of_a_point(self):
        found = statistics.paired({0: 2.0, 1: 3.0}, {0: 1.0, 1: 2.0})
        self.assertEqual(found, statistics.Difference(1.0, 1.0, 1.0, None, 2))

    @parameterized.parameters(
        ((1.0, 0.5, 1.5), True, 2.0, "as published, beyond the spread over seeds"),
        ((-1.0, -1.5, -0.5), True, 2.0, "against the published direction, beyond the spread over seeds"),
        ((-1.0, -1.5, -0.5), False, None, "better, beyond the spread over seeds"),
        ((-1.0, -1.5, 0.5), True, None, "worse, within the spread over seeds"),
        ((0.0, 0.0, 0.0), True, 2.0, "no difference"),
    )
    def test_the_verdict_compares_signs_and_the_interval_with_0(self, ours, higher, published, words):
        difference = statistics.Difference(*ours, 0.05, 3)
        self.assertEqual(summaries.Pair("", "b", "a", "f", higher, difference, published).verdict, words)


if __name__ == "__main__":
    absltest.main()
