"""Each contest's four losses against formulas and against TF-GAN's numbers; where the discriminator is best."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import Roles, contests

LOGITS = np.array([-2.3, -1.0, -0.4, 0.0, 0.7, 1.0, 3.1])


def softplus(logits):
    return np.log1p(np.exp(logits))


def identity(logits):
    return logits


def negative(logits):
    return -logits


# name: the losses real, fake, fool and fool_real of the output l.
FORMULAS = {
    "logistic": (lambda v: softplus(-v), softplus, lambda v: softplus(-v), softplus),
    "minimax": (lambda v: softplus(-v), softplus, lambda v: -softplus(v), lambda v: -softplus(-v)),
    "log_ratio": (lambda v: softplus(-v), softplus, negative, identity),
    "least_squares": (lambda v: (v - 1) ** 2 / 2, lambda v: v**2 / 2, lambda v: (v - 1) ** 2 / 2, lambda v: v**2 / 2),
    "hinge": (lambda v: np.maximum(0, 1 - v), lambda v: np.maximum(0, 1 + v), negative, identity),
    "wasserstein": (negative, identity, negative, identity),
}
SIDES = ("real", "fake", "fool", "fool_real")


def losses(name, logits, dtype=tf.float32):
    contest, logits = contests.get(name), tf.constant(logits, dtype)
    return [getattr(contest, side)(logits).numpy() for side in SIDES]


class FormulaTest(parameterized.TestCase):
    @parameterized.parameters(*FORMULAS)
    def test_each_loss_is_its_formula(self, name):
        for found, formula in zip(losses(name, LOGITS), FORMULAS[name], strict=True):
            np.testing.assert_allclose(found, formula(LOGITS), rtol=1e-5, atol=1e-7)

    @parameterized.parameters(*FORMULAS)
    def test_no_two_contests_are_the_same(self, name):
        """A negative control: another contest's formulas do not fit."""
        for other in set(FORMULAS) - {name}:
            by_hand = [formula(LOGITS) for formula in FORMULAS[other]]
            self.assertFalse(np.allclose(losses(name, LOGITS), by_hand, atol=1e-2), other)

    @parameterized.parameters(*contests.names())
    def test_a_loss_is_asked_by_side_and_by_player(self, name):
        contest, logits = contests.get(name), tf.constant(LOGITS, tf.float32)
        by_hand = dict(zip(((1, False), (0, False), (0, True), (1, True)), losses(name, LOGITS), strict=True))
        for (y, reverse), loss in by_hand.items():
            np.testing.assert_array_equal(contest.loss(y, reverse)(logits), loss)

    @parameterized.parameters(*contests.names())
    def test_those_who_fool_want_what_the_discriminator_does_not(self, name):
        """The gradient by the output has the other sign, on both sides."""
        contest, logits = contests.get(name), tf.constant([-0.7, 0.2, 0.8])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            values = {side: getattr(contest, side)(logits) for side in SIDES}
        slopes = {side: tape.gradient(value, logits).numpy() for side, value in values.items()}
        if name == "least_squares":  # its sides want l = 0 and l = 1: between these
            slopes = {side: slope[1:] for side, slope in slopes.items()}
        self.assertTrue(np.all(slopes["fake"] > 0) and np.all(slopes["real"] < 0), slopes)
        self.assertTrue(np.all(slopes["fool"] < 0) and np.all(slopes["fool_real"] > 0), slopes)

    @parameterized.parameters("logistic", "minimax", "log_ratio", "least_squares", "hinge", "wasserstein")
    def test_huge_outputs_are_finite(self, name):
        self.assertTrue(np.all(np.isfinite(losses(name, [-1e4, 1e4]))))


class TfGanTest(parameterized.TestCase):
    """The numbers of TF-GAN's own tests (`losses_impl_test.py`), each the mean over these four outputs.

    TF-GAN's two logistic discriminators smooth the labels of the real side by 0.25, that is to 7/8: which adds
    1/8 of the mean output, 2.9 / 8.  Its minimax generator adds the discriminator's loss on a real output of 1.
    """

    REAL, FAKE = [-5.0, 1.4, 12.5, 2.7], [10.0, 4.4, -5.5, 3.6]

    @parameterized.parameters(
        ("logistic", 6.19637 - 2.9 / 8, 1.38582),
        ("minimax", 6.19637 - 2.9 / 8, -4.82408 + softplus(-1.0)),
        ("least_squares", 41.73375, 17.69625),
        ("hinge", 6.75, -3.125),
        ("wasserstein", 0.225, -3.125),
    )
    def test_means(self, name, discriminator, generator):
        (real, *_), (_, fake, fool, _) = losses(name, self.REAL), losses(name, self.FAKE)
        np.testing.assert_allclose(
            [np.mean(real) + np.mean(fake), np.mean(fool)], [discriminator, generator], atol=1e-5
        )


class BestTest(parameterized.TestCase):
    """On a finite support, p_real and p_fake of 5 points: what the discriminator's best output is."""

    P, Q = np.array([0.1, 0.2, 0.3, 0.25, 0.15]), np.array([0.3, 0.1, 0.2, 0.15, 0.25])

    def value(self, name, logits):
        real, fake, _, _ = losses(name, logits, tf.float64)
        return np.sum(self.P * real + self.Q * fake)

    @parameterized.parameters(*(name for name in contests.names() if contests.get(name).log_ratio))
    def test_is_the_log_ratio_where_the_contest_says_so(self, name):
        best, rng = np.log(self.P / self.Q), np.random.default_rng(0)
        least = self.value(name, best)
        for size in (1e-3, 0.1, 1.0):
            for _ in range(20):
                self.assertGreater(self.value(name, best + size * rng.normal(size=5)), least)

    def test_is_the_share_of_the_real_side_in_least_squares(self):
        best, rng = self.P / (self.P + self.Q), np.random.default_rng(0)
        for _ in range(20):
            other = best + 0.1 * rng.normal(size=5)
            self.assertGreater(self.value("least_squares", other), self.value("least_squares", best))
        self.assertGreater(self.value("least_squares", np.log(self.P / self.Q)), self.value("least_squares", best))

    def test_is_the_sign_of_the_difference_in_hinge(self):
        best, rng = np.sign(self.P - self.Q), np.random.default_rng(0)
        self.assertAlmostEqual(self.value("hinge", best), 2.0 - np.sum(np.abs(self.P - self.Q)), places=12)
        for _ in range(20):
            self.assertGreater(self.value("hinge", best + 0.1 * rng.normal(size=5)), self.value("hinge", best))

    @parameterized.parameters("least_squares", "hinge", "wasserstein")
    def test_is_another_where_the_contest_says_so(self, name):
        self.assertFalse(contests.get(name).log_ratio)
        ratio = np.log(self.P / self.Q)
        self.assertLess(min(self.value(name, ratio * t) for t in (0.5, 2.0)), self.value(name, ratio))


class NamesTest(parameterized.TestCase):
    def test_there_are_these(self):
        self.assertContainsSubset([*FORMULAS, "kl_forward", "jensen_shannon"], contests.names())
        self.assertLen(set(contests.names()), 15)

    @parameterized.parameters(*contests.names())
    def test_by_name(self, name):
        self.assertEqual(contests.get(name).name, name)

    @parameterized.parameters("dcgan", "", 3, None)
    def test_refuses_another(self, name):
        with self.assertRaisesRegex(ValueError, f"no contest '{name}'. There are: logistic, minimax, log_ratio, least"):
            contests.get(name)

    @parameterized.parameters(
        (1, False, "max(0, 1 - l(x, c))"),
        (0, False, "max(0, 1 + l(x, c))"),
        (0, True, "-l(x, c)"),
        (1, True, "l(x, c)"),
    )
    def test_texts_are_of_what_is_judged(self, y, reverse, text):
        roles = stubs.roles(critic="q(y | x, c)")
        self.assertEqual(contests.get("hinge").text(y, reverse, "critic", roles), text)

    def test_texts_say_which_of_several_discriminators(self):
        roles = Roles(stubs.roles(critic="q(y | x)", ratio="q(v | x)", twin="q(y | x)"), ("critic", "ratio", "twin"))

        def texts(contest, by):
            return [contests.get(contest).text(1, reverse, by, roles) for reverse in (False, True)]

        self.assertEqual(texts("hinge", "ratio"), ["max(0, 1 - l_ratio(x))", "l_ratio(x)"])
        self.assertEqual(texts("pearson", "ratio"), ["-T_ratio[pearson](x)", "T_ratio[pearson](x)"])
        self.assertEqual(texts("logistic", "ratio"), ["-log q(v=1 | x)", "-log q^r(v=1 | x)"])
        self.assertEqual(texts("logistic", "twin"), ["-log q_twin(y=1 | x)", "-log q^r_twin(y=1 | x)"])

    def test_an_f_divergence_is_written_by_its_name(self):
        roles, pearson = stubs.roles(critic="q(y | x)"), contests.get("pearson")
        texts = [pearson.text(y, reverse, "critic", roles) for reverse in (False, True) for y in (1, 0)]
        self.assertEqual(texts, ["-T[pearson](x)", "T*[pearson](x)", "T[pearson](x)", "-T*[pearson](x)"])


if __name__ == "__main__":
    absltest.main()
