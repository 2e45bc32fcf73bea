"""What is known of the best discriminator, and of the bound on the JSD: asked of the recipes' own phases."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import X, arbitrary_logit, gradient, integral, jsd, kl, log_data, log_mixture, log_normal
from ugm_tf.algebra import DATA, DiscriminatorLoss, E, Phase

tfd = tfp.distributions

THETA_0 = (0.7, np.log(1.3))  # x = m + exp(r) z, theta = (m, r)
TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12
FOOL = ugm_tf.recipes.gan().phase("generate").minimise[0].of


def log_fake(theta=THETA_0):
    theta = tf.convert_to_tensor(theta, tf.float64)
    return log_normal(X, theta[0], tf.exp(theta[1]))


def optimal_logit(x):
    return log_data(x) - log_normal(x, THETA_0[0], tf.exp(tf.constant(THETA_0[1], tf.float64)))


def value(name, theta, logit, contest="logistic"):
    """The loss of a phase of `gan`, with z summed over in place of drawn."""
    recipe = ugm_tf.recipes.gan(contest=contest, gradient_penalty=0.0)
    decoder = exact.Law(lambda z: tfd.Deterministic(theta[0] + tf.exp(theta[1]) * z))
    densities = {"prior": exact.STANDARD, "decoder": decoder, "discriminator": exact.judge(logit)}
    return exact.loss(exact.exactly(recipe.phase(name), prior=0.1), exact.data(recipe, densities))


def reversed_probability(y, logit):
    """q^r(y | x) on X, as the terms of the algebra have it."""
    roles = ugm_tf.recipes.gan().roles
    sample = ugm_tf.JointSample({"discriminator": exact.judge(logit)}, roles, {"x": X}, training=True)
    return tf.exp(-DiscriminatorLoss(y, reverse=True)(sample))


class PosteriorTest(parameterized.TestCase):
    @parameterized.parameters((0, log_data), (1, lambda x: log_fake()))
    def test_the_best_discriminators_reversed_posterior_is_the_other_side(self, y, other):
        joint = reversed_probability(y, optimal_logit) * tf.exp(log_mixture(log_fake(), log_data(X)))
        self.assertAlmostEqual(integral(joint).numpy(), 0.5, delta=TOLERANCE)
        np.testing.assert_allclose(joint / integral(joint), tf.exp(other(X)), atol=TOLERANCE)

    def test_anothers_is_not(self):
        joint = reversed_probability(0, arbitrary_logit) * tf.exp(log_mixture(log_fake(), log_data(X)))
        self.assertGreater(np.max(np.abs(joint / integral(joint) - tf.exp(log_data(X)))), 0.01)


class DivergenceTest(absltest.TestCase):
    def test_generate_descends_the_kl_of_the_mixture_to_the_data(self):
        def divergence(theta):
            return 2.0 * kl(log_mixture(log_fake(theta), log_data(X)), log_data(X))

        left = gradient(lambda theta: value("generate", theta, optimal_logit), THETA_0)
        np.testing.assert_allclose(left, gradient(divergence, THETA_0), atol=TOLERANCE)

    def test_half_the_reverse_kl_minus_the_jsd_is_that_kl_and_so_never_negative(self):
        difference = 0.5 * kl(log_fake(), log_data(X)) - jsd(log_fake(), log_data(X))
        mixed = kl(log_mixture(log_fake(), log_data(X)), log_data(X))
        self.assertAlmostEqual(difference.numpy(), mixed.numpy(), delta=TOLERANCE)
        self.assertAlmostEqual(mixed.numpy(), 0.11018651435979786, delta=TOLERANCE)

    def test_with_an_undecided_discriminator_the_two_gradients_cancel_and_neither_is_0(self):
        sides = ((log_fake(), log_data(X)), (log_fake(), log_data(X)))
        undecided = exact.lemma_1(tuple((side, side) for side in sides[0]), 0.0 * X)
        self.assertAlmostEqual(undecided.numpy(), 0.0, delta=TOLERANCE)
        of_jsd = gradient(lambda theta: jsd(log_fake(theta), log_data(X)), THETA_0)
        np.testing.assert_allclose(of_jsd, (0.0518431761403158, -0.15035088940759994), atol=TOLERANCE)
        left = gradient(lambda theta: value("generate", theta, lambda x: 0.0 * x), THETA_0)
        np.testing.assert_allclose(left, (0.0, 0.0), atol=TOLERANCE)

    def test_log_ratio_descends_the_reverse_kl(self):
        left = gradient(lambda theta: value("generate", theta, optimal_logit, "log_ratio"), THETA_0)
        np.testing.assert_allclose(
            left, gradient(lambda theta: kl(log_fake(theta), log_data(X)), THETA_0), atol=TOLERANCE
        )

    def test_not_with_another_discriminator(self):
        left = gradient(lambda theta: value("generate", theta, arbitrary_logit, "log_ratio"), THETA_0)
        right = gradient(lambda theta: kl(log_fake(theta), log_data(X)), THETA_0)
        self.assertGreater(np.max(np.abs(left - right)), 1e-2)


# f of Nowozin's D_f(P || Q) = E_Q f(u), u = p / q, by hand; up to constants, as those of TFP (f(1) need not be 0).
F_DIVERGENCES = {
    "arithmetic_geometric": lambda u: (1 + u) * np.log((1 + u) / np.sqrt(u)),
    "chi_square": lambda u: u**2 - 1,
    "jeffreys": lambda u: 0.5 * (u - 1) * np.log(u),
    "jensen_shannon": lambda u: u * np.log(u) - (1 + u) * np.log(1 + u),
    "kl_forward": lambda u: u * np.log(u),
    "kl_reverse": lambda u: -np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "squared_hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "triangular": lambda u: (u - 1) ** 2 / (1 + u),
}


def divergence(name, theta=THETA_0):
    """D_f(data || generated) by numpy."""
    p, q = (np.exp(log.numpy()) for log in (log_data(X), log_fake(theta)))
    return np.sum(q * F_DIVERGENCES[name](p / q)) * exact.DX


class FDivergenceTest(parameterized.TestCase):
    """Each f-GAN's bound on D_f(data || generated) is tight where l is the log-ratio, whichever f."""

    def test_there_is_a_formula_for_every_one(self):
        logistic = {"logistic", "minimax", "log_ratio", "least_squares", "hinge", "wasserstein"}
        self.assertEqual(set(ugm_tf.contests.names()) - logistic, set(F_DIVERGENCES))

    @parameterized.parameters(*F_DIVERGENCES)
    def test_the_best_discriminator_reaches_the_divergence(self, name):
        theta = tf.constant(THETA_0, tf.float64)
        best = -value("discriminate", theta, optimal_logit, name).numpy()
        self.assertAlmostEqual(best, divergence(name), delta=1e-7 * abs(best))  # x spans 1401 points

    @parameterized.parameters(*F_DIVERGENCES)
    def test_no_other_passes_it(self, name):
        theta = tf.constant(THETA_0, tf.float64)
        for logit in (lambda x: optimal_logit(x) + 0.1 * tf.sin(x), lambda x: 0.9 * optimal_logit(x)):
            self.assertLess(-value("discriminate", theta, logit, name).numpy(), divergence(name) - 1e-4)

    @parameterized.parameters(*F_DIVERGENCES)
    def test_against_the_best_discriminator_generate_descends_it(self, name):
        left = gradient(lambda theta: value("generate", theta, optimal_logit, name), THETA_0)
        steps = 1e-4 * np.eye(2)
        right = [(divergence(name, THETA_0 + h) - divergence(name, THETA_0 - h)) / 2e-4 for h in steps]
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)  # central differences

    def test_the_kl_is_the_oracles(self):
        self.assertAlmostEqual(divergence("kl_forward"), 0.340356781785617, delta=TOLERANCE)


class JsdBoundTest(parameterized.TestCase):
    """JSD <= E KL(p(x | y) || q^r(x | y)): false as it stands, true if D is on average no worse than chance."""

    def gap(self, logit):
        """E KL - JSD = -E log q^r + E log Z, with the first term as the algebra has it."""
        recipe = ugm_tf.recipes.gan()

        def fake(sample, seed):
            return sample.where(x=X, weight=len(X) * exact.DX * tf.exp(log_fake()))

        sides = (E(FOOL, exact.under(fake)), E(DiscriminatorLoss(1, reverse=True), DATA))
        phase = Phase("both", sides, ("discriminator",))
        reversed_loss = exact.loss(phase, exact.data(recipe, {"discriminator": exact.judge(logit)}))
        prior = tf.exp(log_mixture(log_fake(), log_data(X)))
        log_z = [tf.math.log(integral(reversed_probability(y, logit) * prior)) for y in (0, 1)]
        return (0.5 * reversed_loss + 0.5 * (log_z[0] + log_z[1])).numpy()

    def better_than_chance(self, logit):
        d = tf.sigmoid(logit(X))
        return bool(integral(tf.exp(log_data(X)) * d) >= integral(tf.exp(log_fake()) * d))

    @parameterized.parameters(
        (-1.0, -0.0843885923601171),
        (-0.5, -0.06513886628882622),
        (0.0, 0.0),
        (0.25, 0.05225937195550122),
        (1.0, 0.2803649052538285),
        (2.0, 0.6996731059336571),
    )
    def test_a_contrary_discriminator_breaks_it(self, factor, golden):
        def logit(x):
            return factor * optimal_logit(x)

        self.assertAlmostEqual(self.gap(logit), golden, delta=TOLERANCE)
        self.assertEqual(self.gap(logit) > -TOLERANCE, factor >= 0)

    def test_the_gap_is_that_of_the_divergences(self):
        side = log_fake(), log_data(X)
        divergences = exact.lemma_1(tuple((s, s) for s in side), arbitrary_logit(X)).numpy()
        self.assertAlmostEqual(self.gap(arbitrary_logit), divergences, delta=TOLERANCE)

    def test_of_40_discriminators_it_holds_for_each_that_is_better_than_chance_and_not_for_all_others(self):
        rng = np.random.default_rng(1)
        broken = {True: [], False: []}
        for _ in range(40):
            c = rng.normal(size=6) * rng.choice([0.3, 1.0, 3.0])

            def logit(x, c=c):
                y = c[0] + c[1] * x / 3 + c[2] * tf.sin(x + c[3]) + c[4] * tf.cos(2 * x + c[5])
                return 8 * tf.tanh(y / 8)

            broken[self.better_than_chance(logit)].append(self.gap(logit) < -TOLERANCE)
        self.assertGreater(len(broken[True]), 15)
        self.assertFalse(any(broken[True]))
        self.assertTrue(any(broken[False]))


if __name__ == "__main__":
    absltest.main()
