"""Each recipe trains in graph mode and eagerly."""

from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf.training import steps


class FitTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.ROWS)
    def test_every_density_with_weights_learns(self, *row):
        with table.trained(*row) as shared:
            for name, density in shared.model.densities.items():
                for old, variable in zip(shared.before[name], density.weights, strict=True):
                    if name in shared.model.recipe.judges and variable.shape == (1,):
                        continue  # a critic's constant: the gradients of both sides may cancel
                    self.assertGreater(np.abs(old - variable.numpy()).max(), 0.0, variable.path)

    @parameterized.named_parameters(*table.ROWS)
    def test_every_term_is_reported_as_a_number(self, *row):
        with table.trained(*row) as shared:
            self.assertTrue(np.isfinite(list(shared.history.values())).all(), shared.history)
            phases = dict.fromkeys(shared.model.recipe.phases)
            names = [f"{phase.name}/{e.label}" for phase in phases for e in phase.minimise]
            names += [f"{name}_scale" for phase in phases for name in names if f"{name}_scale" in phase.metrics]
            names += [f"{name}_kl" for name in names if any(f"{name}_kl" in phase.metrics for phase in phases)]
            names += [phase.unscheduled for phase in phases if phase.unscheduled in phase.metrics]
            self.assertCountEqual(shared.history, [*names, *(f"{phase.name}/loss" for phase in phases)])
            self.assertEqual({len(values) for values in shared.history.values()}, {2})

    @parameterized.named_parameters(*table.ROWS)
    def test_a_step_is_a_batch_however_often_its_phases_run(self, *row):
        with table.trained(*row) as shared:
            self.assertEqual(int(shared.model.steps), 6)

    @parameterized.named_parameters(*table.ROWS)
    def test_an_optimizer_counts_the_runs_of_its_phase(self, *row):
        with table.trained(*row) as shared:
            phases = shared.model.recipe.phases
            runs = {phase.name: 6 * phase.repeats * phases.count(phase) for phase in phases}
            self.assertEqual({n: int(o.iterations) for n, o in shared.model.optimizers.items()}, runs)

    @pytest.mark.slow
    def test_a_step_is_traced_once(self):
        model = table.model(*table.GAN[1:])
        with mock.patch.object(steps, "train", wraps=steps.train) as train:
            model.fit(table.dataset(model.recipe), epochs=2, verbose=0)
        self.assertEqual(train.call_count, 1)

    @pytest.mark.slow
    def test_a_step_runs_in_python_when_asked(self):
        model = table.model(*table.GAN[1:], run_eagerly=True)
        with mock.patch.object(steps, "train", wraps=steps.train) as train:
            model.fit(table.dataset(model.recipe), epochs=2, verbose=0)
        self.assertEqual(train.call_count, 6)

    @parameterized.named_parameters(*table.FOUR)
    @pytest.mark.slow
    def test_eager_steps_are_those_of_the_graph(self, *row):
        self.check_eager(row)

    @parameterized.named_parameters(*(row for row in table.CHOSEN if row not in table.FOUR), *table.MECHANISMS)
    @pytest.mark.slow
    def test_eager_steps_are_those_of_the_graph_for(self, *row):
        self.check_eager(row)

    def check_eager(self, row):
        runs = []
        for run_eagerly in (False, True):
            model = table.model(*row, optimizer=keras.optimizers.SGD(1e-3), run_eagerly=run_eagerly)
            history = model.fit(table.dataset(model.recipe), verbose=0).history
            runs.append((history, table.state(model)))
        table.assert_same(runs[0][0], runs[1][0], rtol=1e-4, atol=1e-5)
        table.assert_same(runs[0][1], runs[1][1], rtol=1e-5, atol=1e-6)

    @pytest.mark.slow
    def test_what_is_minimised_falls_to_the_entropy_of_the_pixels(self):
        """Bits that are independent leave the codes nothing to say: what is left is their own empirical entropy."""
        for row in (table.VAE, table.CONDITIONAL):
            model = table.model(*row[1:], optimizer=keras.optimizers.Adam(0.03))
            p = np.mean(table.arrays(model.recipe)["x"], axis=0, dtype=np.float64)
            entropy = -np.sum(p * np.log(p) + (1 - p) * np.log(1 - p))
            loss = model.fit(table.dataset(model.recipe), epochs=40, verbose=0).history["wake/loss"]
            self.assertGreater(loss[0], entropy + 1.0)
            self.assertLess(loss[-1], entropy + 0.2)


if __name__ == "__main__":
    absltest.main()
