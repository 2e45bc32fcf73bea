"""The measurement of throughput: what is compared, the clock of a turn, and the arithmetic of the table."""

import io
import json
import os
import sys
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from benchmarks import throughput, turns, works


def result(rates, parameters=1, loss=1.0):
    """A contender's result, of turns of 2 seconds on one core."""
    trained = [{"images": 2 * rate, "seconds": 2.0, "cpu_seconds": 2.0} for rate in rates]
    return {"parameters": {"decoder": parameters}, "losses": {"wake": loss}, "versions": {}, "turns": trained}


class WorksTest(parameterized.TestCase):
    @parameterized.parameters(
        (
            "vae",
            {"encoder": 784 * 500 + 500 * 500 + 500 * 40 + 1040, "decoder": 20 * 500 + 500 * 500 + 500 * 784 + 1784},
        ),
        (
            "gan_mlp",
            {"decoder": 100 * 256 + 256 * 512 + 512 * 784 + 1552, "discriminator": 784 * 512 + 512 * 256 + 256 + 769},
        ),
        (
            "dcgan",
            {"decoder": 6272 * 100 + 25 * (128 * 64 + 64) + 385, "discriminator": 25 * (64 + 64 * 128) + 6272 + 321},
        ),
        (
            "resnet",
            {
                "decoder": 101 * 1568 + 4 * (9 * 1024 + 32) + 2 * (1024 + 32) + 5 * 64 + 289,
                "discriminator": 7 * (9 * 1024 + 32) + 1024 + 32 + 9 * 32 + 32 + 32 + 32 + 33,
            },
        ),
    )
    def test_networks_have_the_parameters_of_their_layers(self, name, expected):
        weights = works.initial_weights(works.WORKS[name])
        self.assertEqual(works.num_parameters(weights), expected)

    def test_an_epoch_has_each_image_at_most_once(self):
        images = np.zeros((20_000, 28, 28, 1), np.uint8)
        setup = turns.Setup("bare", works.WORKS["vae"], images, 1, mock.Mock())
        rows = setup.rows()
        epoch = np.concatenate([next(rows) for _ in range(20_000 // (52 * 128))])
        self.assertEqual(epoch.shape, (3 * 52, 128))
        self.assertLen(set(epoch.ravel().tolist()), epoch.size)


class TurnsTest(absltest.TestCase):
    def test_a_turn_ends_with_the_first_call_after_its_time(self):
        answers, pipe = os.pipe()
        clock = turns.Turns(pipe)
        seconds = iter([100.0, 101.0, 102.5, 200.0])
        with mock.patch.object(sys, "stdin", io.StringIO("2.0\n9.0\n")), mock.patch.object(turns, "time") as time:
            time.perf_counter.side_effect = lambda: next(seconds)
            time.process_time.side_effect = lambda: 7.0
            clock.ready(losses={})
            clock.trained(30)
            clock.trained(40)
        lines = os.read(answers, 1000).decode().splitlines()
        self.assertEqual(json.loads(lines[0]), {"losses": {}})
        self.assertEqual(json.loads(lines[1]), {"images": 70, "seconds": 2.5, "cpu_seconds": 0.0})
        self.assertLen(lines, 2)


class ReportTest(absltest.TestCase):
    def test_ratios_are_taken_within_a_round(self):
        rows = throughput.summary({"bare": result([100, 200, 400]), "ours": result([90, 160, 400])})
        self.assertEqual(rows[1][:6], ["ours", "160", "0.90", "0.80", "1.00", "1.00"])

    def test_the_same_training_has_nothing_to_report(self):
        self.assertEqual(throughput.disagreements({"bare": result([1]), "ours": result([1], loss=1.2)}), [])

    def test_other_networks_are_reported(self):
        (message,) = throughput.disagreements({"bare": result([1]), "ours": result([1], parameters=2)})
        self.assertRegex(message, "ours has parameters .*2.*, bare has .*1")

    def test_other_losses_are_reported(self):
        for loss in (1.3, float("nan")):
            (message,) = throughput.disagreements({"bare": result([1]), "ours": result([1], loss=loss)})
            self.assertRegex(message, f"ours's loss 'wake' is {loss}, that of bare 1")

    def test_both_phases_at_once_have_losses_of_their_own_and_the_same_networks(self):
        results = {"bare": result([1]), "simultaneous": result([1], loss=9.0)}
        self.assertEqual(throughput.disagreements(results), [])
        results["simultaneous"]["parameters"] = {"decoder": 2}
        self.assertLen(throughput.disagreements(results), 1)

    def test_a_contender_that_dies_is_quoted(self):
        with mock.patch.dict(throughput.MODULES, bare="benchmarks.no_such_module"):
            with self.assertRaisesRegex(RuntimeError, "(?s)'bare' ended by itself.*No module named"):
                throughput.Contender(
                    "bare", works.WORKS["vae"], sys.executable, "none.npy", sorted(os.sched_getaffinity(0))
                )


class CommandLineTest(parameterized.TestCase):
    @parameterized.parameters(
        (["--works=vaee"], "of vae, gan_mlp, .*Received: vaee"),
        (["--contenders=flax"], "of bare, usual, keras, .*Received: flax"),
        (["--works=aavae", "--contenders=keras"], "none of --contenders=keras is written for aavae"),
        (["--cores=10000"], "--cores=10000, and this process may use"),
        (["--rounds=0"], "must be positive"),
    )
    def test_what_is_not_known_is_refused(self, given, advice):
        with (
            mock.patch.object(sys, "argv", ["throughput", *given]),
            mock.patch.object(sys, "stderr", io.StringIO()) as error,
        ):
            with self.assertRaises(SystemExit):
                throughput.arguments()
        self.assertRegex(error.getvalue(), advice)


if __name__ == "__main__":
    absltest.main()
