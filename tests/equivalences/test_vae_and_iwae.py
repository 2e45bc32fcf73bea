"""Forms of the VAE that must agree: analytic and sampled rates, beta, and the importance-weighted bound."""

import numpy as np
import scipy.special
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from ugm_tf.algebra import KL, Ancestral, Draws, ImportanceWeightedBound, NegativeLogProb

X = toys.column(1.4, -0.3, 0.7, 2.2)


def values(recipe, x=X, seed=0):
    """Values and the loss of the wake phase."""
    densities, _ = toys.affine_vae()
    phase = recipe.phase("wake")
    out = phase.values(Draws(toys.joint_sample(recipe, densities, x)), (seed, 0))
    return {name: value.numpy() for name, value in out.items()} | {"loss": phase.loss(out).numpy()}


class RateTest(absltest.TestCase):
    def test_the_sampled_rate_has_the_analytic_one_as_its_mean(self):
        x = tf.repeat(toys.column(1.4), 20_000, axis=0)
        analytic = values(ugm_tf.recipes.vae(), x)["wake/rate"]
        sampled = values(ugm_tf.recipes.vae(kl="sampled"), x)["wake/rate"]
        # log q - log p has a standard deviation of about 0.8 here: the bound is 5 standard errors.
        self.assertAlmostEqual(sampled, analytic, delta=5 * 0.8 / np.sqrt(20_000))
        self.assertNotEqual(sampled, analytic)

    def test_the_analytic_rate_by_hand(self):
        mean, scale = 0.5 * 1.4 - 0.1, np.log1p(np.exp(-0.2 * 1.4 + 0.3)) + 1e-4
        by_hand = 0.5 * (scale**2 + mean**2 - 1 - 2 * np.log(scale))
        self.assertAlmostEqual(values(ugm_tf.recipes.vae(), toys.column(1.4))["wake/rate"], by_hand, delta=1e-6)


class BetaTest(parameterized.TestCase):
    @parameterized.parameters(0.0, 0.5, 1.0, 4.0)
    def test_beta_scales_the_rate_in_the_loss_and_in_no_metric(self, beta):
        one, other = values(ugm_tf.recipes.vae()), values(ugm_tf.recipes.vae(beta=beta))
        self.assertEqual(other["wake/rate"], one["wake/rate"])
        self.assertEqual(other["wake/distortion"], one["wake/distortion"])
        self.assertAlmostEqual(other["loss"], one["wake/distortion"] + beta * one["wake/rate"], delta=1e-6)

    def test_beta_1_is_the_negative_elbo(self):
        densities, kept = toys.affine_vae()
        found = toys.model(ugm_tf.recipes.vae(), densities, learning_rate=0.0).run_phases(X)
        x, z = X.numpy()[:, 0], kept["encoder"][0]
        distortion = np.mean(0.5 * ((x - 0.9 * z - 0.4) / 0.8) ** 2 + np.log(0.8) + 0.5 * np.log(2 * np.pi))
        mean, scale = 0.5 * x - 0.1, np.log1p(np.exp(-0.2 * x + 0.3)) + 1e-4
        rate = np.mean(0.5 * (scale**2 + mean**2 - 1 - 2 * np.log(scale)))
        self.assertAlmostEqual(found["wake/loss"].numpy(), distortion + rate, delta=1e-5)


class BoundTest(parameterized.TestCase):
    def test_one_draw_makes_the_bound_the_sampled_negative_elbo(self):
        recipe = ugm_tf.recipes.iwae(k=1)
        densities, _ = toys.affine_vae()
        sample = Ancestral(("encoder",), k=1)(toys.joint_sample(recipe, densities, X), tf.constant([0, 0]))
        elbo = NegativeLogProb("decoder")(sample) + KL("encoder", "prior", sampled=True)(sample)
        np.testing.assert_allclose(ImportanceWeightedBound()(sample), elbo[0], atol=1e-6)

    @parameterized.parameters(2, 7)
    def test_what_is_logged_is_the_bound(self, k):
        densities, kept = toys.affine_vae()
        found = toys.model(ugm_tf.recipes.iwae(k=k), densities, learning_rate=0.0).run_phases(X)
        z = kept["encoder"].values[0]
        self.assertEqual(tuple(z.shape), (k, 4, 1))
        log_w = (
            densities["decoder"].distribution(z).log_prob(X)
            + densities["prior"].distribution().log_prob(z)
            - densities["encoder"].distribution(X).log_prob(z)
        )
        bound = np.mean(np.log(k) - scipy.special.logsumexp(log_w, axis=0))
        self.assertAlmostEqual(found["wake/bound"].numpy(), bound, delta=1e-6)
        self.assertAlmostEqual(found["wake/loss"].numpy(), bound, delta=1e-6)
        # Not the sum whose gradient is the bound's, -sum w~ log w, which other libraries log.
        surrogate = -np.mean(np.sum(scipy.special.softmax(log_w, axis=0) * log_w, axis=0))
        self.assertGreater(abs(found["wake/bound"].numpy() - surrogate), 1e-3)  # 1e-6 above

    def test_its_gradient_is_that_of_the_log_ratios_weighted_by_their_softmax(self):
        recipe = ugm_tf.recipes.iwae(k=5)
        densities, _ = toys.affine_vae()
        variables = [v for name in ("encoder", "decoder") for v in densities[name].trainable_variables]
        with tf.GradientTape(persistent=True) as tape:
            sample = Ancestral(("encoder",), k=5)(toys.joint_sample(recipe, densities, X), tf.constant([0, 0]))
            bound = tf.reduce_mean(ImportanceWeightedBound()(sample))
            log_w = sample.log_prob("decoder") + sample.log_prob("prior") - sample.log_prob("encoder")
            weighted = -tf.reduce_mean(tf.reduce_sum(tf.stop_gradient(tf.nn.softmax(log_w, axis=0)) * log_w, axis=0))
            unweighted = -tf.reduce_mean(log_w)
        gradients = [tape.gradient(loss, variables) for loss in (bound, weighted, unweighted)]
        for of_bound, of_weighted in zip(*gradients[:2], strict=True):
            np.testing.assert_allclose(of_bound, of_weighted, atol=1e-5)
        self.assertGreater(max(np.max(np.abs(a - b)) for a, b in zip(gradients[0], gradients[2], strict=True)), 1e-2)


if __name__ == "__main__":
    absltest.main()
