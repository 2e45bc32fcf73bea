"""What `trainers.evaluate` prints, and the doors of the scripts that are no work: --help and unknown flags."""

import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

from trainers import evaluation
from trainers.figure import Figure
from trainers.figure_table import Skipped
from ugm_tf.evaluation import Estimate

HOW = {"split": "test", "seed": 0}
FOUND = evaluation.Evaluation(
    [
        Figure("ELBO", Estimate(-12240.0, 3.0, 250, HOW), "nats"),
        Figure("rate", Estimate(1.25, None, 250, HOW), "nats"),
        Figure("coverage", Estimate(0.5, 0.1, 250, {"k": 5}), "", Estimate(0.99, None, 125, {})),
    ],
    [Skipped("accuracy", "no classifier"), Skipped("cycle error", "no domains"), Skipped("redundancy", "no domains")],
    [],
)


class TextTest(absltest.TestCase):
    def test_numbers_come_first_and_what_was_measured_alike_is_said_once(self):
        lines = evaluation.as_text(FOUND).splitlines()
        self.assertRegex(lines[0], r"^ELBO +−12,240\.0 ± 3\.0 nats$")
        self.assertRegex(lines[1], r"^rate +1\.250 nats$")
        self.assertRegex(lines[2], r"^coverage +0\.50 ± 0\.10 +\(real data 0\.9900, n 125\)$")
        self.assertEqual(
            lines[3:],
            [
                "",
                "Measured so:",
                "  ELBO, rate: n 250; split test; seed 0",
                "  coverage: n 250; k 5",
                "",
                "Not measured:",
                "  accuracy: no classifier",
                "  cycle error, redundancy: no domains",
            ],
        )

    def test_of_nothing_is_nothing(self):
        self.assertEqual(evaluation.as_text(evaluation.Evaluation([], [], [])), "")


class DoorsTest(parameterized.TestCase):
    def run_script(self, *flags):
        command = [sys.executable, "-m", "trainers.compare", *flags]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_help_is_no_failure(self):
        found = self.run_script("--help")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("--by:", found.stdout)

    @pytest.mark.slow
    def test_a_flag_that_is_not_known_is_refused_with_the_nearest(self):
        found = self.run_script("--outt=a.html")
        self.assertEqual(found.returncode, 2)
        self.assertEndsWith(found.stderr, "error: Unknown command line flag 'outt', did you mean --out? See --help.\n")


if __name__ == "__main__":
    absltest.main()
