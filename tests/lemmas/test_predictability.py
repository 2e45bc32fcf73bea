"""Predictability minimisation on codes of two bits, every one of them summed over: asked of its recipe's own phases."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact

tfd = tfp.distributions

RECIPE = ugm_tf.recipes.predictability_minimization()
TOLERANCE = 1e-12  # float64 sums of four
BITS = np.array([(0, 0), (0, 1), (1, 0), (1, 1)], float)


def predictability(table, logits=None):
    """The loss of `predict` where code (i, j) has probability table[i, j], by default with the best predictor."""
    table = np.asarray(table, float)
    best = np.stack([np.log(table[1] / table[0]), np.log(table[:, 1] / table[:, 0])])  # of unit 0 and 1 by the other
    logits = tf.constant(best if logits is None else logits)

    def predict(z):
        others = tf.cast(z[:, ::-1], tf.int32)  # unit 0 is predicted from unit 1
        return tfd.Independent(
            tfd.Bernoulli(logits=tf.stack([tf.gather(logits[i], others[:, i]) for i in (0, 1)], -1)), 1
        )

    densities = {
        "encoder": exact.Law(lambda x: tfd.Deterministic(x)),
        "decoder": exact.Law(lambda z: tfd.Independent(tfd.Normal(z, tf.ones_like(z)), 1)),
        "predictor": exact.Law(predict),
    }
    weight = tf.constant(4 * table.ravel())
    start = ugm_tf.JointSample(densities, RECIPE.roles, {"x": tf.constant(BITS)}, training=True, weight=weight)
    return exact.loss(RECIPE.phase("predict"), start).numpy()


def entropy(p):
    p = np.ravel(p)
    return -np.sum(p * np.log(p))


def information(table):
    table = np.asarray(table)
    return entropy(table.sum(0)) + entropy(table.sum(1)) - entropy(table)


def units(table):
    """The sum of the units' entropies: what a predictor without the others would be left with."""
    table = np.asarray(table)
    return entropy(table.sum(0)) + entropy(table.sum(1))


TABLES = [np.random.default_rng(seed).dirichlet(np.ones(4)).reshape(2, 2) for seed in range(4)]


class PredictabilityTest(parameterized.TestCase):
    @parameterized.parameters(*range(4))
    def test_the_best_predictor_gains_twice_the_information_between_the_units(self, i):
        gain = units(TABLES[i]) - predictability(TABLES[i])
        self.assertAlmostEqual(gain, 2 * information(TABLES[i]), delta=TOLERANCE)
        self.assertGreater(gain, 1e-3)

    @parameterized.parameters((0.5, 0.5), (0.2, 0.7), (0.9, 0.4))
    def test_from_a_factorial_code_it_gains_nothing(self, a, b):
        factorial = np.outer([1 - a, a], [1 - b, b])
        self.assertAlmostEqual(predictability(factorial), units(factorial), delta=TOLERANCE)

    def test_another_predictor_is_worse(self):
        for seed in range(5):
            other = np.random.default_rng(seed).normal(size=(2, 2))
            self.assertGreater(predictability(TABLES[0], other), predictability(TABLES[0]))


if __name__ == "__main__":
    absltest.main()
