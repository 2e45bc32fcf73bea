"""A sampler, a term, a weight and a step of one's own.

By their base classes alone they train, print, are checked, weighted by both transfers, saved and exported; one that
forgets to say what it asks is refused by name."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from export.saved_model import export_model
from tests.conformance import table
from ugm_tf import DATA, GENERATED, INFERRED, KL, E, NegativeLogProb, Phase, Recipe
from ugm_tf.densities import fold, standard_noise


@ugm_tf.record
class Mixture(ugm_tf.Sampler):
    """Each example is of the left sampler, with a probability of `share`, or of the right one."""

    left: ugm_tf.Sampler
    right: ugm_tf.Sampler
    share: float = 0.5

    @property
    def sides(self):
        return (*self.left.sides, *self.right.sides)

    def each(self, change):
        return dataclasses.replace(self, left=self.left.each(change), right=self.right.each(change))

    def draw(self, draws, seed):
        left, right = draws(self.left, fold(seed, 0)), draws(self.right, fold(seed, 1))
        of_left = standard_noise("uniform", [draws.start.batch_size], fold(seed, 2)) < self.share
        mixed = {}
        for variable in set(left.values) & set(right.values):
            where = tf.reshape(of_left, [-1] + [1] * (left[variable].shape.rank - 1))
            mixed[variable] = tf.where(where, left[variable], right[variable])
        return left.where(drawn_by=right.drawn_by, **mixed)

    def describe(self, roles, data):
        return f"{self.share:g} of {self.left.describe(roles, data)} or {self.right.describe(roles, data)}"


@ugm_tf.record
class Brightness(ugm_tf.Term):
    """The mean of x."""

    takes = ("x",)

    def __call__(self, sample):
        return tf.reduce_mean(sample["x"], [1, 2, 3])

    def describe(self, roles):
        return "mean of x"


@ugm_tf.record
class ByDarkness(ugm_tf.Weight):
    """Dark examples count for more."""

    takes = ("x",)

    def __call__(self, sample):
        return 1.0 - tf.reduce_mean(sample["x"], [1, 2, 3])


@ugm_tf.record
class Mirror(ugm_tf.Step):
    """x from right to left."""

    def __call__(self, sample, seed):
        return sample.where(x=sample["x"][:, :, ::-1])

    def needs(self, roles):
        return ("x",)

    def sets(self, roles):
        return "x"

    def source(self, roles):
        return "= mirrored x"


GAN = ugm_tf.recipes.gan()
# A GAN whose discriminator takes a tenth of its samples for data: one-sided label noise.
NOISY = Recipe(
    GAN.densities,
    ugm_tf.adversarial(fake=GENERATED, real=Mixture(DATA, GENERATED, 0.9), updates=("decoder",)),
)
# A VAE that learns from mirrored data as well, and whose reconstruction counts by darkness.
MIRRORED = Recipe(
    ugm_tf.recipes.vae().densities,
    (
        Phase(
            "wake",
            (
                E(NegativeLogProb("decoder"), Mixture(INFERRED, DATA.then(Mirror(), "encoder")), name="distortion"),
                E(KL("encoder", "prior"), INFERRED, name="rate"),
                E(Brightness(), DATA.then(Mirror()), scale=0.5, weight=ByDarkness(), name="brightness"),
            ),
            ("encoder", "decoder"),
        ),
    ),
)
TRANSFERRED = {
    "noisy": NOISY,
    "noisy_weighted": ugm_tf.importance_weighted(NOISY),
    "noisy_hinge_packed": ugm_tf.contested(NOISY, "hinge", gradient_penalty=1.0, pack=2),
    "mirrored": MIRRORED,
    "mirrored_activated": ugm_tf.adversary_activated(MIRRORED),
}


def model(recipe, **options):
    return table.model(lambda: recipe, {}, table.dense, **options)


class OwnPartsTest(parameterized.TestCase):
    @parameterized.named_parameters(("noisy", NOISY), ("mirrored", MIRRORED))
    @pytest.mark.slow
    def test_trains_saves_goes_on_and_exports(self, recipe):
        self.check(recipe)

    @parameterized.named_parameters(*(named for named in TRANSFERRED.items() if named[0] not in ("noisy", "mirrored")))
    @pytest.mark.slow
    def test_trains_saves_goes_on_and_exports_transferred(self, recipe):
        self.check(recipe)

    def check(self, recipe):
        of, data = model(recipe), table.dataset(recipe)
        of.fit(data, verbose=0)
        folder = pathlib.Path(self.create_tempdir().full_path)
        of.save(folder / "model.keras")
        loaded = ugm_tf.load_model(folder / "model.keras")
        for each in (of, loaded):
            each.fit(data, verbose=0)
        table.assert_same(table.state(of), table.state(loaded))
        self.assertTrue((export_model(of, folder / "served") / "saved_model.pb").exists())

    @pytest.mark.slow
    def test_with_xla_in_one_program_as_without(self):
        ends = []
        for options in ({"jit_compile": True, "steps_per_execution": 3}, {}):
            of = model(TRANSFERRED["noisy_weighted"], **options)
            of.fit(table.dataset(of.recipe), verbose=0)
            ends.append(of.get_weights())
        for left, right in zip(*ends, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)

    def test_prints(self):
        real = NOISY.describe().splitlines()[1]
        self.assertEqual(real, "    E[0.9 of x ~ data or z ~ prior, x ~ decoder] -log q(y=1 | x)")
        brightness = MIRRORED.describe().splitlines()[-1]
        self.assertEqual(brightness, "  + 0.5 E[x ~ data, x = mirrored x] ByDarkness * mean of x")

    def test_both_transfers_reach_every_side(self):
        activated, generated = TRANSFERRED["mirrored_activated"].describe(), "z ~ sg(prior), x ~ sg(decoder)"
        self.assertIn(f"0.5 of {generated}, z ~ encoder or {generated}, x = mirrored x, z ~ encoder", activated)
        packed, pack = TRANSFERRED["noisy_hinge_packed"].describe(), "x_pack = 2 of x"
        self.assertIn(f"E[0.9 of x ~ data, {pack} or z ~ prior, x ~ decoder, {pack}] max(0, 1 - l(x_pack))", packed)

    def test_what_a_side_does_not_draw_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"scores 'decoder'.*under E\[x ~ data\]; but z is never drawn there"):
            Recipe(
                MIRRORED.densities,
                (Phase("wake", (E(NegativeLogProb("decoder"), Mixture(INFERRED, DATA)),), "decoder"),),
            )

    def test_a_step_decides_what_learns_from_a_draw(self):
        self.assertTrue(Mixture(DATA, GENERATED).draws(("decoder",)))
        self.assertFalse(Mixture(DATA, GENERATED).detached().draws(("decoder",)))


class ForgottenTest(parameterized.TestCase):
    def test_a_function_is_refused_and_told_how_to_say_what_it_asks(self):
        def free_bits(sample):
            return sample.log_prob("encoder")

        with self.assertRaisesRegex(
            ValueError, "minimises a term. Received: function 'free_bits'. Write it as a class"
        ):
            E(free_bits, INFERRED)
        with self.assertRaisesRegex(
            ValueError, "has a weight. Received: function 'free_bits'.*derived from ugm_tf.Weig"
        ):
            E(KL("encoder", "prior"), INFERRED, weight=free_bits)
        with self.assertRaisesRegex(ValueError, "is under a sampler.*derived from ugm_tf.Sampler. Received: <function"):
            E(KL("encoder", "prior"), free_bits)

    @parameterized.parameters(ugm_tf.Term, ugm_tf.Weight)
    def test_a_part_that_says_nothing(self, base):
        @ugm_tf.record
        class Forgetful(base):
            by: str = "discriminator"

            def __call__(self, sample):
                return sample.distribution(self.by).logits

        parts = {"of": Forgetful()} if base is ugm_tf.Term else {"of": Brightness(), "weight": Forgetful()}
        with self.assertRaisesRegex(ValueError, f"The {base.__name__.lower()} Forgetful does not say what it asks"):
            E(**parts)

    def test_a_part_that_says_too_little_is_refused_with_its_networks(self):
        @ugm_tf.record
        class Half(ugm_tf.Term):
            conditioned = ("encoder",)

            def __call__(self, sample):
                return sample.distribution("encoder").mean()[:, 0] - sample.log_prob("decoder")

        terms = (E(Half(), INFERRED), *MIRRORED.phases[0].minimise)
        with self.assertRaisesRegex(ValueError, "Half asks the density 'decoder' and does not say so"):
            model(Recipe(MIRRORED.densities, (Phase("wake", terms, "encoder"),)))

    def test_a_sampler_that_says_nothing(self):
        @ugm_tf.record
        class Own(ugm_tf.Sampler):
            def draw(self, draws, seed):
                return draws.start

        with self.assertRaisesRegex(
            ValueError, "The sampler Own does not say what it is made of: define `sides`, `each"
        ):
            E(Brightness(), Own())

    def test_a_step_that_says_nothing(self):
        @ugm_tf.record
        class Own(ugm_tf.Step):
            def __call__(self, sample, seed):
                return sample.where(x=1.0 - sample["x"])

        with self.assertRaisesRegex(ValueError, r"The step .*Own\(\) does not say what it sets: define `sets`"):
            DATA.then(Own())

    def test_a_term_that_names_what_it_asks_gets_a_density_that_can_answer(self):
        """As a plain function, a free-bits term once gave the encoder a point density, without a word."""

        @ugm_tf.record
        class FreeBits(ugm_tf.Term):
            conditioned = ("encoder", "prior")

            def __call__(self, sample):
                return tf.maximum(KL("encoder", "prior")(sample), 0.5)

        terms = (E(NegativeLogProb("decoder"), INFERRED), E(FreeBits(), INFERRED))
        recipe = Recipe(MIRRORED.densities, (Phase("wake", terms, ("encoder", "decoder")),))
        self.assertEqual(str(model(recipe).encoder.family), "Gaussian(scale=None)")

    def test_keras_can_save_them_all(self):
        config = keras.saving.serialize_keras_object(MIRRORED)
        self.assertEqual(keras.saving.deserialize_keras_object(config), MIRRORED)


if __name__ == "__main__":
    absltest.main()
