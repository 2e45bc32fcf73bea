"""Equation 16: the importance-weighted GAN, asked of `iwgan`'s own generate phase on batches of given logits."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import gradient

tfd = tfp.distributions

TOLERANCE = 1e-12  # float64, batches of 64

IWGAN, GAN = ugm_tf.recipes.iwgan(), ugm_tf.recipes.gan()
MINIMAX = ugm_tf.recipes.gan(contest="minimax")


class Batch:
    """A prior whose draws are these codes."""

    def __init__(self, z):
        self.z = tf.constant(z, tf.float64)

    def distribution(self, training=None):
        return None

    def draw(self, distribution, lead, seed):
        return self.z


def generate_loss(recipe, generator, z, logit=lambda x: x):
    """The loss of the generate phase on x = generator(z), with the discriminator of this logit."""
    decoder = exact.Law(lambda z: tfd.Deterministic(generator(z)))
    densities = {"prior": Batch(z), "decoder": decoder, "discriminator": exact.judge(logit)}
    start = ugm_tf.JointSample(densities, recipe.roles, {"x": tf.zeros([2])}, training=True)
    return exact.loss(recipe.phase("generate"), start)


class Linear:
    """A generator of 64 logits, with any Jacobian there is: at theta = 0 x = `logits` and dx / dtheta = `jacobian`."""

    def __init__(self):
        rng = np.random.default_rng(5)  # the oracle's numbers
        self.logits, self.jacobian = 2 * rng.normal(size=64), rng.normal(size=(64, 7))

    def ascent(self, recipe, size=64, logits=None):
        logits, jacobian = (self.logits if logits is None else logits)[:size], self.jacobian[:size]
        return -gradient(
            lambda theta: generate_loss(recipe, lambda z: z + tf.linalg.matvec(jacobian, theta), logits), np.zeros(7)
        )


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


class Equation16Test(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.linear = Linear()
        self.weights = np.exp(self.linear.logits) / np.exp(self.linear.logits).sum()

    def test_weights_are_the_softmax_of_the_logits(self):
        e = IWGAN.phase("generate").minimise[0]
        start = ugm_tf.JointSample(
            {"discriminator": exact.judge(lambda x: x)},
            IWGAN.roles,
            {"x": tf.constant(self.linear.logits)},
            training=True,
        )
        d = 1 / (1 + np.exp(-self.linear.logits))
        odds = d / (1 - d)
        np.testing.assert_allclose(e.weight(start) / 64, odds / odds.sum(), rtol=TOLERANCE)
        np.testing.assert_allclose(e.weight(start) / 64, self.weights, rtol=TOLERANCE)

    def test_gradient_is_the_weighted_sum_of_equation_16(self):
        # grad log q^r(y=0 | x) = grad log sigmoid(l) = (1 - D) grad l
        d = 1 / (1 + np.exp(-self.linear.logits))
        by_hand = (self.weights * (1 - d)) @ self.linear.jacobian
        np.testing.assert_allclose(self.linear.ascent(IWGAN), by_hand, atol=TOLERANCE)

    def test_it_is_the_minimax_gradient_times_k_over_the_sum_of_the_weights(self):
        factor = 64 / np.exp(self.linear.logits).sum()
        self.assertAlmostEqual(factor, 0.21931503539897737, delta=TOLERANCE)
        iwgan, minimax, gan = (self.linear.ascent(recipe) for recipe in (IWGAN, MINIMAX, GAN))
        np.testing.assert_allclose(iwgan, factor * minimax, atol=TOLERANCE)
        self.assertAlmostEqual(cosine(iwgan, minimax), 1.0, delta=TOLERANCE)
        self.assertAlmostEqual(cosine(iwgan, gan), 0.8605610013221588, delta=TOLERANCE)

    def test_one_draw_makes_it_the_gan_bit_for_bit(self):
        np.testing.assert_array_equal(self.linear.ascent(IWGAN, size=1), self.linear.ascent(GAN, size=1))
        self.assertGreater(np.max(np.abs(self.linear.ascent(IWGAN, size=2) - self.linear.ascent(GAN, size=2))), 1e-2)

    def test_equal_logits_make_it_the_gan(self):
        logits = np.full(64, 0.7)
        np.testing.assert_allclose(
            self.linear.ascent(IWGAN, logits=logits), self.linear.ascent(GAN, logits=logits), atol=TOLERANCE
        )

    def test_huge_logits_do_not_overflow(self):
        logits = np.concatenate([[800.0, 799.0], np.full(62, -900.0)])
        theta_gradient = self.linear.ascent(IWGAN, logits=logits)
        self.assertTrue(np.all(np.isfinite(theta_gradient)))

    def test_the_discriminator_learns_as_in_a_gan(self):
        self.assertEqual(IWGAN.phase("discriminate"), GAN.phase("discriminate"))


class ThroughANetworkTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(6)  # the oracle's numbers
        self.z, self.w = rng.normal(size=(16, 3)), rng.normal(size=(3, 2)) * 0.7
        self.u, self.v = rng.normal(size=(2, 5)), rng.normal(size=5)

    def logit(self, x):
        return tf.linalg.matvec(tf.tanh(x @ self.u), self.v)

    def generate_loss(self, recipe, w):
        return generate_loss(recipe, lambda z: tf.tanh(z @ tf.reshape(w, (3, 2))), self.z, self.logit)

    def gradient(self, recipe):
        return gradient(lambda w: self.generate_loss(recipe, w), self.w.ravel())

    def log_d(self, w):
        """log D(G(z)) by numpy."""
        logits = np.tanh(np.tanh(self.z @ w.reshape(3, 2)) @ self.u) @ self.v
        return logits, -np.logaddexp(0, -logits)

    def differences(self, loss):
        """A gradient by fourth-order central differences, to 1e-10."""
        out = []
        for step in 1e-3 * np.eye(6):
            f = [loss(self.w.ravel() + n * step) for n in (-2, -1, 1, 2)]
            out.append((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / 12e-3)
        return np.array(out)

    def test_gradient_is_that_of_the_loss_with_weights_held_fixed(self):
        logits, _ = self.log_d(self.w)
        weights = np.exp(logits) / np.exp(logits).sum()
        held = self.differences(lambda w: -np.sum(weights * self.log_d(w)[1]))
        np.testing.assert_allclose(self.gradient(IWGAN), held, atol=1e-9)
        np.testing.assert_allclose(
            self.gradient(IWGAN), 16 / np.exp(logits).sum() * self.gradient(MINIMAX), atol=TOLERANCE
        )

    def test_it_is_not_that_of_live_weights(self):
        def live(w):
            logits, log_d = self.log_d(w)
            return -np.sum(np.exp(logits) / np.exp(logits).sum() * log_d)

        difference = np.max(np.abs(self.gradient(IWGAN) - self.differences(live)))
        self.assertAlmostEqual(difference, 0.06946529149222852, delta=1e-9)
        with absltest.mock.patch.object(tf, "stop_gradient", tf.identity):
            np.testing.assert_allclose(self.gradient(IWGAN), self.differences(live), atol=1e-9)

    def test_no_gradient_reaches_the_discriminator_through_the_weights(self):
        e = IWGAN.phase("generate").minimise[0]
        phi = tf.constant(0.5, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(phi)
            discriminator = exact.judge(lambda x: phi * x)
            start = ugm_tf.JointSample(
                {"discriminator": discriminator},
                IWGAN.roles,
                {"x": tf.constant([1.0, -2.0], tf.float64)},
                training=True,
            )
            value = e(start)
        # Of sum w~ softplus(-phi x) by phi, with w~ = softmax(phi x) held fixed: -sum w~ x sigmoid(-phi x).
        w = np.exp([0.5, -1.0]) / np.exp([0.5, -1.0]).sum()
        by_hand = -(w * [1.0, -2.0] / (1 + np.exp([0.5, -1.0]))).sum()
        self.assertAlmostEqual(tape.gradient(value, phi).numpy(), by_hand, delta=TOLERANCE)


if __name__ == "__main__":
    absltest.main()
