"""Training stops before a batch that does not fit, with what was learned before."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table

GOOD = table.arrays(ugm_tf.recipes.vae(), 16)["x"]


class StoppedTest(parameterized.TestCase):
    """Training stops before a bad batch, as if it had never come."""

    @parameterized.parameters(
        {"steps_per_execution": 1}, {"steps_per_execution": 8}, {"steps_per_execution": 8, "jit_compile": True}
    )
    @pytest.mark.slow
    def test_with_what_was_learned_before(self, **options):
        good = np.tile(GOOD, (2, 1, 1, 1))  # four batches of 8
        bad = good.copy()
        bad[25, 0, 0, 0] = np.nan
        data = [tf.data.Dataset.from_tensor_slices(x).batch(8, drop_remainder=True) for x in (good[:24], bad)]
        expected, stopped = (table.model(*table.VAE[1:], **options) for _ in data)
        expected.fit(data[0], verbose=0)
        with self.assertRaisesRegex(
            ValueError, "before step 4, .*NaN or infinity, first in example 1.*1 of 512 values"
        ):
            stopped.fit(data[1], verbose=0)
        self.assertEqual(int(stopped.steps), 3)
        table.assert_same(table.state(stopped), table.state(expected))

    @pytest.mark.slow
    def test_unless_nobody_looks(self):
        bad = np.concatenate([GOOD, 2.0 * GOOD - 1.0])  # a NaN would end the training, but for another reason
        data = tf.data.Dataset.from_tensor_slices(bad).batch(16)
        of = table.model(*table.VAE[1:], check_values=False)
        of.fit(data, verbose=0)
        self.assertEqual(int(of.steps), 2)
        self.assertFalse(keras.models.clone_model(of).check_values)  # it is part of how the model was compiled
        with self.assertRaisesRegex(ValueError, "check_values is True or False. Received: 'no'"):
            of.compile(check_values="no")

    @parameterized.parameters(
        ("discretized_logistic", 1.0 / 255, 0.5 / 255),
        ("continuous_bernoulli", 0.3, 1.01),
        ("laplace", -7.0, np.inf),
    )
    @pytest.mark.slow
    def test_at_what_each_likelihood_does_not_take(self, likelihood, inside, outside):
        of = table.model("vae", {}, table.networks(likelihood=likelihood))
        self.assertNotIn(None, of.train_on_batch(np.full_like(GOOD, inside)))
        with self.assertRaisesRegex(ValueError, "Training stopped before step 2"):
            of.train_on_batch(np.full_like(GOOD, outside))

    @pytest.mark.slow
    def test_at_rows_that_are_no_classes(self):
        of, c = table.model("conditional_vae", {}, table.dense), np.eye(3, dtype=np.float32)[np.arange(16) % 3]
        of.train_on_batch({"x": GOOD, "c": c})
        for bad in (0.5 * c, c + 1.0, 0.0 * c):
            with self.assertRaisesRegex(ValueError, "Training stopped before step .* a one-hot vector"):
                of.train_on_batch({"x": GOOD, "c": bad})

    def test_in_eager_steps_too(self):
        of = table.model(*table.VAE[1:], run_eagerly=True)
        with self.assertRaisesRegex(ValueError, "between 0 and 255"):
            of.train_on_batch(255.0 * GOOD)
        self.assertEqual(int(of.steps), 0)


if __name__ == "__main__":
    absltest.main()
