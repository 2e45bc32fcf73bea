"""Each recipe trains in graph mode, eagerly, and with all gradients at the same parameters."""

from unittest import mock

import keras
import numpy as np
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf import steps


class FitTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.ROWS)
    def test_every_density_with_weights_learns_and_every_term_is_reported(self, *row):
        model = table.model(*row)
        before = {name: d.get_weights() for name, d in model.densities.items()}
        history = model.fit(table.dataset(model.recipe), epochs=2, verbose=0).history
        self.assertTrue(np.isfinite(list(history.values())).all(), history)
        names = [f"{phase.name}/{e.label}" for phase in model.recipe.phases for e in phase.minimise]
        self.assertCountEqual(history, [*names, *(f"{phase.name}/loss" for phase in model.recipe.phases)])
        self.assertEqual({len(values) for values in history.values()}, {2})
        self.assertEqual(int(model.steps), 6)
        for name, density in model.densities.items():
            for old, variable in zip(before[name], density.weights, strict=True):
                self.assertGreater(np.abs(old - variable.numpy()).max(), 0.0, variable.path)

    def test_a_step_is_traced_once(self):
        model = table.model(*table.GAN[1:])
        with mock.patch.object(steps, "train", wraps=steps.train) as train:
            model.fit(table.dataset(model.recipe), epochs=2, verbose=0)
        self.assertEqual(train.call_count, 1)

    def test_a_step_runs_in_python_when_asked(self):
        model = table.model(*table.GAN[1:], run_eagerly=True)
        with mock.patch.object(steps, "train", wraps=steps.train) as train:
            model.fit(table.dataset(model.recipe), epochs=2, verbose=0)
        self.assertEqual(train.call_count, 6)

    @parameterized.named_parameters(*table.FOUR)
    def test_eager_steps_are_those_of_the_graph(self, *row):
        runs = []
        for run_eagerly in (False, True):
            model = table.model(*row, optimizer=keras.optimizers.SGD(0.01), run_eagerly=run_eagerly)
            history = model.fit(table.dataset(model.recipe), verbose=0).history
            runs.append((history, table.state(model)))
        table.assert_same(runs[0][0], runs[1][0], rtol=1e-4)
        table.assert_same(runs[0][1], runs[1][1], rtol=1e-4, atol=1e-5)

    def test_what_is_minimised_falls_to_the_entropy_of_the_pixels(self):
        """Bits that are independent leave the codes nothing to say: what is left is their own empirical entropy."""
        for row in (table.VAE, table.CONDITIONAL):
            model = table.model(*row[1:], optimizer=keras.optimizers.Adam(0.03))
            p = np.mean(table.arrays(model.recipe)["x"], axis=0, dtype=np.float64)
            entropy = -np.sum(p * np.log(p) + (1 - p) * np.log(1 - p))
            loss = model.fit(table.dataset(model.recipe), epochs=40, verbose=0).history["wake/loss"]
            self.assertGreater(loss[0], entropy + 1.0)
            self.assertLess(loss[-1], entropy + 0.2)


class SimultaneousTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.FOUR, table.CONDITIONAL)
    def test_only_phases_after_the_first_see_other_parameters(self, *row):
        models = [
            table.model(*row, optimizer=keras.optimizers.SGD(0.1), schedule=schedule)
            for schedule in ("alternating", "simultaneous")
        ]
        for model in models:
            history = model.fit(table.dataset(model.recipe, n=table.BATCH), verbose=0).history  # one step
            self.assertTrue(np.isfinite(list(history.values())).all(), history)
        first, *others = models[0].recipe.phases
        left, right = ([v.numpy() for v in model.variables_of(first)] for model in models)
        for a, b in zip(left, right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        for phase in others:
            left, right = (np.concatenate([v.numpy().ravel() for v in m.variables_of(phase)]) for m in models)
            self.assertGreater(np.abs(left - right).max(), 1e-6)


if __name__ == "__main__":
    absltest.main()
