"""Evaluation: the same data give the same numbers, and every example counts once."""

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf import DATA, E, NegativeLogProb, Phase, Recipe


def scored():
    """A density of x given c, scored under the data: no draws, so that a mean over examples is exact."""
    wake = Phase("wake", (E(NegativeLogProb("decoder"), DATA, name="nats"),), updates="decoder")
    return Recipe({"decoder": "p(x | c)"}, (wake,), data=("x", "c"))


class EvaluateTest(parameterized.TestCase):
    def check(self, row):
        with table.trained(*row) as shared:
            before = table.state(shared.model)
            first = shared.model.evaluate(shared.data, verbose=0, return_dict=True)
            self.assertEqual(shared.model.evaluate(shared.data, verbose=0, return_dict=True), first)
            self.assertTrue(np.isfinite(list(first.values())).all(), first)
            self.assertEqual({name.split("/")[0] for name in first}, {p.name for p in shared.model.recipe.phases})
            table.assert_same(before, table.state(shared.model))

    @parameterized.named_parameters(*table.CHOSEN)
    def test_a_second_evaluation_gives_the_same_numbers_and_nothing_changes(self, *row):
        self.check(row)

    @parameterized.named_parameters(*(row for row in table.UNLIKE if row not in table.CHOSEN))
    @pytest.mark.slow
    def test_a_second_evaluation_gives_the_same_numbers_and_nothing_changes_for(self, *row):
        self.check(row)

    @pytest.mark.slow
    def test_numbers_do_not_depend_on_steps_in_a_call(self):
        data = table.dataset(table.recipe_of(*table.CONDITIONAL[1:]))
        first, *others = (
            table.model(*table.CONDITIONAL[1:], steps_per_execution=n).evaluate(data, verbose=0, return_dict=True)
            for n in (1, 2, 8)
        )
        for other in others:
            table.assert_same(first, other, rtol=1e-6)

    @pytest.mark.slow
    def test_evaluation_between_epochs_does_not_change_training(self):
        model, other = (table.model(*table.AAVAE[1:]) for _ in range(2))
        data = table.dataset(model.recipe)
        model.fit(data, epochs=2, verbose=0)
        other.fit(data, epochs=2, validation_data=data, verbose=0)
        table.assert_same(table.state(model), table.state(other))

    @parameterized.parameters(1, 7, 16, 45, 100)
    def test_every_example_counts_once_in_batches_of_any_size(self, batch_size):
        model = table.model(scored, {}, table.dense)
        data = table.arrays(model.recipe, 45)
        nats = -model.decoder.distribution(data["c"]).log_prob(data["x"])
        metrics = model.evaluate(data, batch_size=batch_size, verbose=0, return_dict=True)
        np.testing.assert_allclose(metrics["wake/nats"], np.mean(nats), rtol=1e-5)

    def test_every_example_counts_once_in_training_too(self):
        # The optimizer stands still, so that the metric is a plain mean, over batches of 16, 16, 13.
        model = table.model(scored, {}, table.dense, optimizer="sgd", steps_per_execution=2)
        model.optimizers["wake"].learning_rate = 0.0
        data = table.arrays(model.recipe, 45)
        nats = -model.decoder.distribution(data["c"]).log_prob(data["x"])
        history = model.fit(data, batch_size=16, verbose=0).history
        np.testing.assert_allclose(history["wake/nats"], [np.mean(nats)], rtol=1e-5)
        self.assertEqual(int(model.steps), 3)

    def test_as_many_steps_as_asked_for_are_evaluated(self):
        model = table.model(scored, {}, table.dense, steps_per_execution=2)
        data = table.arrays(model.recipe)
        endless = tf.data.Dataset.from_tensor_slices(data).batch(10).repeat()
        nats = -model.decoder.distribution(data["c"]).log_prob(data["x"])
        metrics = model.evaluate(endless, steps=3, verbose=0, return_dict=True)
        np.testing.assert_allclose(metrics["wake/nats"], np.mean(nats[:30]), rtol=1e-5)

    def test_the_loss_is_the_sum_of_scaled_terms(self):
        model = table.model("vae", {"beta": 2.0}, table.dense)
        metrics = model.evaluate(table.dataset(model.recipe), verbose=0, return_dict=True)
        expected = metrics["wake/distortion"] + 2.0 * metrics["wake/rate"]
        np.testing.assert_allclose(metrics["wake/loss"], expected, rtol=1e-6)

    @pytest.mark.slow
    def test_batch_normalisation_runs_as_in_inference(self):
        model = table.model(*table.BATCH_NORM[1:])
        x = table.arrays(model.recipe, 16)["x"]
        logits = model.discriminate(x)  # by moving averages
        metrics = model.evaluate(x, batch_size=16, verbose=0, return_dict=True)
        np.testing.assert_allclose(metrics["discriminate/real"], np.mean(np.logaddexp(0, -logits)), rtol=1e-5)

    @pytest.mark.slow
    def test_noise_is_other_noise_in_every_batch(self):
        x = np.repeat(table.arrays(ugm_tf.recipes.vae(), 1)["x"], 20, 0)
        model = table.model(*table.VAE[1:])
        once = model.evaluate(x[:10], batch_size=10, verbose=0, return_dict=True)["wake/distortion"]
        twice = model.evaluate(x, batch_size=10, verbose=0, return_dict=True)["wake/distortion"]
        self.assertNotAlmostEqual(once, twice, places=6)


if __name__ == "__main__":
    absltest.main()
