"""Imports go one way, and the library uses nothing that it should not."""

import pathlib

from absl.testing import absltest, parameterized

import import_order


def a_repository(test: absltest.TestCase, files: dict[str, str]) -> pathlib.Path:
    """A directory with these files."""
    root = pathlib.Path(test.create_tempdir().full_path)
    for path, source in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source)
    return root


class ThisRepositoryTest(absltest.TestCase):
    def test_every_import_goes_the_right_way(self):
        self.assertEqual(import_order.violations(), [])

    def test_every_area_of_the_order_is_there(self):
        missing = [name for line in import_order.ORDER for name in line if not (import_order.ROOT / name).exists()]
        self.assertEqual(missing, [])


class OrderTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("upwards", "ugm_tf/densities/a.py", "from ugm_tf.algebra import b", "ugm_tf/algebra/b.py"),
        ("of_a_name", "ugm_tf/algebra/a.py", "from ugm_tf.model import UnifiedModel", "ugm_tf/model.py"),
        ("of_the_whole_package", "ugm_tf/recipes/a.py", "import ugm_tf", "ugm_tf/__init__.py"),
        ("sideways", "ugm_tf/networks/a.py", "import ugm_tf.recipes.gan", "ugm_tf/recipes/gan.py"),
        ("relative", "ugm_tf/data/a.py", "from ..networks import mlp", "ugm_tf/networks/mlp.py"),
        ("inside_a_function", "ugm_tf/model.py", "def f():\n    from trainers import train", "trainers/train.py"),
        ("of_trainers_by_export", "export/a.py", "from trainers import train", "trainers/train.py"),
        ("by_a_string", "export/a.py", 'run([sys.executable, "-m", "trainers.train"])', "trainers/train.py"),
        ("for_its_types", "ugm_tf/data/a.py", "if TYPE_CHECKING:\n    from ugm_tf.model import A", "ugm_tf/model.py"),
        ("of_a_test", "trainers/a.py", "from tests import b", "tests/b.py"),
    )
    def test_refuses_an_import(self, path, source, other):
        root = a_repository(self, {path: source, other: ""})
        self.assertRegex("\n".join(import_order.violations(root)), rf"{path} imports {other}, but .* comes before")

    @parameterized.named_parameters(
        ("downwards", "ugm_tf/algebra/a.py", "from ugm_tf import densities", "ugm_tf/densities/__init__.py"),
        ("within_an_area", "ugm_tf/recipes/a.py", "from ugm_tf.recipes import gan", "ugm_tf/recipes/gan.py"),
        ("of_export_by_trainers", "trainers/a.py", "from ..export import export", "export/export.py"),
        ("of_the_library_by_a_test", "tests/a.py", "import ugm_tf", "ugm_tf/__init__.py"),
        ("of_something_else", "ugm_tf/densities/a.py", "from keras import layers", "ugm_tf/model.py"),
    )
    def test_allows_an_import(self, path, source, other):
        self.assertEqual(import_order.violations(a_repository(self, {path: source, other: ""})), [])

    def test_refuses_files_that_import_each_other(self):
        root = a_repository(
            self,
            {
                "ugm_tf/algebra/__init__.py": "from ugm_tf.algebra.a import A",
                "ugm_tf/algebra/a.py": "from ugm_tf.algebra import b",
                "ugm_tf/algebra/b.py": "from ugm_tf import algebra",
            },
        )
        self.assertLen(import_order.violations(root), 1)
        self.assertRegex(import_order.violations(root)[0], "import each other: .*a.py -> .*b.py -> .*__init__.py")

    def test_a_package_s_function_hides_its_module_of_that_name(self):
        root = a_repository(
            self,
            {
                "ugm_tf/recipes/__init__.py": "from ugm_tf.recipes import registry\nfrom ugm_tf.recipes.gan import gan",
                "ugm_tf/recipes/gan.py": "def gan(): ...",
                "ugm_tf/recipes/registry.py": "",
                "tests/a.py": "from ugm_tf.recipes import gan",
                "tests/b.py": "from ugm_tf.recipes import registry",
            },
        )
        self.assertEqual(import_order.imports("tests/a.py", root), {"ugm_tf/recipes/__init__.py"})
        self.assertEqual(import_order.imports("tests/b.py", root), {"ugm_tf/recipes/registry.py"})

    def test_refuses_files_that_import_each_other_for_their_types(self):
        root = a_repository(
            self,
            {
                "ugm_tf/algebra/recipe.py": "from ugm_tf.algebra import check",
                "ugm_tf/algebra/check.py": "if TYPE_CHECKING:\n    from ugm_tf.algebra.recipe import Recipe",
            },
        )
        (cycle,) = import_order.violations(root)
        self.assertRegex(cycle, "import each other: ugm_tf/algebra/check.py -> ugm_tf/algebra/recipe.py -> ")

    def test_refuses_a_file_without_a_place_in_the_order(self):
        root = a_repository(self, {"ugm_tf/extras/a.py": ""})
        with self.assertRaisesRegex(ValueError, r"ugm_tf/extras/a.py has no place .* Add it to ORDER"):
            import_order.violations(root)

    def test_refuses_an_import_of_what_is_not_there(self):
        root = a_repository(self, {"ugm_tf/model.py": "from ugm_tf.recipies import gan"})
        with self.assertRaisesRegex(ValueError, "ugm_tf/model.py imports ugm_tf.recipies, which is not in the repo"):
            import_order.violations(root)


class ForbiddenTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tf_keras", "import tf_keras", "tf_keras"),
        ("a_part_of_tf_keras", "from tf_keras.layers import Dense", "tf_keras.layers.Dense"),
        ("tensorflow_keras", "from tensorflow import keras", "tensorflow.keras"),
        ("tensorflow_keras_by_attribute", "import tensorflow as tf\ntf.keras.layers.Dense(1)", "tensorflow.keras"),
        ("tfp_layers", "import tensorflow_probability as tfp\nx = tfp.layers", "tensorflow_probability.layers"),
        ("flags", "def f():\n    from absl import flags", "absl.flags"),
        ("print", "print(1)", "never prints"),
        ("assert", "assert True", "never asserts"),
    )
    def test_finds(self, source, what):
        self.assertLen(import_order.forbidden(source), 1)
        self.assertIn(what, import_order.forbidden(source)[0])

    @parameterized.named_parameters(
        ("keras_3", "import keras\nkeras.layers.Dense(1)"),
        ("tensorflow", "import tensorflow as tf\ntf.nest.map_structure(id, 1)"),
        ("distributions", "import tensorflow_probability as tfp\ntfd = tfp.distributions"),
        ("logging", "from absl import logging"),
        ("a_method_called_print", "report.print()"),
        ("an_example_in_a_docstring", '"""\n>>> print(recipe.describe())\n"""'),
    )
    def test_lets_pass(self, source):
        self.assertEqual(import_order.forbidden(source), [])

    def test_holds_for_the_library_alone(self):
        bad = "import tf_keras"
        self.assertEqual(import_order.violations(a_repository(self, {"benchmarks/a.py": bad})), [])
        self.assertLen(import_order.violations(a_repository(self, {"ugm_tf/model.py": bad})), 1)


if __name__ == "__main__":
    absltest.main()
