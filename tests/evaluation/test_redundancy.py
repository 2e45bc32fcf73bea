"""Redundancy of codes whose units tell all, nothing, or half of one another."""

import dataclasses
from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.evaluation import has_predictor, redundancy

SHAPES = {"x": (2,), "z": (2,)}
COIN = np.log(2.0)


def model(name="predictability_minimization"):
    recipe = ugm_tf.recipes.get(name)
    keras.utils.set_random_seed(0)
    made = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(), likelihood="gaussian"))
    if has_predictor(made):  # each unit is 1 where its pixel is positive, and 0 where it is negative
        made.encoder.set_weights([20.0 * np.eye(2), np.zeros(2)])
    return made


def coins(agree, n=4000):
    """Pairs of fair coins of -1 and 1, of which this share agree."""
    rng = np.random.default_rng(0)
    first = rng.choice((-1.0, 1.0), n)
    return np.stack([first, np.where(rng.random(n) < agree, first, -first)], -1).astype(np.float32)


class RedundancyTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_it_is_twice_the_information_between_two_units(self):
        self.check(0.75, 0.75 * np.log(0.75) + 0.25 * np.log(0.25) + COIN)

    @parameterized.parameters((0.5, 0.0), (1.0, COIN))
    @pytest.mark.slow
    def test_it_is_twice_the_information_between_units_that_tell_nothing_or_all(self, agree, information):
        self.check(agree, information)

    def check(self, agree, information):
        found = redundancy(model(), coins(agree), coins(agree), learning_rate=3e-2)
        self.assertAlmostEqual(found.marginal, 2 * COIN, delta=0.02)
        self.assertAlmostEqual(found.redundancy, 2 * information, delta=0.03)

    @pytest.mark.slow
    def test_the_model_stays_as_it_was(self):
        made = model()
        before = [v.numpy() for v in made.variables]
        redundancy(made, coins(1.0, 50), coins(1.0, 50), steps=3)
        for a, b in zip(before, made.variables, strict=True):
            np.testing.assert_array_equal(a, b.numpy())

    @pytest.mark.slow
    def test_a_unit_that_never_changes_is_worth_nothing(self):
        x = coins(0.5, 300)
        x[:, 1] = 1.0
        found = redundancy(model(), x, x, steps=1000, learning_rate=3e-2)
        self.assertAlmostEqual(found.marginal, COIN, delta=0.02)
        self.assertAlmostEqual(found.redundancy, 0.0, delta=0.02)

    def test_it_takes_a_predictor(self):
        with self.assertRaisesRegex(
            ValueError, r"Redundancy takes .* This model has: p\(z\), q\(z \| x\), p\(x \| z\)"
        ):
            redundancy(model("vae"), coins(0.5, 4), coins(0.5, 4))

    def test_a_predictor_of_something_else_is_none(self):
        named = ugm_tf.recipes.get("predictability_minimization")
        self.assertTrue(has_predictor(model()))
        other = dataclasses.replace(named, densities={**named.densities, "encoder": "q(z | x, c)"}, data=("x", "c"))
        made = mock.Mock(recipe=other, densities=model().densities)
        self.assertFalse(has_predictor(made))
        made = mock.Mock(recipe=named, densities={**model().densities, "predictor": mock.Mock(event_shape=(3,))})
        self.assertFalse(has_predictor(made))


if __name__ == "__main__":
    absltest.main()
