"""A run that diverges goes back to its latest checkpoint, with other noise, and not for ever."""

import types

from absl.testing import absltest

from trainers import divergence


class Checkpoints:
    """The latest is of this step."""

    def __init__(self, latest):
        self.latest, self.times = latest, 0

    def finish(self):
        return self.latest

    def roll_back(self, model):
        self.times += 1
        model.steps = self.latest
        return self.latest


class TrainTest(absltest.TestCase):
    def train(self, latest, moments):
        """Trains a run that diverges at these steps; returns where it went on from, and what it forgot."""
        model, checkpoints = types.SimpleNamespace(steps=0), Checkpoints(latest)
        begun, forgotten, moments = [], [], iter(moments)

        def go_on(start):
            begun.append(start)
            for moment in moments:
                model.steps = moment
                raise FloatingPointError(f"Training diverged at step {moment + 1}.")

        divergence.train(go_on, 0, model, checkpoints, forgotten.append)
        return begun, forgotten

    def test_goes_back_to_the_latest_checkpoint_and_says_so(self):
        with self.assertLogs("ugm_tf.trainers", "WARNING") as logged:
            self.assertEqual(self.train(40, [50]), ([0, 40], [40]))
        self.assertRegex(logged.output[0], "diverged at step 51. Going back to step 40, and on with other noise")

    def test_a_run_that_does_not_diverge_is_trained_once(self):
        self.assertEqual(self.train(40, []), ([0], []))

    def test_in_one_place_it_tries_three_times(self):
        with self.assertLogs("ugm_tf.trainers"):
            with self.assertRaisesRegex(FloatingPointError, "step 51. It went back 3 times before, in vain"):
                self.train(40, [50, 49, 50, 50])

    def test_where_it_gets_further_it_may_try_again(self):
        with self.assertLogs("ugm_tf.trainers"):
            begun, _ = self.train(40, [50, 60, 70, 80, 90])
        self.assertLen(begun, 6)

    def test_before_the_first_checkpoint_there_is_nothing_to_go_back_to(self):
        with self.assertRaisesRegex(FloatingPointError, "step 8. There is no checkpoint yet to go back to"):
            self.train(0, [7])


if __name__ == "__main__":
    absltest.main()
