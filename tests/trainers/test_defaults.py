"""What a run does where no flag says otherwise."""

from absl.testing import absltest, parameterized

import ugm_tf
from trainers import defaults

DIGITS, MNIST, CIFAR, RING = ((8, 8, 1), 1297), ((28, 28, 1), 55_000), ((32, 32, 3), 45_000), ((2,), 100_000)


def resolve(recipe, data, **settings):
    return defaults.resolve(defaults.Settings(recipe, "some", **settings), *data)


class ResolveTest(parameterized.TestCase):
    @parameterized.product(recipe=ugm_tf.recipes.names(), data=[DIGITS, MNIST, CIFAR, RING])
    def test_everything_that_a_run_needs_is_there(self, recipe, data):
        settings = resolve(recipe, data)
        for name in ("epochs", "batch_size", "learning_rate", "network", "code_size", "observation"):
            self.assertIsNotNone(getattr(settings, name), name)
        self.assertEqual(settings.hidden is None, settings.network != "mlp")
        self.assertEqual(settings.likelihood is None, recipe in ("gan", "iwgan"))

    @parameterized.product(recipe=ugm_tf.recipes.names(), data=[DIGITS, MNIST, CIFAR, RING])
    def test_the_observation_is_in_the_likelihoods_support(self, recipe, data):
        settings = resolve(recipe, data)
        support = ugm_tf.data.support(settings.observation)
        if settings.likelihood is not None:
            self.assertEqual(ugm_tf.densities.get(settings.likelihood).support, support)

    def test_what_was_asked_for_stays(self):
        asked = {"epochs": 7, "batch_size": 9, "learning_rate": 0.5, "network": "mlp", "hidden": (3,), "code_size": 4}
        settings = resolve("gan", MNIST, **asked, observation="dequantised", seed=5)
        for name, value in asked.items():
            self.assertEqual(getattr(settings, name), value)
        self.assertEqual((settings.observation, settings.seed), ("dequantised", 5))

    def test_large_images_are_convolved_where_they_are_only_judged(self):
        networks = {recipe: resolve(recipe, MNIST).network for recipe in ("vae", "aavae", "gan", "iwgan")}
        self.assertEqual(networks, {"vae": "mlp", "aavae": "mlp", "gan": "dcgan", "iwgan": "dcgan"})
        self.assertEqual(resolve("gan", DIGITS).network, "mlp")

    def test_resolving_twice_changes_nothing(self):
        once = resolve("aavae", MNIST)
        self.assertEqual(defaults.resolve(once, *MNIST), once)


class OptimizersTest(absltest.TestCase):
    def test_phases_against_a_discriminator_have_dcgans(self):
        optimizers = defaults.optimizers(ugm_tf.recipes.aavae(), 1e-3)
        adam = {name: (o.get_config()["learning_rate"], o.beta_1) for name, o in optimizers.items()}
        self.assertAlmostEqual(adam["discriminate"][0], 2e-4)
        self.assertAlmostEqual(adam["wake"][0], 1e-3)
        self.assertEqual((adam["discriminate"][1], adam["wake"][1]), (0.5, 0.9))

    def test_a_smaller_step_is_taken_everywhere(self):
        for optimizer in defaults.optimizers(ugm_tf.recipes.gan(), 1e-5).values():
            self.assertAlmostEqual(float(optimizer.get_config()["learning_rate"]), 1e-5)


class ParseTest(parameterized.TestCase):
    @parameterized.parameters(
        (["beta=4"], (("beta", 4),)),
        (["beta=4.0", "kl=sampled"], (("beta", 4.0), ("kl", "sampled"))),
        (["kl=sampled,beta=4e-1"], (("beta", 0.4), ("kl", "sampled"))),
        (["minimax=True"], (("minimax", True),)),
        (["minimax=false"], (("minimax", False),)),
        ([], ()),
    )
    def test_hyperparameters(self, pairs, expected):
        self.assertEqual(defaults.parse_hyperparameters(pairs), expected)

    @parameterized.parameters((["beta"],), (["beta="],), (["=4"],), (["beta=1", "beta=2"],), (["beta=1,"],))
    def test_refuses_hyperparameters_without_name_or_value_or_twice(self, pairs):
        with self.assertRaisesRegex(ValueError, "--hyperparameter takes name=value, each name once, such as beta=4.0"):
            defaults.parse_hyperparameters(pairs)

    def test_hidden(self):
        self.assertEqual(defaults.parse_hidden(["500", " 20"]), (500, 20))

    @parameterized.parameters("wide", "0", "-3", "2.5", "")
    def test_refuses_sizes_that_are_none(self, size):
        with self.assertRaisesRegex(ValueError, "sizes of at least 1, such as --hidden=500,500. Received: 8,"):
            defaults.parse_hidden(["8", size])


if __name__ == "__main__":
    absltest.main()
