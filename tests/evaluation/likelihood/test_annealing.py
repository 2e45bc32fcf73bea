"""Annealed estimates of log p(x) against linear-Gaussian models, in both directions."""

from unittest import mock

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from absl.testing import absltest, parameterized

import ugm_tf
from tests.evaluation.exact import assert_within
from tests.evaluation.likelihood.linear import Linear
from ugm_tf.evaluation.likelihood import annealed, annealing, observation_scale, sandwich
from ugm_tf.evaluation.likelihood.hamiltonian import schedule

QUICK = {"chains": 16, "temperatures": 60, "leapfrog": 4, "jit_compile": False}
CASES = {  # code, size, scale of x, temperatures at which the mean error is below 0.1 nats
    "one": (1, 1, 1.0, 100),
    "wide": (2, 5, 1.0, 300),
    "own_scales": (3, 4, [0.3, 0.5, 1.0, 2.0], 300),
    "more_codes_than_numbers": (4, 2, 1.0, 300),
    "narrow": (2, 6, 0.05, 2000),
}


class QuickTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_a_code_of_two(self):
        linear = Linear(0, 2, 3, 1.0)
        x = linear.draw(8)
        found = annealed(linear.model, x, **{**QUICK, "temperatures": 150})
        error = found.by_example - linear.log_prob(x)
        self.assertLess(abs(np.mean(error)), 0.1)
        self.assertLess(np.mean(error), 3 * found.log_prob.how["error_of_chains"])
        self.assertBetween(np.mean(found.acceptance), 0.6, 0.85)
        self.assertEqual(found.log_weights.shape, (16, 8))
        self.assertEqual(found.codes["z"].shape, (16, 8, 2))
        self.assertEqual(found.log_prob.how["temperatures"], 150)

    @pytest.mark.slow
    def test_one_temperature_from_the_posterior_needs_no_annealing(self):
        """From q(z | x) = p(z | x) every weight is p(x), at any temperature."""
        linear = Linear(1, 1, 3, 0.5, exact=1.0)
        x = linear.draw(4)
        found = annealed(linear.model, x, 2, 3, 1, start="encoder", jit_compile=False)
        np.testing.assert_allclose(found.log_weights, np.repeat(linear.log_prob(x)[None], 2, 0), atol=2e-3)

    def test_the_schedule_rises_from_0_to_1_slowly_at_both_ends(self):
        betas = schedule(100)
        self.assertEqual((betas[0], betas[-1], len(betas)), (0.0, 1.0, 101))
        np.testing.assert_allclose(betas, 1.0 - betas[::-1], atol=1e-12)
        steps = np.diff(betas)
        self.assertTrue(np.all(steps > 0) and np.argmax(steps) in (49, 50))
        self.assertGreater(steps[50] / steps[0], 10)


@pytest.mark.slow
class ExactTest(parameterized.TestCase):
    @parameterized.named_parameters((name, *case) for name, case in CASES.items())
    def test_log_p_of_data(self, code, size, scale, temperatures):
        linear = Linear(0, code, size, scale)
        x = linear.draw(32)
        found = annealed(linear.model, x, temperatures=temperatures)
        error = found.by_example - linear.log_prob(x)
        self.assertLess(abs(np.mean(error)), 0.1)
        self.assertLess(np.mean(error), 3 * found.log_prob.how["error_of_chains"] + 1e-3)
        self.assertBetween(np.mean(found.acceptance), 0.6, 0.85)

    @parameterized.named_parameters((name, *case) for name, case in CASES.items())
    def test_the_truth_lies_between_forward_and_reverse(self, code, size, scale, temperatures):
        linear = Linear(0, code, size, scale)
        found = sandwich(linear.model, 32, temperatures=temperatures, observation=None, seed=1)
        lower, upper, gap = found.lower, found.upper, found.gap
        self.assertLess(lower.value - 3 * lower.error, -linear.entropy())
        self.assertGreater(upper.value + 3 * upper.error, -linear.entropy())
        self.assertGreater(gap.value, -3 * gap.error)
        self.assertLess(abs(gap.value), 0.25 + 3 * gap.error)

    def test_an_observation_model_makes_a_likelihood_of_a_gan(self):
        """x = W z without noise of its own: with a scale it is the linear-Gaussian model."""
        linear = Linear(2, 2, 4, 0.4)
        recipe = ugm_tf.recipes.gan()
        network = linear.model.densities["decoder"].network
        mean = ugm_tf.Density(_location(network, 4), "point")
        densities = ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,)}, hidden=(4,))
        model = ugm_tf.UnifiedModel(recipe, {**densities, "decoder": mean})
        x = linear.draw(32)
        found = annealed(model, x, temperatures=300, observation=0.4)
        self.assertLess(abs(np.mean(found.by_example - linear.log_prob(x))), 0.1)
        with mock.patch.object(annealing, "_annealed", wraps=annealing._annealed) as run:
            scale = observation_scale(model, linear.draw(200, seed=3), temperatures=60, leapfrog=4)
        self.assertAlmostEqual(scale / 0.4, 1.0, delta=0.1)
        self.assertLessEqual(run.call_count, 6)
        between = sandwich(model, 64, temperatures=300, observation=0.4)
        assert_within(self, between.lower, -linear.entropy(), least=0.1)

    def test_a_uniform_prior_by_quadrature(self):
        network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="tanh")])
        network.set_weights([np.array([[2.0]]), np.array([0.3])])
        recipe = ugm_tf.recipes.gan()
        densities = ugm_tf.networks.build(recipe, {"x": (1,), "z": (1,)}, hidden=(4,))
        densities |= {"prior": ugm_tf.Prior((1,), "uniform"), "decoder": ugm_tf.Density(network, "point")}
        x = np.linspace(-1, 1, 7)
        found = annealed(ugm_tf.UnifiedModel(recipe, densities), x[:, None], temperatures=300, observation=0.2)
        truth = [
            scipy.integrate.quad(lambda z, a=a: 0.5 * scipy.stats.norm.pdf(a, np.tanh(2 * z + 0.3), 0.2), -1, 1)[0]
            for a in x
        ]
        np.testing.assert_array_less(np.abs(found.by_example - np.log(truth)), 4 * found.errors + 0.02)


def _location(network, size):
    kernel, bias = network.get_weights()
    made = keras.Sequential([keras.Input((len(kernel),)), keras.layers.Dense(size)])
    made.set_weights([kernel[:, :size], bias[:size]])
    return made


class ScaleTest(parameterized.TestCase):
    @parameterized.parameters(0.0, 0.5, 0.9, 0.98)
    def test_the_fixed_point_of_a_map_that_shrinks_is_found_soon(self, rate):
        at, tried = 3.0, []
        while len(tried) < 4 and abs(at - 0.7) > 1e-9:
            tried.append((at, rate * at + (1.0 - rate) * 0.7))
            at = annealing._next(tried)
        self.assertAlmostEqual(at, 0.7 if rate < 0.95 else 0.7 + 2.3 * rate**4, places=6)

    def test_a_line_that_stands_still_at_no_variance_is_left_for_a_step_of_em(self):
        self.assertEqual(annealing._next([(2.0, 1.5), (1.5, 1.05)]), 1.05)

    def test_is_at_most_twice_the_deviation_of_the_data(self):
        """Where the output tells nothing of x, and is far from it."""
        network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
        network.set_weights([np.zeros([1, 2]), np.array([50.0, -50.0])])
        recipe = ugm_tf.recipes.gan()
        densities = ugm_tf.networks.build(recipe, {"x": (2,), "z": (1,)}, hidden=(4,))
        model = ugm_tf.UnifiedModel(recipe, {**densities, "decoder": ugm_tf.Density(network, "point")})
        x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
        scale = observation_scale(model, x, chains=2, temperatures=2, leapfrog=1, jit_compile=False)
        self.assertAlmostEqual(scale, 2.0 * float(np.std(x)), places=5)


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"chains": 1}, "chains is a whole number of at least 2"),
        ({"temperatures": 0}, "temperatures is a whole number"),
        ({"observation": 0.0}, "standard deviation of Gaussian noise"),
        ({"start": "data"}, "start from the 'prior' or the 'encoder'. Received: start='data'"),
        ({"c": np.zeros([2, 3])}, "takes by name: nothing"),
    )
    def test_of_arguments(self, arguments, advice):
        with self.assertRaisesRegex(ValueError, advice):
            annealed(Linear(0, 1, 2).model, np.zeros([2, 2]), **{"jit_compile": False, **arguments})

    @parameterized.parameters(
        ("gan", {}, "A point decoder has no log-probability. Give an observation model"),
        ("gan", {"observation": 0.1, "start": "encoder"}, "start='encoder' takes a recipe that infers every code"),
        ("conditional_gan", {"observation": 0.1}, "takes by name: c. Missing or not known: c"),
        ("cyclegan", {"observation": 0.1}, "takes a prior of what the decoder is given"),
        ("infogan", {"observation": 0.1}, "of family OneHot.*Give it by name, as in c="),
    )
    def test_of_models(self, name, arguments, advice):
        recipe = ugm_tf.recipes.get(name)
        used = {v for role in recipe.roles.values() for v in (role.of, *role.given)}
        sizes = {"x": (4,), "z": (2,), "c": (3,), "u": (2,), "target": (4,)}
        model = ugm_tf.UnifiedModel(
            recipe, ugm_tf.networks.build(recipe, {v: s for v, s in sizes.items() if v in used}, hidden=(4,))
        )
        with self.assertRaisesRegex(ValueError, advice):
            annealed(model, np.zeros([2, 4]), **{"jit_compile": False, **arguments})


if __name__ == "__main__":
    absltest.main()
