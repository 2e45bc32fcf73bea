"""setup.cfg says what the tree holds: packages, files, dependencies and commands."""

import ast
import configparser
import importlib.metadata
import pathlib
import re
import sys

from absl.testing import absltest

import import_order

ROOT = import_order.ROOT

# What our dependencies import and do not declare.
UNDECLARED = {"importlib-resources", "tf-keras"}


def normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", distribution)[0]).lower()


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(inline_comment_prefixes=("  #",))
    parser.read_string((ROOT / "setup.cfg").read_text())
    return parser


def lines(section: str, option: str) -> list[str]:
    return setup_cfg()[section][option].split("\n")[1:]


def shipped() -> dict[str, ast.Module]:
    """Every file that a wheel holds, by its path in a checkout."""
    paths = [path for path in import_order.python_files() if path.startswith(("ugm_tf/", "trainers/", "export/"))]
    return {path: ast.parse((ROOT / path).read_text()) for path in paths}


def imported(tree: ast.AST) -> set[str]:
    """The top-level modules that a file imports by absolute names."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


class PackagingTest(absltest.TestCase):
    def test_every_package_is_listed_and_no_other(self):
        folders = {str(pathlib.PurePosixPath(path).parent).replace("/", ".") for path in shipped()}
        packages = {folder if folder.startswith("ugm_tf") else f"ugm_tf.{folder}" for folder in folders}
        self.assertCountEqual(lines("options", "packages"), packages)

    def test_every_file_that_is_not_python_is_package_data(self):
        data = setup_cfg()["options.package_data"]
        for folder in ("ugm_tf", "trainers", "export"):
            package = folder if folder == "ugm_tf" else f"ugm_tf.{folder}"
            listed = {path for pattern in data.get(package, "").split() for path in (ROOT / folder).glob(pattern)}
            files = {path for path in (ROOT / folder).rglob("*") if path.is_file()}
            files -= {path for path in files if path.suffix in (".py", ".pyc") or path.name == "BUILD"}
            self.assertEqual(files - listed, set())

    def test_dependencies_are_what_is_imported(self):
        distributions = {
            **importlib.metadata.packages_distributions(),
            "google": ["protobuf"],
            "umap": ["umap-learn"],
        }  # a name that many share
        modules = set().union(*map(imported, shipped().values())) - sys.stdlib_module_names
        modules -= {"ugm_tf", "trainers", "export"}
        needed = {normalised(name) for module in modules for name in distributions.get(module, [module])}
        declared = {normalised(line) for line in lines("options", "install_requires")}
        extras = ("serving", "onnx", "litert", "openvino", "umap")  # imported when they are needed
        extra = {normalised(line) for name in extras for line in lines("options.extras_require", name)}
        self.assertEqual(declared - UNDECLARED, needed - extra)
        self.assertLessEqual(extra, needed)
        self.assertLessEqual(UNDECLARED, declared)

    def test_scripts_find_each_other_in_a_wheel_too(self):
        # There they are ugm_tf.trainers and ugm_tf.export, so they import each other by relative names, and by
        # absolute ones only where a relative one has failed: under `except ImportError`.
        for path, tree in shipped().items():
            handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
            excused = [node for handler in handlers for node in ast.walk(handler)]
            for node in ast.walk(tree):
                if isinstance(node, ast.Import | ast.ImportFrom) and node not in excused:
                    self.assertNoCommonElements(imported(node), {"trainers", "export"}, f"{path}, line {node.lineno}")

    def test_every_command_runs_a_script(self):
        console = (ROOT / "trainers/console.py").read_text()
        for line in lines("options.entry_points", "console_scripts"):
            _, _, function = line.partition(" = ugm_tf.trainers.console:")
            module = re.search(rf'def {function}\(\).*?_run\("ugm_tf\.([\w.]+)"\)', console, re.DOTALL)[1]
            script = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
            self.assertEqual(ast.unparse(script.body[-1]).partition("\n")[0], "if __name__ == '__main__':")

    def test_versions_agree(self):
        version = setup_cfg()["metadata"]["version"]
        self.assertIn(f'version = "{version}",\n)', (ROOT / "MODULE.bazel").read_text())
        self.assertIn(f'__version__ = "{version}"\n', (ROOT / "ugm_tf/version.py").read_text())


if __name__ == "__main__":
    absltest.main()
