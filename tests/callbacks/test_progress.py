"""The progress bar: what it counts, what it measures, what it shows."""

import contextlib
import io
from unittest import mock

import pytest
from absl.testing import absltest

from tests.conformance import table
from ugm_tf.callbacks import Progress, progress


def run(show=False, initial=0, seconds=()):
    """A run of two epochs of 3 steps, two in a call, with a clock that stands still or goes by `seconds`."""
    model, out = table.model(*table.GAN[1:], steps_per_execution=2), io.StringIO()
    model.steps.assign(initial)
    bar = Progress(6 + initial, table.BATCH, initial, show)
    times = iter(seconds)
    clock = mock.patch.object(progress.time, "perf_counter", lambda: next(times, 0.0))
    with contextlib.redirect_stderr(out), clock:
        model.fit(table.dataset(model.recipe), epochs=2, callbacks=[bar], verbose=0)
        bar.close()
    return bar, out.getvalue()


class ProgressTest(absltest.TestCase):
    @pytest.mark.slow
    def test_throughput_leaves_the_first_call_out(self):
        # Calls of 2, 1, 2, 1 steps, of 100 s (which compiles), 1, 2 and 1 s.
        bar, _ = run(seconds=(0, 100, 100, 101, 101, 103, 103, 104))
        self.assertEqual(bar.seconds, 104)
        self.assertEqual(bar.examples_per_second, 4 * table.BATCH / 4)

    def test_there_is_no_throughput_before_a_second_call(self):
        self.assertIsNone(Progress(6, 16).examples_per_second)

    @pytest.mark.slow
    def test_shows_examples_rate_and_losses(self):
        _, shown = run(show=True)
        self.assertRegex(shown, r"100%.*96\.0/96\.0")
        self.assertRegex(shown, r"discriminate=[\d.]+, generate=[\d.]+")

    @pytest.mark.slow
    def test_a_run_that_goes_on_starts_where_it_was(self):
        _, shown = run(show=True, initial=4)
        self.assertRegex(shown, r"64\.0/160")
        self.assertRegex(shown, r"100%.*160/160")

    @pytest.mark.slow
    def test_shows_nothing_when_told_so(self):
        self.assertEqual(run()[1], "")


if __name__ == "__main__":
    absltest.main()
