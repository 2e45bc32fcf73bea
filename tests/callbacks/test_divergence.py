"""A run that diverges stops at once, and no checkpoint of it is written."""

import pathlib

import keras
import numpy as np
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf.callbacks import Checkpoints, DivergenceMonitor


class DivergenceMonitorTest(parameterized.TestCase):
    def test_names_the_step_the_metric_and_what_to_try(self):
        model = table.model(*table.VAE[1:], optimizer=keras.optimizers.SGD(1e30))
        advice = r"diverged by step 2: .*wake/loss = (nan|inf).*Lower the learning rate.*checkpoint is from before"
        with self.assertRaisesRegex(FloatingPointError, advice):
            model.fit(table.dataset(model.recipe), callbacks=[DivergenceMonitor()], verbose=0)
        self.assertEqual(int(model.steps), 2)

    def test_no_checkpoint_of_it_is_written(self):
        directory = pathlib.Path(self.create_tempdir().full_path)
        model = table.model(*table.VAE[1:], optimizer=keras.optimizers.SGD(1e30))
        checkpoints = Checkpoints(directory, 1)
        checkpoints.restore(model)
        with self.assertRaises(FloatingPointError):
            model.fit(table.dataset(model.recipe), callbacks=[DivergenceMonitor(), checkpoints], verbose=0)
        self.assertEqual([path.name for path in directory.glob("*.index")], ["ckpt-1.index"])

    @parameterized.parameters(np.nan, np.inf, -np.inf)
    def test_each_number_that_is_not_finite(self, value):
        monitor = DivergenceMonitor()
        monitor.set_model(table.model(*table.VAE[1:]))
        with self.assertRaisesRegex(FloatingPointError, f"step 0: wake/rate = {value}. "):
            monitor.on_train_batch_end(0, {"wake/rate": value, "wake/loss": 1.0})

    def test_finite_numbers_pass(self):
        DivergenceMonitor().on_train_batch_end(0, {"wake/rate": 1e30, "wake/loss": -3.0})


if __name__ == "__main__":
    absltest.main()
