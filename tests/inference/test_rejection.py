"""Discriminator rejection sampling: what is accepted, what is refused, and on which draws that depends."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences.toys import affine
from ugm_tf import GENERATED, INFERRED, DiscriminatorLoss, E, ImportanceWeight, Phase, Reverse
from ugm_tf.inference import rejection

SHAPES = {"x": (4,), "z": (2,), "c": (3,), "u": (2,), "e": (2,), "labelled": (4,)}
BIGAN = ugm_tf.recipes.bigan()
ACCEPTED = ("gan", "iwgan", "conditional_gan", "iwcgan", "acgan", "infogan", "bigan", "alice", "veegan", "as_vae")
ACCEPTED += ("aavae", "aacvae", "aasvae")  # whose classes have a prior, and are given to sample() all the same


def model(slope, recipe=None):
    """x = z ~ N(0, 1), judged with logit = slope * x."""
    densities = {
        "prior": ugm_tf.Prior((1,)),
        "decoder": ugm_tf.Density(affine([1.0], [0.0]), "point"),
        "discriminator": ugm_tf.Density(affine([slope], [0.0]), "logit"),
    }
    return ugm_tf.UnifiedModel(recipe or ugm_tf.recipes.gan(), densities)


class RejectionTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_accepted_draws_are_of_the_law_that_the_discriminator_tells(self):
        # exp(x) N(x; 0, 1) is N(x; 1, 1) up to a factor.
        x = model(1.0).sample(2000, reject=True).numpy()[:, 0]
        self.assertAlmostEqual(x.mean(), 1.0, delta=5 / np.sqrt(2000))
        self.assertAlmostEqual(x.std(), 1.0, delta=5 / np.sqrt(4000))

    def test_without_it_draws_are_of_the_decoders_law(self):
        x = model(1.0).sample(2000).numpy()[:, 0]
        self.assertAlmostEqual(x.mean(), 0.0, delta=5 / np.sqrt(2000))

    def test_a_discriminator_that_knows_nothing_refuses_nothing(self):
        of = model(0.0)
        np.testing.assert_array_equal(of.sample(20, seed=3, reject=True), of.sample(20, seed=3))

    def test_fewer_samples_are_the_first_of_more(self):
        of = model(1.0)
        np.testing.assert_array_equal(of.sample(5, seed=2, reject=True), of.sample(30, seed=2, reject=True)[:5])

    def test_seeds_are_other_samples(self):
        of = model(1.0)
        self.assertGreater(np.abs(of.sample(20, seed=1, reject=True) - of.sample(20, seed=2, reject=True)).max(), 0.1)

    def test_each_row_keeps_its_class(self):
        recipe = ugm_tf.recipes.conditional_gan()
        z, c = keras.Input((1,)), keras.Input((3,))
        decoder = keras.Model([z, c], keras.layers.Concatenate()([z, c]))
        x, d = keras.Input((4,)), keras.Input((3,))
        first = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(1.0))
        judge = keras.Model([x, d], first(keras.layers.Concatenate()([x, d])))
        densities = {
            "prior": ugm_tf.Prior((1,)),
            "decoder": ugm_tf.Density(decoder, "point"),
            "discriminator": ugm_tf.Density(judge, "logit"),
        }
        asked = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
        drawn = ugm_tf.UnifiedModel(recipe, densities).sample(12, reject=True, c=asked).numpy()
        np.testing.assert_array_equal(drawn[:, 1:], asked)

    def test_gives_up_where_next_to_nothing_is_accepted(self):
        with self.assertRaisesRegex(ValueError, r"refused 1024 draws for each of \d+ of 10 examples.*Leave reject out"):
            model(300.0).sample(10, reject=True)

    @parameterized.parameters(
        ("vae", {}, "takes a model with a decoder and a discriminator. This one has: prior, encoder, decoder"),
        ("aae", {}, r"a discriminator of what the decoder draws. This one's is q\(y \| z\)"),
        ("gan", {"contest": "hinge"}, "contest='hinge' does not tell. Train with contest='logistic'"),
        ("gan", {"pack": 2}, r"a discriminator of what the decoder draws. This one's is q\(y \| x_pack\)"),
    )
    def test_refuses_a_model_whose_discriminator_does_not_tell(self, name, hyperparameters, message):
        self.refuses(ugm_tf.recipes.get(name, **hyperparameters), message)

    def refuses(self, recipe, message):
        of = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(3,)))
        with self.assertRaisesRegex(ValueError, message):
            of.sample(4, reject=True, **({"c": np.eye(3)[[0, 1, 2, 0]]} if "c" in recipe.data else {}))

    @parameterized.parameters(
        ("avb", {}, r"'decoder' generates.*tells E\[e ~ noise, x ~ data, z ~ encoder\] from E\[x ~ data, z ~ prior\]"),
        (
            "vae_gan",
            {},
            r"one expectation, of x that 'decoder' generates.*\+ E\[x ~ data, z ~ encoder, x = mean of dec",
        ),
        ("alpha_gan", {}, "one expectation, of x that 'decoder' generates"),
    )
    def test_refuses_a_discriminator_of_other_sides(self, name, hyperparameters, message):
        self.refuses(ugm_tf.recipes.get(name, **hyperparameters), message)

    def test_refuses_a_discriminator_of_changed_images_with_the_way_out(self):
        recipe = ugm_tf.diffaugmented(ugm_tf.recipes.gan())
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (2,)}, hidden=(4,)))
        with self.assertRaisesRegex(ValueError, "which judges images that DiffAugment changed: train with --augment=n"):
            model.sample(2, reject=True)

    @parameterized.parameters(*ACCEPTED)
    def test_takes_one_of_data_against_samples(self, name):
        recipe = ugm_tf.recipes.get(name)
        of = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(3,)))
        self.assertIsNone(rejection.check(of.joint))

    @parameterized.named_parameters(
        ("real_side_generated", GENERATED.then("encoder"), GENERATED, {}, "so the side of y=1 takes x from data"),
        ("reconstructions", INFERRED, INFERRED.then("decoder"), {}, "so the side of y=0 is one expectation, of x"),
        ("codes_read_back", INFERRED, GENERATED.then("encoder"), {}, "so the side of y=0 is one expectation, of x"),
        ("reversed", INFERRED, GENERATED.then(Reverse("z", "z")), {}, "so the side of y=0 is one expectation, of x"),
        ("weighted", INFERRED, GENERATED, {"weight": ImportanceWeight()}, "so neither side is weighted"),
    )
    def test_refuses_a_recipe_of_ones_own_whose_sides_are_others(self, real, fake, options, message):
        first, second = E(DiscriminatorLoss(1), real), E(DiscriminatorLoss(0), fake, **options)
        judge = Phase("discriminate", (first, second), ("discriminator",))
        self.refuses(dataclasses.replace(BIGAN, phases=(judge, BIGAN.phase("generate"))), message)

    def test_refuses_samples_that_are_judged_with_another_class_than_their_own(self):
        made = ugm_tf.recipes.acgan()
        judge = ugm_tf.adversarial(GENERATED.then("classifier"), ("decoder",))
        densities = {**made.densities, "discriminator": "q(y | x, c)"}
        learn = Phase("classify", made.phase("discriminate").minimise[2:], ("classifier",))
        recipe = dataclasses.replace(made, densities=densities, phases=(*judge, learn))
        self.refuses(recipe, "so the side of y=0 is one expectation, of x that 'decoder' generates")

    def test_an_f_divergences_critic_tells_the_log_ratio(self):
        recipe = ugm_tf.recipes.gan(contest="kl_forward")
        self.assertEqual(model(0.5, recipe).sample(4, reject=True).shape, tf.TensorShape([4, 1]))


if __name__ == "__main__":
    absltest.main()
