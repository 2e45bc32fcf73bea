"""The BUILD files say what the imports say."""

import pathlib

import pytest
from absl.testing import absltest

import build_files
import import_order


class ThisRepositoryTest(absltest.TestCase):
    @pytest.mark.slow
    def test_build_files_are_up_to_date(self):
        self.assertEqual(list(build_files.outdated()), [], "Run `python .ci/build_files.py --fix`.")

    def test_every_module_and_every_test_has_its_target(self):
        for path in import_order.python_files():
            folder, _, file = path.rpartition("/")
            if file != "__init__.py":
                text = (import_order.ROOT / folder / "BUILD").read_text()
                self.assertIn(f'name = "{file.removesuffix(".py")}",\n    srcs = ["{file}"],', text)


class BuildFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def write(self, path, text=""):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def test_dependencies_are_the_imports(self):
        self.write("ugm_tf/algebra/role.py", "import re")
        self.write("ugm_tf/densities/__init__.py", "from ugm_tf.densities.density import Density")
        self.write("ugm_tf/densities/density.py")
        self.write("ugm_tf/algebra/phases.py", "from ugm_tf import densities\nfrom ugm_tf.algebra.role import Role")
        self.assertRegex(
            build_files.expected(self.root)["ugm_tf/algebra/BUILD"],
            r'name = "phases",\n +srcs = \["phases.py"\],\n +deps = \[\n +":role",\n +"//ugm_tf/densities",\n +\],',
        )

    def test_only_what_comes_later_may_depend_on_an_area(self):
        self.write("ugm_tf/algebra/role.py")
        built = build_files.expected(self.root)
        self.assertIn('package(default_visibility = ["//:may_import_algebra"])', built["ugm_tf/algebra/BUILD"])
        self.assertRegex(built["BUILD"], r'"may_import_algebra",\n +packages = \["//ugm_tf/algebra/..."\],\n +inc')
        self.assertRegex(built["BUILD"], r'"may_import_tests",\n +packages = \["//tests/..."\],\n\)')

    def test_a_test_is_a_py_test(self):
        self.write("tests/test_a.py", "import b")
        self.assertIn('py_test(\n    name = "test_a"', build_files.expected(self.root)["tests/BUILD"])

    def test_a_slow_test_runs_only_when_named(self):
        self.write("tests/test_a.py", "@pytest.mark.slow\ndef test(): ...")
        self.assertIn('tags = ["manual"]', build_files.expected(self.root)["tests/BUILD"])

    def test_a_test_that_reads_the_checkout_runs_in_it(self):
        self.write(".ci/import_order.py")
        self.write("tests/test_a.py", "import import_order")
        self.assertRegex(build_files.expected(self.root)["tests/BUILD"], r'tags = \[\n +"external",\n +"local",\n +\]')

    def test_a_module_takes_the_files_of_its_name_with_it(self):
        self.write("trainers/report.py")
        self.write("trainers/report.css")
        self.write("trainers/reporter.css")
        self.assertIn('data = ["report.css"]', build_files.expected(self.root)["trainers/BUILD"])

    def test_an_empty_package_file_needs_no_target(self):
        self.write("trainers/__init__.py", '"""Scripts."""')
        self.write("trainers/train.py", "from trainers import curves")
        self.write("trainers/curves.py")
        self.assertNotIn("__init__", build_files.expected(self.root)["trainers/BUILD"])

    def test_refuses_two_targets_of_one_name(self):
        self.write("export/__init__.py", "VERSION = 1")
        self.write("export/export.py")
        with self.assertRaisesRegex(ValueError, "export has code both in __init__.py and in a module of its name"):
            build_files.expected(self.root)

    def test_finds_what_is_missing_changed_and_left_over(self):
        self.write("trainers/train.py")
        self.write("tests/test_a.py")
        self.write("tests/old/BUILD")
        self.write("BUILD", build_files.expected(self.root)["BUILD"])
        self.write("trainers/BUILD", "py_library()")
        wrong = build_files.outdated(self.root)
        self.assertCountEqual(wrong, ["trainers/BUILD", "tests/BUILD", "tests/old/BUILD"])
        self.assertIsNone(wrong["tests/old/BUILD"])


if __name__ == "__main__":
    absltest.main()
