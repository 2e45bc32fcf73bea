"""The exporter's first name, in a checkout and under the library, is the exporter."""

from absl.testing import absltest

import ugm_tf
from export import saved_model


class SavedModelTest(absltest.TestCase):
    def test_its_first_name_is_kept(self):
        self.assertIs(saved_model.export_model, ugm_tf.serving.export_model)
        self.assertEqual(saved_model.CARD, ugm_tf.serving.CARD)


if __name__ == "__main__":
    absltest.main()
