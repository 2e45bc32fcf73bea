"""Each recipe trains with mixed_bfloat16 networks, and its nats are as in float32."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.conformance import table


@contextlib.contextmanager
def policy(name):
    old = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(old)


def _first(history):
    """The metrics of the first epoch."""
    return {name: values[0] for name, values in history.items()}


class MixedBfloat16Test(parameterized.TestCase):
    def check(self, row):
        with policy("mixed_bfloat16"):
            model = table.model(*row)
        data = table.dataset(model.recipe)
        history = model.fit(data, epochs=2, verbose=0).history
        self.assertEqual({v.dtype for v in model.trainable_variables}, {"float32"})
        for density in model.densities.values():
            if hasattr(density, "network"):
                self.assertEqual(density.network.compute_dtype, "bfloat16")
        # A bfloat16 has 8 bits: 0.4% a rounding.  A critic's loss is a difference of outputs of order 1.
        with table.trained(*row) as shared:
            table.assert_same(_first(history), _first(shared.history), rtol=0.05, atol=0.05)
            # Adam's steps have the sign of a gradient, however small: after an epoch both are different models.
            self.assertTrue(np.isfinite(list(history.values())).all(), history)
            for name, density in shared.model.densities.items():
                model.densities[name].set_weights(density.get_weights())
            left, right = (m.evaluate(data, verbose=0, return_dict=True) for m in (model, shared.model))
            table.assert_same(left, right, rtol=0.02, atol=0.02)

    @parameterized.named_parameters(*table.CHOSEN)
    @pytest.mark.slow
    def test_metrics_are_those_of_float32_up_to_the_rounding_of_networks(self, *row):
        self.check(row)

    @parameterized.named_parameters(*table.OTHERS)
    @pytest.mark.slow
    def test_metrics_are_those_of_float32_up_to_the_rounding_of_networks_for(self, *row):
        self.check(row)

    @pytest.mark.slow
    def test_distributions_and_answers_are_float32(self):
        with policy("mixed_bfloat16"):
            model = table.model(*table.VAE[1:])
        x = table.arrays(model.recipe, 4)["x"]
        for answer in (model.reconstruct(x), model.encode(x), model.sample(4), model.log_prob_bound(x), model(x)):
            self.assertEqual(answer.dtype, tf.float32)
        self.assertEqual(model.decoder.distribution(model.encode(x)).log_prob(x).dtype, tf.float32)
        self.assertEqual(model.predict(x, verbose=0).dtype, np.float32)


if __name__ == "__main__":
    absltest.main()
