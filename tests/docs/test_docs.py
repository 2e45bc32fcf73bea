"""The prose is true: its examples run, its links lead somewhere, its commands and their flags exist."""

import configparser
import contextlib
import doctest
import functools
import importlib
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized

import import_order
import ugm_tf
from trainers import comparison, curves, figure, optimizers, options, own_code, page, rates, reading
from trainers.reproduction import costs, declarations, statistics, tables

ROOT = import_order.ROOT
PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
FIRST = ("docs/algebra.md",)
NOISE = "TF_CPP_MIN_LOG_LEVEL"
SCRIPTS = {"trainers", "export", "benchmarks"}

# What an example in a docstring may use without importing it.  It runs in a directory that has run/model.keras.
NAMES = {"keras": keras, "np": np, "tf": tf, "tfds": tfds, "ugm_tf": ugm_tf}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def with_examples(folder):
    """Files below a folder that hold an example."""
    files = (path for path in import_order.python_files() if path.startswith(folder))
    return [path for path in files if ">>>" in (ROOT / path).read_text()]


def blocks(page):
    """A page's blocks of code: the language, and the text after blank lines, so that line numbers are the page's."""
    text = (ROOT / page).read_text()
    for match in _FENCE.finditer(text):
        yield match[1], "\n" * (text[: match.start(2)].count("\n")) + match[2]


def commands(page):
    """Command lines on a page, in words."""
    for language, code in blocks(page):
        if not language:
            for line in code.replace("\\\n", " ").splitlines():
                yield from (shlex.split(part, comments=True) for part in re.split(r"&&|;", line))


@functools.cache
def a_model():
    """A saved VAE of 8x8 images."""
    recipe = ugm_tf.recipes.vae()
    model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (4,)}, hidden=(16,)))
    model.compile("adam")
    with tempfile.TemporaryDirectory() as directory:
        model.save(f"{directory}/model.keras")
        return pathlib.Path(directory, "model.keras").read_bytes()


def flags_of(module):
    """The flags that a script defines, by absl or by argparse."""
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text()
    settings = [option.name or name for name, option in options.OPTIONS.items()] if "options.define()" in source else []
    return {*re.findall(r'(?:flags\.DEFINE_\w+\(\s*"|\("--)(\w+)"', source), *settings, "help", "flagfile"}


def named(paths):
    """Paths as the parameters of tests that bear their names."""
    return [(re.sub(r"\W+", "_", path), path) for path in paths]


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


class ExamplesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        directory = self.create_tempdir().full_path
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory)
        self.enter_context(mock.patch.dict(ugm_tf.recipes.registry._RECIPES))  # an example may add a recipe

    def run_doctest(self, test):
        out, runner = io.StringIO(), doctest.DocTestRunner(verbose=False)
        runner.run(test, out=out.write, clear_globs=False)
        self.assertEqual(runner.summarize(verbose=False).failed, 0, out.getvalue())
        return runner.tries

    def check_module(self, module):
        os.mkdir("run")
        pathlib.Path("run/model.keras").write_bytes(a_model())
        tests = doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=NAMES)
        self.assertGreater(sum(self.run_doctest(test) for test in tests), 0)

    @parameterized.named_parameters(named(with_examples("ugm_tf/")))
    @pytest.mark.slow
    def test_examples_of_the_library(self, path):
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.check_module(importlib.import_module(module))

    @parameterized.parameters(
        comparison, curves, figure, optimizers, own_code, page, rates, reading, costs, declarations, statistics, tables
    )
    def test_examples_of_the_scripts(self, module):
        self.check_module(module)

    def test_all_examples_of_the_scripts_are_checked(self):
        self.assertCountEqual(
            [path for folder in sorted(SCRIPTS) for path in with_examples(f"{folder}/")],
            [
                "trainers/comparison.py",
                "trainers/curves.py",
                "trainers/figure.py",
                "trainers/own_code.py",
                "trainers/page.py",
                "trainers/optimizers.py",
                "trainers/rates.py",
                "trainers/reading.py",
                "trainers/reproduction/costs.py",
                "trainers/reproduction/declarations.py",
                "trainers/reproduction/statistics.py",
                "trainers/reproduction/tables.py",
            ],
        )

    @parameterized.named_parameters(named(FIRST))
    def test_code_of_a_first_page(self, page):
        self.check_page(page)

    @parameterized.named_parameters(named(page for page in PAGES if page not in FIRST))
    @pytest.mark.slow
    def test_code_of_a_page(self, page):
        self.check_page(page)

    def check_page(self, page):
        names = {}  # of all its blocks: a later one may use what an earlier one made
        for language, code in blocks(page):
            if language == "pycon":
                self.assertIn(">>> ", code)
                test = doctest.DocTestParser().get_doctest(code, names, page, str(ROOT / page), 0)
                test.globs = names
                self.run_doctest(test)
            elif language == "python":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(code, str(ROOT / page), "exec"), names)


class NotebookTest(absltest.TestCase):
    def cells(self, kind):
        book = json.loads((ROOT / "docs/cookbook.ipynb").read_text())
        self.assertEqual((book["nbformat"], book["metadata"]["kernelspec"]["language"]), (4, "python"))
        return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]

    def test_each_cell_is_python_and_holds_no_output(self):
        for code in self.cells("code"):
            compile(code, "docs/cookbook.ipynb", "exec")
        self.assertNotIn('"output_type"', (ROOT / "docs/cookbook.ipynb").read_text())

    @pytest.mark.slow
    def test_runs_from_start_to_finish(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.create_tempdir().full_path)
        self.enter_context(mock.patch.dict(os.environ, {"MPLBACKEND": "Agg"}))
        shown = self.enter_context(mock.patch("matplotlib.pyplot.show"))
        names, out = {}, io.StringIO()
        with contextlib.redirect_stdout(out):
            for code in self.cells("code"):
                exec(compile(code, "docs/cookbook.ipynb", "exec"), names)
        self.assertGreater(shown.call_count, 5)
        self.assertTrue(pathlib.Path("models/vae/1/saved_model.pb").exists())
        self.assertGreater(float(re.search(r"log p\(x\) >= (-[\d.]+)", out.getvalue())[1]), -26.0)


@pytest.mark.slow
class QuickStartTest(absltest.TestCase):
    def test_runs_as_a_script_outside_the_checkout(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (code,) = [code for language, code in blocks("README.md") if language == "python"]
        (folder / "quick_start.py").write_text(code)
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", NOISE)}
        done = subprocess.run(
            [sys.executable, "quick_start.py"], cwd=folder, env=environment, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((folder / "models" / "vae" / "1" / "saved_model.pb").exists())
        self.assertNotRegex(done.stderr, "cuda|InitializeLog|INFO")


class LinksTest(parameterized.TestCase):
    @parameterized.named_parameters(named(PAGES))
    def test_relative_links_lead_somewhere(self, page):
        text = (ROOT / page).read_text()
        for target in _LINK.findall(_FENCE.sub("", text)):
            if re.match(r"https?://", target):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            self.assertTrue(file.exists(), f"{page} links to {target}")
            if anchor:
                headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", file.read_text()), re.MULTILINE)
                self.assertIn(anchor, map(slug, headings), f"{page} links to {target}")

    def test_every_page_of_docs_is_linked_from_the_readme(self):
        links = set(_LINK.findall((ROOT / "README.md").read_text()))
        self.assertLessEqual({page for page in PAGES if page.startswith("docs/")}, links)


class CommandsTest(parameterized.TestCase):
    @parameterized.named_parameters(named(PAGES))
    def test_scripts_and_their_flags_exist(self, page):
        for words in commands(page):
            if "-m" not in words or not words[0].endswith("python"):
                continue
            module, *arguments = words[words.index("-m") + 1 :]
            if module.partition(".")[0] not in SCRIPTS:
                self.assertIn(module, ("pytest",), f"{page}: {words}")
                continue
            self.assertTrue((ROOT / f"{module.replace('.', '/')}.py").is_file(), f"{page}: {words}")
            given = {word[2:].partition("=")[0] for word in arguments if word.startswith("--")}
            self.assertLessEqual(given, flags_of(module), f"{page}: {words}")

    @parameterized.named_parameters(named(PAGES))
    def test_installed_commands_exist(self, page):
        parser = configparser.ConfigParser()
        parser.read(ROOT / "setup.cfg")
        known = re.findall(r"^([\w-]+) =", parser["options.entry_points"]["console_scripts"], re.MULTILINE)
        self.assertLessEqual(set(re.findall(r"\bugm-\w+", (ROOT / page).read_text())), set(known))

    def test_flags_in_the_table_are_those_of_the_script(self):
        rows = re.findall(r"^\| (`--.*?) \|", (ROOT / "docs/training.md").read_text(), re.MULTILINE)
        named = {flag for row in rows for flag in re.findall(r"--(\w+)", row)}
        self.assertEqual(named, flags_of("trainers.train") - {"help", "flagfile"})


if __name__ == "__main__":
    absltest.main()
