"""What a VAE with a learned prior is of one with a fixed prior, and what the prior's own step is."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from tests.equivalences.toys import trained
from tests.equivalences.transfer_toys import ACTIVATED, X
from ugm_tf import recipes
from ugm_tf.algebra import Draws
from ugm_tf.densities import Mixture, Prior, VampPrior

ROUNDING = 1e-6
RATE = 0.1  # of the toys' gradient descent


def densities(prior=None):
    found = ACTIVATED["vae"][1]()
    return found if prior is None else {**found, "prior": prior}


def one_component(shift=0.0):
    """A mixture of one component, the standard normal or another."""
    prior = Prior((3,), Mixture(1), learned=True)
    weights = Mixture(1).standard((3,)).numpy()
    weights[1:4] += shift
    prior.set_weights([weights])
    return prior


class FirstStepTest(parameterized.TestCase):
    """A learned prior starts as the fixed one: to the others its first step is that of the fixed one."""

    def check(self, recipe, prior, base):
        left, right = trained(recipe, densities(prior), X), trained(base, densities(), X)
        self.assertGreater(np.max(np.abs(left["prior"])), 1e-3)
        return max(np.max(np.abs(left[name] - right[name])) for name in ("encoder", "decoder"))

    def test_a_mixture_of_one_component_is_the_vae_with_a_sampled_rate(self):
        recipe, base = ugm_tf.learned_prior(recipes.vae(), "mixture(1)"), recipes.vae(kl="sampled")
        self.assertLess(self.check(recipe, one_component(), base), ROUNDING)
        self.assertGreater(self.check(recipe, one_component(0.5), base), 1e-3)

    def test_a_learned_gaussian_is_the_vae(self):
        recipe = ugm_tf.learned_prior(recipes.vae(), "gaussian")
        self.assertLess(self.check(recipe, Prior((3,), learned=True), recipes.vae()), ROUNDING)

    def test_a_learned_gaussian_steps_towards_the_mean_code(self):
        """d KL(N(m, s) || N(prior, 1)) / d prior = prior - m, by hand."""
        parts = densities(Prior((3,), learned=True))
        mean = parts["encoder"].network(X).numpy()[:, :3].mean(0)
        found = trained(ugm_tf.learned_prior(recipes.vae(), "gaussian"), parts, X)["prior"][1:4]
        np.testing.assert_allclose(found, RATE * mean, atol=ROUNDING)


class ChunksTest(parameterized.TestCase):
    @parameterized.parameters("mixture(3)", "vamp(3)", "flow(2)")
    @pytest.mark.slow
    def test_draws_in_chunks_teach_it_the_same(self, prior):
        steps = []
        for chunk in (None, 2):
            keras.utils.set_random_seed(0)
            recipe = ugm_tf.learned_prior(recipes.iwae(k=4, chunk=chunk), prior)
            shapes = {"x": (2,), "z": (3,)}
            parts = ugm_tf.networks.build(recipe, shapes, likelihood="gaussian", hidden=(4,))
            steps.append(trained(recipe, parts, X))
        for name in ("prior", "encoder", "decoder"):
            self.assertGreater(np.max(np.abs(steps[0][name])), 1e-3)
            np.testing.assert_allclose(steps[1][name], steps[0][name], atol=ROUNDING, err_msg=name)


class VampTest(parameterized.TestCase):
    def rate(self, x):
        """The rate under a prior of one pseudo-input, the first example."""
        recipe = ugm_tf.learned_prior(recipes.vae(), "vamp(1)")
        prior = VampPrior((3,), (2,), 1)
        prior.set_weights([X[:1].numpy()])
        start = ugm_tf.Joint(recipe, densities(prior)).sample({"x": x}, training=True)
        return recipe.phase("wake").values(Draws(start), stubs.seed())["wake/rate"].numpy()

    def test_a_code_of_a_pseudo_input_costs_nothing(self):
        self.assertAlmostEqual(self.rate(tf.tile(X[:1], [5, 1])), 0.0, delta=1e-5)

    def test_one_of_another_example_does(self):
        self.assertGreater(self.rate(X[1:]), 0.1)

    def test_the_encoder_learns_from_both_ends_of_the_rate(self):
        """With the prior's encoder the same step is another: where it is that of a fixed copy, it is half of a KL."""
        recipe = ugm_tf.learned_prior(recipes.vae(), "vamp(3)")
        steps = []
        for frozen in (False, True):
            prior = VampPrior((3,), (2,), 3)
            prior.set_weights([X[:3].numpy()])
            parts = densities(prior)
            if frozen:
                copy = densities()["encoder"]
                prior.distribution = lambda encoder, training=None, own=prior, copy=copy: VampPrior.distribution(
                    own, copy
                )
            steps.append(trained(recipe, parts, X)["encoder"])
        self.assertGreater(np.max(np.abs(steps[0] - steps[1])), 1e-3)


class ChangedTest(absltest.TestCase):
    def test_a_prior_that_is_made_of_the_encoder_changes_with_it(self):
        recipe = ugm_tf.learned_prior(recipes.vae(), "vamp(3)")
        joint = ugm_tf.Joint(recipe, densities(VampPrior((3,), (2,), 3)))
        self.assertEqual(
            joint.changed_by(ugm_tf.Phase("infer", recipe.phases[0].minimise, "encoder")), ("prior", "encoder")
        )
        fixed = ugm_tf.Joint(recipes.vae(), densities())
        self.assertEqual(fixed.changed_by(ugm_tf.Phase("infer", recipe.phases[0].minimise, "encoder")), ("encoder",))


if __name__ == "__main__":
    absltest.main()
