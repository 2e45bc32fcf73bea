"""What TensorBoard gets beside the metrics."""

import pathlib
from unittest import mock

import keras
import tensorflow as tf
from absl.testing import absltest

from trainers import board
from ugm_tf import grids


class BoardTest(absltest.TestCase):
    def test_gets_equations_settings_learning_rates_and_pictures(self):
        path = pathlib.Path(self.create_tempdir().full_path)
        png = grids.save_png(path / "samples_00000007.png", tf.zeros([4, 8, 8, 1]).numpy())
        rates = {"wake": 0.25, "sleep": keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)}
        model = mock.Mock(optimizers={name: keras.optimizers.SGD(rate) for name, rate in rates.items()})
        model.optimizers["sleep"].iterations.assign(4)
        callback = board.Board(
            path / "train", "wake: minimise", {"recipe": "vae", "epochs": "3"}, mock.Mock(drawn=[png])
        )
        callback.set_model(model)
        for _ in range(2):  # the rest of an epoch, then those that follow
            callback.on_train_begin()
        callback.on_epoch_end(5)
        callback.on_train_end()
        (file,) = (path / "train").iterdir()
        values = [(e.step, v) for e in tf.compat.v1.train.summary_iterator(str(file)) for v in e.summary.value]
        found = {value.tag: (step, value) for step, value in values}
        self.assertIn(b"wake: minimise", found["equations"][1].tensor.string_val[0])
        for tag, rate in (("learning_rate/wake", 0.25), ("learning_rate/sleep", 0.6)):
            self.assertEqual(found[tag][0], 5)
            self.assertAlmostEqual(float(tf.make_ndarray(found[tag][1].tensor)), rate, places=6)
        self.assertEqual(found["samples"][0], 5)
        session = next(v for tag, (_, v) in found.items() if tag.startswith("_hparams_/session_start_info"))
        self.assertIn(b"recipe", session.metadata.plugin_data.content)
        self.assertLen(values, len(found))  # each is written once


if __name__ == "__main__":
    absltest.main()
