"""Recipes of one's own, by the name of a file or a module."""

import pathlib
import textwrap
from unittest import mock

import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers import test_run
from trainers import evaluation, finished, own_recipes
from trainers.settings import Settings
from ugm_tf.recipes import registry

CODE = '''
from ugm_tf.algebra import E, GENERATED, NegativeLogProb, Recipe, adversarial

def readable_{n}(info: float = 1.0) -> Recipe:
    """A GAN whose samples can be read back."""
    return Recipe(
        densities={{"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x)"}},
        phases=adversarial(
            fake=GENERATED,
            updates=("decoder", "encoder"),
            extra=(E(NegativeLogProb("encoder"), GENERATED, scale=info, name="recall"),),
        ),
    )

def nothing_{n}():
    return 3
'''


class OwnRecipesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(registry._RECIPES))

    def file(self, code=CODE, name="mine.py"):
        path = pathlib.Path(self.create_tempdir().full_path) / name
        path.write_text(
            textwrap.dedent(code).replace("{n}", self.id().split("_")[-1]).replace("{{", "{").replace("}}", "}")
        )
        return path

    def test_a_function_in_a_file(self):
        recipe = own_recipes.make(f"{self.file()}:readable_file", {"info": 0.5})
        self.assertIsInstance(recipe, ugm_tf.Recipe)
        self.assertIn("0.5 E[", recipe.describe())

    def test_a_function_in_a_module(self):
        self.assertEqual(own_recipes.make("ugm_tf.recipes.vae:vae", {"beta": 2.0}), ugm_tf.recipes.vae(beta=2.0))

    def test_a_name_of_the_package(self):
        self.assertEqual(own_recipes.make("vae", {"beta": 2.0}), ugm_tf.recipes.vae(beta=2.0))

    def test_hyperparameters_are_checked_as_those_of_the_package(self):
        path = self.file()
        with self.assertRaisesRegex(ValueError, "'readable_package' has no hyperparameter 'inf'. It takes: info"):
            own_recipes.make(f"{path}:readable_package", {"inf": 1.0})
        with self.assertRaisesRegex(ValueError, "'info' of recipe 'readable_package' is of type float"):
            own_recipes.make(f"{path}:readable_package", {"info": "high"})

    def test_refuses_what_it_cannot_find_or_run(self):
        path = self.file()
        broken, unknown = self.file("import no_such_module\n", "broken.py"), path.with_name("other.py")
        for recipe, advice in (
            (str(path), "Give --recipe=path/to/file.py:function or --recipe=module:function. Received"),
            (f"{path}:", "Give --recipe=path/to/file.py:function"),
            (f"{unknown}:mine", f"There is no file {unknown}. Give --recipe=path/to/file.py"),
            (f"{path}:mine", "mine.py has no function 'mine'. It has: readable_run, nothing_run"),
            (f"{broken}:mine", "broken.py could not be run: ModuleNotFoundError: No module named 'no_such_module'"),
            ("no.such:mine", "Module 'no.such' could not be imported: ModuleNotFoundError"),
            (f"{path}:nothing_run", "returns a Recipe. It returned a int"),
            ("gann", r"There is no recipe 'gann'.* Did you mean 'gan'\?"),
        ):
            with self.assertRaisesRegex(ValueError, advice):
                own_recipes.make(recipe, {})

    def test_a_name_that_the_package_has_is_refused(self):
        path = self.file("from ugm_tf.recipes import vae as other\ndef vae():\n    return other()\n")
        with self.assertRaisesRegex(ValueError, "There is a recipe 'vae' already, from ugm_tf.recipes.vae. Choose"):
            own_recipes.make(f"{path}:vae", {})


class RunTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(registry._RECIPES))
        self.path = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.path / f"of_{self.id().rsplit('_', 1)[-1]}.py"
        self.file.write_text(CODE.replace("{n}", "x").replace("{{", "{").replace("}}", "}"))
        recipe = f"{self.file}:readable_x"
        self.settings = Settings(recipe, "digits", epochs=1, batch_size=256, hidden=(8,), code_size=2, xla="off")

    @pytest.mark.slow
    def test_goes_on_only_with_the_recipe_that_it_began_with(self):
        with test_run.without_an_end():
            done = test_run.train(self.settings, self.path / "run")
            self.assertEqual(int(done.model.steps), 5)
            test_run.train(self.settings, self.path / "run")
            self.file.write_text(self.file.read_text().replace("scale=info", "scale=2 * info"))
            own_recipes._register.cache_clear()
            with self.assertRaisesRegex(ValueError, "began with another recipe of this name"):
                test_run.train(self.settings, self.path / "run")

    @pytest.mark.slow
    def test_has_a_report_and_an_evaluation(self):
        done = test_run.train(self.settings, self.path / "run")
        self.assertEqual(done.end.failures, [])
        self.assertIn("<h1>readable_x on digits</h1>", done.directory.report.read_text())
        self.assertEqual(finished.load(self.path / "run").settings, done.settings)
        names = [figure.name for figure in evaluation.evaluate(str(self.path / "run"), seeds=0).figures]
        self.assertIn("generate/recall", names)


if __name__ == "__main__":
    absltest.main()
