import functools

import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import recipes
from ugm_tf.recipes import registry


class RegistryTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(absltest.mock.patch.dict(registry._RECIPES))  # what a test registers is gone after it

    def test_lists_the_recipes(self):
        self.assertContainsSubset(["aavae", "gan", "iwgan", "vae"], recipes.names())
        self.assertEqual(recipes.names(), sorted(recipes.names()))

    def test_makes_a_recipe_by_its_name(self):
        self.assertEqual(recipes.get("vae", beta=4.0, kl="sampled"), recipes.vae(beta=4.0, kl="sampled"))
        self.assertIs(recipes.function("vae"), recipes.vae)

    def test_whole_numbers_are_numbers(self):
        self.assertEqual(recipes.get("vae", beta=4), recipes.vae(beta=4.0))

    def test_a_recipe_of_ones_own(self):
        @recipes.recipe
        def toy():
            return recipes.gan()

        self.assertIn("toy", recipes.names())
        self.assertEqual(recipes.get("toy"), recipes.gan())

    def test_refuses_a_name_that_is_taken(self):
        def vae():
            return recipes.gan()

        with self.assertRaisesRegex(ValueError, "a recipe 'vae' already, from ugm_tf.recipes.vae. Choose another name"):
            recipes.recipe(vae)
        self.assertIs(recipes.function("vae"), recipes.vae)

    def test_refuses_an_unknown_name_and_guesses(self):
        with self.assertRaisesRegex(ValueError, r"no recipe 'iwgn'. There are: aacvae, .*Did you mean 'iwgan'\?"):
            recipes.get("iwgn")
        with self.assertRaisesRegex(ValueError, r"no recipe 'qqqq'. There are: aacvae, [a-z_, ]*\.$"):
            recipes.get("qqqq")

    def test_refuses_an_unknown_hyperparameter(self):
        with self.assertRaisesRegex(
            ValueError,
            r"no hyperparameter 'bta'. It takes: beta: float \| Schedule \| LearningRateSchedule = 1.0, kl: str",
        ):
            recipes.get("vae", bta=4.0)
        with self.assertRaisesRegex(ValueError, "'wake_sleep' has no hyperparameter 'beta'. It takes: none"):
            recipes.get("wake_sleep", beta=4.0)

    def test_an_unknown_hyperparameter_is_told_those_of_the_contest_and_of_the_transfer(self):
        advice = (
            "'iwgan' has no hyperparameter 'minimax'. It takes: contest: .*, pack: int = 1, normalise: str = 'batch'"
        )
        with self.assertRaisesRegex(ValueError, advice):
            recipes.get("iwgan", minimax=True)

    @parameterized.parameters(
        ("vae", "beta", "4", "float or Schedule or LearningRateSchedule, such as 1.0 or 'warmup.1000.'. Received: '4'"),
        ("vae", "beta", True, "float or Schedule or LearningRateSchedule, such as 1.0. Received: True"),
        ("vae", "kl", 1, "str, such as 'analytic'. Received: 1"),
        ("infogan", "structured", 1, "bool, such as True. Received: 1"),
        ("gan", "discriminator_steps", 1.5, "int, such as 1. Received: 1.5"),
        ("gan", "pack", 2.5, "int, such as 1. Received: 2.5"),
        ("iwgan", "pack", 2.0, "int, such as 1. Received: 2.0"),
        ("iwae", "k", 1.5, "int, such as 5. Received: 1.5"),
        ("miwae", "k", 2.5, "int, such as 5. Received: 2.5"),
        ("ppo_gan", "moves", True, "int, such as 2. Received: True"),
        (
            "gan",
            "r1",
            "0.1",
            "float or Schedule or LearningRateSchedule, such as 1.0 or 'warmup.1000.'. Received: '0.1'",
        ),
    )
    def test_refuses_a_value_of_another_kind(self, name, key, value, advice):
        for make in (functools.partial(recipes.get, name), getattr(recipes, name)):
            with self.assertRaisesRegex(ValueError, f"'{key}' of recipe '{name}' is of type {advice}"):
                make(**{key: value})

    def test_refuses_a_value_of_another_kind_by_its_place(self):
        with self.assertRaisesRegex(ValueError, "'k' of recipe 'miwae' is of type int, such as 5. Received: 2.5"):
            recipes.miwae(2, 2.5)

    def test_a_call_that_fits_no_signature_is_the_functions_own_error(self):
        with self.assertRaisesRegex(TypeError, r"recipe 'iwae' has no argument 'draws'. It takes k: int"):
            recipes.iwae(draws=5)

    def test_numbers_of_numpy_are_numbers(self):
        self.assertEqual(recipes.iwae(k=np.int64(3)), recipes.iwae(k=3))
        self.assertEqual(recipes.vae(beta=np.float32(2.0)), recipes.vae(beta=2.0))

    def test_a_value_that_the_recipe_refuses_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: beta=-1.0"):
            recipes.get("vae", beta=-1.0)


if __name__ == "__main__":
    absltest.main()
