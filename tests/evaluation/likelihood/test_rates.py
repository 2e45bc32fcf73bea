"""Rate, distortion, mutual information and marginal KL of linear-Gaussian encoders, in closed form."""

import functools

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.evaluation.exact import assert_within
from tests.evaluation.likelihood.linear import Linear
from ugm_tf.evaluation.likelihood import rate_distortion

CASES = {  # code, size, scale of x, the encoder's width in posterior deviations, or None for another encoder
    "another": (2, 3, 0.7, None),
    "posterior": (1, 4, 0.8, 1.0),
    "narrow": (1, 2, 0.3, 1.3),
    "three": (3, 5, 1.0, 1.1),
}


@functools.cache
def found(name):
    code, size, scale, width = CASES[name]
    linear = Linear(6, code, size, scale, exact=width)
    return linear, rate_distortion(linear.model, linear.draw(1500), draws=2, jit_compile=False)


class ExactTest(parameterized.TestCase):
    @parameterized.product(case=list(CASES), what=list(range(4)))
    def test_each_part(self, case, what):
        linear, parts = found(case)
        estimate = (parts.rate, parts.distortion, parts.mutual_information, parts.marginal_kl)[what]
        assert_within(self, estimate, linear.figures()[what])

    @parameterized.parameters(*CASES)
    def test_both_ends_of_the_mutual_information(self, case):
        linear, parts = found(case)
        _, _, information, marginal = linear.figures()
        mutual, kl = parts.mutual_information, parts.marginal_kl
        self.assertLess(mutual.value, mutual.how["upper"])
        self.assertLess(mutual.value - 3 * mutual.error, information)
        self.assertGreater(mutual.how["upper"] + 3 * mutual.error, information)
        self.assertLess(kl.how["lower"], kl.value)
        self.assertAlmostEqual(parts.rate.value, mutual.value + kl.value, delta=1e-9)
        self.assertAlmostEqual(parts.rate.value, mutual.how["upper"] + kl.how["lower"], delta=1e-9)
        self.assertLess(kl.value, marginal + 3 * kl.error)

    @parameterized.parameters(*CASES)
    def test_variances_of_units(self, case):
        linear, parts = found(case)
        truth = np.diag(linear.encoder_gain.T @ linear.covariance @ linear.encoder_gain)
        np.testing.assert_allclose(parts.unit_variances, truth, rtol=4 * np.sqrt(2 / 1500))
        self.assertEqual(parts.active_units.value, np.sum(truth > 0.01))


class CollapsedTest(absltest.TestCase):
    def test_a_collapsed_encoder_tells_nothing(self):
        linear = Linear(7, 2, 3)
        linear.model.densities["encoder"].network.set_weights([np.zeros([3, 4]), np.array([0, 0, 0.541, 0.541])])
        parts = rate_distortion(linear.model, linear.draw(50), jit_compile=False)
        self.assertEqual(parts.active_units.value, 0)
        for part in (parts.rate, parts.mutual_information, parts.marginal_kl):
            self.assertAlmostEqual(part.value, 0.0, delta=0.01)

    def test_mutual_information_is_at_most_the_logarithm_of_the_number_of_examples(self):
        linear = Linear(7, 3, 3, 0.02, exact=1.0)
        parts = rate_distortion(linear.model, linear.draw(8), jit_compile=False)
        self.assertAlmostEqual(parts.mutual_information.how["most"], np.log(8))
        self.assertAlmostEqual(parts.mutual_information.value, np.log(8), delta=0.05)
        self.assertGreater(linear.figures()[2], np.log(8))


class KindsTest(parameterized.TestCase):
    @parameterized.parameters("hierarchical_vae", "conditional_vae", "iaf_vae", "semi_supervised_vae")
    @pytest.mark.slow
    def test_the_elbo_is_minus_rate_and_distortion(self, name):
        keras.utils.set_random_seed(0)
        recipe = ugm_tf.recipes.get(name)
        used = {v for role in recipe.roles.values() for v in (role.of, *role.given)}
        shapes = {v: s for v, s in {"x": (4,), "z": (2,), "h": (3,), "c": (3,)}.items() if v in used}
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, shapes, hidden=(4,), likelihood="laplace"))
        for variable in model.trainable_variables:
            variable.assign(0.3 * variable)  # else log-ratios have tails too long for a mean of 2,000
        x = np.random.default_rng(0).normal(size=[40, 4])
        given = {"c": np.eye(3)[np.arange(40) % 3]} if name == "conditional_vae" else {}
        parts = rate_distortion(model, x, draws=50, jit_compile=False, **given)
        elbo = np.mean([np.mean(model.log_prob_bound(x, k=1, seed=s, **given)) for s in range(50)])
        self.assertAlmostEqual(-parts.rate.value - parts.distortion.value, elbo, delta=0.05 * abs(elbo))
        information = parts.mutual_information
        self.assertLess(information.value, information.how["upper"] + 3.0 * information.error)


class RefusalTest(absltest.TestCase):
    def test_of_one_example(self):
        with self.assertRaisesRegex(ValueError, "at least 2 examples"):
            rate_distortion(Linear(0, 1, 2).model, np.zeros([1, 2]))

    def test_of_no_draw(self):
        with self.assertRaisesRegex(ValueError, "draws of rate_distortion.. is a whole number of at least 1"):
            rate_distortion(Linear(0, 1, 2).model, np.zeros([3, 2]), draws=0)


if __name__ == "__main__":
    absltest.main()
