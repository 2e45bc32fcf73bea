"""Densities from roles and shapes alone: the right families, inputs and outputs; anything unknown is refused."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import INFERRED, E, NegativeLogProb, Phase, Recipe, densities, networks, recipes
from ugm_tf.recipes import aavae, gan, iwgan, vae

IMAGES = {"x": (9, 7, 3), "z": (5,), "c": (4,)}


def families(built):
    return {name: type(density.family).__name__ for name, density in built.items()}


def conditional():
    """p(x | z, c), with a second decoder that tells c from z."""
    nats = (E(NegativeLogProb("decoder"), INFERRED), E(NegativeLogProb("classifier"), INFERRED))
    wake = Phase("wake", nats, ("encoder", "decoder", "classifier"))
    roles = {"encoder": "q(z | x, c)", "decoder": "p(x | z, c)", "classifier": "p(c | z)"}
    return Recipe(roles, (wake,), data=("x", "c"))


class FamiliesTest(parameterized.TestCase):
    def test_what_scores_data_has_the_likelihood(self):
        built = networks.build(vae(), IMAGES, likelihood="discretized_logistic")
        expected = {"prior": "Gaussian", "encoder": "Gaussian", "decoder": "DiscretizedLogistic"}
        self.assertEqual(families(built), expected)

    @parameterized.parameters(gan, iwgan)
    def test_what_is_judged_is_a_point_and_what_judges_a_logit(self, recipe):
        built = networks.build(recipe(), IMAGES)
        self.assertEqual(families(built), {"prior": "Gaussian", "decoder": "Point", "discriminator": "Logit"})

    def test_what_is_scored_and_judged_is_scored(self):
        built = networks.build(aavae(), IMAGES)
        expected = {"prior": "Gaussian", "encoder": "Gaussian", "decoder": "Bernoulli", "discriminator": "Logit"}
        self.assertEqual(families(built), expected)

    def test_a_family_can_be_given_by_name_of_the_density(self):
        chosen = {"prior": "uniform", "decoder": densities.get("laplace")}
        built = networks.build(gan(), IMAGES, families_by_name=chosen)
        self.assertEqual(families(built), {"prior": "Uniform", "decoder": "Laplace", "discriminator": "Logit"})

    def test_adversarial_recipes_are_told_from_others(self):
        self.assertEqual([networks.is_adversarial(r()) for r in (vae, gan, iwgan, aavae)], [False, True, True, True])
        self.assertEqual(
            {name: networks.is_adversarial(aavae(), name) for name in ("encoder", "decoder", "discriminator")},
            {"encoder": False, "decoder": False, "discriminator": True},
        )


class ShapesTest(parameterized.TestCase):
    @parameterized.product(network=["mlp", "dcgan", "resnet"], recipe=[vae, aavae, gan])
    def test_every_density_fits_the_others(self, network, recipe):
        options = {"hidden": (6,)} if network == "mlp" else {"filters": 2}
        built = networks.build(recipe(), IMAGES, network=network, **options)
        model = ugm_tf.UnifiedModel(recipe(), built)  # checks the shapes
        self.assertEqual(model.sample(2).shape, (2, 9, 7, 3))
        self.assertEqual({d.event_shape for n, d in built.items() if n == "discriminator"} - {()}, set())

    @parameterized.parameters("mlp", "dcgan", "resnet")
    def test_networks_take_parents_in_the_order_of_the_role(self, network):
        built = networks.build(conditional(), IMAGES, network=network, families_by_name={"classifier": "one_hot"})
        self.assertEqual(built["encoder"].given_shapes, [(9, 7, 3), (4,)])
        self.assertEqual(built["decoder"].given_shapes, [(5,), (4,)])
        self.assertEqual(built["classifier"].event_shape, (4,))
        ugm_tf.UnifiedModel(conditional(), built)

    def test_a_point_image_lies_in_the_unit_interval(self):
        for network, options in (("mlp", {"hidden": ()}), ("dcgan", {"filters": 2, "normalization": "none"})):
            decoder = networks.build(gan(), IMAGES, network=network, **options)["decoder"]
            x = decoder.distribution(1000.0 * np.random.default_rng(0).normal(size=(50, 5))).mean().numpy()
            self.assertBetween(x.min(), 0.0, 0.05)
            self.assertBetween(x.max(), 0.95, 1.0)

    def test_a_point_of_the_plane_has_no_bounds(self):
        decoder = networks.build(gan(), {"x": (2,), "z": (2,)}, hidden=())["decoder"]
        x = decoder.distribution(1000.0 * np.random.default_rng(0).normal(size=(50, 2))).mean().numpy()
        self.assertGreater(np.abs(x).max(), 100.0)


class RecipesTest(parameterized.TestCase):
    """What a recipe asks of its networks beside its roles."""

    SHAPES = {"x": (8, 8, 1), "z": (5,), "c": (4,), "u": (3,), "h": (6,), "e": (2,)}
    SHAPES |= {"target": (8, 8, 1), "labelled": (8, 8, 1)}

    def built(self, name, **options):
        made = recipes.get(name)
        out = networks.build(made, self.SHAPES, **{"hidden": (6,), **options})
        ugm_tf.UnifiedModel(made, out)  # checks the shapes and the families
        return out

    @parameterized.parameters(*recipes.names())
    def test_every_recipe_is_built_as_it_is(self, name):
        likelihood = "bernoulli" if recipes.get(name).bound() else "laplace"
        built = self.built(name, likelihood=likelihood)
        self.assertEqual(list(built), list(recipes.get(name).densities))

    @parameterized.parameters(*recipes.names())
    def test_every_recipe_is_built_of_convolutions(self, name):
        self.build_of(name, "dcgan")

    @parameterized.parameters(*recipes.names())
    @pytest.mark.slow
    def test_every_recipe_is_built_of_residual_blocks(self, name):
        self.build_of(name, "resnet")

    def build_of(self, name, network):
        made = recipes.get(name)
        built = networks.build(made, self.SHAPES, network=network, likelihood="laplace", filters=2)
        ugm_tf.UnifiedModel(made, built)

    def test_a_recipes_own_families_come_before_the_defaults_and_after_ones_own(self):
        self.assertEqual(families(self.built("veegan"))["encoder"], "Gaussian")
        self.assertEqual(self.built("veegan")["encoder"].family, densities.Gaussian(scale=1.0))
        mine = self.built("veegan", families_by_name={"encoder": "laplace(scale=0.5)"})
        self.assertEqual(mine["encoder"].family, densities.Laplace(scale=0.5))

    def test_infogans_codes(self):
        found = families(self.built("infogan"))
        codes = {
            name: found[name] for name in ("prior", "classes", "codes", "class_encoder", "code_encoder", "decoder")
        }
        by_hand = ("Gaussian", "OneHot", "Uniform", "OneHot", "Gaussian", "Point")
        self.assertEqual(tuple(codes.values()), by_hand)

    def test_an_encoder_that_is_only_drawn_from_is_a_point(self):
        self.assertEqual(
            [families(self.built(name))["encoder"] for name in ("bigan", "aae", "vae")], ["Point", "Point", "Gaussian"]
        )

    def test_iaf_is_a_gaussian_with_a_flow_of_the_codes_size(self):
        encoder = self.built("iaf_vae")["encoder"]
        self.assertIsInstance(encoder.flow, densities.InverseAutoregressiveFlow)
        self.assertEqual((encoder.family, encoder.flow.size, encoder.event_shape), (densities.Gaussian(), 5, (5,)))
        self.assertEqual(encoder.parameter_shape, (2 * 5 + encoder.flow.context,))
        self.assertIsNone(self.built("vae")["encoder"].flow)
        self.assertIsNotNone(self.built("aae", families_by_name={"encoder": "iaf"})["encoder"].flow)

    @parameterized.parameters(
        ("prior", {"x": (4,), "z": (3,)}, r"Received: 'prior', which is p\(z\), of shape \(3,\)"),
        ("encoder", {"x": (4,), "z": (1,)}, r"at least 2 numbers .* of shape \(1,\)"),
    )
    def test_iaf_refuses_what_it_cannot_bend(self, density, shapes, message):
        with self.assertRaisesRegex(ValueError, message):
            networks.build(recipes.vae(kl="sampled"), shapes, families_by_name={density: "iaf"})

    def test_a_unit_is_predicted_from_the_others(self):
        predictor = self.built("predictability_minimization")["predictor"]
        z = np.full([1, 5], 0.3, np.float32)
        changed = z.copy()
        changed[0, 1] = 0.9
        before, after = (predictor.distribution(code).distribution.logits[0] for code in (z, changed))
        self.assertEqual(before[1], after[1])
        self.assertNotEqual(before[0], after[0])

    @parameterized.parameters(("gan", [(8, 8, 3)]), ("bigan", [(8, 8, 3), (15,)]), ("aae", [(15,)]))
    def test_discriminators_of_packs_are_as_wide(self, name, shapes):
        made = ugm_tf.packed(recipes.get(name), 3)
        built = networks.build(made, self.SHAPES, hidden=(6,))
        self.assertEqual(built["discriminator"].given_shapes, shapes)

    @parameterized.parameters(("concat", 0), ("projection", 1))
    def test_a_discriminator_takes_the_class_by_a_projection_on_request(self, conditioning, products):
        for network, options in (("mlp", {"hidden": (6,)}), ("dcgan", {"filters": 2})):
            made = recipes.conditional_gan()
            built = networks.build(made, self.SHAPES, network, conditioning=conditioning, **options)
            dots = [layer for layer in built["discriminator"].network.layers if isinstance(layer, keras.layers.Dot)]
            self.assertLen(dots, products)
            kinds = [type(layer) for layer in built["decoder"].network.layers]
            self.assertNotIn(keras.layers.Dot, kinds)

    @parameterized.parameters("concat", "projection", "joint")
    def test_of_a_recipe_whose_discriminators_take_no_vector_it_says_nothing(self, conditioning):
        with self.assertRaisesRegex(ValueError, f"conditioning says nothing: leave it out. Received: '{conditioning}'"):
            networks.build(gan(), self.SHAPES, hidden=(6,), conditioning=conditioning)

    @parameterized.parameters(
        ("bigan", "dcgan", "joint"),
        ("avb", "resnet", "joint"),
        ("bigan", networks.dcgan, "joint"),
        ("bigan", "mlp", "concat"),
        ("conditional_gan", "dcgan", "concat"),
    )
    def test_where_nothing_is_said_codes_beside_convolved_images_have_layers_of_their_own(self, name, network, way):
        made, options = recipes.get(name), {"hidden": (6,)} if network == "mlp" else {"filters": 2}
        found, asked = (
            networks.build(made, self.SHAPES, network, **options, **more)["discriminator"].network.count_params()
            for more in ({}, {"conditioning": way})
        )
        self.assertEqual(found, asked)

    @parameterized.parameters("concat", "projection", "joint")
    def test_a_role_may_name_the_code_before_the_image(self, conditioning):
        def built(given):
            base = recipes.bigan()
            roles = {name: str(role) for name, role in base.roles.items()} | {"discriminator": f"q(y | {given})"}
            made = ugm_tf.Recipe(roles, base.phases, base.data)
            return networks.build(made, self.SHAPES, "dcgan", filters=2, conditioning=conditioning)["discriminator"]

        one, other = built("x, z"), built("z, x")
        self.assertEqual(other.given_shapes, [self.SHAPES["z"], self.SHAPES["x"]])
        self.assertEqual(one.network.count_params(), other.network.count_params())
        x, z = np.ones((1, *self.SHAPES["x"]), np.float32), np.ones((1, *self.SHAPES["z"]), np.float32)
        other.network.set_weights(one.network.get_weights())
        np.testing.assert_allclose(other.network([z, x]), one.network([x, z]), rtol=1e-5)

    def test_the_layers_of_a_code_are_as_wide_as_those_of_the_image_are_many(self):
        def widths(**options):
            network = networks.joint(networks.dcgan, [(8, 8, 3), (5,)], **options)
            return [layer.units for layer in network.layers if isinstance(layer, keras.layers.Dense)]

        self.assertEqual(widths(filters=4), [32, 32, 64, 1])
        self.assertEqual(widths(filters=40), [256, 256, 512, 1])
        self.assertEqual(widths(filters=4, features=16), [16, 16, 32, 1])

    def test_a_discriminator_of_a_code_has_layers_of_it_on_request(self):
        made, options = recipes.bigan(), {"network": "dcgan", "filters": 2, "conditioning": "joint"}
        built = networks.build(made, self.SHAPES, **options)
        by_hand = networks.joint(networks.dcgan, [self.SHAPES["x"], self.SHAPES["z"]], filters=2)
        self.assertEqual(built["discriminator"].network.count_params(), by_hand.count_params())
        plain = networks.build(made, self.SHAPES, **{**options, "conditioning": "concat"})
        for name in ("encoder", "decoder"):
            self.assertEqual(built[name].network.count_params(), plain[name].network.count_params())


class RefusalsTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"network": "unet"}, "There are networks of kind cyclegan, dcgan, .*or give a function.* Received: 'unet'"),
        ({"likelihood": "bernouli"}, "There is no family 'bernouli'. Did you mean 'bernoulli'. Give one of bernoulli,"),
        ({"filters": 8}, "'mlp' networks take activation, hidden. Received: filters"),
        ({"network": "dcgan", "hidden": ()}, "'dcgan' networks take filters, kernel_size, norm.* Received: hidden"),
        ({"families_by_name": {"critic": "logit"}}, "recipe has no density critic. It has: prior, encoder, decoder"),
        ({"shapes": None}, "The shapes of one value of each variable are tuples by its name, .* Received: None"),
        ({"shapes": {"x": 8, "z": (2,)}}, "are tuples by its name, .* Received: {'x': 8, 'z': "),
        ({"shapes": {"x": (8, 0), "z": (2,)}}, r"and x of shape \(8, 0\) holds nothing"),
        ({"shapes": {"x": (8, 1.5), "z": (2,)}}, r"the shape of x, a whole number of at least 0. Received: .*=1.5"),
        ({"shapes": {"x": (9, 7, 3)}}, r"'prior' is p\(z\): give the shape of z. Received shapes of: x"),
        ({"hidden": (500, 0)}, r"hidden lists sizes of at least 1, such as \(500, 500\). Received: \(500, 0\)"),
        ({"conditioning": "film"}, "conditioning is 'concat' or one of projection, joint. Received: 'film'"),
        ({"likelihood": "laplace(width=1)"}, "'laplace' takes the arguments: scale"),
        ({"network": "dcgan", "normalization": "no"}, "normalization is one of batch, spectral, none. Received: 'no'"),
    )
    def test_unknown(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            networks.build(vae(), **{"shapes": IMAGES, **options})

    def test_a_name_in_the_place_of_a_recipe(self):
        with self.assertRaisesRegex(TypeError, r"build\(\) takes a recipe, such as ugm_tf.recipes.get\('vae'\)"):
            networks.build("vae", IMAGES)

    @parameterized.parameters("gaussian", "iaf")
    def test_a_shape_that_is_missing_whatever_the_family(self, family):
        made = recipes.adversarial_domain_adaptation()
        with self.assertRaisesRegex(
            ValueError, r"'encoder' is q\(z \| x\): give the shape of z. Received shapes of: x"
        ):
            networks.build(made, {"x": (9, 7, 3)}, families_by_name={"encoder": family})


if __name__ == "__main__":
    absltest.main()
