import dataclasses

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.algebra import stubs
from ugm_tf.algebra import (
    GENERATED,
    INFERRED,
    KL,
    Ancestral,
    Detach,
    DiscriminatorLoss,
    DiscriminatorProbability,
    Draw,
    Draws,
    E,
    ImportanceWeight,
    ImportanceWeightedBound,
    JointSample,
    NegativeLogProb,
    Phase,
    Recipe,
    adversarial,
    adversary_activated,
    importance_weighted,
)

GAN, VAE = ugm_tf.recipes.gan(), ugm_tf.recipes.vae()
CONDITIONAL_GAN = Recipe(
    {"prior": "p(z)", "decoder": "p(x | z, c)", "discriminator": "q(y | x, c)"},
    adversarial(fake=GENERATED, updates=("decoder",)),
    ("x", "c"),
)
CONDITIONAL_VAE = Recipe({"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"}, VAE.phases, ("x", "c"))
IWAE = Recipe(
    VAE.densities,
    (Phase("wake", (E(ImportanceWeightedBound(), Ancestral(("encoder",), k=5)),), ("encoder", "decoder")),),
)
BIGAN = Recipe(
    {"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x, z)"},
    adversarial(fake=GENERATED, real=INFERRED, updates=("decoder", "encoder")),
)


class ImportanceWeightedTest(parameterized.TestCase):
    def test_weights_both_sides_where_both_learn(self):
        """Each by the ratio of its own side: q^r(y) / q(y) for y = 0 and for y = 1."""
        fool, fool_real = importance_weighted(BIGAN).phase("generate").minimise
        self.assertEqual((fool.label, fool.weight), ("fool", ImportanceWeight("discriminator", y=0)))
        self.assertEqual((fool_real.label, fool_real.weight), ("fool_real", ImportanceWeight("discriminator", y=1)))
        plain = BIGAN.phase("generate").minimise
        self.assertEqual(tuple(dataclasses.replace(e, weight=None) for e in (fool, fool_real)), plain)

    @parameterized.named_parameters(("gan", GAN), ("conditional", CONDITIONAL_GAN))
    def test_weights_the_generated_side_of_the_generate_phase_and_nothing_else(self, recipe):
        out = importance_weighted(recipe)
        weighted = [e.label for phase in out.phases for e in phase.minimise if e.weight is not None]
        self.assertEqual(weighted, ["fool"])
        fool = out.phase("generate").minimise[0]
        self.assertEqual(fool.weight, ImportanceWeight("discriminator"))
        unweighted = dataclasses.replace(fool, weight=None)
        phases = [
            dataclasses.replace(p, minimise=[unweighted if e is fool else e for e in p.minimise]) for p in out.phases
        ]
        self.assertEqual(dataclasses.replace(out, phases=phases), recipe)

    def test_each_discriminator_weighs_what_it_judges(self):
        pairs = (*adversarial(GENERATED, ("decoder",)), *adversarial(GENERATED, ("decoder",), by="critic", suffix="_2"))
        recipe = Recipe(
            {"prior": "p(z)", "decoder": "p(x | z)", "discriminator": "q(y | x)", "critic": "q(y | x)"}, pairs
        )
        out = importance_weighted(recipe)
        self.assertEqual(out.phase("generate").minimise[0].weight.by, "discriminator")
        self.assertEqual(out.phase("generate_2").minimise[0].weight.by, "critic")

    @parameterized.named_parameters(
        ("vae", VAE, "wake"), ("ppo_gan", ugm_tf.recipes.ppo_gan(moves=1), "discriminate, classify, generate")
    )
    def test_refuses_a_recipe_that_fools_nobody(self, recipe, phases):
        with self.assertRaisesRegex(ValueError, rf"its phases are {phases}. Apply it to a recipe such as gan\(\)"):
            importance_weighted(recipe)

    @parameterized.parameters("minimax", "hinge", "log_ratio", "wasserstein", "kl_reverse")
    def test_refuses_another_contest(self, contest):
        advice = rf"\(equation 16\). This recipe plays contest='{contest}'. Apply it to contest='logistic'"
        with self.assertRaisesRegex(ValueError, advice):
            importance_weighted(ugm_tf.recipes.gan(contest=contest))

    def test_normalises_within_classes_on_request(self):
        fool = importance_weighted(CONDITIONAL_GAN, normalise="class").phase("generate").minimise[0]
        self.assertEqual(fool.weight, ImportanceWeight("discriminator", within="c"))
        self.assertEqual(importance_weighted(CONDITIONAL_GAN, normalise="batch"), importance_weighted(CONDITIONAL_GAN))

    def test_refuses_to_normalise_within_classes_where_there_are_none(self):
        advice = r"a class c, such as conditional_gan\(\). This one has: p\(z\), p\(x \| z\), q\(y \| x\)"
        with self.assertRaisesRegex(ValueError, advice):
            importance_weighted(GAN, normalise="class")

    def test_refuses_another_normalisation(self):
        with self.assertRaisesRegex(ValueError, "normalise is 'batch' or 'class'. Received: normalise='none'"):
            importance_weighted(GAN, normalise="none")

    def test_refuses_to_weight_twice(self):
        with self.assertRaisesRegex(ValueError, "weighted already. Apply importance_weighted once"):
            importance_weighted(importance_weighted(GAN))


class AdversaryActivatedTest(parameterized.TestCase):
    @parameterized.named_parameters(("vae", VAE), ("conditional", CONDITIONAL_VAE), ("iwae", IWAE))
    def test_takes_each_expectation_over_data_and_over_detached_draws_with_half_its_scale(self, recipe):
        wake = adversary_activated(recipe, temperature=1.5).phase("wake")
        self.assertEqual(wake.updates, recipe.phase("wake").updates)
        self.assertLen(wake.minimise, 2 * len(recipe.phase("wake").minimise))
        for i, e in enumerate(recipe.phase("wake").minimise):
            on_data, on_generated = wake.minimise[2 * i : 2 * i + 2]
            self.assertEqual((on_data.label, on_generated.label), (f"{e.label}_data", f"{e.label}_generated"))
            self.assertEqual(on_data.under, e.under)
            generated = (Draw("prior"), Draw("decoder"), Detach(), *e.under.steps)
            self.assertEqual(on_generated.under.steps, generated)
            for half in (on_data, on_generated):
                self.assertEqual((half.of, half.scale), (e.of, 0.5 * e.scale))
                self.assertEqual(half.weight, DiscriminatorProbability(temperature=1.5))

    def test_adds_the_discriminator_of_a_gan_and_trains_it_first(self):
        out = adversary_activated(VAE)
        self.assertEqual(out.densities, VAE.densities | {"discriminator": "q(y | x)"})
        self.assertEqual(out.phases[0], GAN.phase("discriminate"))
        self.assertEqual([phase.name for phase in out.phases], ["discriminate", "wake"])

    def test_leaves_other_phases_alone(self):
        sleep = Phase("sleep", (E(NegativeLogProb("encoder"), GENERATED),), ("encoder",))
        recipe = dataclasses.replace(VAE, phases=(*VAE.phases, sleep))
        self.assertEqual(adversary_activated(recipe).phase("sleep"), sleep)

    def test_beta_stays_a_factor_of_the_rate(self):
        scales = [e.scale for e in adversary_activated(ugm_tf.recipes.vae(beta=4.0)).phase("wake").minimise]
        self.assertEqual(scales, [0.5, 0.5, 2.0, 2.0])

    def test_of_a_conditional_vae_generates_x_of_the_same_classes(self):
        e = adversary_activated(CONDITIONAL_VAE).phase("wake").minimise[1]
        self.assertEqual(
            e.under.describe(CONDITIONAL_VAE.roles, ("x", "c")), "z ~ sg(prior), c ~ data, x ~ sg(decoder), z ~ encoder"
        )

    def test_of_an_iwae_weighs_the_bound_of_each_example(self):
        recipe = adversary_activated(IWAE)
        densities = {
            "prior": stubs.standard(1),
            "encoder": stubs.shifted(),
            "decoder": stubs.shifted(0.5),
            "discriminator": stubs.judge(lambda x: x[..., 0]),
        }
        x = tf.constant([[0.5], [-1.0], [2.0]])
        start = JointSample(densities, recipe.roles, {"x": x}, training=True)
        draws = Draws(start)
        values = recipe.phase("wake").values(draws, (0, 0))
        for e in recipe.phase("wake").minimise:
            sample = draws(e.under, None)  # as it is there
            self.assertEqual(tuple(sample["z"].shape), (5, 3, 1))
            weighted = tf.sigmoid(sample["x"][:, 0]) * ImportanceWeightedBound()(sample)
            self.assertAlmostEqual(values[f"wake/{e.label}"].numpy(), np.mean(weighted), delta=1e-6)

    def test_a_step_of_ones_own_counts_as_one_of_ours(self):
        """Of a class that is inferred nothing is generated, whatever infers it; labelled copies give way."""

        @ugm_tf.record
        class Guess(ugm_tf.Step):
            density: str = "classifier"

        @ugm_tf.record
        class Copy(ugm_tf.Step):
            needs, sets = (lambda self, roles: ("labelled",)), (lambda self, roles: "x")

        Guess.__call__ = Copy.__call__ = lambda self, sample, seed: sample
        of = ugm_tf.recipes.semi_supervised_vae()

        def swapped(e, names):
            steps = tuple({"Enumerate": Guess(), "Rename": Copy()}.get(type(s).__name__, s) for s in e.under.steps)
            return dataclasses.replace(e, under=Ancestral(steps), name=names[e])

        names = {e: e.label for e in of.expectations}
        ours = [[e.label, e.scale] for e in adversary_activated(of).phase("wake").minimise]
        found = adversary_activated(of.each(lambda e: swapped(e, names))).phase("wake").minimise
        self.assertEqual([[e.label, e.scale] for e in found], ours)
        for e in found:
            if e.label.endswith("_generated"):
                self.assertFalse(any(isinstance(step, Guess | Copy) for step in e.under.steps), e)

    def test_what_is_made_of_a_generated_example_is_kept(self):
        @ugm_tf.record
        class Mirror(ugm_tf.Step):
            needs, sets = (lambda self, roles: ("x",)), (lambda self, roles: "x")

        Mirror.__call__ = lambda self, sample, seed: sample
        under = Ancestral((Mirror(), "encoder"))
        vae = ugm_tf.recipes.vae()
        wake = Phase(
            "wake", tuple(dataclasses.replace(e, under=under) for e in vae.expectations), vae.phases[0].updates
        )
        found = adversary_activated(Recipe(vae.densities, (wake,))).phase("wake").minimise
        self.assertTrue(all(Mirror() in e.under.steps for e in found))

    def test_refuses_a_recipe_with_a_discriminator(self):
        with self.assertRaisesRegex(ValueError, r"'discriminator': q\(y \| x\). Apply it to a recipe such as vae\(\)"):
            adversary_activated(GAN)
        with self.assertRaisesRegex(ValueError, r"'discriminator': q\(y \| x\)"):
            adversary_activated(adversary_activated(VAE))

    def test_refuses_a_recipe_that_encodes_no_data(self):
        sleep = Phase("sleep", (E(NegativeLogProb("encoder"), GENERATED),), ("encoder",))
        with self.assertRaisesRegex(ValueError, "densities prior, encoder, decoder and the phases sleep. Apply it to"):
            adversary_activated(Recipe(VAE.densities, (sleep,)))

    def test_refuses_a_recipe_that_generates_nothing(self):
        phase = Phase("wake", (E(NegativeLogProb("encoder"), INFERRED),), ("encoder",))
        with self.assertRaisesRegex(ValueError, "in a recipe with a 'prior' and a 'decoder' to generate from"):
            adversary_activated(Recipe({"encoder": "q(z | x)"}, (phase,)))

    def test_refuses_an_expectation_that_is_weighted_already(self):
        e = E(NegativeLogProb("decoder"), INFERRED, weight=DiscriminatorProbability("critic"), name="odd")
        critic = E(DiscriminatorLoss(1, "critic"))
        recipe = Recipe(
            VAE.densities | {"critic": "q(y | x)"},
            (
                Phase("wake", (E(KL("encoder", "prior"), INFERRED), e), ("encoder",)),
                Phase("judge", (critic,), ("critic",)),
            ),
        )
        with self.assertRaisesRegex(ValueError, "cannot weight .*odd.*, which has a weight already"):
            adversary_activated(recipe)

    @parameterized.parameters(0.0, -2.0)
    def test_refuses_a_temperature_that_is_not_positive(self, temperature):
        with self.assertRaisesRegex(ValueError, "must be positive"):
            adversary_activated(VAE, temperature=temperature)


class NamesTest(parameterized.TestCase):
    @parameterized.parameters(
        *("importance_weighted", "adversary_activated", "contested", "packed", "diffaugmented", "learned_prior")
    )
    def test_a_recipes_name_is_no_recipe(self, function):
        more = {"packed": (2,), "learned_prior": ("flow",)}.get(function, ())
        with self.assertRaisesRegex(TypeError, rf"{function}\(\) takes a recipe, such as ugm_tf.recipes.get\('gan'\)"):
            getattr(ugm_tf, function)("gan", *more)


if __name__ == "__main__":
    absltest.main()
