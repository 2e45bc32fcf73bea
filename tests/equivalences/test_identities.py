"""The map from recipes to what is proved of them names tests that there are."""

import ast
import functools
import pathlib

from absl.testing import absltest, parameterized

import ugm_tf
from tests.equivalences.identities import IDENTITIES

ROOT = pathlib.Path(__file__).parents[2]
LONGEST = 100  # characters of a statement: it is to fit into a cell of a table


@functools.cache
def found_in(path):
    """Class::test of each test in a file."""
    classes = [node for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.ClassDef)]
    return {
        f"{found.name}::{test.name}"
        for found in classes
        for test in found.body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
    }


class IdentitiesTest(parameterized.TestCase):
    def test_there_is_something_proved_of_every_recipe(self):
        self.assertEqual(set(IDENTITIES), set(ugm_tf.recipes.names()))
        self.assertEmpty([name for name, proved in IDENTITIES.items() if not proved])

    @parameterized.parameters(*IDENTITIES)
    def test_each_test_exists(self, name):
        for _, test in IDENTITIES[name]:
            path, _, within = test.partition("::")
            self.assertIn(within, found_in(path), path)

    @parameterized.parameters(*IDENTITIES)
    def test_each_statement_is_one_short_line_and_there_is_none_twice(self, name):
        statements = [statement for statement, _ in IDENTITIES[name]]
        self.assertLen(set(statements), len(statements))
        for statement in statements:
            self.assertTrue(0 < len(statement) <= LONGEST and "\n" not in statement, statement)


if __name__ == "__main__":
    absltest.main()
