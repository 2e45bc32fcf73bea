import math

import numpy as np
from absl.testing import absltest, parameterized

from trainers import curves


def rows(number=5, **columns):
    """Rows by epoch; a column is a function of the epoch."""
    return [{"epoch": e} | {name.replace("__", "/"): float(f(e)) for name, f in columns.items()} for e in range(number)]


class CurvesTest(parameterized.TestCase):
    def chart(self, *values, validation=()):
        table = [{"epoch": e, "p/m": v} for e, v in enumerate(values)]
        for e, value in enumerate(validation):
            table[e] |= {} if value is None else {"val_p/m": value}
        return curves.curves(table).phases["p"][0]

    def test_training_and_validation_share_a_chart(self):
        chart = self.chart(1.0, 2.0, validation=(3.0, 4.0))
        self.assertEqual(
            [(line.part, line.last) for line in chart.lines], [("training", "2.000"), ("validation", "4.000")]
        )

    def test_charts_are_grouped_by_phase_in_order_of_appearance(self):
        table = rows(wake__b=float, wake__a=float, loss=float, val_sleep__c=float, step=float)
        phases = curves.curves(table).phases
        self.assertEqual(
            {p: [c.name for c in charts] for p, charts in phases.items()},
            {"wake": ["b", "a"], "": ["loss"], "sleep": ["c"]},
        )
        self.assertEqual([line.part for line in phases["sleep"][0].lines], ["validation"])

    def test_a_line_is_where_its_ticks_say(self):
        table = rows(11, p__m=lambda e: 10 * e)
        drawn = curves.curves(table)
        chart = drawn.phases["p"][0]
        at = {tick.text: tick.at for tick in chart.ticks}
        self.assertAlmostEqual(chart.lines[0].y[5], at["50"], delta=0.1)
        self.assertAlmostEqual(drawn.x[4], {tick.text: tick.at for tick in drawn.ticks}["4"], delta=0.1)
        self.assertGreater(at["0"], at["100"])  # y grows downwards in SVG

    @parameterized.parameters((math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"))
    def test_what_is_not_finite_is_a_gap_and_named(self, value, word):
        chart = self.chart(1.0, 2.0, value, value, 3.0, 1.0, value, 2.0)
        (line,) = chart.lines
        self.assertEqual(line.path.count("M"), 2)
        self.assertLen(line.points, 1)
        self.assertLen(line.faults, 3)
        self.assertEqual(line.text[2], word)
        self.assertEqual(chart.faults, (f"Training is {word} at epochs 2–3, 6",))

    def test_what_was_not_measured_is_passed_over(self):
        line = self.chart(1.0, 2.0, 3.0, validation=(1.0, None, 2.0)).lines[1]
        self.assertEqual((line.path.count("M"), line.path.count("L")), (1, 1))
        self.assertEqual((line.text[1], line.faults), ("", ()))

    def test_nothing_finite_at_all_still_has_a_chart(self):
        chart = self.chart(math.nan, math.nan)
        self.assertEqual((chart.lines[0].path, chart.faults), ("", ("Training is NaN at epochs 0–1",)))

    def test_one_epoch_is_a_point(self):
        line = self.chart(2.0).lines[0]
        self.assertEqual((line.path, line.points), ("", ((curves.LEFT, (curves.TOP + curves.BOTTOM) / 2),)))

    def test_a_start_that_would_flatten_the_rest_is_shown_faintly_on_a_scale_of_its_own(self):
        chart = self.chart(543.0, *np.linspace(20.0, 10.0, 19).tolist())
        self.assertEqual(chart.notes, ("Faint: every epoch, on a scale from 10.00 to 543.0.",))
        self.assertStartsWith(chart.lines[0].whole, f"M{curves.LEFT:.1f} {curves.TOP:.1f}L")
        self.assertEndsWith(chart.lines[0].whole, f" {curves.BOTTOM:.1f}")
        self.assertIsNone(chart.lines[0].y[0])
        self.assertLess(chart.lines[0].y[1], chart.lines[0].y[19] - 100)  # the rest has the height

    def test_a_late_spike_is_shown_in_full(self):
        chart = self.chart(*[1.0, 2.0] * 9, 543.0, 1.0)
        self.assertEqual((chart.notes, chart.lines[0].whole), ((), ""))
        self.assertNotIn(None, chart.lines[0].y)

    def test_no_rows_have_no_charts(self):
        self.assertEqual(curves.curves([]).phases, {})

    @parameterized.parameters(
        (-96.0213, None, "−96.02"),
        (0.97333, None, "0.9733"),
        (17318.0, None, "17,318"),
        (10, None, "10"),
        (np.int64(1234), None, "1,234"),
        (0.0, None, "0"),
        (2.5e-5, None, "2.50e−05"),
        (math.nan, None, "NaN"),
        (-math.inf, 1.0, "−∞"),
        (-17.4312, 0.0831, "−17.431"),
        (17318.4, 120.0, "17,318"),
        (1.25, 0.0, "1.250"),
    )
    def test_numbers_are_written_to_what_is_known(self, value, spread, text):
        self.assertEqual(curves.number(value, spread), text)


if __name__ == "__main__":
    absltest.main()
