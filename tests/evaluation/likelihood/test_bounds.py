"""Bounds on log p(x): against linear-Gaussian models, a mixture by quadrature, and their own promises."""

import functools
from unittest import mock

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.evaluation.exact import assert_within
from tests.evaluation.likelihood.linear import Linear
from ugm_tf.evaluation.likelihood import bounds, bounds_by_example, inputs

CASES = {  # code, size, scale of x, encoder's width in posterior deviations
    "narrow": (1, 3, 0.05, 1.5),
    "own_scales": (2, 5, [0.3, 0.5, 1.0, 2.0, 4.0], 1.8),
    "narrow_plane": (2, 6, 0.05, 2.0),
}
MORE = {
    "code_of_three": (3, 2, 0.5, 2.0),
    "code_of_five": (5, 3, 1.0, 1.6),
    "one_number": (1, 1, 1.0, 1.5),
    "wide": (1, 4, 3.0, 2.0),
}


class ExactTest(parameterized.TestCase):
    @parameterized.named_parameters((name, *case) for name, case in CASES.items())
    def test_many_draws_give_log_p_of_each_example(self, code, size, scale, width):
        self.check(code, size, scale, width)

    @parameterized.named_parameters((name, *case) for name, case in MORE.items())
    @pytest.mark.slow
    def test_and_of_more_models(self, code, size, scale, width):
        self.check(code, size, scale, width)

    def check(self, code, size, scale, width):
        linear = Linear(1, code, size, scale, exact=width)
        x = linear.draw(20)
        # Over 8 seeds the errors have 0.94 to 1.04 of their standard errors, and 1 in 160 has above 3: a draw of
        # seed 0, which two cases share.
        found = bounds_by_example(linear.model, x, ks=(1, 50, 5000), jit_compile=False, seed=1)
        error = found.values[5000] - linear.log_prob(x)
        np.testing.assert_array_less(
            np.abs(error), 3 * found.errors[5000] + 2e-4
        )  # float32 of sums of squares / 0.05^2
        self.assertLess(abs(np.mean(error)), 3 * np.sqrt(np.sum(found.errors[5000] ** 2)) / 20 + 2e-4)

    @parameterized.parameters((1, 1.0), (4, 0.05))
    def test_the_posterior_itself_gives_it_at_one_draw(self, size, scale):
        linear = Linear(2, 1, size, scale, exact=1.0)
        x = linear.draw(10)
        found = bounds_by_example(linear.model, x, ks=(1, 10), jit_compile=False)
        for k in (1, 10):
            np.testing.assert_allclose(found.values[k], linear.log_prob(x), atol=2e-3)
        np.testing.assert_allclose(found.effective_draws, 10.0, rtol=1e-3)

    def test_the_mean_over_examples_is_the_entropy_of_the_model(self):
        linear = Linear(3, 2, 3, 0.7, exact=1.5)
        found = bounds(linear.model, linear.draw(2000), ks=(200,), jit_compile=False)[200]
        assert_within(self, found, -linear.entropy())

    def test_one_draw_is_the_elbo(self):
        linear = Linear(4, 2, 3)
        rate, distortion, _, _ = linear.figures()
        assert_within(self, bounds(linear.model, linear.draw(4000), ks=(1,), jit_compile=False)[1], -rate - distortion)

    def test_a_mixture_by_quadrature(self):
        """x = tanh(2 z) + noise: two clusters, log p(x) by a sum over a fine grid of z."""
        network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="tanh"), keras.layers.Dense(1)])
        network.set_weights([np.array([[2.0]]), np.zeros(1), np.array([[1.0]]), np.zeros(1)])
        encoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
        encoder.set_weights([np.array([[0.8, 0.0]]), np.array([0.0, 0.5])])
        densities = {
            "prior": ugm_tf.Prior((1,)),
            "encoder": ugm_tf.Density(encoder, "gaussian"),
            "decoder": ugm_tf.Density(network, ugm_tf.densities.Gaussian(scale=0.3)),
        }
        model = ugm_tf.UnifiedModel(ugm_tf.recipes.vae(), densities)
        x = np.linspace(-1.5, 1.5, 11, dtype=np.float32)[:, None]
        z = np.linspace(-8, 8, 200_001)
        joint = scipy.stats.norm.pdf(x, np.tanh(2 * z), 0.3) * scipy.stats.norm.pdf(z)
        truth = np.log(np.sum(joint, 1) * (z[1] - z[0]))
        found = bounds_by_example(model, x, ks=(10_000,), jit_compile=False)
        np.testing.assert_array_less(np.abs(found.values[10_000] - truth), 3 * found.errors[10_000] + 1e-5)


class PromisesTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.linear = Linear(5, 2, 4, 0.5)  # an encoder that is far off
        cls.x = cls.linear.draw(7)

    @classmethod
    @functools.cache
    def bounds(cls, ks, seed=0, chunk=100):
        return bounds_by_example(cls.linear.model, cls.x, ks, seed, chunk, jit_compile=False)

    @parameterized.parameters(0, 1)
    def test_more_draws_never_lower_the_bound_of_any_example(self, seed):
        values = self.bounds((1, 5, 50, 500), seed=seed).values
        for k, more in ((1, 5), (5, 50), (50, 500)):
            self.assertTrue(np.all(values[k] <= values[more] + 1e-12))

    def test_the_draws_of_the_most_do_not_depend_on_the_lesser_ones(self):
        np.testing.assert_allclose(
            self.bounds((1, 5, 50, 500)).values[500], self.bounds((50, 500)).values[500], rtol=1e-12
        )

    def test_the_same_draws_in_other_blocks(self):
        """The mean over blocks of k=1 is the mean of all log-weights, whatever is larger."""
        np.testing.assert_allclose(self.bounds((1, 5, 50, 500)).values[1], self.bounds((1, 500)).values[1], rtol=1e-12)

    def test_blocks_of_several_chunks(self):
        """k=4 in chunks of two: blocks end where they should, or k=8 would not be their joint mean."""
        found = self.bounds((1, 4, 8), chunk=2)
        self.assertEqual(found.chunk, 2)
        self.assertTrue(np.all(found.values[1] <= found.values[4]) and np.all(found.values[4] <= found.values[8]))
        self.assertTrue(np.all(found.errors[1] > 0) and np.all(found.errors[4] > 0))

    def test_errors_are_the_spread_over_draws(self):
        """Two hundred copies of one example have their own draws each."""
        linear = Linear(5, 2, 4, 0.5, exact=2.0)
        x = np.repeat(linear.draw(1), 200, 0)
        found = bounds_by_example(linear.model, x, (20, 200), jit_compile=False)
        for k in (20, 200):
            ratio = np.std(found.values[k], ddof=1) / np.sqrt(np.mean(found.errors[k] ** 2))
            self.assertBetween(ratio, 0.8, 1.25)

    @pytest.mark.slow
    def test_xla_gives_the_same(self):
        compiled = bounds_by_example(self.linear.model, self.x, (1, 5, 50, 500), jit_compile=True).values
        for k, value in self.bounds((1, 5, 50, 500)).values.items():
            np.testing.assert_allclose(value, compiled[k], rtol=1e-4)

    @pytest.mark.slow
    def test_it_is_the_model_s_own_bound(self):
        own = np.mean([self.linear.model.log_prob_bound(self.x, k=50, seed=s) for s in range(40)], 0)
        found = self.bounds((1, 5, 50, 500))
        np.testing.assert_array_less(np.abs(found.values[50] - own), 6 * found.errors[50])

    def test_the_protocol_is_in_fields(self):
        found = bounds(self.linear.model, self.x, ks=(5, 50), seed=3, jit_compile=False)
        how = found[5].how
        self.assertEqual((how["k"], how["blocks"], how["chunk"], how["seed"]), (5, 10, 50, 3))
        self.assertEqual((found[5].n, how["error_over"]), (7, "examples and draws"))

    def test_one_example_has_the_error_of_its_draws(self):
        alone = bounds(self.linear.model, self.x[:1], ks=(5, 50), jit_compile=False)[50]
        self.assertEqual(alone.how["error_over"], "draws")
        self.assertEqual(alone.error, alone.how["error_of_draws"])


class RecipesTest(parameterized.TestCase):
    SHAPES = {"x": (4,), "z": (2,), "h": (3,), "c": (3,)}

    @parameterized.parameters("conditional_vae", "hierarchical_vae")
    def test_of_two_kinds(self, name):
        self.check(name)

    @parameterized.parameters("iaf_vae", "semi_supervised_vae", "stacked_semi_supervised_vae", "reweighted_wake_sleep")
    @pytest.mark.slow
    def test_of_every_kind(self, name):
        self.check(name)

    def check(self, name):
        recipe = ugm_tf.recipes.get(name)
        used = {v for role in recipe.roles.values() for v in (role.of, *role.given)}
        shapes = {v: shape for v, shape in self.SHAPES.items() if v in used}
        densities = ugm_tf.networks.build(recipe, shapes, hidden=(4,), likelihood="gaussian")
        model = ugm_tf.UnifiedModel(recipe, densities)
        x = np.random.default_rng(0).normal(size=[5, 4])
        given = {"c": np.eye(3)[[0, 1, 2, 0, 1]]} if name == "conditional_vae" else {}
        found = bounds(model, x, ks=(1, 20), jit_compile=False, **given)
        self.assertLessEqual(found[1].value, found[20].value)


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"ks": (2, 5)}, "2 does not divide 5: give 4 in its place"),
        ({"ks": ()}, "at least one k"),
        ({"ks": (True,)}, "whole number of at least 1. Received: True"),
        ({"ks": (2.5,)}, "whole number of at least 1. Received: 2.5"),
        ({"chunk": 0}, "chunk of bounds.. is a whole number of at least 1"),
        ({"seed": -1}, "seed of bounds.. is a whole number of at least 0"),
        ({"c": np.ones([2, 3])}, "takes x alone. Received by name: c"),
        ({"jit_compile": "no"}, "jit_compile is True, False or 'auto'"),
    )
    def test_of_arguments(self, arguments, advice):
        with self.assertRaisesRegex(ValueError, advice):
            bounds(Linear(0, 1, 2).model, np.zeros([2, 2]), **{"jit_compile": False, **arguments})

    @parameterized.parameters(
        (np.zeros([0, 4]), "at least 1 row"),
        (np.full([3, 4], np.nan), "NaN or infinity in 3 of 3 rows"),
        (np.full([3, 4], 255.0), "Received data of x between 255 and 255"),
        (np.zeros([3, 5]), r"takes x of shape \(4,\)"),
        (np.array([["a"] * 4]), "must be numbers. Received strings"),
    )
    def test_of_data(self, x, advice):
        recipe = ugm_tf.recipes.vae()
        densities = ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,)}, hidden=(4,), likelihood="bernoulli")
        with self.assertRaisesRegex(ValueError, advice):
            bounds(ugm_tf.UnifiedModel(recipe, densities), x)

    def test_of_a_model_that_bounds_nothing(self):
        recipe = ugm_tf.recipes.gan()
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,)}, hidden=(4,)))
        with self.assertRaisesRegex(ValueError, "A bound takes a prior, an encoder and a decoder.*`annealed`"):
            bounds(model, np.zeros([3, 4]))


class CompiledTest(absltest.TestCase):
    def test_without_a_gpu_only_where_that_gains_or_is_asked_for(self):
        model = Linear(0, 1, 2).model
        for asked, on_cpu, gpus, expected in (
            ("auto", False, [], False),
            ("auto", True, [], True),
            ("auto", False, ["GPU:0"], True),
            (True, False, [], True),
            (False, True, ["GPU:0"], False),
        ):
            with mock.patch.object(tf.config, "list_logical_devices", lambda *_, found=gpus: found):
                self.assertEqual(inputs.compiles(model, asked, on_cpu), expected, (asked, on_cpu, gpus))


if __name__ == "__main__":
    absltest.main()
