"""f-divergence contests: bounds that are tight at the log-ratio, in Nowozin's closed forms."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

from ugm_tf.algebra import contests

NAMES = (
    "arithmetic_geometric",
    "chi_square",
    "jeffreys",
    "jensen_shannon",
    "kl_forward",
    "kl_reverse",
    "pearson",
    "squared_hellinger",
    "triangular",
)
P, Q = np.array([0.1, 0.2, 0.3, 0.25, 0.15]), np.array([0.3, 0.1, 0.2, 0.15, 0.25])  # real and generated
LOGITS = np.linspace(-3.0, 3.0, 13)


def kl(p, q):
    return np.sum(p * np.log(p / q))


# D_f(P || Q) by the definition of each.
DIVERGENCES = {
    "arithmetic_geometric": 2 * kl((P + Q) / 2, np.sqrt(P * Q)) + 2 * np.log(2),  # f(1) = 2 log 2
    "chi_square": np.sum(P**2 / Q) - 1,
    "jeffreys": (kl(P, Q) + kl(Q, P)) / 2,
    "jensen_shannon": kl(P, (P + Q) / 2) + kl(Q, (P + Q) / 2) - 2 * np.log(2),  # f(1) = -2 log 2
    "kl_forward": kl(P, Q),
    "kl_reverse": kl(Q, P),
    "pearson": np.sum((P - Q) ** 2 / Q),
    "squared_hellinger": np.sum((np.sqrt(P) - np.sqrt(Q)) ** 2),
    "triangular": np.sum((P - Q) ** 2 / (P + Q)),
}


def both(name, logits, dtype=tf.float64):
    contest, logits = contests.get(name), tf.constant(logits, dtype)
    return contest.real(logits).numpy(), contest.fake(logits).numpy()


def bound(name, logits):
    """E_P[T] - E_Q[f*(T)]: what the discriminator raises."""
    real, fake = both(name, logits)
    return -np.sum(P * real) - np.sum(Q * fake)


class BoundTest(parameterized.TestCase):
    @parameterized.parameters(*NAMES)
    def test_is_the_divergence_at_the_log_ratio(self, name):
        self.assertAlmostEqual(bound(name, np.log(P / Q)), DIVERGENCES[name], places=10)

    @parameterized.parameters(*NAMES)
    def test_is_below_it_at_any_other_output(self, name):
        rng = np.random.default_rng(0)
        for size in (1e-3, 0.1, 1.0, 3.0):
            for _ in range(50):
                self.assertLess(bound(name, np.log(P / Q) + size * rng.normal(size=5)), DIVERGENCES[name])

    @parameterized.parameters(*NAMES)
    def test_the_log_ratio_the_other_way_is_not_best(self, name):
        self.assertLess(bound(name, np.log(Q / P)), DIVERGENCES[name] - 0.02)

    def test_the_divergences_differ_but_for_one_that_two_functions_give(self):
        values = sorted(value for name, value in DIVERGENCES.items() if name != "chi_square")
        self.assertGreater(np.min(np.diff(values)), 1e-3)
        self.assertAlmostEqual(DIVERGENCES["chi_square"], DIVERGENCES["pearson"], places=12)


class ThresholdTest(parameterized.TestCase):
    """T = f'(u) and f*(T) = u f'(u) - f(u) at u = exp(l)."""

    @parameterized.parameters(*NAMES)
    def test_are_of_tfps_function_of_the_name(self, name):
        logits = tf.constant(LOGITS, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = getattr(tfp.vi, name)(logits)  # f(exp(l)), of slope u f'(u)
        slope = tape.gradient(value, logits).numpy()
        real, fake = both(name, LOGITS)
        np.testing.assert_allclose(-real, slope * np.exp(-LOGITS), atol=1e-12)
        np.testing.assert_allclose(fake, slope - value.numpy(), atol=1e-11)

    @parameterized.named_parameters(
        ("kl_forward", lambda u: 1 + np.log(u), lambda t: np.exp(t - 1)),
        ("kl_reverse", lambda u: -1 / u, lambda t: -1 - np.log(-t)),
        ("pearson", lambda u: 2 * (u - 1), lambda t: t**2 / 4 + t),
        ("squared_hellinger", lambda u: 1 - u**-0.5, lambda t: t / (1 - t)),
        ("jensen_shannon", lambda u: np.log(u / (1 + u)), lambda t: -np.log(1 - np.exp(t))),
    )
    def test_are_nowozins(self, threshold, conjugate):
        """Tables 2 and 6 of the f-GAN paper; for Jensen-Shannon up to log 2, and with f* of T by itself."""
        name = self.id().rsplit("nowozins_", 1)[1]
        t = threshold(np.exp(LOGITS))
        real, fake = both(name, LOGITS)
        np.testing.assert_allclose(-real, t, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(fake, conjugate(t), rtol=1e-9, atol=1e-12)

    def test_jensen_shannon_is_the_minimax_contest(self):
        one, other = contests.get("jensen_shannon"), contests.get("minimax")
        logits = tf.constant(LOGITS, tf.float32)
        for side in ("real", "fake", "fool", "fool_real"):
            np.testing.assert_allclose(getattr(one, side)(logits), getattr(other, side)(logits), rtol=1e-6)

    @parameterized.parameters(*NAMES)
    def test_those_who_fool_lower_the_bound(self, name):
        contest, logits = contests.get(name), tf.constant(LOGITS, tf.float32)
        np.testing.assert_array_equal(contest.fool(logits), -contest.fake(logits))
        np.testing.assert_array_equal(contest.fool_real(logits), -contest.real(logits))


class NumbersTest(parameterized.TestCase):
    """In float32 all digits stay, where f* = u T - f(u) by its two terms would cancel or overflow."""

    @parameterized.parameters(*NAMES)
    def test_far_from_zero_values_and_slopes_are_those_of_float64(self, name):
        far = np.array([-40.0, -20.0, -15.0, 15.0, 20.0, 40.0])
        found = {}
        for dtype in (tf.float32, tf.float64):
            logits = tf.constant(far, dtype)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(logits)
                sides = [contests.get(name).real(logits), contests.get(name).fake(logits)]
            found[dtype] = np.array([*sides, *(tape.gradient(side, logits) for side in sides)], np.float64)
        np.testing.assert_allclose(found[tf.float32], found[tf.float64], rtol=1e-5, atol=1e-6)

    @parameterized.parameters("jensen_shannon", "triangular")
    def test_bounded_slopes_stay_finite_at_any_output(self, name):
        logits = tf.constant([-1e4, -100.0, 100.0, 1e4])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            sides = [contests.get(name).real(logits), contests.get(name).fake(logits)]
        for side in sides:
            self.assertTrue(np.all(np.isfinite(side)) and np.all(np.isfinite(tape.gradient(side, logits))))

    @parameterized.parameters("kl_forward", "kl_reverse", "pearson", "chi_square", "squared_hellinger", "jeffreys")
    def test_no_output_gives_a_number_that_is_none(self, name):
        """A side may grow without bound, but the other one is finite where it does."""
        real, fake = both(name, [-200.0, 200.0], tf.float32)
        self.assertFalse(np.any(np.isnan([real, fake])))
        self.assertTrue(np.isfinite(real[1]) or name in ("pearson", "chi_square"))
        self.assertTrue(np.isfinite(fake[0]))


if __name__ == "__main__":
    absltest.main()
