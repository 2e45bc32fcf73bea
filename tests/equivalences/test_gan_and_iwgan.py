"""Where the importance-weighted GAN is the GAN, and where it is the minimax GAN, through real networks and real
steps."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys

X = tf.constant(np.random.default_rng(3).normal(size=(8, 2)), tf.float32)


ROUNDING = 2e-6  # of changes of float32 weights of order 1


def densities(prior="uniform"):
    kept = toys.Kept()
    return {
        "prior": ugm_tf.Prior((3,), prior),
        "decoder": toys.KeptDensity(kept, toys.mlp(3, 2, seed=1), "point"),
        "discriminator": ugm_tf.Density(toys.mlp(2, 1, seed=2), "logit"),
    }, kept


def trained(recipe, x, steps=1, schedule="simultaneous", **kwargs):
    """Changes of the decoder's and of the discriminator's weights, and the draws of x."""
    parts, kept = densities(**kwargs)
    names = ("decoder", "discriminator")
    before = {name: parts[name].get_weights() for name in names}
    model = toys.model(recipe, parts, learning_rate=0.1, schedule=schedule)
    for _ in range(steps):
        model.run_phases(x)
    change = {
        name: np.concatenate([(a - b).ravel() for a, b in zip(parts[name].get_weights(), before[name], strict=True)])
        for name in names
    }
    return change, kept.values


class GanTest(parameterized.TestCase):
    @parameterized.parameters("alternating", "simultaneous")
    def test_a_batch_of_one_makes_iwgan_the_gan_bit_for_bit(self, schedule):
        gan, _ = trained(ugm_tf.recipes.gan(), X[:1], steps=3, schedule=schedule)
        iwgan, _ = trained(ugm_tf.recipes.iwgan(), X[:1], steps=3, schedule=schedule)
        np.testing.assert_array_equal(iwgan["decoder"], gan["decoder"])
        np.testing.assert_array_equal(iwgan["discriminator"], gan["discriminator"])

    def test_weights_of_packs_are_the_softmax_of_the_logits_of_packs(self):
        recipe, (parts, _) = ugm_tf.recipes.iwgan(pack=2), densities()
        parts["discriminator"] = ugm_tf.Density(toys.mlp(4, 1, seed=2), "logit")
        start = toys.joint_sample(recipe, parts, X)
        e = recipe.phase("generate").minimise[0]
        sample = e.under(start, tf.constant([0, 1]))
        x = sample["x"].numpy()
        packs = np.concatenate([x, np.roll(x, -1, 0)], 1)
        logits = parts["discriminator"].distribution(tf.constant(packs)).logits
        np.testing.assert_allclose(e.weight(sample), 8 * tf.nn.softmax(logits), rtol=1e-5)
        np.testing.assert_allclose(e(sample), tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.softplus(-logits)), rtol=1e-5)

    def test_equal_logits_make_iwgan_the_gan(self):
        one_point = ugm_tf.densities.Uniform(width=1e-30)
        gan, draws = trained(ugm_tf.recipes.gan(), X, prior=one_point)
        iwgan, _ = trained(ugm_tf.recipes.iwgan(), X, prior=one_point)
        np.testing.assert_allclose(draws[0], tf.repeat(draws[0][:1], 8, axis=0), atol=ROUNDING)
        self.assertGreater(np.max(np.abs(gan["decoder"])), 1e-3)
        np.testing.assert_allclose(iwgan["decoder"], gan["decoder"], atol=ROUNDING)

    def test_otherwise_they_differ(self):
        gan, _ = trained(ugm_tf.recipes.gan(), X)
        iwgan, _ = trained(ugm_tf.recipes.iwgan(), X)
        self.assertGreater(np.max(np.abs(iwgan["decoder"] - gan["decoder"])), 1e-3)
        np.testing.assert_array_equal(iwgan["discriminator"], gan["discriminator"])


class MinimaxTest(absltest.TestCase):
    def test_a_step_of_iwgan_is_a_step_of_the_minimax_gan_of_another_length(self):
        minimax, draws = trained(ugm_tf.recipes.gan(contest="minimax"), X)
        iwgan, same_draws = trained(ugm_tf.recipes.iwgan(), X)
        np.testing.assert_array_equal(draws[0], same_draws[0])
        parts, _ = densities()
        logits = parts["discriminator"](draws[0]).numpy()[:, 0]
        factor = 8 / np.exp(logits).sum()
        self.assertGreater(abs(factor - 1), 0.05)
        np.testing.assert_allclose(iwgan["decoder"], factor * minimax["decoder"], atol=ROUNDING)
        np.testing.assert_array_equal(iwgan["discriminator"], minimax["discriminator"])

    def test_a_step_of_the_gan_is_not(self):
        minimax, _ = trained(ugm_tf.recipes.gan(contest="minimax"), X)
        gan, _ = trained(ugm_tf.recipes.gan(), X)
        a, b = minimax["decoder"], gan["decoder"]
        self.assertLess(a @ b / np.linalg.norm(a) / np.linalg.norm(b), 0.999)

    def test_minimax_ascends_what_the_discriminator_descends(self):
        parts, _ = densities()
        recipe = ugm_tf.recipes.gan(contest="minimax")
        values = toys.model(recipe, parts, schedule="simultaneous").run_phases(X)
        self.assertEqual(values["generate/fool"].numpy(), -values["discriminate/fake"].numpy())
        self.assertEqual(values["generate/loss"].numpy(), values["generate/fool"].numpy())


if __name__ == "__main__":
    absltest.main()
