"""A probe in a run: training goes the same way, and its curves and words are kept beside it."""

import dataclasses
import pathlib

import pytest
from absl.testing import absltest

from tests.conformance import table
from tests.trainers.test_run import SMALL, train, without_an_end
from trainers import metrics, probing


class ProbingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path)

    def test_training_goes_the_same_way_and_its_rows_are_apart(self):
        with without_an_end():
            plain, probed = (train(SMALL, self.path / str(every), probe_every=every) for every in (None, 4))
        table.assert_same(table.state(plain.model), table.state(probed.model))
        self.assertEqual(plain.directory.metrics.read_bytes(), probed.directory.metrics.read_bytes())
        self.assertFalse(plain.directory.probe.exists())
        rows = metrics.read(probed.directory.probe)
        self.assertEqual(rows[-1]["epoch"], 2)
        self.assertEqual(rows[-1]["step"], 15)
        self.assertIn("probe/rate", rows[0])
        self.assertNotEmpty(list((probed.directory.path / "tensorboard").rglob("events.*")))

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

    @pytest.mark.slow
    def test_a_run_that_was_stopped_goes_on_to_the_same_bits_and_repeats_no_row(self):
        settings = dataclasses.replace(SMALL, recipe="gan", learning_rate=1e-4)
        with without_an_end():
            whole = train(settings, self.path / "whole", probe_every=4)
            short = dataclasses.replace(settings, epochs=2)
            train(short, self.path / "parts", probe_every=4)
            parts = train(settings, self.path / "parts", probe_every=4)
        table.assert_same(table.state(whole.model), table.state(parts.model))
        self.assertEqual(whole.directory.metrics.read_bytes(), parts.directory.metrics.read_bytes())
        epochs = [row["epoch"] for row in metrics.read(parts.directory.probe)]
        self.assertEqual(epochs, sorted(set(epochs)))

    @pytest.mark.slow
    def test_the_report_has_its_section(self):
        done = train(dataclasses.replace(SMALL, recipe="aavae"), self.path / "run", probe_every=5)
        self.assertEqual(done.end.failures, [])
        text = done.directory.report.read_text()
        for words in ("What the phases descend", "discriminator_gap", "active_units"):
            self.assertIn(words, text)


if __name__ == "__main__":
    absltest.main()
