"""Models of a class c are those without one where c = 0 on every example: whole training steps."""

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained

X, Z = draws(3, 8, 2), draws(4, 8, 3)
NONE, SOME = tf.zeros([8, 2]), toys.one_hot(2, 0, 1, 1, 0, 1, 0, 0, 1)


def density(family, sizes, outputs, seed, conditional):
    """A density; with a class, of the same weights and of more for the class."""
    if not conditional:
        return ugm_tf.Density(toys.joined(sizes, outputs, seed), family)
    network, plain = toys.joined((*sizes, 2), outputs, seed), toys.joined(sizes, outputs, seed)
    first, *others = plain.get_weights()
    of_class = np.random.default_rng(seed).normal(size=(2, first.shape[1]))
    network.set_weights([np.concatenate([first, of_class]), *others])
    return ugm_tf.Density(network, family)


def gan(conditional=False, judge=False, prior=Z):
    return {
        "prior": toys.Given(prior),
        "decoder": density("point", (prior.shape[1],), 2, 1, conditional),
        "discriminator": density("logit", (2,), 1, 2, judge),
    }


def vae(conditional=False):
    return {
        "prior": ugm_tf.Prior((3,)),
        "encoder": density("gaussian", (2,), 6, 1, conditional),
        "decoder": density("unit_gaussian", (3,), 2, 2, conditional),
    }


def plain_part(change, inputs, classes=2, hidden=8):
    """What changed but for the class's rows of the first kernel, and those rows."""
    kernel = change[1 : 1 + (inputs + classes) * hidden].reshape(-1, hidden)
    rest = change[1 + kernel.size :]
    return np.concatenate([np.zeros(1), kernel[:inputs].ravel(), rest]), kernel[inputs:]


class ConditionalTest(parameterized.TestCase):
    def assert_same(self, left, right, inputs, same=True):
        for name, size in inputs.items():
            change, of_class = plain_part(left[name], size)
            gap = np.max(np.abs(change - right[name]))
            self.assertEqual(bool(gap < 2e-6), same, f"{name}: {gap}")  # float32
            self.assertEqual(bool(np.all(of_class == 0.0)), same)
            self.assertGreater(np.max(np.abs(right[name])), 1e-3)

    @parameterized.parameters(("conditional_gan", "gan"), ("iwcgan", "iwgan"))
    def test_the_conditional_gan_is_the_gan(self, name, plain):
        left = trained(ugm_tf.recipes.get(name), gan(True, True), {"x": X, "c": NONE}, 2)
        self.assert_same(left, trained(ugm_tf.recipes.get(plain), gan(), X, 2), {"decoder": 3, "discriminator": 2})

    @parameterized.parameters(("conditional_gan", "gan"), ("iwcgan", "iwgan"))
    @pytest.mark.slow
    def test_with_a_class_the_conditional_gan_is_not(self, name, plain):
        left = trained(ugm_tf.recipes.get(name), gan(True, True), {"x": X, "c": SOME}, 2)
        right = trained(ugm_tf.recipes.get(plain), gan(), X, 2)
        self.assert_same(left, right, {"decoder": 3, "discriminator": 2}, same=False)

    @parameterized.parameters((toys.one_hot(2, *[1] * 8), True), (SOME, False))
    def test_normalised_within_classes_iwcgan_is_the_one_of_the_whole_batch_if_that_has_one_class(self, c, same):
        left, right = (
            trained(ugm_tf.recipes.iwcgan(normalise=within), gan(True, True), {"x": X, "c": c}, 2)
            for within in ("class", "batch")
        )
        gap = np.max(np.abs(left["decoder"] - right["decoder"]))
        self.assertEqual(bool(gap < 2e-6), same, gap)

    @pytest.mark.slow
    def test_the_conditional_vae_is_the_vae(self):
        left = trained(ugm_tf.recipes.conditional_vae(), vae(True), {"x": X, "c": NONE}, 2)
        self.assert_same(left, trained(ugm_tf.recipes.vae(), vae(), X, 2), {"encoder": 2, "decoder": 3})

    def test_with_a_class_the_conditional_vae_is_not(self):
        left = trained(ugm_tf.recipes.conditional_vae(), vae(True), {"x": X, "c": SOME}, 2)
        right = trained(ugm_tf.recipes.vae(), vae(), X, 2)
        self.assert_same(left, right, {"encoder": 2, "decoder": 3}, same=False)


class AcganTest(parameterized.TestCase):
    def acgan(self, auxiliary):
        parts = {**gan(conditional=True), "classifier": ugm_tf.Density(toys.mlp(2, 2, seed=6), "one_hot")}
        return trained(ugm_tf.recipes.acgan(auxiliary=auxiliary), parts, {"x": X, "c": SOME}, 2)

    def gan(self):
        parts = gan(prior=tf.concat([Z, SOME], 1))
        parts["decoder"].network.set_weights(gan(conditional=True)["decoder"].network.get_weights())
        return trained(ugm_tf.recipes.gan(), parts, X, 2)

    def test_without_its_classifier_it_is_the_gan_whose_code_holds_the_class(self):
        left, right = self.acgan(0.0), self.gan()
        for name in ("decoder", "discriminator"):
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)

    def test_with_it_it_is_not(self):
        self.assertGreater(np.max(np.abs(self.acgan(1.0)["decoder"] - self.gan()["decoder"])), 1e-3)


if __name__ == "__main__":
    absltest.main()
