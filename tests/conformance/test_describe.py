"""Each recipe says what it does: every phase, every expectation, every density."""

from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table


class DescribeTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.ROWS)
    def test_a_line_a_phase_and_a_line_an_expectation(self, *row):
        recipe = table.recipe_of(*row)
        lines = recipe.describe().split("\n")
        for phase in dict.fromkeys(recipe.phases):
            times, turns = phase.repeats, recipe.phases.count(phase)
            often = f", {times} times" if times > 1 else f", {turns} times in turn" if turns > 1 else ""
            self.assertEqual(lines.pop(0), f"{phase.name}: minimise over {', '.join(phase.updates)}{often}")
            for _ in phase.minimise:
                self.assertRegex(lines.pop(0), r"^  ( |\+|-) ([\d.]+ )?(\w+\(.*\)\(t\) )?E\[.*\] \S")
        self.assertEmpty(lines)

    @parameterized.named_parameters(*table.ROWS)
    def test_every_density_is_there_and_no_python(self, *row):
        recipe = table.recipe_of(*row)
        text = recipe.describe()
        for name, role in recipe.roles.items():
            self.assertTrue(name in text or str(role) in text, f"{name} in\n{text}")
        self.assertNotRegex(text, r"<|\bobject\b|lambda|ugm_tf")

    @parameterized.parameters(*ugm_tf.recipes.names())
    def test_the_docstring_shows_it(self, name):
        self.assertRegex(ugm_tf.recipes.function(name).__doc__, rf">>> print\({name}\(.*\)\.describe\(\)\)")


if __name__ == "__main__":
    absltest.main()
