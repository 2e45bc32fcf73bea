"""Several steps in one call do what as many calls do, and never one step too many."""

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.conformance import table


def run(row, steps_per_execution, n=table.EXAMPLES, repeat=False, **fit):
    model = table.model(*row, steps_per_execution=steps_per_execution)
    dataset = table.dataset(model.recipe, n)
    history = model.fit(dataset.repeat() if repeat else dataset, verbose=0, **fit).history
    return model, history


class SuperstepTest(parameterized.TestCase):
    @parameterized.named_parameters(table.VAE, table.BATCH_NORM)
    @pytest.mark.slow
    def test_eight_at_once_are_eight_in_turn(self, *row):
        # 11 steps an epoch: calls of 8 and of 3.
        (one, one_history), (eight, eight_history) = (
            run(row, steps_per_execution, n=11 * table.BATCH, epochs=2) for steps_per_execution in (1, 8)
        )
        self.assertEqual(int(eight.steps), 22)
        table.assert_same(table.state(one), table.state(eight))
        table.assert_same(one_history, eight_history, rtol=1e-5)

    @parameterized.named_parameters(*table.CHOSEN)
    @pytest.mark.slow
    def test_an_epoch_at_once_is_its_steps_in_turn(self, *row):
        self.check(row)

    @parameterized.named_parameters(*table.MECHANISMS)
    @pytest.mark.slow
    def test_an_epoch_at_once_is_its_steps_in_turn_for(self, *row):
        self.check(row)

    def check(self, row):
        # (With XLA, where the loop is in the compiled program, the same is tested of every row in test_xla.py.)
        model, history = run(row, 8, epochs=2)
        with table.trained(*row) as shared:
            table.assert_same(table.state(model), table.state(shared.model))
            table.assert_same(history, shared.history, rtol=1e-5)

    @parameterized.parameters((1, 5), (2, 5), (5, 5), (8, 5), (3, 7))
    @pytest.mark.slow
    def test_an_epoch_of_endless_data_has_as_many_steps_as_asked_for(self, steps_per_execution, steps_per_epoch):
        fit = {"epochs": 3, "steps_per_epoch": steps_per_epoch, "repeat": True}
        model, history = run(table.VAE[1:], steps_per_execution, **fit)
        self.assertEqual(int(model.steps), 3 * steps_per_epoch)
        self.assertLen(history["wake/loss"], 3)

    @pytest.mark.slow
    def test_finite_data_go_on_over_epochs(self):
        # 3 epochs of 5 steps are all of 15 batches: none is lost or taken twice, and Keras has nothing to warn of.
        states = []
        for steps_per_execution in (1, 2, 4):
            with np.testing.assert_no_warnings():
                fit = {"n": 15 * table.BATCH, "epochs": 3, "steps_per_epoch": 5}
                model, _ = run(table.VAE[1:], steps_per_execution, **fit)
            states.append(table.state(model))
        model, _ = run(table.VAE[1:], 1, n=15 * table.BATCH)
        for state in states:
            table.assert_same(state, table.state(model))

    @pytest.mark.slow
    def test_the_order_of_endless_data_goes_on_from_epoch_to_epoch(self):
        (one, _), (two, _) = (
            run(table.VAE[1:], 2, repeat=True, epochs=epochs, steps_per_epoch=steps)
            for epochs, steps in ((1, 6), (2, 3))
        )
        table.assert_same(table.state(one), table.state(two))

    @pytest.mark.slow
    def test_validation_between_epochs_takes_no_steps_away(self):
        model = table.model(*table.VAE[1:], steps_per_execution=4)
        endless = table.dataset(model.recipe).repeat()
        fit = {"epochs": 3, "steps_per_epoch": 5, "validation_data": endless, "validation_steps": 3, "verbose": 0}
        model.fit(endless, **fit)
        self.assertEqual(int(model.steps), 15)

    @pytest.mark.slow
    def test_evaluation_within_an_epoch_takes_no_steps_away(self):
        model = table.model(*table.VAE[1:], steps_per_execution=4)
        data = table.dataset(model.recipe)

        class Evaluates(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.evaluate(data, verbose=0)

        model.fit(data.repeat(), epochs=2, steps_per_epoch=5, callbacks=[Evaluates()], verbose=0)
        self.assertEqual(int(model.steps), 10)

    @pytest.mark.slow
    def test_as_many_steps_as_fit_the_epoch_are_chosen(self):
        for epoch, chosen in ((3, 3), (8, 8), (11, 6)):
            model, _ = run(table.VAE[1:], "auto", n=epoch * table.BATCH)
            self.assertEqual(model.steps_per_execution, chosen)
            self.assertEqual(int(model.steps), epoch)


if __name__ == "__main__":
    absltest.main()
