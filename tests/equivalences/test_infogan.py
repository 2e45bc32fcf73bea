"""Where InfoGAN is the GAN, and where it is the AAE with x and z exchanged: whole training steps."""

import re

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences import toys
from tests.equivalences.toys import draws, trained

X = draws(3, 8, 2)
Z, C, U = draws(4, 8, 3), toys.one_hot(2, 0, 1, 1, 0, 1, 0, 0, 1), draws(5, 8, 1)
SCHEDULES = ("alternating", "simultaneous")


def gan(prior=Z, decoder=None):
    return {
        "prior": toys.Given(prior),
        "decoder": ugm_tf.Density(decoder or toys.mlp(prior.shape[1], 2, seed=1), "point"),
        "discriminator": ugm_tf.Density(toys.mlp(2, 1, seed=2), "logit"),
    }


def infogan(prior=Z):
    return {**gan(prior), "encoder": ugm_tf.Density(toys.mlp(2, 2 * prior.shape[1], seed=7), "gaussian")}


def structured():
    return {
        **gan(decoder=toys.joined((3, 2, 1), 2, seed=1)),
        "classes": toys.Given(C, "one_hot"),
        "codes": toys.Given(U, "uniform"),
        "class_encoder": ugm_tf.Density(toys.mlp(2, 2, seed=6), "one_hot"),
        "code_encoder": ugm_tf.Density(toys.mlp(2, 2, seed=7), "gaussian"),
    }


def assert_same(left, right, names=("decoder", "discriminator")):
    for name in names:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


class GanTest(parameterized.TestCase):
    @parameterized.parameters(*SCHEDULES)
    def test_without_recall_it_is_the_gan_bit_for_bit(self, schedule):
        left = trained(ugm_tf.recipes.infogan(info=0.0, structured=False), infogan(), X, 3, schedule=schedule)
        right = trained(ugm_tf.recipes.gan(), gan(), X, 3, schedule=schedule)
        assert_same(left, right)
        self.assertGreater(np.max(np.abs(left["decoder"])), 1e-3)

    def test_with_recall_it_is_not(self):
        left = trained(ugm_tf.recipes.infogan(structured=False), infogan(), X)
        right = trained(ugm_tf.recipes.gan(), gan(), X)
        self.assertGreater(np.max(np.abs(left["decoder"] - right["decoder"])), 1e-3)

    @parameterized.parameters(*SCHEDULES)
    def test_structured_and_without_recall_it_is_the_gan_of_noise_class_and_codes_in_one(self, schedule):
        left = trained(ugm_tf.recipes.infogan(info=0.0), structured(), X, 3, schedule=schedule)
        right = trained(ugm_tf.recipes.gan(), gan(tf.concat([Z, C, U], 1)), X, 3, schedule=schedule)
        assert_same(left, right)

    def test_structured_it_teaches_each_reader_its_own_part(self):
        left = trained(ugm_tf.recipes.infogan(), structured(), X)
        self.assertGreater(min(np.max(np.abs(left[f"{part}_encoder"])) for part in ("class", "code")), 1e-3)
        with_all = trained(ugm_tf.recipes.infogan(info=0.0), structured(), X)
        np.testing.assert_array_equal(with_all["class_encoder"], np.zeros_like(with_all["class_encoder"]))

    def test_the_importance_weighted_ones_agree_likewise(self):
        left = trained(ugm_tf.recipes.iwinfogan(info=0.0, structured=False), infogan(), X, 3)
        assert_same(left, trained(ugm_tf.recipes.iwgan(), gan(), X, 3))


EXCHANGED = {"x": "z", "z": "x", "data": "prior", "prior": "data", "encoder": "decoder", "decoder": "encoder"}
EXCHANGEABLE = ("decoder", "encoder", "discriminator")
RATE = 0.01  # changes of order 1: larger steps towards codes that a reader is sure of lead anywhere


def exchanged(text):
    """With x and z, data and prior, encoder and decoder exchanged; the reader of x is written p, that of z is q."""
    swapped = re.sub(r"\w+", lambda word: EXCHANGED.get(word[0], word[0]), text)
    return swapped.replace("q(x | z)", "p(x | z)")


class AaeTest(parameterized.TestCase):
    def test_it_is_infogan_with_the_names_exchanged(self):
        infogan = ugm_tf.recipes.infogan(structured=False).describe()
        self.assertEqual(exchanged(infogan), ugm_tf.recipes.aae().describe())

    def test_it_is_not_the_structured_one(self):
        self.assertNotEqual(exchanged(ugm_tf.recipes.infogan().describe()), ugm_tf.recipes.aae().describe())

    def aae(self, data, prior, schedule="alternating"):
        """Its changes, by the names of infogan's densities."""
        aae = {
            "prior": toys.Given(prior),
            "encoder": ugm_tf.Density(toys.mlp(data.shape[1], prior.shape[1], seed=1), "point"),
            "decoder": ugm_tf.Density(toys.mlp(prior.shape[1], 2 * data.shape[1], seed=7), "gaussian"),
            "discriminator": ugm_tf.Density(toys.mlp(prior.shape[1], 1, seed=2), "logit"),
        }
        changes = trained(ugm_tf.recipes.aae(), aae, data, 3, RATE, schedule)
        return {EXCHANGED.get(name, name): change for name, change in changes.items()}

    @parameterized.parameters(*SCHEDULES)
    def test_its_training_steps_are_those_of_infogan_with_x_and_z_exchanged(self, schedule):
        # Infogan makes x from a code in Z and tells it from X; the AAE makes a code from an x in Z and tells it from X.
        right = trained(ugm_tf.recipes.infogan(structured=False), infogan(), X, 3, RATE, schedule)
        assert_same(self.aae(Z, X, schedule), right, EXCHANGEABLE)
        self.assertBetween(max(np.max(np.abs(right[name])) for name in EXCHANGEABLE), 0.1, 10.0)

    def test_not_those_with_x_and_z_as_they_are(self):
        z = draws(6, 8, 2)  # of x's size, so that the networks fit both ways
        right = trained(ugm_tf.recipes.infogan(structured=False), infogan(z), X, 3, RATE)
        assert_same(self.aae(z, X), right, EXCHANGEABLE)
        left = self.aae(X, z)
        for name in EXCHANGEABLE:
            self.assertGreater(np.max(np.abs(left[name] - right[name])), 1e-3, name)


if __name__ == "__main__":
    absltest.main()
