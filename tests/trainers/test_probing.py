"""A probe in a run: training goes the same way, and its curves and words are kept beside it."""

import dataclasses
import math
import pathlib
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from tests.conformance import table
from tests.trainers.test_run import SMALL, train, without_an_end
from trainers import metrics, page, probing

EVERY_4 = probing.Asked(4)


class ProbingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path)

    @pytest.mark.slow
    def test_training_goes_the_same_way_and_is_stopped_and_goes_on(self):
        with without_an_end():
            plain = train(SMALL, self.path / "plain")
            train(dataclasses.replace(SMALL, epochs=2), self.path / "probed", probe=EVERY_4)
            probed = train(SMALL, self.path / "probed", probe=EVERY_4)
        table.assert_same(table.state(plain.model), table.state(probed.model))
        self.assertEqual(plain.directory.metrics.read_bytes(), probed.directory.metrics.read_bytes())
        self.assertFalse(plain.directory.probe.exists())
        rows = metrics.read(probed.directory.probe)
        self.assertEqual([row["epoch"] for row in rows], sorted({row["epoch"] for row in rows}))
        self.assertEqual((rows[-1]["epoch"], rows[-1]["step"]), (2, 15))
        self.assertIn("probe/rate", rows[0])

    def test_takes_enough_validation_examples(self):
        few = mock.Mock(examples=ugm_tf.data.Examples(np.zeros([14, 2], np.float32), split="validation"))
        with self.assertRaisesRegex(
            ValueError, "--probe_every measures on at least 20 validation examples. Received: 14"
        ):
            probing.check(EVERY_4, few)
        probing.check(None, few)
        self.assertEqual(probing.watching(self.path / "probe.csv", None, mock.Mock(), few, None), [])

    def test_rows_are_of_epochs_in_which_it_measured(self):
        probe = mock.Mock(measured_at=5, passed_over=0, latest={"probe/jsd": 0.5}, warnings=("mode dropping",))
        rows = probing.Rows(self.path / "probe.csv", probe)
        rows.set_model(mock.Mock(steps=12))
        with self.assertLogs("ugm_tf.trainers", "WARNING") as logged:
            for epoch in (0, 1):
                rows.on_epoch_end(epoch)
        self.assertLen(logged.output, 1)
        probe.measured_at, probe.latest, probe.warnings = 12, {"probe/jsd": 0.25}, ()
        rows.on_epoch_end(2)
        probe.latest = {"probe/jsd": 0.125}
        rows.on_train_end()  # the last measurement is made after the last epoch's end
        found = [(row["epoch"], row["step"], row["probe/jsd"]) for row in metrics.read(self.path / "probe.csv")]
        self.assertEqual(found, [(0, 5.0, 0.5), (2, 12.0, 0.125)])

    def test_a_measurement_that_was_not_finite_costs_no_later_one_a_column(self):
        probe = mock.Mock(measured_at=5, passed_over=0, latest={"probe/jsd": math.nan}, warnings=())
        rows = probing.Rows(self.path / "probe.csv", probe)
        rows.set_model(mock.Mock(steps=12))
        rows.on_epoch_end(0)
        probe.measured_at, probe.latest = 9, {"probe/jsd": 0.5, "probe/pull": 0.25}
        rows.on_epoch_end(1)
        first, second = metrics.read(self.path / "probe.csv")
        self.assertTrue(math.isnan(first["probe/jsd"]) and math.isnan(first.get("probe/pull", math.nan)))
        self.assertEqual(second, {"epoch": 1, "step": 9.0, "probe/jsd": 0.5, "probe/pull": 0.25})

    def test_measurements_that_its_budget_did_not_allow_are_said(self):
        probe = mock.Mock(measured_at=5, passed_over=7, budget=0.03, latest={"probe/jsd": 0.5}, warnings=())
        rows = probing.Rows(self.path / "probe.csv", probe)
        rows.set_model(mock.Mock(steps=12))
        with self.assertLogs("ugm_tf.trainers", "WARNING") as logged:
            rows.on_train_end()
        self.assertLen(logged.output, 1)
        self.assertIn(
            "7 measurements were passed over, which would have taken more than 3% of the time", logged.output[0]
        )

    @pytest.mark.slow
    def test_a_larger_budget_is_the_probes(self):
        data = mock.Mock(examples=ugm_tf.data.load("digits", "validation"))
        probe, _ = probing.watching(self.path / "probe.csv", probing.Asked(4, 0.5), data, data, None)
        self.assertEqual((probe.every, probe.budget), (4, 0.5))

    def test_the_section_reads_every_recipe_by_one_table(self):
        header = "epoch,step,probe/jsd,probe/pull,probe/spread"
        (self.path / "gan.csv").write_text(f"{header}\n0,5,0.3,0.5,1.0\n2,15,0.6,0.01,0.1\n")
        (self.path / "vae.csv").write_text("epoch,step,probe/rate,probe/active_units\n0,5,3.0,2.0\n")
        gan, vae = (probing.section(self.path / f"{name}.csv", [0, 1, 2]) for name in ("gan", "vae"))
        names = [[line["name"] for line in found["lines"]] for found in (gan, vae)]
        self.assertEqual(*names)
        lines = {line["name"]: line for line in gan["lines"]}
        self.assertEqual(lines["jsd"]["value"], "0.6000")
        self.assertIn("the recipe has no bound on log p(x)", lines["rate"]["meaning"])
        self.assertIn(
            "the recipe has no discriminator", {line["name"]: line for line in vae["lines"]}["jsd"]["meaning"]
        )
        self.assertLen(gan["warnings"], 2)  # mode dropping, saturation
        self.assertEqual(vae["warnings"], ())
        self.assertEqual(gan["curves"].epochs, (0, 1, 2))
        self.assertIsNone(probing.section(self.path / "none.csv", [0]))

    def test_the_report_has_it_in_words_and_curves(self):
        (self.path / "gan.csv").write_text("epoch,step,probe/jsd,probe/spread\n0,5,0.3,1.0\n2,15,0.6,0.1\n")
        rows = [{"epoch": epoch, "discriminate/loss": 1.0 / (1 + epoch)} for epoch in range(3)]
        content = page.Report(title="t", recipe="gan", dataset="d", command="c", equations="e", metrics=rows)
        whole = dataclasses.replace(content, probe=probing.section(self.path / "gan.csv", [0, 1, 2]))
        text = page.write_report(self.path, whole).read_text()
        for words in ("What the phases descend", "Mode dropping: samples have 10%", "after 15 steps", "active_units"):
            self.assertIn(words, text)
        self.assertNotIn("What the phases descend", page.write_report(self.path, content).read_text())


if __name__ == "__main__":
    absltest.main()
