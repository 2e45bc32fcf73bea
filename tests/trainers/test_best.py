"""The best epoch: which it is, when it is saved, when a run is over; a function of the rows alone."""

import pathlib
import re
from unittest import mock

from absl.testing import absltest, parameterized

import ugm_tf
from trainers import best

VALUES = [5.0, 3.0, 4.0, 2.0, float("nan"), 2.5, 2.0]


def rows(values):
    return [{"epoch": epoch, "val_loss": value} for epoch, value in enumerate(values)]


class KeepBestTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "best.keras"
        self.model = mock.Mock(stop_training=False)
        self.model.save = lambda path: path.write_text(f"epoch {self.now}")

    def follow(self, values, start=0, patience=None):
        keep = best.KeepBest(self.path, "val_loss", rows(values[:start]), patience)
        keep.set_model(self.model)
        for self.now in range(start, len(values)):
            keep.on_epoch_end(self.now, {"val_loss": values[self.now]})
            if self.model.stop_training:
                break
        return keep

    def test_keeps_the_model_of_the_first_lowest_value(self):
        keep = self.follow(VALUES)
        self.assertEqual((keep.epoch, keep.value), (3, 2.0))
        self.assertEqual(self.path.read_text(), "epoch 3")
        self.assertEqual([path.name for path in self.path.parent.iterdir()], ["best.keras"])  # no draft

    @parameterized.parameters(*range(1, len(VALUES)))
    def test_stopped_anywhere_it_goes_on_to_the_same(self, start):
        self.follow(VALUES[:start])
        keep = self.follow(VALUES, start)
        self.assertEqual((keep.epoch, self.path.read_text()), (3, "epoch 3"))

    def test_stops_so_many_epochs_after_the_best_one(self):
        for patience, last in ((1, 2), (2, 5), (3, 6), (4, 6)):
            self.model.stop_training = False
            keep = self.follow(VALUES, patience=patience)
            self.assertEqual(self.now, last, patience)
            self.assertEqual(keep.over, patience < 4)

    def test_knows_from_the_rows_that_it_is_over(self):
        self.assertTrue(best.KeepBest(self.path, "val_loss", rows(VALUES[:3]), patience=1).over)
        self.assertFalse(best.KeepBest(self.path, "val_loss", rows(VALUES[:2]), patience=1).over)
        self.assertFalse(best.KeepBest(self.path, "val_loss", rows(VALUES[:3])).over)
        self.assertFalse(best.KeepBest(self.path, "val_loss", [], patience=1).over)

    def test_epochs_that_were_not_validated_are_passed_over_and_count(self):
        keep = best.KeepBest(self.path, "val_loss", [{"epoch": 0, "val_loss": 1.0}, {"epoch": 1}, {"epoch": 2}], 2)
        self.assertEqual((keep.epoch, keep.over), (0, True))

    def test_of_several_columns_the_sum_counts(self):
        values = [{"epoch": 0, "a": 1.0, "b": 5.0}, {"epoch": 1, "a": 3.0, "b": 2.0}, {"epoch": 2, "a": 0.0}]
        keep = best.KeepBest(self.path, "a+b", values)
        self.assertEqual((keep.epoch, keep.value), (1, 5.0))

    def test_says_the_best_epoch_and_what_ended_the_run(self):
        ended = "; the run ended 1 epochs after it, by --patience."
        for values, patience, words in ((VALUES[:3], 1, ended), (VALUES[:2], 1, ".")):
            keep = best.KeepBest(self.path, "val_loss", rows(values), patience)
            with mock.patch.object(ugm_tf, "load_model"), self.assertLogs("ugm_tf.trainers", "INFO") as logged:
                keep.best(None)
            self.assertRegex(logged.output[0], rf"Best epoch \(from 0\): \d, with val_loss = [^;]*{re.escape(words)}$")

    def test_without_a_number_the_last_weights_are_the_best(self):
        keep = self.follow([float("nan")] * 2)
        with self.assertLogs("ugm_tf.trainers", "WARNING") as logged:
            self.assertIs(keep.best(self.model), self.model)
        self.assertIn("val_loss was never a number", logged.output[0])
        self.assertFalse(self.path.exists())


if __name__ == "__main__":
    absltest.main()
