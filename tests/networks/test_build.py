"""Densities from roles and shapes alone: the right families, inputs and outputs; anything unknown is refused."""

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import INFERRED, E, NegativeLogProb, Phase, Recipe, densities, networks
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
    @parameterized.product(network=["mlp", "dcgan"], recipe=[vae, aavae, gan])
    def test_every_density_fits_the_others(self, network, recipe):
        options = {"hidden": (6,)} if network == "mlp" else {"filters": 2}
        built = networks.build(recipe(), IMAGES, network=network, **options)
        model = ugm_tf.UnifiedModel(recipe(), built)  # checks the shapes
        self.assertEqual(model.sample(2).shape, (2, 9, 7, 3))
        self.assertEqual({d.event_shape for n, d in built.items() if n == "discriminator"} - {()}, set())

    @parameterized.parameters("mlp", "dcgan")
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


class RefusalsTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"network": "resnet"}, "There are networks of kind dcgan, mlp. Received: 'resnet'"),
        ({"likelihood": "bernouli"}, "There is no family 'bernouli'. Give one of bernoulli,"),
        ({"filters": 8}, "'mlp' networks take activation, hidden. Received: filters"),
        ({"network": "dcgan", "hidden": ()}, "'dcgan' networks take filters, kernel_size, norm.* Received: hidden"),
        ({"families_by_name": {"critic": "logit"}}, "recipe has no density critic. It has: prior, encoder, decoder"),
        ({"shapes": {"x": (9, 7, 3)}}, r"'prior' is p\(z\): give the shape of z. Received shapes of: x"),
        ({"hidden": (500, 0)}, r"hidden lists sizes of at least 1, such as \(500, 500\). Received: \(500, 0\)"),
        ({"network": "dcgan", "normalization": "no"}, "normalization is one of batch, spectral, none. Received: 'no'"),
    )
    def test_unknown(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            networks.build(vae(), **{"shapes": IMAGES, **options})


if __name__ == "__main__":
    absltest.main()
