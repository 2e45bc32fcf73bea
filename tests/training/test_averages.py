"""Averages of the weights: what they are, where they are used, and that they leave no trace."""

import os
import tempfile

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences.toys import affine_gan, column, weights

X = np.linspace(-1.0, 1.0, 8, dtype=np.float32)[:, None]
MOMENTUM = 0.8


def compiled(momentum=MOMENTUM, **options):
    densities, _ = affine_gan()
    plain = {
        "prior": ugm_tf.Prior((1,)),
        "decoder": ugm_tf.Density(densities["decoder"].network, "point"),
        "discriminator": ugm_tf.Density(densities["discriminator"].network, "logit"),
    }
    model = ugm_tf.UnifiedModel(ugm_tf.recipes.gan(), plain)
    optimizers = {
        "discriminate": keras.optimizers.SGD(0.1),
        "generate": keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum),
    }
    model.compile(optimizers, jit_compile=False, steps_per_execution=1, **options)
    return model


def trained(model, steps=4):
    """The decoder's weights after each step."""
    history = []
    for _ in range(steps):
        model.fit(X, batch_size=8, epochs=1, verbose=0, shuffle=False)
        history.append(weights(model.decoder))
    return history


class AveragedTest(parameterized.TestCase):
    @parameterized.parameters(0.2, MOMENTUM)
    @pytest.mark.slow
    def test_within_it_weights_are_the_exponential_average_of_those_of_the_steps(self, momentum):
        model = compiled(momentum)
        first, *rest = trained(model)
        average = first  # after the first step: no start from zero
        for t, value in enumerate(rest, start=1):
            decay = min(momentum, (1 + t) / (10 + t))
            average = decay * average + (1 - decay) * value
        with model.averaged():
            np.testing.assert_allclose(weights(model.decoder), average, rtol=1e-5)
            self.assertGreater(np.abs(average - rest[-1]).max(), 1e-3)

    @pytest.mark.slow
    def test_the_first_weights_are_forgotten_however_slow_the_decay(self):
        model = compiled(0.9999)
        first, *rest = trained(model, steps=30)
        with model.averaged():
            distances = [np.abs(weights(model.decoder) - value).max() for value in (first, rest[-1])]
        self.assertLess(distances[1], 0.3 * distances[0])

    def test_the_decay_that_was_asked_for_is_kept(self):
        model = compiled()
        trained(model, steps=1)
        self.assertEqual(model.optimizers["generate"].get_config()["ema_momentum"], MOMENTUM)

    @pytest.mark.slow
    def test_what_is_drawn_within_it_is_drawn_with_them(self):
        model = compiled()
        trained(model)
        now = model.decode(column(1.0)).numpy()
        with model.averaged():
            slope, shift = weights(model.decoder)
            np.testing.assert_allclose(model.decode(column(1.0)), [[slope + shift]], rtol=1e-5)
        np.testing.assert_array_equal(model.decode(column(1.0)), now)

    def test_weights_without_an_average_stay(self):
        model = compiled()
        trained(model)
        before = weights(model.discriminator)
        with model.averaged():
            np.testing.assert_array_equal(weights(model.discriminator), before)

    def test_weights_come_back_after_an_error(self):
        model = compiled()
        last = trained(model)[-1]
        with self.assertRaises(KeyError), model.averaged():
            raise KeyError
        np.testing.assert_array_equal(weights(model.decoder), last)

    @pytest.mark.slow
    def test_training_goes_on_as_if_nobody_had_looked(self):
        left, right = compiled(), compiled()
        for model in (left, right):
            trained(model, steps=2)
        with left.averaged():
            left.sample(3)
        np.testing.assert_array_equal(trained(left, steps=2), trained(right, steps=2))

    @pytest.mark.slow
    def test_averages_are_saved_with_the_model(self):
        model = compiled()
        trained(model)
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "model.keras")
            model.save(path)
            loaded = ugm_tf.load_model(path)
        with model.averaged(), loaded.averaged():
            np.testing.assert_array_equal(weights(loaded.decoder), weights(model.decoder))

    def test_refuses_a_model_that_keeps_none(self):
        model = compiled()
        model.compile("sgd")
        with self.assertRaisesRegex(ValueError, "keeps no averages.*use_ema=True.*--ema=0.999"), model.averaged():
            pass

    def test_refuses_a_model_that_was_not_trained(self):
        with self.assertRaisesRegex(ValueError, "Train the model first"), compiled().averaged():
            pass


if __name__ == "__main__":
    absltest.main()
