"""The doubly reparameterised gradient, asked of `iwae`'s own phases under many independent draws."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0

tfd = tfp.distributions

N, K = 20_000, 8
NOISE = tf.constant(np.random.default_rng(10).normal(size=(K, N)))
A, B, S2 = V0[0], V0[1], np.exp(2 * V0[2])
POSTERIOR = (A / (A**2 + S2), -A * B / (A**2 + S2), 0.5 * np.log(S2 / (A**2 + S2)))  # (c, d, log t)
X = 1.5


def gradients(kind, eta=V0[3:], weights=None):
    """Of the loss that teaches the encoder, at each of N independent draws of k codes, by (d, log t): [2, N]."""
    recipe = ugm_tf.recipes.iwae(k=K, gradient=kind)
    c = eta[0]
    d, log_t = (tf.fill([N], tf.constant(value, tf.float64)) for value in eta[1:])  # one encoder for each
    with tf.GradientTape() as tape:
        tape.watch([d, log_t])
        densities = {
            "prior": exact.STANDARD,
            "encoder": exact.Noisy(lambda x: tfd.Normal(c * x + d, tf.exp(log_t)), NOISE),
            "decoder": exact.normal(A, B, np.sqrt(S2)),
        }
        x = tf.fill([N], tf.constant(X, tf.float64))
        start = ugm_tf.JointSample(densities, recipe.roles, {"x": x}, training=True)
        loss = exact.loss(recipe.phases[-1], start)
    return N * np.stack(tape.gradient(loss, [d, log_t]))


def by_hand(power):
    """-sum{ w~[i]^power d log w[i] / dz[i] dz[i] / d(d, log t) } by numpy."""
    c, d, log_t = V0[3:]
    t = np.exp(log_t)
    z = c * X + d + t * NOISE.numpy()
    log_w = -0.5 * z**2 - (X - A * z - B) ** 2 / (2 * S2) + 0.5 * NOISE.numpy() ** 2
    w = np.exp(log_w) / np.exp(log_w).sum(0)
    by_z = -z + A * (X - A * z - B) / S2 + NOISE.numpy() / t  # of log p - log q
    return -np.stack([(w**power * by_z).sum(0), (w**power * by_z * t * NOISE.numpy()).sum(0)])


class DoublyReparameterisedTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.single, self.double = gradients("reparameterised"), gradients("doubly_reparameterised")

    def assert_same_mean(self, left, right, same=True):
        gap = left - right  # of the same draws
        scores = np.abs(gap.mean(1)) / (gap.std(1) / np.sqrt(N))
        self.assertEqual(bool(np.all(scores < 5)), same, scores)

    def test_it_has_the_same_mean(self):
        self.assert_same_mean(self.double, self.single)

    def test_and_much_less_variance(self):
        ratio = self.double.std(1) / self.single.std(1)
        self.assertTrue(np.all(ratio < 0.02), ratio)  # the oracle: 0.0117 and 0.0111

    def test_it_is_the_sum_of_squared_weights(self):
        np.testing.assert_allclose(self.double, by_hand(power=2), atol=1e-12)

    def test_with_weights_that_are_not_squared_the_mean_is_another(self):
        self.assert_same_mean(by_hand(power=1), self.single, same=False)

    def test_at_the_posterior_it_is_0_on_every_draw_and_the_single_one_is_not(self):
        double, single = (gradients(f"{n}reparameterised", POSTERIOR) for n in ("doubly_", ""))
        np.testing.assert_allclose(double, np.zeros([2, N]), atol=1e-12)
        self.assertGreater(single.std(1).min(), 1e-2)

    def test_both_log_the_same_bound(self):
        sample_of = {}
        for kind in ("reparameterised", "doubly_reparameterised"):
            recipe = ugm_tf.recipes.iwae(k=K, gradient=kind)
            densities = {
                "prior": exact.STANDARD,
                "encoder": exact.Noisy(lambda x: tfd.Normal(V0[3] * x + V0[4], np.exp(V0[5])), NOISE[:, :5]),
                "decoder": exact.normal(A, B, np.sqrt(S2)),
            }
            x = tf.fill([5], tf.constant(X, tf.float64))
            start = ugm_tf.JointSample(densities, recipe.roles, {"x": x}, training=True)
            sample_of[kind] = exact.loss(recipe.phases[-1], start).numpy()
        self.assertAlmostEqual(*sample_of.values(), delta=1e-14)


if __name__ == "__main__":
    absltest.main()
