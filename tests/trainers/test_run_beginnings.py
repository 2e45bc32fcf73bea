"""A run by its settings: its data, the weights that it begins with, the best epoch, rates that fall."""

import dataclasses
import json
import pathlib
import shutil
import tempfile
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest

import ugm_tf
from tests.conformance import table
from tests.trainers.test_run import SMALL, train, without_an_end
from trainers import evaluation, fitting, metrics, run
from trainers.rates import Rate


@pytest.mark.slow
class BeginningsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = pathlib.Path(tempfile.mkdtemp())
        cls.finished = train(SMALL, cls.path / "run")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.path)
        super().tearDownClass()

    def test_knows_its_data_and_says_so(self):
        data = self.finished.directory.read_json("data")["dataset"]
        self.assertEqual(data["class_names"], list("0123456789"))
        self.assertEqual(data["fingerprint"], ugm_tf.data.load("digits", "test").fingerprint.to_dict())
        report = (self.path / "run" / "report.html").read_text()
        self.assertIn("digits: 1,797 examples read (train 1,297, validation 250, test 250) in 10 classes.", report)
        self.assertIn("; of the weights after 15 steps", report)

    def test_does_not_go_on_with_other_data(self):
        directory = self.path / "other_data"
        shutil.copytree(self.path / "run", directory)
        data = (directory / "data.json").read_text()
        other = ugm_tf.data.load("digits", "train", image_size=4).fingerprint.to_dict()
        (directory / "data.json").write_text(
            json.dumps({"dataset": json.loads(data)["dataset"] | {"fingerprint": other}})
        )
        with self.assertRaisesRegex(
            ValueError, "data of --dataset are not those .*: image_size was 4 and is as stored"
        ):
            train(SMALL, directory)
        with self.assertRaisesRegex(ValueError, "image_size was 4"):
            run.summary.write_again(directory)
        with self.assertRaisesRegex(ValueError, "image_size was 4"):
            evaluation.evaluate(directory)

    def test_ends_with_the_best_epoch_however_it_was_stopped(self):
        settings = dataclasses.replace(SMALL, keep_best="val_wake/rate", patience=2, epochs=5)
        with without_an_end():
            found = train(settings, self.path / "best")
            again = train(settings, self.path / "best")
        rows = metrics.read(self.path / "best" / "metrics.csv")
        best = min(range(len(rows)), key=lambda i: rows[i]["val_wake/rate"])
        self.assertEqual(len(rows), min(5, best + 3))
        self.assertEqual(int(found.model.steps), 5 * (best + 1))
        table.assert_same(table.state(again.model), table.state(found.model))

    def test_may_begin_with_the_weights_of_another_run(self):
        settings = dataclasses.replace(SMALL, init_from=str(self.path / "run"), learning_rate=0.0, epochs=1)
        with without_an_end():
            found = train(settings, self.path / "tuned")
        for ours, theirs in zip(found.model.decoder.weights, self.finished.model.decoder.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        self.assertEqual(int(found.model.steps), 5)

    def test_a_rate_that_falls_is_that_of_the_whole_run_when_it_goes_on(self):
        settings = dataclasses.replace(SMALL, learning_rate=Rate("cosine", 1e-2), epochs=2)
        stop = mock.patch.object(fitting.Progress, "on_epoch_end", mock.Mock(side_effect=KeyboardInterrupt))
        with without_an_end():
            whole = train(settings, self.path / "whole")
            with stop, self.assertRaises(KeyboardInterrupt):
                train(settings, self.path / "halted", checkpoint_steps=2)
            again = train(settings, self.path / "halted")
        table.assert_same(table.state(again.model), table.state(whole.model))
        self.assertAlmostEqual(float(again.model.optimizers["wake"].learning_rate), 0.0)


if __name__ == "__main__":
    absltest.main()
