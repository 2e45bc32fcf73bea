"""What keeps the house simple: parts are asked by methods, types are ignored nowhere, functions and files are short."""

import ast
import re

from absl.testing import absltest

import import_order

PARTS = re.compile(
    r"isinstance\([^)]*(Ancestral|Interpolated)|getattr\([^)]*\"(scored|conditioned|judges|steps|left)\""
)
SIGNED = {"ugm_tf/recipes/registry.py", "ugm_tf/recipes/transferred.py"}  # functions that get another signature


def production():
    """Paths and texts of all that is not a test."""
    for path in import_order.python_files():
        if path.split("/")[0] in ("ugm_tf", "trainers", "export", "benchmarks"):
            yield path, (import_order.ROOT / path).read_text()


class HouseTest(absltest.TestCase):
    def test_samplers_and_terms_are_asked_by_methods(self):
        found = {path for path, text in production() if path.startswith("ugm_tf/") and PARTS.search(text)}
        self.assertEqual(found, {"ugm_tf/algebra/samplers.py"})

    def test_types_are_ignored_where_a_signature_is_made_and_nowhere_else(self):
        self.assertEqual({path for path, text in production() if "# type: ignore" in text}, SIGNED)

    def test_functions_and_files_are_short(self):
        long = []
        for path, text in production():
            long += [path] if text.count("\n") > 300 else []
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    words = ast.get_docstring(node, clean=False) or ""
                    lines = node.end_lineno - node.lineno + 1 - (words.count("\n") + 1 if words else 0)
                    long += [f"{path}: {node.name}"] if lines > 60 else []
        self.assertEqual(long, [])


if __name__ == "__main__":
    absltest.main()
