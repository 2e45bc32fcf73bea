"""Discriminators of packs: who judges them, and which weights make sense beside them."""

import dataclasses

from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    INFERRED,
    Ancestral,
    DiscriminatorLoss,
    E,
    Interpolated,
    NegativeLogProb,
    Pack,
    adversary_activated,
    contested,
    importance_weighted,
    packed,
)
from ugm_tf.recipes import (
    aae,
    alpha_gan,
    bigan,
    conditional_gan,
    cyclegan,
    gan,
    iwcgan,
    ppo_gan,
    vae,
    vae_gan,
)


def losses(recipe):
    return [e.of for phase in recipe.phases for e in phase.minimise if isinstance(e.of, DiscriminatorLoss)]


WEIGHTED = (("iwgan", "gan"), ("iwcgan", "conditional_gan"), ("iwbigan", "bigan"), ("iwaae", "aae"))
WEIGHTED += (("iwinfogan", "infogan"), ("iwacgan", "acgan"))


class PackedTest(parameterized.TestCase):
    def test_what_is_judged_is_packed_on_both_sides_and_for_both_players(self):
        made = packed(gan(), 3)
        self.assertEqual(made.densities, {**gan().densities, "discriminator": "q(y | x_pack)"})
        pack = Pack("x", "x_pack", 3)
        unders = [e.under for phase in made.phases for e in phase.minimise]
        self.assertEqual(unders, [DATA.then(pack), GENERATED.then(pack), GENERATED.then(pack)])
        self.assertEqual(losses(made), losses(gan()))

    def test_pairs_are_packed_in_each_variable(self):
        made = packed(bigan(), 2)
        self.assertEqual(made.densities["discriminator"], "q(y | x_pack, z_pack)")
        packs = (Pack("x", "x_pack", 2), Pack("z", "z_pack", 2))
        self.assertEqual(made.phases[0].minimise[0].under, INFERRED.then(*packs))

    @parameterized.parameters(conditional_gan, aae, alpha_gan, cyclegan, vae_gan, ugm_tf.recipes.acgan)
    def test_every_discriminator_judges_packs(self, recipe):
        made = packed(recipe(), 2)
        judges = [name for name in made.judges if "classifier" not in name]
        self.assertTrue(judges and all(v.endswith("_pack") for name in judges for v in made.roles[name].given))

    def test_terms_that_judge_nothing_see_single_examples(self):
        distortion = packed(aae(), 2).phase("generate").minimise[-1]
        self.assertEqual(distortion, E(NegativeLogProb("decoder"), INFERRED, name="distortion"))

    def test_penalties_are_of_packs(self):
        made = gan(gradient_penalty=1.0, r1=1.0, pack=2)
        pack = Pack("x", "x_pack", 2)
        _, _, between, r1 = made.phase("discriminate").minimise
        self.assertEqual(between.under, Interpolated(DATA.then(pack), GENERATED.then(pack)))
        self.assertEqual(r1.under, DATA.then(pack))

    def test_a_pack_of_one_is_the_example(self):
        self.assertEqual(contested(gan(), pack=1), gan())

    @parameterized.parameters(0, -2)
    def test_refuses_less(self, size):
        for make in (packed, lambda recipe, size: contested(recipe, pack=size)):
            with self.assertRaisesRegex(ValueError, f"A pack has at least 2 examples. Received: pack={size}"):
                make(gan(), size)

    def test_refuses_a_recipe_without_a_discriminator(self):
        with self.assertRaisesRegex(ValueError, r"takes a recipe with a discriminator, such as gan\(\)"):
            packed(vae(), 2)

    @parameterized.parameters(*WEIGHTED)
    def test_importance_weights_of_packs_are_the_same_by_either_route(self, name, base):
        recipes = ugm_tf.recipes
        made = packed(recipes.get(name), 2)
        self.assertEqual(made, importance_weighted(recipes.get(base, pack=2)))
        self.assertEqual(made, recipes.get(name, pack=2))
        self.assertEqual(made, contested(recipes.get(name), pack=2))
        weighted = [e for phase in made.phases for e in phase.minimise if e.weight is not None]
        self.assertTrue(weighted and all(isinstance(e.under.steps[-1], Pack) for e in weighted))

    @parameterized.parameters(
        lambda: contested(iwcgan(normalise="class"), pack=2),
        lambda: iwcgan(pack=2, normalise="class"),
        lambda: importance_weighted(conditional_gan(pack=2), normalise="class"),
    )
    def test_refuses_to_normalise_packs_within_classes(self, make):
        advice = "within the classes of examples, and a pack of several has no one class. Use normalise='batch', or pac"
        with self.assertRaisesRegex(ValueError, advice):
            make()

    @parameterized.parameters(
        (lambda r: packed(adversary_activated(r), 2), "weights each example by 'discriminator', which would"),
        (lambda r: adversary_activated(packed(r, 2)), "weights 'fake_data', a term of packs, by a weight of single"),
    )
    def test_refuses_weights_of_examples_on_a_term_of_packs(self, make, advice):
        made = aae()
        densities = {("codes" if name == "discriminator" else name): role for name, role in made.densities.items()}
        phases = ugm_tf.adversarial(
            INFERRED, ("encoder", "decoder"), Ancestral(("prior",)), by="codes", extra=made.phases[1].minimise[1:]
        )
        with self.assertRaisesRegex(ValueError, advice):
            make(ugm_tf.Recipe(densities, (dataclasses.replace(phases[0], name="judge_codes"), phases[1])))

    def test_refuses_logits_that_are_kept_of_single_examples(self):
        with self.assertRaisesRegex(ValueError, "keeps the logit of 'ratio' for each example, which would judge packs"):
            packed(ppo_gan(), 2)

    @parameterized.parameters(ugm_tf.recipes.aavae, ugm_tf.recipes.aacvae, ugm_tf.recipes.aaiwae)
    def test_refuses_weights_of_single_examples(self, recipe):
        advice = (
            "weights each example by 'discriminator', which would judge packs of 2 together. Use pack=1, or a recipe"
        )
        with self.assertRaisesRegex(ValueError, advice):
            packed(recipe(), 2)


if __name__ == "__main__":
    absltest.main()
