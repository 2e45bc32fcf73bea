"""Each recipe trains under XLA as without it.  Compiling takes seconds a recipe: XLA is tested here only."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

from tests.conformance import table
from ugm_tf.algebra import contests
from ugm_tf.densities import noise

# Of each kind of phase one that compiles in a few seconds: all terms at once, a contest, sums over draws.
_QUICK = tuple(row for row in table.CHOSEN if row[0] in ("vae", "iwae_dreg"))


def _functions(contest):
    """The losses that a contest has."""
    return [f for f in (contest.real, contest.fake, contest.fool, contest.fool_real) if f is not None]


class XlaTest(parameterized.TestCase):
    def check(self, row):
        """With XLA 2 steps are one compiled call, and then 1 is; without it each is a call."""
        runs = []
        for options in ({"jit_compile": True, "steps_per_execution": 2}, {"jit_compile": False}):
            # SGD: Adam's first steps have the sign of the gradient, and would blow rounding up.
            model = table.model(*row, optimizer=keras.optimizers.SGD(0.001), **options)
            history = model.fit(table.dataset(model.recipe), verbose=0).history
            self.assertEqual(int(model.steps), 3)
            runs.append((history, table.state(model)))
        table.assert_same(runs[0][0], runs[1][0], rtol=1e-4, atol=1e-5)
        table.assert_same(runs[0][1], runs[1][1], rtol=1e-5, atol=1e-6)

    @parameterized.named_parameters(*_QUICK)
    def test_agrees_with_no_xla_from_the_same_seed(self, *row):
        self.check(row)

    @parameterized.named_parameters(*(row for row in (*table.CHOSEN, *table.OTHERS) if row not in _QUICK))
    @pytest.mark.slow
    def test_agrees_with_no_xla_from_the_same_seed_for(self, *row):
        self.check(row)

    @pytest.mark.slow
    def test_losses_of_every_contest_and_their_gradients(self):
        def losses(logits):
            functions = [f for name in contests.names() for f in _functions(contests.get(name))]
            return [tfp.math.value_and_gradient(f, logits) for f in functions]

        logits = tf.linspace(-3.0, 3.0, 25)
        left, right = (tf.function(losses, jit_compile=jit)(logits) for jit in (True, False))
        self.assertGreater(len(left), 2 * len(contests.names()))
        for a, b in zip(tf.nest.flatten(left), tf.nest.flatten(right), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    @parameterized.parameters("normal", "uniform")
    def test_noise_is_the_same_of_a_seed_known_only_when_it_runs(self, law):
        def draw(seed):
            return noise.standard_noise(law, [50, 7], seed)

        for seed in ([3, 5], [-409271666, 3], [2**31 - 1, -1]):
            with_xla = tf.function(draw, jit_compile=True)(tf.constant(seed))
            np.testing.assert_allclose(draw(tf.constant(seed)), with_xla, rtol=1e-5, atol=1e-5)


if __name__ == "__main__":
    absltest.main()
