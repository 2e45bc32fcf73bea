"""What looks wrong is said: collapse, codes that are not used, losses that rise, too few epochs; nothing else is."""

import numpy as np
from absl.testing import absltest, parameterized

from trainers import doubts
from trainers.figure import Figure
from ugm_tf.evaluation import Estimate

RNG = np.random.default_rng(0)
DATA = RNG.uniform(size=[50, 4, 4, 1])


def figure(name, value, real=None):
    return Figure(name, Estimate(value, None, 9), real=None if real is None else Estimate(real, None, 9))


def rows(*values, column="val_wake/loss"):
    return [{"epoch": i, column: value} for i, value in enumerate(values)]


class DoubtsTest(parameterized.TestCase):
    def test_a_run_that_went_well_has_none(self):
        figures = [
            figure("classes covered", 9.0, 10.0),
            figure("samples of the class asked for", 0.97, 0.99),
            figure("bound on log p(x), k=100", -20.0),
        ]
        losses = [row | {"wake/rate": 5.0} for row in rows(30.0, 25.0, 22.0, 21.0, 20.5, 20.4, 20.6)]
        self.assertEqual(doubts.doubts(figures, losses, DATA[:9], DATA, epochs=(40, 40)), [])

    @parameterized.parameters((1, "1 example: its"), (9, "9 examples: its"), (10, None))
    def test_few_held_out_examples(self, number, words):
        found = doubts.doubts([], held_out=number)
        self.assertEqual(found, [] if words is None else [f"Validation has {words} figures say next to nothing."])

    def test_a_collapse_onto_few_classes(self):
        (said,) = doubts.doubts([figure("classes covered", 1.0, 10.0)])
        self.assertStartsWith(said, "Samples cover 1 of the 10 classes that real data cover")

    def test_few_classes_are_no_collapse_where_the_data_have_no_more(self):
        self.assertEqual(doubts.doubts([figure("classes covered", 2.0, 2.0)]), [])

    def test_samples_of_another_class(self):
        (said,) = doubts.doubts([figure("samples of the class asked for", 0.14)])
        self.assertEqual(said, "Only 14% of the samples are of the class asked for.")

    @parameterized.parameters((0.52, 0.98, 1), (0.52, 0.65, 0), (0.49, 0.6, 1))
    def test_of_two_classes_half_is_chance(self, value, real, number):
        self.assertLen(doubts.doubts([figure("samples of the class asked for", value, real)]), number)

    def test_samples_that_are_nearly_alike(self):
        alike = 0.5 + 0.01 * (DATA - 0.5)
        (said,) = doubts.doubts([], samples=alike, data=DATA)
        self.assertStartsWith(said, "Samples are nearly alike: they vary by 0.0%")

    def test_samples_that_are_not_finite(self):
        self.assertEqual(doubts.doubts([], samples=DATA * np.nan, data=DATA), ["Some samples are not finite."])

    def test_a_code_that_is_not_used(self):
        (said,) = doubts.doubts([], rows(0.01, column="wake/rate"))
        self.assertRegex(said, r"wake/rate is 0.01 nats \(a collapsed posterior\)")

    def test_with_free_bits_it_is_the_divergence_that_counts(self):
        last = [{"epoch": 0, "wake/rate": 2.0, "wake/rate_kl": 0.001}]
        self.assertLen(doubts.doubts([], last), 1)

    def test_a_validation_loss_that_rises(self):
        rising = rows(7e4, 6e4, 5.7e4, 6.5e4, 7.0e4, 7.6e4)
        (said,) = doubts.doubts([], rising)
        self.assertRegex(said, "val_wake/loss rises since epoch 2, from 5.7e.04 to 7.6e.04.*--keep_best=val_wake/loss")
        self.assertEqual(doubts.doubts([], rising, kept_best=True), [])
        self.assertEqual(doubts.doubts([], rising, judged=["wake"]), [])

    def test_while_a_weight_changes_the_loss_without_it_is_looked_at(self):
        warming = [{"epoch": i, "val_wake/loss": i + 1.0, "val_wake/loss_unscheduled": 9.0 - i} for i in range(8)]
        self.assertEqual(doubts.doubts([], warming), [])

    @parameterized.parameters((2, 40, 1), (20, 40, 0), (40, 0, 0))
    def test_too_few_epochs(self, epochs, usual, number):
        self.assertLen(doubts.doubts([], epochs=(epochs, usual)), number)


if __name__ == "__main__":
    absltest.main()
