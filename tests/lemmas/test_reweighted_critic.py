"""PPO-GAN's E-step: max_q E_q[l] - KL(q || p) = log E_p[exp l], and its critic descends the right-hand side.

Asked of `ppo_gan`'s own phase without penalty, on draws whose law is known to the last digit: points of p = n / 16,
each drawn n times."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import gradient

tfd = tfp.distributions

TOLERANCE = 1e-12  # float64, sums of 16
POINTS, TIMES = np.array([-1.7, -0.4, 0.3, 1.1, 2.2]), np.array([2, 5, 1, 5, 3])
P = TIMES / 16
FAKE, REAL = np.repeat(POINTS, TIMES), np.array([-1.2, 0.1, 0.4, 2.5, 1.9, -0.8])
PHI = (1.4, 0.8, -0.5, 0.3)  # the critic's weights
PPO_GAN, WASSERSTEIN = ugm_tf.recipes.ppo_gan(), ugm_tf.recipes.gan(contest="wasserstein")


class Draws:
    """A prior whose draws are these."""

    def distribution(self, training=None):
        return None

    def draw(self, distribution, lead, seed):
        return tf.constant(FAKE)


def critic(phi, x):
    """l(x), which bends in x and in its weights."""
    return phi[0] * tf.tanh(phi[1] * x + phi[2]) + phi[3] * x**2


def densities(phi):
    judge = exact.judge(lambda x: critic(phi, x))
    return {"prior": Draws(), "decoder": exact.Law(tfd.Deterministic), "discriminator": judge}


def discriminate(recipe, phi, labels=("real", "fake")):
    """What the phase minimises, less its penalty."""
    start = ugm_tf.JointSample(densities(phi), recipe.roles, {"x": tf.constant(REAL)}, training=True)
    return exact.loss(exact.only(recipe.phase("discriminate"), *labels), start)


def log_partition(phi):
    """log E_p[exp l], summed over the points."""
    return tf.math.log(tf.reduce_sum(P * tf.exp(critic(phi, POINTS))))


def dual(phi):
    return log_partition(phi) - tf.reduce_mean(critic(phi, REAL))


def kl(q, p):
    return np.sum(q * np.log(q / p))


class CriticTest(parameterized.TestCase):
    @parameterized.parameters(PHI, (-0.6, 1.3, 0.2, 0.9), (2.5, -0.7, 0.0, -0.4))
    def test_it_descends_log_mean_exp_of_the_draws_less_the_mean_of_the_data(self, *phi):
        left = gradient(lambda phi: discriminate(PPO_GAN, phi), phi)
        np.testing.assert_allclose(left, gradient(dual, phi), atol=TOLERANCE)
        self.assertGreater(np.max(np.abs(left)), 0.1)

    def test_not_with_draws_unweighted(self):
        left = gradient(lambda phi: discriminate(WASSERSTEIN, phi), PHI)
        plain = gradient(lambda phi: tf.reduce_mean(critic(phi, FAKE)) - tf.reduce_mean(critic(phi, REAL)), PHI)
        np.testing.assert_allclose(left, plain, atol=TOLERANCE)  # of the same densities
        self.assertGreater(np.max(np.abs(left - gradient(dual, PHI))), 1e-2)

    def test_nor_with_weights_that_learn(self):
        def live(phi):
            logits = critic(phi, FAKE)
            return tf.reduce_sum(tf.nn.softmax(logits) * logits) - tf.reduce_mean(critic(phi, REAL))

        self.assertAlmostEqual(
            live(tf.constant(PHI, tf.float64)).numpy(),
            discriminate(PPO_GAN, tf.constant(PHI, tf.float64)).numpy(),
            delta=TOLERANCE,
        )
        self.assertGreater(np.max(np.abs(gradient(live, PHI) - gradient(dual, PHI))), 1e-2)


class EStepTest(absltest.TestCase):
    """The variational problem over the laws q on the points, f = l."""

    def setUp(self):
        super().setUp()
        self.f, self.value = critic(PHI, POINTS).numpy(), log_partition(PHI).numpy()

    def best(self):
        """q ~ p exp f as the phase's own weights have it, each point's share of the 16 draws'."""
        (fake,) = exact.only(PPO_GAN.phase("discriminate"), "fake").minimise
        start = ugm_tf.JointSample(densities(PHI), PPO_GAN.roles, {"x": tf.constant(REAL)}, training=True)
        weight = fake.weight(fake.under(start, tf.constant([0, 0]))).numpy()
        return np.array([np.sum(weight[point == FAKE]) for point in POINTS]) / 16

    def objective(self, q):
        return np.sum(q * self.f) - kl(q, P)

    def test_the_critics_weights_make_it_log_e_p_exp_f(self):
        self.assertAlmostEqual(self.objective(self.best()), self.value, delta=TOLERANCE)

    def test_the_draws_themselves_do_not(self):
        self.assertLess(self.objective(P), self.value - 1e-2)

    def test_every_other_law_falls_short_by_its_kl_to_them(self):
        best, rng = self.best(), np.random.default_rng(0)
        for _ in range(20):
            q = rng.dirichlet(np.ones(5))
            self.assertAlmostEqual(self.value - self.objective(q), kl(q, best), delta=TOLERANCE)
            self.assertGreater(kl(q, best), 1e-4)

    def test_the_critics_term_of_draws_is_the_mean_of_f_under_the_best_law(self):
        found = discriminate(PPO_GAN, PHI, ("fake",)).numpy()
        self.assertAlmostEqual(found, np.sum(self.best() * self.f), delta=TOLERANCE)
        self.assertGreater(abs(found - np.sum(P * self.f)), 1e-2)


if __name__ == "__main__":
    absltest.main()
