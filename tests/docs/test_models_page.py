"""docs/models.md is what the code says."""

import pytest
from absl.testing import absltest

from tests.docs import models_page


class ModelsPageTest(absltest.TestCase):
    maxDiff = 2_000

    @pytest.mark.slow
    def test_the_page_is_up_to_date(self):
        self.assertEqual(
            models_page.PAGE.read_text(), models_page.page(), "Run python -m tests.docs.models_page --fix."
        )


if __name__ == "__main__":
    absltest.main()
