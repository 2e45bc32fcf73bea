"""What holds for every recipe that is registered, and what each refuses."""

import doctest
import inspect
import json
import pathlib

import keras
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import recipes

FILES = sorted(pathlib.Path(recipes.__file__).parent.glob("*.py"))
NAN = float("nan")


class FilesTest(parameterized.TestCase):
    @parameterized.named_parameters(*((path.stem, path) for path in FILES))
    def test_a_recipe_is_a_screen_or_two(self, path):
        self.assertLessEqual(len(path.read_text().splitlines()), 120)

    def test_each_file_is_a_recipe_of_its_name(self):
        stems = {path.stem for path in FILES} - {"__init__", "registry", "transferred"}
        for stem in stems:
            self.assertEqual(inspect.unwrap(recipes.function(stem)).__module__, f"ugm_tf.recipes.{stem}")
        transferred = {name for name in recipes.names() if name not in stems}
        self.assertEqual({recipes.function(name).__module__ for name in transferred}, {"ugm_tf.recipes.transferred"})

    def test_all_are_offered_by_the_package(self):
        helpers = {"contestable", "function", "get", "names", "recipe"}
        self.assertEqual(set(recipes.__all__) - helpers, set(recipes.names()))
        for name in recipes.names():
            self.assertIs(getattr(recipes, name), recipes.function(name))

    def test_there_are_41(self):
        self.assertLen(recipes.names(), 41)


@parameterized.parameters(*recipes.names())
class EveryRecipeTest(parameterized.TestCase):
    def test_makes_sense(self, name):
        recipes.get(name).check()

    def test_its_docstring_prints_its_equations(self, name):
        function = recipes.function(name)
        test = doctest.DocTestParser().get_doctest(function.__doc__, vars(recipes).copy(), name, None, None)
        self.assertIn(f"{name}(", test.examples[0].source)
        self.assertIn("describe()", test.examples[0].source)
        runner = doctest.DocTestRunner(verbose=False)
        self.assertEqual(runner.run(test, out=lambda text: self.fail(text)).failed, 0)

    def test_its_docstring_names_its_densities_its_hyperparameters_and_where_it_is_from(self, name):
        function = recipes.function(name)
        own = inspect.unwrap(function)
        for parameter in inspect.signature(own).parameters:
            self.assertIn(parameter, function.__doc__)
        self.assertIn("References:", function.__doc__)
        if function.__module__ != "ugm_tf.recipes.transferred" and "Densities: as of" not in function.__doc__:
            for density, role in recipes.get(name).densities.items():
                self.assertIn(f"{density}: {role}", function.__doc__)

    def test_its_hyperparameters_are_their_defaults(self, name):
        parameters = inspect.signature(recipes.function(name)).parameters.values()
        defaults = {parameter.name: parameter.default for parameter in parameters}
        self.assertNotIn(inspect.Parameter.empty, defaults.values())
        self.assertEqual(recipes.get(name, **defaults), recipes.get(name))

    def test_a_hyperparameter_that_it_lacks_is_refused(self, name):
        with self.assertRaisesRegex(ValueError, f"Recipe '{name}' has no hyperparameter 'colour'. It takes: "):
            recipes.get(name, colour=1.0)

    def test_is_saved_and_loaded(self, name):
        recipe = recipes.get(name)
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(recipe)))
        loaded = keras.saving.deserialize_keras_object(config)
        self.assertEqual(loaded, recipe)
        self.assertEqual(loaded.describe(), recipe.describe())

    def test_its_families_are_of_its_densities_or_data_and_known(self, name):
        recipe = recipes.get(name)
        for of, family in recipe.families.items():
            self.assertIn(of, (*recipe.densities, *recipe.data))
            self.assertIn(family, [*ugm_tf.densities.names(), "iaf"])

    def test_its_classes_are_one_hot(self, name):
        recipe = recipes.get(name)
        told = [
            recipe.families.get("c"),
            *(recipe.families.get(n) for n, role in recipe.roles.items() if role.of == "c"),
        ]
        self.assertTrue("c" not in recipe.data or "one_hot" in told)

    def test_every_density_learns_or_is_drawn_or_asked(self, name):
        recipe = recipes.get(name)
        updated = {density for phase in recipe.phases for density in phase.updates}
        priors = {density for density, role in recipe.roles.items() if not role.given}
        self.assertEqual(updated, set(recipe.densities) - priors)


class RefusalsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("aae", {"reconstruction": -1.0}, "reconstruction is a weight of at least 0. Received: reconstruction=-1.0"),
        ("acgan", {"auxiliary": NAN}, "auxiliary is a weight of at least 0. Received: auxiliary=nan"),
        ("adversarial_domain_adaptation", {"supervised": -0.5}, "at least 0. Received: supervised=-0.5, adversary=1.0"),
        ("adversarial_domain_adaptation", {"adversary": -0.5}, "at least 0. Received: supervised=1.0, adversary=-0.5"),
        ("alice", {"cycle": -2.0}, "cycle is a weight of at least 0. Received: cycle=-2.0"),
        ("alpha_gan", {"reconstruction": -1.0}, "Received: reconstruction=-1.0"),
        ("as_vae", {"cycle": NAN}, "cycle is a weight of at least 0. Received: cycle=nan"),
        ("conditional_vae", {"beta": -1.0}, "beta weighs the rate and is at least 0. Received: beta=-1.0"),
        ("conditional_vae", {"kl": "exact"}, "kl is 'analytic' or 'sampled'. Received: kl='exact'"),
        ("cyclegan", {"cycle": -10.0}, "cycle is a weight of at least 0. Received: cycle=-10.0"),
        ("hierarchical_vae", {"k": 0}, "k >= 1 draws for each example. Received: k=0"),
        ("iaf_vae", {"beta": -1.0}, "at least 0. Received: beta=-1.0"),
        ("infogan", {"info": -0.1}, "info weighs what is read back and is at least 0. Received: info=-0.1"),
        ("infogan", {"info": -0.1, "structured": False}, "is at least 0. Received: info=-0.1"),
        ("iwae", {"k": 0}, "k >= 1 draws for each example. Received: k=0"),
        ("iwae", {"gradient": "reinforce"}, "'reparameterised' or 'doubly_reparameterised'. Received: gradient='rein"),
        ("miwae", {"groups": 0}, "at least one group and one draw in it. Received: groups=0, k=5"),
        ("miwae", {"k": 0}, "at least one group and one draw in it. Received: groups=5, k=0"),
        ("ppo_gan", {"epsilon": 1.0}, "epsilon is between 0 and 1, .* Received: epsilon=1.0, moves=2"),
        ("ppo_gan", {"epsilon": 0.0}, "epsilon is between 0 and 1"),
        ("ppo_gan", {"moves": 0}, "moves and critic_steps at least 1, gradient_penalty and"),
        (
            "ppo_gan",
            {"ratio_r1": -1.0},
            "Received: epsilon=0.4, moves=2, critic_steps=5, gradient_penalty=10.0, ratio_r1=-1.0",
        ),
        ("ppo_gan", {"critic_steps": 0}, "moves and critic_steps at least 1, .* critic_steps=0"),
        ("predictability_minimization", {"weight": -1.0}, "weight is at least 0. Received: weight=-1.0"),
        (
            "predictability_minimization",
            {"predictor_steps": 0},
            "learns at least once a step. Received: predictor_steps=0",
        ),
        ("reweighted_wake_sleep", {"k": 0}, "k >= 1 draws for each example. Received: k=0"),
        ("reweighted_wake_sleep", {"inference": "dream"}, "'sleep', 'wake' or 'both'. Received: inference='dream'"),
        ("semi_supervised_vae", {"alpha": -1.0}, "Weights are at least 0. Received: alpha=-1.0, labelled=0.02"),
        ("semi_supervised_vae", {"labelled": NAN}, "Weights are at least 0. Received: alpha=50.0, labelled=nan"),
        ("stacked_semi_supervised_vae", {"alpha": -1.0}, "Weights are at least 0. Received: alpha=-1.0"),
        ("vae_gan", {"beta": -1.0}, "Weights are at least 0. Received: beta=-1.0, adversary=1.0"),
        ("vae_gan", {"adversary": -1.0}, "Weights are at least 0. Received: beta=1.0, adversary=-1.0"),
        ("veegan", {"reconstruction": -1.0}, "Received: reconstruction=-1.0"),
        ("gan", {"contest": "wgan"}, "There is no contest 'wgan'. There are: logistic"),
        ("beta_tc_vae", {"beta": 0.5}, "beta weighs the total correlation, .* Received: beta=0.5"),
        ("beta_tc_vae", {"kl": "exact"}, "kl is 'analytic' or 'sampled'. Received: kl='exact'"),
        ("factor_vae", {"gamma": -1.0}, "gamma is a weight of at least 0. Received: gamma=-1.0"),
        ("info_vae", {"alpha": 1.5}, "alpha is between 0 and 1, .* Received: alpha=1.5, scale=10"),
        ("info_vae", {"scale": 0.5}, "MMD weighs alpha . scale - 1, at least 0. Received: alpha=0.0, scale=0.5"),
        (
            "info_vae",
            {"kernel": "cubic"},
            "kernel of an MMD is one of inverse_multiquadric, gaussian. Received: 'cubic'",
        ),
        ("wae", {"penalty": -1.0}, "penalty is a weight of at least 0. Received: penalty=-1.0"),
        ("wae", {"size": 0.0}, "size of a kernel is positive, or None. Received: size=0.0"),
        ("bigan", {"discriminator_steps": 0}, "at least once a step. Received: discriminator_steps=0"),
        ("conditional_gan", {"pack": 0}, "A pack has at least 2 examples. Received: pack=0"),
        ("cyclegan", {"r1": -1.0}, "Penalties weigh 0 or more. Received: gradient_penalty=None, r1=-1.0"),
        ("iwgan", {"normalise": "class"}, "normalise='class' is for a recipe that generates by a class c"),
        ("iwgan", {"contest": "hinge"}, "This recipe plays contest='hinge'"),
        ("iwbigan", {"pack": 2, "normalise": "batches"}, "normalise is 'batch' or 'class'"),
        ("aavae", {"temperature": 0.0}, "temperature of the discriminator must be positive. Received: 0.0"),
        ("aavae", {"beta": -1.0}, "at least 0. Received: beta=-1.0"),
        ("aaiwae", {"fakes": "modes"}, "fakes is 'draws' or 'means'"),
        ("aasvae", {"alpha": -1.0}, "Received: alpha=-1.0"),
        ("aahvae", {"k": 0}, "k >= 1 draws"),
    )
    def test_a_value_that_makes_no_sense(self, name, hyperparameters, advice):
        with self.assertRaisesRegex(ValueError, advice):
            recipes.get(name, **hyperparameters)

    def test_every_recipe_with_a_number_refuses_one(self):
        """A negative number where a weight is expected, or none where a count is: of each recipe, each parameter."""
        for name in recipes.names():
            for parameter in inspect.signature(recipes.function(name)).parameters.values():
                if isinstance(parameter.default, bool | str | None):
                    continue
                with self.subTest(name=name, parameter=parameter.name), self.assertRaises(ValueError):
                    recipes.get(name, **{parameter.name: type(parameter.default)(-1)})

    @parameterized.parameters("beta", "weight", "kl")
    def test_wake_sleep_has_no_number(self, parameter):
        with self.assertRaisesRegex(ValueError, "'wake_sleep' has no hyperparameter .* It takes: none"):
            recipes.get("wake_sleep", **{parameter: 1.0})


class RegisteringTest(absltest.TestCase):
    CONTEST = ("contest", "discriminator_steps", "gradient_penalty", "r1", "pack")

    def test_options_of_a_contest_come_after_the_recipes_own(self):
        names = list(inspect.signature(recipes.infogan).parameters)
        self.assertEqual(names, ["info", "structured", *self.CONTEST])

    def test_a_transfers_come_after_those(self):
        names = list(inspect.signature(recipes.aavae).parameters)
        self.assertEqual(names, ["beta", "kl", "free_bits", "temperature", "fakes", *self.CONTEST])
        self.assertEqual(list(inspect.signature(recipes.iwgan).parameters)[-1], "normalise")


if __name__ == "__main__":
    absltest.main()
