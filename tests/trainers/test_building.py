"""The untrained model of a run, and its optimizers."""

import math

import keras
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers.test_defaults import DIGITS, RING, resolve
from trainers import building
from trainers.rates import PhaseRates, Rate
from trainers.settings import Settings


def rate(optimizer):
    return float(optimizer.get_config()["learning_rate"])


class OptimizersTest(parameterized.TestCase):
    def test_phases_against_a_discriminator_have_dcgans_moments(self):
        rates = PhaseRates((("discriminate", 2e-4), ("wake", 1e-3)))
        optimizers = building.optimizers(ugm_tf.recipes.aavae(), rates)
        self.assertAlmostEqual(rate(optimizers["discriminate"]), 2e-4)
        self.assertAlmostEqual(rate(optimizers["wake"]), 1e-3)
        self.assertEqual((optimizers["discriminate"].beta_1, optimizers["wake"].beta_1), (0.5, 0.9))

    @parameterized.parameters("ppo_gan", "gan")
    def test_a_wasserstein_contest_has_wgan_gps(self, name):
        recipe = ugm_tf.recipes.get(name, **({"contest": "wasserstein"} if name == "gan" else {}))
        for optimizer in building.optimizers(recipe, 1e-4).values():
            self.assertEqual((optimizer.beta_1, optimizer.beta_2), (0.0, 0.9))

    @parameterized.parameters("gan", "aavae", "ppo_gan")
    def test_a_rate_that_was_asked_for_is_that_of_every_phase(self, name):
        for optimizer in building.optimizers(ugm_tf.recipes.get(name), 3e-3).values():
            self.assertAlmostEqual(rate(optimizer), 3e-3)

    def test_a_phase_without_one_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "Phase 'generate' has no learning rate. Received: discriminate=0.1"):
            building.optimizers(ugm_tf.recipes.gan(), PhaseRates((("discriminate", 0.1),)))

    def test_every_phase_averages_its_weights_if_asked_to(self):
        averaged = building.optimizers(ugm_tf.recipes.gan(), 1e-3, ema=0.99).values()
        self.assertEqual([(o.use_ema, o.ema_momentum) for o in averaged], [(True, 0.99)] * 2)
        for none in (None, 0.0):
            self.assertFalse(any(o.use_ema for o in building.optimizers(ugm_tf.recipes.gan(), 1e-3, none).values()))

    def test_a_rate_that_falls_does_so_over_the_updates_of_each_phase(self):
        recipe = ugm_tf.recipes.gan(discriminator_steps=3)
        optimizers = building.optimizers(recipe, Rate("linear", 1e-3), steps=100)
        for name, updates in (("discriminate", 300), ("generate", 100)):
            found = optimizers[name].get_config()["learning_rate"]["config"]
            self.assertEqual((found["initial_learning_rate"], found["decay_steps"]), (1e-3, updates))
        wake = building.optimizers(ugm_tf.recipes.vae(), Rate("cosine", 1e-3), steps=100)["wake"]
        for step, expected in ((0, 1e-3), (50, 5e-4), (100, 0.0)):
            wake.iterations.assign(step)
            self.assertAlmostEqual(float(wake.learning_rate), expected, places=8)


class UnboundedTest(parameterized.TestCase):
    """Images that are only drawn, by networks that may leave the range of the data."""

    @parameterized.parameters("mlp", "dcgan", "resnet")
    def test_the_packages_networks_stay_within(self, network):
        for name in ("gan", "bigan", "vae", "cyclegan"):
            recipe = ugm_tf.recipes.get(name)
            shapes = {"x": (16, 16, 3), "z": (4,), "target": (16, 16, 3)}
            densities = ugm_tf.networks.build(recipe, shapes, network=network, likelihood="gaussian")
            self.assertEqual(building.unbounded(ugm_tf.UnifiedModel(recipe, densities)), [])

    @parameterized.parameters((None, ["decoder"]), ("tanh", ["decoder"]), ("sigmoid", []), ("softmax", []))
    def test_ones_own_are_told_by_their_last_activation(self, activation, expected):
        def network(inputs, output):
            size = math.prod(output)
            tensors = [keras.Input(shape) for shape in inputs]
            y = keras.layers.Dense(size, activation=activation)(keras.layers.Flatten()(tensors[0]))
            return keras.Model(tensors, keras.layers.Reshape(output)(y))

        recipe = ugm_tf.recipes.gan()
        densities = ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (4,)}, network=network)
        self.assertEqual(building.unbounded(ugm_tf.UnifiedModel(recipe, densities)), expected)


class PriorTest(parameterized.TestCase):
    @parameterized.parameters("bernoulli", "continuous_bernoulli", "categorical")
    def test_one_of_other_values_than_the_codes_is_refused(self, prior):
        settings = resolve("vae", DIGITS, hidden=(4,), prior=prior, hyperparameters=(("kl", "sampled"),))
        with self.assertRaisesRegex(ValueError, "'prior' is to be of the family .*'encoder', of the same z, is of"):
            building.build(settings.make_recipe(), settings, ugm_tf.data.load("digits", "test"))

    def test_one_without_a_log_probability_is_refused(self):
        settings = resolve("vae", DIGITS, hidden=(4,), prior="point")
        with self.assertRaisesRegex(ValueError, "'prior' is scored, and the family 'point' has no log-probability"):
            building.build(settings.make_recipe(), settings, ugm_tf.data.load("digits", "test"))

    def test_a_recipe_whose_prior_has_another_name_is_told_what_to_do(self):
        with self.assertRaisesRegex(ValueError, "of a density called 'prior', and recipe 'cyclegan' has forward, "):
            Settings("cyclegan", "some", prior="flow").make_recipe()

    @parameterized.parameters(("mixture(3)", 1), ("vamp(3)", 1), ("flow(2)", 8))
    def test_one_that_learns_is_asked_for_by_name(self, prior, weights):
        settings = resolve("vae", DIGITS, hidden=(4,), prior=prior)
        self.assertIn("prior", settings.make_recipe().phase("wake").updates)
        model = building.build(settings.make_recipe(), settings, ugm_tf.data.load("digits", "test"))
        self.assertLen(model.prior.trainable_variables, weights)

    def test_a_recipe_that_does_not_score_it_is_refused_in_the_flags_words(self):
        with self.assertRaisesRegex(
            ValueError, "--prior=flow of recipe 'gan': A learned prior learns where it is scored"
        ):
            resolve("gan", DIGITS, prior="flow")


class ShapesTest(parameterized.TestCase):
    @parameterized.parameters(*ugm_tf.recipes.names())
    def test_networks_can_be_built_of_them(self, name):
        settings = resolve(name, DIGITS, hidden=(4,), code_size=None if name == "cyclegan" else 3)
        recipe, digits = settings.make_recipe(), ugm_tf.data.load("digits", "test")
        densities = ugm_tf.networks.build(recipe, building.shapes(settings, digits), hidden=(4,))
        self.assertEqual(set(densities), set(recipe.densities))

    def test_codes_and_data_have_their_shapes(self):
        settings = resolve("infogan", DIGITS, code_size=7)
        shapes = building.shapes(settings, ugm_tf.data.load("digits", "test"))
        self.assertEqual((shapes["z"], shapes["u"], shapes["c"], shapes["x"]), ((7,), (2,), (10,), (8, 8, 1)))

    def test_points_are_judged_beside_a_code_as_another_input(self):
        settings = resolve("bigan", RING, hidden=(4,))
        self.assertEqual(settings.conditioning, "concat")
        model = building.build(settings.make_recipe(), settings, ugm_tf.data.load("ring", "test"))
        self.assertEqual(model.densities["discriminator"].given_shapes, [(2,), (2,)])


if __name__ == "__main__":
    absltest.main()
