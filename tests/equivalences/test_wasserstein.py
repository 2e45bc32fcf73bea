"""Penalties of `gan`'s discriminate phase on critics of a known gradient: one step by hand."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws

X, Z = draws(3, 8, 2), draws(4, 8, 3)
W = np.array([1.2, -0.9])  # of length 1.5
RATE = 0.1
TOLERANCE = 2e-6  # float32


def densities():
    linear = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    linear.set_weights([W[:, None], np.array([0.3])])
    return {
        "prior": toys.Given(Z),
        "decoder": ugm_tf.Density(toys.mlp(3, 2, seed=1), "point"),
        "discriminator": ugm_tf.Density(linear, "logit"),
    }


def step(**hyperparameters):
    parts = densities()
    fake = parts["decoder"](Z).numpy()
    recipe = ugm_tf.recipes.gan(**hyperparameters)
    values = toys.model(recipe, parts, RATE).run_phases(X)
    return {name: value.numpy() for name, value in values.items()}, parts["discriminator"].get_weights()[0][:, 0], fake


class LinearCriticTest(parameterized.TestCase):
    def test_the_penalty_is_the_squared_excess_of_its_slopes_length_wherever_it_is_asked(self):
        values, _, _ = step(contest="wasserstein")
        self.assertAlmostEqual(values["discriminate/gradient_penalty"], (1.5 - 1.0) ** 2, delta=TOLERANCE)

    @parameterized.parameters(0.0, 2.5, None)
    @pytest.mark.slow
    def test_the_critics_step_by_hand(self, weight):
        _, after, fake = step(contest="wasserstein", gradient_penalty=weight)
        weight = 10.0 if weight is None else weight  # the default
        # Of mean w.fake - mean w.x + weight (|w| - 1)^2 by w.
        gradient = fake.mean(0) - X.numpy().mean(0) + weight * 2 * (1.5 - 1.0) * W / 1.5
        np.testing.assert_allclose(after, W - RATE * gradient, atol=1e-5)

    def test_the_values_are_the_critics_means(self):
        values, _, fake = step(contest="wasserstein")
        self.assertAlmostEqual(values["discriminate/real"], -(X.numpy() @ W + 0.3).mean(), delta=TOLERANCE)
        self.assertAlmostEqual(values["discriminate/fake"], (fake @ W + 0.3).mean(), delta=TOLERANCE)
        loss = values["discriminate/real"] + values["discriminate/fake"] + 10.0 * 0.25
        self.assertAlmostEqual(values["discriminate/loss"], loss, delta=1e-5)

    def test_r1_is_half_gamma_times_the_squared_slope_on_data(self):
        values, after, fake = step(r1=0.8)
        self.assertAlmostEqual(values["discriminate/r1"], 1.5**2, delta=TOLERANCE * 10)
        on_real = -toys.sigmoid(-(X.numpy() @ W + 0.3))
        on_fake = toys.sigmoid(fake @ W + 0.3)
        gradient = (on_real[:, None] * X.numpy()).mean(0) + (on_fake[:, None] * fake).mean(0) + 0.8 * W
        np.testing.assert_allclose(after, W - RATE * gradient, atol=1e-5)

    def test_a_critic_of_slope_1_pays_nothing(self):
        parts = densities()
        parts["discriminator"].network.set_weights([W[:, None] / 1.5, np.array([0.3])])
        values = toys.model(ugm_tf.recipes.gan(contest="wasserstein"), parts, RATE).run_phases(X)
        self.assertAlmostEqual(values["discriminate/gradient_penalty"].numpy(), 0.0, delta=TOLERANCE)


if __name__ == "__main__":
    absltest.main()
