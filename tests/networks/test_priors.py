"""Priors from a recipe and shapes: each kind is what its name says, learns where the recipe says, or is refused."""

from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import networks, recipes
from ugm_tf.densities import InverseAutoregressiveFlow, MaskedAutoregressiveFlow, Mixture, Prior, VampPrior

SHAPES = {"x": (8, 8, 1), "z": (3,), "h": (2,), "c": (4,)}


def built(prior, base=recipes.vae, **options):
    recipe = ugm_tf.learned_prior(base(), prior)
    return recipe, networks.build(recipe, SHAPES, hidden=(4,), **options)


class PriorTest(parameterized.TestCase):
    @parameterized.parameters(
        ("mixture(7)", Prior, Mixture(7), None, 1),
        ("gaussian", Prior, ugm_tf.densities.Gaussian(), None, 1),
        ("laplace", Prior, ugm_tf.densities.Laplace(), None, 1),
        ("flow(3)", Prior, ugm_tf.densities.Gaussian(), MaskedAutoregressiveFlow, 12),
        ("flow(1, inverse=True)", Prior, ugm_tf.densities.Gaussian(), InverseAutoregressiveFlow, 4),
        ("vamp(5)", VampPrior, Mixture(5), None, 1),
    )
    def test_is_what_its_name_says(self, prior, kind, family, flow, weights):
        recipe, densities = built(prior)
        found = densities["prior"]
        self.assertEqual((type(found), found.family, len(found.trainable_variables)), (kind, family, weights))
        self.assertIs(type(found.flow) if flow else None, flow)
        ugm_tf.UnifiedModel(recipe, densities)
        closed = prior == "gaussian"  # of a Gaussian encoder
        self.assertIn("KL(q(z | x) || p(z))" if closed else "[log q(z | x) - log p(z)]", recipe.describe())

    def test_without_a_phase_that_updates_it_a_prior_is_fixed(self):
        self.assertEqual(networks.build(recipes.vae(), SHAPES, hidden=(4,))["prior"].variables, [])

    def test_refuses_one_that_has_to_learn_and_does_not(self):
        with self.assertRaisesRegex(
            ValueError, r"no phase updates it. Make the recipe ugm_tf.learned_prior\(recipe, 'mix"
        ):
            networks.build(recipes.vae(), SHAPES, hidden=(4,), families_by_name={"prior": "mixture(3)"})

    def test_vamp_takes_the_encoders_family_and_inputs(self):
        _, densities = built("vamp(5)", families_by_name={"encoder": "laplace"})
        self.assertEqual(densities["prior"].family.of, densities["encoder"].family)
        self.assertEqual(densities["prior"].given, (8, 8, 1))

    def test_that_of_upper_codes_is_of_their_encoder(self):
        recipe, densities = built("vamp(5, encoder='top_encoder')", recipes.hierarchical_vae)
        self.assertEqual((densities["prior"].event_shape, densities["prior"].given), ((2,), (3,)))
        ugm_tf.UnifiedModel(recipe, densities)

    @parameterized.parameters(
        ("vamp(5)", recipes.conditional_vae, r"posteriors of 'encoder', a density q\(z . .\) of one parent"),
        ("vamp(5, encoder='other')", recipes.vae, "posteriors of 'other'"),
        ("vamp(5)", recipes.hierarchical_vae, r"posteriors of 'encoder', a density q\(h . .\)"),
        ("vamp(5)", recipes.iaf_vae, "the family 'iaf', whose posteriors have a flow"),
    )
    def test_refuses_posteriors_that_there_are_not(self, prior, base, advice):
        with self.assertRaisesRegex(ValueError, advice):
            built(prior, base)

    def test_refuses_a_flow_of_one_number(self):
        recipe = ugm_tf.learned_prior(recipes.vae(), "flow")
        with self.assertRaisesRegex(
            ValueError, r"flow is of vectors of at least 2 numbers. Received: 'prior' .*\(1,\)"
        ):
            networks.build(recipe, {**SHAPES, "z": (1,)}, hidden=(4,))


class ModelTest(parameterized.TestCase):
    def test_refuses_a_prior_in_updates_with_nothing_to_learn(self):
        recipe, densities = built("gaussian")
        with self.assertRaisesRegex(ValueError, "Phase 'wake' updates 'prior', .* Make it a Prior.*learned=True"):
            ugm_tf.UnifiedModel(recipe, {**densities, "prior": Prior((3,))})

    @parameterized.parameters(
        (
            VampPrior((3,), (4, 4, 1), 5),
            r"pseudo-inputs of shape \(4, 4, 1\). Received an encoder, q\(z . x\), of inputs",
        ),
        (VampPrior((3,), (8, 8, 1), 5, "laplace"), "of family Laplace.* Received an encoder of Gaussian"),
        (VampPrior((3,), (8, 8, 1), 5, encoder="decoder"), r"posteriors q\(z . .\) of 'decoder', and this one is p\(x"),
        (VampPrior((3,), (8, 8, 1), 5, encoder="inferrer"), "of 'inferrer', and this recipe has no such density"),
    )
    def test_refuses_posteriors_of_another_kind(self, prior, advice):
        recipe, densities = built("vamp(5)")
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.UnifiedModel(recipe, {**densities, "prior": prior})


if __name__ == "__main__":
    absltest.main()
