"""A prior that learns: where it does, how a divergence from it is taken, what is held fixed, and what is refused."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import KL, recipes
from ugm_tf.algebra import GENERATED, INFERRED, Ancestral, Detach, Draw, E, Mean, NegativeLogProb, Phase, Recipe
from ugm_tf.densities import Flow, Gaussian, Mixture, Vamp, kinds


def learners(recipe):
    """Names of the phases in which the prior learns."""
    return [phase.name for phase in recipe.phases if "prior" in phase.updates]


class LearnedPriorTest(parameterized.TestCase):
    @parameterized.parameters("mixture(3)", "vamp(7)", "flow")
    def test_a_vae_estimates_its_rate_at_the_draws(self, prior):
        expected = recipes.vae(beta=2.0, kl="sampled").describe().replace("decoder\n", "decoder, prior\n", 1)
        made = ugm_tf.learned_prior(recipes.vae(beta=2.0), prior)
        self.assertEqual(made.describe(), expected)
        self.assertEqual(made.families, {"prior": prior})

    def test_a_family_keeps_the_closed_form(self):
        expected = recipes.vae().describe().replace("decoder\n", "decoder, prior\n", 1)
        self.assertEqual(ugm_tf.learned_prior(recipes.vae(), "gaussian").describe(), expected)

    @parameterized.parameters(
        (recipes.iwae, "wake"),
        (recipes.aavae, "wake"),
        (recipes.hierarchical_vae, "wake"),
        (recipes.semi_supervised_vae, "wake"),
        (recipes.vae_gan, "generate"),
        (recipes.info_vae, "wake", "flow"),
        (recipes.factor_vae, "generate"),
    )
    def test_it_learns_in_the_phase_that_scores_it_and_no_other(self, recipe, phase, prior="mixture(3)"):
        self.assertEqual(learners(ugm_tf.learned_prior(recipe(), prior)), [phase])

    def test_it_learns_nothing_by_a_doubly_reparameterised_bound_whose_gradient_is_the_encoders(self):
        dreg = recipes.iwae(gradient="doubly_reparameterised")
        self.assertEqual(learners(ugm_tf.learned_prior(dreg, "mixture(3)")), ["wake"])
        with self.assertRaisesRegex(ValueError, "'vamp' is made of the encoder, and the doubly reparam.* a mixture or"):
            ugm_tf.learned_prior(dreg, "vamp")

    def test_another_prior_learns_by_its_name(self):
        made = ugm_tf.learned_prior(recipes.semi_supervised_vae(), "one_hot", name="classes")
        self.assertIn("classes", made.phase("wake").updates)
        self.assertEqual(made.families["classes"], "one_hot")
        self.assertTrue(all(not e.of.sampled for e in made.expectations if isinstance(e.of, KL)))

    def test_draws_without_a_gradient_are_held_fixed_where_it_learns(self):
        before, made = recipes.vae_gan(), ugm_tf.learned_prior(recipes.vae_gan(), "mixture(3)")
        held = Ancestral((Draw("prior"), Detach(), Mean("decoder")))
        self.assertEqual([phase.minimise[i].under for phase, i in zip(made.phases, (1, 0), strict=True)], [held, held])
        self.assertNotEqual(before.phases[1].minimise[0].under, held)

    def test_draws_with_a_gradient_are_held_fixed_where_they_are_judged(self):
        before, made = recipes.vae_gan(), ugm_tf.learned_prior(recipes.vae_gan(), "flow")
        held = Ancestral((Draw("prior"), Detach(), Mean("decoder")))
        pairs = [
            [phase.minimise[i].under for i in range(len(phase.minimise)) if i != own]
            for recipe in (before, made)
            for phase, own in zip(recipe.phases, (1, 0), strict=True)
        ]
        self.assertEqual([phase.minimise[i].under for phase, i in zip(made.phases, (1, 0), strict=True)], [held, held])
        self.assertEqual(pairs[:2], pairs[2:])

    def test_a_discriminator_teaches_a_prior_nothing_and_the_decoder_as_before(self):
        shapes = {"x": (4,), "z": (2,)}
        made = ugm_tf.learned_prior(recipes.vae_gan(), "flow")
        model = ugm_tf.UnifiedModel(made, ugm_tf.networks.build(made, shapes, hidden=(4,), likelihood="gaussian"))
        x = tf.random.stateless_uniform([6, 4], [1, 2])
        e = made.phase("generate").minimise[0]
        self.assertEqual(e.label, "fool")

        def slopes(under):
            with tf.GradientTape() as tape:
                start = model.joint.sample({"x": x}, training=True)
                value = tf.reduce_mean(e.by_example(under(start, tf.constant([3, 4]))))
            parts = [[v.value for v in model.densities[n].trainable_variables] for n in ("prior", "decoder")]
            return tape.gradient(value, parts)

        of_prior, of_decoder = slopes(e.under)
        self.assertTrue(all(slope is None for slope in of_prior))
        live, same = slopes(Ancestral(("prior", Mean("decoder"))))
        self.assertGreater(max(float(tf.reduce_max(tf.abs(slope))) for slope in live if slope is not None), 0.0)
        for ours, theirs in zip(of_decoder, same, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)

    def test_draws_with_a_gradient_that_nobody_judges_are_not(self):
        before, made = recipes.info_vae(), ugm_tf.learned_prior(recipes.info_vae(), "flow")
        self.assertEqual([e.under for e in made.expectations], [e.under for e in before.expectations])

    def test_refuses_draws_that_cannot_be_held_fixed_alone(self):
        with self.assertRaisesRegex(
            ValueError, "no draw of the prior 'vamp', .* draws from it beside encoder, .*'flow'"
        ):
            ugm_tf.learned_prior(recipes.info_vae(), "vamp")

    def test_nor_are_those_of_phases_in_which_it_does_not_learn(self):
        before, made = recipes.aavae(), ugm_tf.learned_prior(recipes.aavae(), "mixture(3)")
        self.assertEqual([e.under for e in made.expectations], [e.under for e in before.expectations])

    @parameterized.parameters(recipes.gan, recipes.aae, recipes.bigan, recipes.wake_sleep, recipes.avb, recipes.wae)
    def test_refuses_a_recipe_that_only_draws_from_it(self, recipe):
        with self.assertRaisesRegex(ValueError, r"no phase of this recipe scores 'prior': .* E\(NegativeLogProb"):
            ugm_tf.learned_prior(recipe(), "flow")

    def test_as_it_advises_a_phase_of_ones_own_may_score_it(self):
        nats = (E(NegativeLogProb("decoder"), INFERRED), E(NegativeLogProb("prior"), INFERRED))
        sleep = Phase("sleep", (E(NegativeLogProb("encoder"), GENERATED),), "encoder")
        mine = Recipe(recipes.wake_sleep().densities, (Phase("wake", nats, ("decoder",)), sleep))
        self.assertEqual(learners(ugm_tf.learned_prior(mine, "mixture(3)")), ["wake"])

    @parameterized.parameters(
        (recipes.cyclegan, "prior", "this recipe has none. Received: name='prior'"),
        (recipes.vae, "encoder", r"this recipe has 'prior': p\(z\). Received: name='encoder'"),
        (recipes.vae, "priors", "Received: name='priors'"),
    )
    def test_refuses_what_is_no_prior(self, recipe, name, advice):
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.learned_prior(recipe(), "flow", name=name)

    def test_refuses_one_that_learns_already(self):
        with self.assertRaisesRegex(ValueError, "'prior' learns in this recipe already. Apply learned_prior.. once"):
            ugm_tf.learned_prior(ugm_tf.learned_prior(recipes.vae(), "flow"), "gaussian")

    def test_refuses_free_bits_without_a_closed_form(self):
        with self.assertRaisesRegex(ValueError, "prior 'flow' has no closed form, .* Leave out free_bits"):
            ugm_tf.learned_prior(recipes.vae(free_bits=0.1), "flow")
        ugm_tf.learned_prior(recipes.vae(free_bits=0.1), "gaussian")


class KindsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("mixture(50)", Mixture(50)),
        ("mixture(components=50)", Mixture(50)),
        ("mixture", Mixture()),
        ("vamp(20)", Vamp(20)),
        ("vamp(20, encoder='top_encoder')", Vamp(20, "top_encoder")),
        ("flow", Flow()),
        ("flow(2, hidden=(8, 8), inverse=True)", Flow(2, (8, 8), True)),
        ("gaussian(scale=0.5)", Gaussian(0.5)),
        (Vamp(3), Vamp(3)),
    )
    def test_each_has_a_name_and_arguments(self, text, expected):
        self.assertEqual(kinds.kind(text), expected)

    @parameterized.parameters(
        ("mixtures(3)", "A prior that learns is mixture, vamp, flow, or one of a family. Did you mean 'mixture'"),
        (
            "mixture(3, 4, 5)",
            r"'mixture' takes the arguments: components: int = 10, of.* Received: 'mixture\(3, 4, 5\)'",
        ),
        ("flow(step=2)", "The prior 'flow' takes the arguments: steps: int = 4"),
        ("vamp(print)", "The prior 'vamp' takes the arguments: pseudo_inputs: int = 500"),
        ("vamp(0)", "At least 1 pseudo-input. Received: pseudo_inputs=0"),
        ("flow(0)", "A flow has at least 1 step and hidden layers of at least 1 unit, .*Received: steps=0"),
        ("flow(hidden=64)", r"such as hidden=\(64,\). Received: steps=4, hidden=64"),
        ("flow(steps='a')", "'steps' of the prior 'flow' is of type int, such as 4. Received: 'a'"),
        ("flow(inverse=1)", "'inverse' of the prior 'flow' is of type bool"),
        ("vamp(2.5)", "'pseudo_inputs' of the prior 'vamp' is of type int"),
        ("flow(hidden=())", r"Received: steps=4, hidden=\(\)"),
        ("mixture(0)", "at least 1 component"),
    )
    def test_refuses_others(self, text, advice):
        with self.assertRaisesRegex(ValueError, advice):
            kinds.kind(text)


if __name__ == "__main__":
    absltest.main()
