"""Ctrl-C and SIGTERM end a run with a saved state."""

import os
import signal
import threading
from unittest import mock

from absl.testing import absltest, parameterized

from trainers import scripts, stopping


class Checkpoints:
    """Writes down when it is asked to save, and how often it then does."""

    def __init__(self):
        self.every, self.asked, self.saved = 1000, [], 4

    def on_train_batch_end(self, batch, logs):
        self.asked.append(("batch", batch, self.every))

    def on_epoch_end(self, epoch, logs):
        self.asked.append(("epoch", epoch, self.every))

    def finish(self):
        return self.saved


def callback(number):
    asked = stopping.Asked()
    asked.number = number
    made = stopping.StopWhenAsked(asked, Checkpoints(), steps=30)
    made.set_params({"steps": 10})
    made.set_model(mock.Mock(steps=4))
    return made


class StopWhenAskedTest(parameterized.TestCase):
    def test_nothing_happens_without_a_signal(self):
        stop = callback(None)
        stop.on_train_batch_end(3)
        stop.on_epoch_end(0)
        self.assertEqual(stop.checkpoints.asked, [])

    @parameterized.parameters(None, signal.SIGINT)
    def test_stops_with_the_process_that_was_sent_a_signal(self, own):
        stop = callback(own)
        stop.on = mock.Mock(sums=lambda sent: [sent[0], sent[1] + 1.0], chief=False)
        status = 143 if own is None else 130
        with self.assertRaisesRegex(stopping.Stopped, "step 4 of 30, which the first process saves: the") as raised:
            stop.on_train_batch_end(3)
        self.assertEqual(raised.exception.status, status)
        self.assertEqual(stop.checkpoints.asked, [("batch", 3, 1)])

    @parameterized.parameters((signal.SIGINT, 130), (signal.SIGTERM, 143))
    def test_saves_and_stops_after_a_step(self, number, status):
        stop = callback(number)
        with self.assertRaisesRegex(stopping.Stopped, "Stopped at step 4 of 30, which is saved: the same") as raised:
            stop.on_train_batch_end(3)
        self.assertEqual(raised.exception.status, status)
        self.assertEqual(stop.checkpoints.asked, [("batch", 3, 1)])

    def test_says_so_where_the_state_could_not_be_saved(self):
        stop = callback(signal.SIGTERM)
        stop.checkpoints.saved = 2
        with self.assertRaisesRegex(
            stopping.Stopped, "step 4 of 30, and step 2 is the latest that could be saved: the"
        ):
            stop.on_train_batch_end(3)

    def test_after_the_last_step_of_an_epoch_it_waits_for_the_others(self):
        stop = callback(signal.SIGINT)
        stop.on_train_batch_end(9)
        with self.assertRaises(stopping.Stopped):
            stop.on_epoch_end(2)
        self.assertEqual(stop.checkpoints.asked, [("batch", 9, 1), ("epoch", 2, 1)])


class DeferredTest(absltest.TestCase):
    def test_a_first_signal_is_noted_and_a_second_ends_at_once(self):
        before = signal.getsignal(signal.SIGTERM)
        with stopping.deferred() as asked:
            os.kill(os.getpid(), signal.SIGTERM)
            self.assertEqual(asked.number, signal.SIGTERM)
            with self.assertRaisesRegex(stopping.Stopped, "goes on from the latest checkpoint"):
                os.kill(os.getpid(), signal.SIGINT)
        self.assertIs(signal.getsignal(signal.SIGTERM), before)

    def test_where_nothing_is_under_way_the_first_one_ends_at_once(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with (
                self.assertRaisesRegex(stopping.Stopped, "nothing is lost") as raised,
                stopping.at_once("nothing is lost"),
            ):
                os.kill(os.getpid(), number)
            self.assertEqual(raised.exception.status, 128 + number)

    def test_a_thread_that_cannot_receive_signals_trains_all_the_same(self):
        found = []

        def run():
            with stopping.deferred() as asked:
                found.append(asked.number)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        self.assertEqual(found, [None])


class ScriptTest(parameterized.TestCase):
    @parameterized.parameters(
        (stopping.Stopped("Stopped at step 4 of 30", 15), 143, "Stopped at step 4 of 30\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
        (ValueError("no such thing"), 2, "error: no such thing\n"),
        (FloatingPointError("diverged by step 3"), 2, "error: diverged by step 3\n"),
    )
    def test_ends_with_a_line_and_a_status(self, error, status, line):
        run = mock.patch.object(scripts.app, "run", lambda main, **_: main(["script"]))
        with run, mock.patch("sys.stderr") as stderr:
            with self.assertRaises(SystemExit) as raised:
                scripts.start(mock.Mock(side_effect=error))
        self.assertEqual(raised.exception.code, status)
        self.assertEqual("".join(call.args[0] for call in stderr.write.call_args_list), line)

    def test_ends_with_the_status_of_main(self):
        with mock.patch.object(scripts.app, "run", lambda main, **_: main(["script"])):
            for returned, status in ((None, None), (0, 0), (1, 1)):
                with self.assertRaises(SystemExit) as raised:
                    scripts.start(lambda _, returned=returned: returned)
                self.assertEqual(raised.exception.code, status)


if __name__ == "__main__":
    absltest.main()
