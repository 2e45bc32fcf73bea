import dataclasses
import json

import keras
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import (
    GENERATED,
    INFERRED,
    KL,
    Ancestral,
    E,
    Enumerate,
    ImportanceWeightedBound,
    NegativeLogProb,
    Phase,
    Recipe,
    Rename,
    Role,
    adversarial,
    adversary_activated,
    importance_weighted,
)

CONDITIONAL_GAN = Recipe(
    densities={"prior": "p(z)", "decoder": "p(x | z, c)", "discriminator": "q(y | x, c)"},
    phases=adversarial(fake=GENERATED, updates=("decoder",)),
    data=("x", "c"),
)
CONDITIONAL_VAE = Recipe(
    densities={"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"},
    phases=(
        Phase(
            "wake",
            (
                E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                E(KL("encoder", "prior"), INFERRED, scale=0.5, name="rate"),
            ),
            updates=("encoder", "decoder"),
        ),
    ),
    data=("x", "c"),
)
BIGAN = Recipe(
    densities={"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x, z)"},
    phases=adversarial(fake=GENERATED, real=INFERRED, updates=("decoder", "encoder")),
)
STRANGE = Recipe(
    densities={
        "prior": "p(z)",
        "encoder": "q(z | x, c)",
        "decoder": "p(x | z, c)",
        "classifier": "q(c | x)",
        "other": "p(x | w)",
    },
    phases=[
        Phase(
            "bound",
            [
                E(ImportanceWeightedBound(), Ancestral((Enumerate("classifier"), ugm_tf.Draw("encoder", 5))), scale=2),
                E(
                    NegativeLogProb("other"),
                    Ancestral((Enumerate("classifier"), "encoder", Rename("z", "w"))),
                    scale=-0.25,
                ),
            ],
            updates="classifier",
            repeats=3,
        )
    ],
    data="x",
)

RECIPES = {
    "vae": ugm_tf.recipes.vae(beta=4.0, kl="sampled"),
    "gan": ugm_tf.recipes.gan(),
    "minimax": ugm_tf.recipes.gan(contest="minimax"),
    "iwgan": ugm_tf.recipes.iwgan(),
    "aavae": ugm_tf.recipes.aavae(temperature=3.0),
    "conditional_gan": CONDITIONAL_GAN,
    "conditional_vae": CONDITIONAL_VAE,
    "conditional_aavae": adversary_activated(CONDITIONAL_VAE),
    "conditional_iwgan": importance_weighted(CONDITIONAL_GAN),
    "bigan": BIGAN,
    "strange": STRANGE,
}


EQUATIONS = {
    "minimax": """\
discriminate: minimise over discriminator
    E[x ~ data] -log q(y=1 | x)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
generate: minimise over decoder
    E[z ~ prior, x ~ decoder] log q(y=0 | x)""",
    "conditional_gan": """\
discriminate: minimise over discriminator
    E[x ~ data, c ~ data] -log q(y=1 | x, c)
  + E[z ~ prior, c ~ data, x ~ decoder] -log q(y=0 | x, c)
generate: minimise over decoder
    E[z ~ prior, c ~ data, x ~ decoder] -log q^r(y=0 | x, c)""",
    "conditional_vae": """\
wake: minimise over encoder, decoder
    E[x ~ data, c ~ data, z ~ encoder] -log p(x | z, c)
  + 0.5 E[x ~ data, c ~ data, z ~ encoder] KL(q(z | x, c) || p(z))""",
    "bigan": """\
discriminate: minimise over discriminator
    E[x ~ data, z ~ encoder] -log q(y=1 | x, z)
  + E[z ~ prior, x ~ decoder] -log q(y=0 | x, z)
generate: minimise over decoder, encoder
    E[z ~ prior, x ~ decoder] -log q^r(y=0 | x, z)
  + E[x ~ data, z ~ encoder] -log q^r(y=1 | x, z)""",
    "strange": """\
bound: minimise over classifier, 3 times
    2 E[x ~ data, every c ~ classifier, z_1..5 ~ encoder] -log mean_k[p(x | z, c) p(z) / q(z | x, c)]
  - 0.25 E[x ~ data, every c ~ classifier, z ~ encoder, w = z] -log p(x | w)""",
}


class DescribeTest(parameterized.TestCase):
    @parameterized.parameters(*EQUATIONS)
    def test_prints_the_equations(self, name):
        self.assertEqual(RECIPES[name].describe(), EQUATIONS[name])


class RecipeTest(parameterized.TestCase):
    def test_roles_are_parsed(self):
        self.assertEqual(CONDITIONAL_GAN.roles["decoder"], Role("p", "x", ("z", "c")))

    def test_a_phase_by_its_name(self):
        self.assertIs(BIGAN.phase("generate"), BIGAN.phases[1])
        with self.assertRaisesRegex(ValueError, "no phase 'wake'. This recipe has: discriminate, generate"):
            BIGAN.phase("wake")

    def test_judges_are_those_that_are_asked_for_a_logit(self):
        found = {name: ugm_tf.recipes.get(name).judges for name in ("vae", "aavae", "alpha_gan", "ppo_gan", "acgan")}
        self.assertEqual(
            found,
            {
                "vae": (),
                "aavae": ("discriminator",),
                "alpha_gan": ("discriminator", "code_discriminator"),
                "ppo_gan": ("discriminator", "ratio"),
                "acgan": ("discriminator",),
            },
        )

    def test_steps_are_those_of_every_sampler_each_once(self):
        steps = (Enumerate("classifier"), ugm_tf.Draw("encoder", 5), ugm_tf.Draw("encoder"), Rename("z", "w"))
        self.assertEqual(STRANGE.steps, steps)
        between = ugm_tf.recipes.gan(gradient_penalty=1.0, pack=2)
        packs = (ugm_tf.algebra.Pack("x", "x_pack", 2), ugm_tf.Draw("prior"), ugm_tf.Draw("decoder"))
        self.assertEqual(between.steps, packs)

    def test_a_phase_that_stands_several_times_is_written_once(self):
        recipe = dataclasses.replace(BIGAN, phases=(*BIGAN.phases, *BIGAN.phases))
        lines = [line for line in recipe.describe().splitlines() if not line.startswith(" ")]
        times = ", 2 times in turn"
        by_hand = [
            f"discriminate: minimise over discriminator{times}",
            f"generate: minimise over decoder, encoder{times}",
        ]
        self.assertEqual(lines, by_hand)

    def test_a_single_variable_of_data_may_be_given_by_name(self):
        self.assertEqual(STRANGE.data, ("x",))

    def test_lists_of_phases_are_as_good_as_tuples(self):
        self.assertEqual(dataclasses.replace(BIGAN, phases=list(BIGAN.phases)), BIGAN)

    def test_replacing_a_part_checks_again(self):
        with self.assertRaisesRegex(ValueError, "at least one phase"):
            dataclasses.replace(BIGAN, phases=())


@parameterized.parameters(*RECIPES)
class SerializationTest(parameterized.TestCase):
    def test_what_is_saved_is_loaded(self, name):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(RECIPES[name])))
        loaded = keras.saving.deserialize_keras_object(config)
        self.assertEqual(loaded, RECIPES[name])
        self.assertEqual(loaded.describe(), RECIPES[name].describe())

    def test_samplers_stay_equal_to_those_of_other_expectations(self, name):
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(RECIPES[name]))
        before = [e.under for phase in RECIPES[name].phases for e in phase.minimise]
        after = [e.under for phase in loaded.phases for e in phase.minimise]
        self.assertEqual(set(before), set(after))


@ugm_tf.record
class Doubled(ugm_tf.Term):
    """A term of one's own that is saved with the recipe."""

    factor: float = 2.0
    takes = ("x",)

    def __call__(self, sample):
        return self.factor * sample["x"][..., 0]


class OwnPartsTest(absltest.TestCase):
    def test_records_of_ones_own_are_saved(self):
        phase = Phase("p", (E(Doubled(3.0)),), updates=("decoder",))
        recipe = Recipe({"decoder": "p(x | z)"}, (phase,))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(recipe))
        self.assertEqual(loaded, recipe)
        self.assertEqual(loaded.phases[0].minimise[0].label, "doubled")


if __name__ == "__main__":
    absltest.main()
