"""The table is whole: a recipe or a contest without a row is a model that nobody tests."""

from unittest import mock

from absl.testing import absltest

import ugm_tf
from tests.algebra.pairs import PAIRS
from tests.conformance import table


class TableTest(absltest.TestCase):
    def test_every_recipe_has_a_row(self):
        found = {recipe for _, recipe, *_ in table.RECIPES}
        missing = [name for name in ugm_tf.recipes.names() if name not in found]
        self.assertEqual(missing, [], "Give each a row in tests/conformance/table.py, in RECIPES.")

    def test_a_recipe_without_a_row_would_be_found(self):
        with self.assertRaisesRegex(AssertionError, r"(?s)'new_one'.*Give each a row"):
            with mock.patch.object(ugm_tf.recipes, "names", lambda: ["vae", "new_one"]):
                self.test_every_recipe_has_a_row()

    def test_every_contest_has_a_row(self):
        played = {e.of.contest for row in table.ROWS if row[1] == "gan" for e in _expectations(row) if _judged(e)}
        self.assertCountEqual(played, ugm_tf.contests.names())

    def test_every_valid_transfer_has_a_row(self):
        made = [table.recipe_of(*row[1:]) for row in table.ROWS]
        for pair in PAIRS:
            if pair.named is None:
                self.assertIn(pair(), made, pair.title)
            else:
                self.assertIn(pair.named, [row[1] for row in table.ROWS])

    def test_a_transfer_without_a_row_would_be_found(self):
        *others, (title, *_) = table.ROWS
        with self.assertRaisesRegex(AssertionError, f"{title}$"):
            with mock.patch.object(table, "ROWS", others):
                self.test_every_valid_transfer_has_a_row()

    def test_names_are_unique(self):
        names = [name for name, *_ in table.ROWS]
        self.assertCountEqual(names, set(names))


def _expectations(row):
    return [e for phase in table.recipe_of(*row[1:]).phases for e in phase.minimise]


def _judged(expectation):
    return isinstance(expectation.of, ugm_tf.DiscriminatorLoss)


if __name__ == "__main__":
    absltest.main()
