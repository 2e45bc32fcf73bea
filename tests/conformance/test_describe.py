"""Each recipe says what it does: every phase, every expectation, every density."""

from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table


class DescribeTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.ROWS)
    def test_a_line_a_phase_and_a_line_an_expectation(self, *row):
        model = table.model(*row)
        lines = model.describe().split("\n")
        for phase in model.recipe.phases:
            self.assertEqual(lines.pop(0), f"{phase.name}: minimise over {', '.join(phase.updates)}")
            for _ in phase.minimise:
                self.assertRegex(lines.pop(0), r"^  ( |\+|-) ([\d.]+ )?E\[.*\] \S")
        self.assertEmpty(lines)

    @parameterized.named_parameters(*table.ROWS)
    def test_every_density_is_there_and_no_python(self, *row):
        recipe = table.model(*row).recipe
        text = recipe.describe()
        for name, role in recipe.roles.items():
            self.assertTrue(name in text or str(role) in text, f"{name} in\n{text}")
        self.assertNotRegex(text, r"<|\bobject\b|lambda|ugm_tf")

    @parameterized.parameters(ugm_tf.recipes.vae, ugm_tf.recipes.gan, ugm_tf.recipes.iwgan, ugm_tf.recipes.aavae)
    def test_the_docstring_shows_it(self, recipe):
        example = recipe.__doc__.split(".describe())\n")[1].split("\n\n")[0]
        hyperparameters = {"beta": 4.0} if recipe is ugm_tf.recipes.vae else {}
        shown = "\n".join(line.removeprefix("    ") for line in example.split("\n"))
        self.assertEqual(recipe(**hyperparameters).describe(), shown)


if __name__ == "__main__":
    absltest.main()
