"""Marks of tests are taken: pytest does not see one that stands above `parameterized`, which makes other functions."""

import pathlib
import re

from absl.testing import absltest

ABOVE = re.compile(r"@pytest\.mark\.\w+[^\n]*\n\s*@parameterized\.")


class MarksTest(absltest.TestCase):
    def test_none_stands_above_parameters(self):
        files = pathlib.Path(__file__).parent.rglob("*.py")
        self.assertEqual([path.name for path in files if ABOVE.search(path.read_text())], [])

    def test_one_that_does_is_found(self):
        self.assertRegex("    @pytest.mark.slow\n    @parameterized.parameters(1)\n", ABOVE)
        self.assertNotRegex("    @parameterized.parameters(1)\n    @pytest.mark.slow\n", ABOVE)


if __name__ == "__main__":
    absltest.main()
