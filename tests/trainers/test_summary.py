"""The end of a run."""

from unittest import mock

from absl.testing import absltest

from trainers import pictures
from trainers.settings import Settings


class WeightsTest(absltest.TestCase):
    def test_are_averages_where_the_run_keeps_them(self):
        model = mock.Mock()
        for ema, expected in ((None, False), (0.0, False), (0.9, True)):
            model.averaged.reset_mock()
            pictures.weights(model, Settings("vae", "digits", ema=ema))
            self.assertEqual(model.averaged.called, expected, ema)


if __name__ == "__main__":
    absltest.main()
