"""Penalties on a discriminator's gradient, and a critic's output times a clipped ratio."""

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.algebra import stubs
from ugm_tf.algebra import (
    DATA,
    GENERATED,
    Ancestral,
    ClippedRatio,
    Draw,
    GradientPenalty,
    Interpolated,
    JointSample,
    Pack,
    Roles,
)

ROLES = stubs.roles(
    prior="p(z)",
    decoder="p(x | z)",
    discriminator="q(y | x)",
    pairs="q(y | x, z)",
    packs="q(y | x_pack)",
    codes="q(y | z)",
    by_class="q(y | x, c)",
    ratio="q(v | x)",
)
B = 3
X = tf.constant(np.random.default_rng(0).normal(size=(B, 2, 2, 1)), tf.float32)
Z = tf.constant(np.random.default_rng(1).normal(size=(B, 3)), tf.float32)
A = tf.constant([[[1.0], [2.0]], [[-2.0], [4.0]]])  # of length 5
Pixels = (-3, -2, -1)


def linear(x):
    return tf.reduce_sum(A * x, Pixels)


def sample(**densities):
    found = {
        "prior": stubs.standard(3),
        "decoder": stubs.Stub(
            lambda z: stubs.tfd.Independent(stubs.tfd.Deterministic(tf.ones([B, 2, 2, 1])), 3), "point"
        ),
        "discriminator": stubs.judge(linear),
        "pairs": stubs.judge(lambda x, z: linear(x) + 12.0 * z[..., 0]),
        "codes": stubs.judge(lambda z: 0.5 * tf.reduce_sum(tf.square(z), -1)),
        "packs": stubs.judge(lambda pack: tf.reduce_sum(tf.concat([A, 2.0 * A], -1) * pack, Pixels)),
        "by_class": stubs.judge(lambda x, c: linear(x) * tf.reduce_sum(c * [1.0, 2.0, 3.0], -1)),
        **densities,
    }
    values = {"x": X, "z": Z, "c": tf.eye(3)}
    return JointSample(found, ROLES, values, training=True)


class GradientPenaltyTest(parameterized.TestCase):
    @parameterized.parameters((1.0, 16.0), (5.0, 0.0), (7.0, 4.0), (0.0, 25.0))
    def test_of_a_linear_critic_is_of_its_slopes_length(self, target, by_hand):
        for sampler in (DATA, GENERATED, Interpolated(DATA, GENERATED)):
            found = GradientPenalty(target=target)(sampler(sample(), stubs.seed()))
            np.testing.assert_allclose(found, np.full(B, by_hand), rtol=1e-5, atol=1e-5)

    def test_is_tf_gans_on_its_own_test(self):
        """`losses_impl_test.py`: the critic 2 x of four numbers has a gradient of length 4: 9."""
        x = tf.constant([[3.1, 2.3, -12.3, 32.1]])
        one = sample(discriminator=stubs.judge(lambda x: 2.0 * tf.reduce_sum(x, -1))).where(x=x)
        np.testing.assert_allclose(GradientPenalty()(one), [9.0], rtol=1e-5)

    def test_is_of_each_example(self):
        """l = |x|^2 / 2 has the gradient x."""
        square = stubs.judge(lambda x: 0.5 * tf.reduce_sum(tf.square(x), Pixels))
        length = np.sqrt(np.sum(np.square(X), Pixels))
        np.testing.assert_allclose(GradientPenalty()(sample(discriminator=square)), (length - 1.0) ** 2, rtol=1e-5)
        np.testing.assert_allclose(GradientPenalty(target=0.0)(sample(discriminator=square)), length**2, rtol=1e-5)

    def test_of_a_pair_is_of_the_gradient_to_both(self):
        np.testing.assert_allclose(GradientPenalty("pairs")(sample()), np.full(B, (13.0 - 1.0) ** 2), rtol=1e-5)

    def test_of_a_pack_is_of_the_gradient_to_the_pack(self):
        packed = DATA.then(Pack("x", "x_pack", 2))(sample(), stubs.seed())
        found = GradientPenalty("packs", target=0.0)(packed)
        np.testing.assert_allclose(found, np.full(B, 25.0 + 100.0), rtol=1e-5)

    def test_of_a_class_is_of_the_gradient_to_it_too(self):
        weights = np.array([1.0, 2.0, 3.0])
        by_hand = 25.0 * weights**2 + np.square(linear(X)) * np.sum(weights**2)
        np.testing.assert_allclose(GradientPenalty("by_class", target=0.0)(sample()), by_hand, rtol=1e-5)

    def test_of_a_class_that_is_held_is_of_the_gradient_to_the_example_alone(self):
        held = GradientPenalty("by_class", target=0.0, held=("c",))
        np.testing.assert_allclose(held(sample()), 25.0 * np.array([1.0, 4.0, 9.0]), rtol=1e-5)

    def test_over_several_draws_is_of_each(self):
        drawn = Ancestral((Draw("prior", 5),))(sample(), stubs.seed())
        found = GradientPenalty("codes", target=0.0)(drawn)
        self.assertEqual(tuple(found.shape), (5, B))
        np.testing.assert_allclose(found, np.sum(np.square(drawn["z"]), -1), rtol=1e-5)

    @parameterized.parameters(0.0, 1.0)
    def test_its_own_gradient_reaches_the_critic(self, target):
        slope = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(
                GradientPenalty(target=target)(sample(discriminator=stubs.judge(lambda x: slope * linear(x))))
            )
        # d/ds (5 s - t)^2 at s = 1
        self.assertAlmostEqual(tape.gradient(value, slope).numpy(), 10.0 * (5.0 - target), delta=1e-3)

    def test_a_flat_critic_has_a_finite_gradient(self):
        slope = tf.Variable(0.0)
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(GradientPenalty()(sample(discriminator=stubs.judge(lambda x: slope * linear(x)))))
        self.assertAlmostEqual(value.numpy(), B, delta=1e-4)
        self.assertTrue(np.isfinite(tape.gradient(value, slope)))

    def test_asks_the_discriminator_that_it_names(self):
        self.assertEqual((GradientPenalty("pairs").judges, GradientPenalty("pairs").conditioned), (("pairs",),) * 2)

    @parameterized.parameters(
        (GradientPenalty(), "(|dl(x)/d(x)| - 1)^2"),
        (GradientPenalty(target=0.0), "|dl(x)/d(x)|^2"),
        (GradientPenalty("pairs", 0.5), "(|dl(x, z)/d(x, z)| - 0.5)^2"),
        (GradientPenalty("by_class", 0.0, ("c",)), "|dl(x, c)/d(x)|^2"),
    )
    def test_describes_itself(self, term, text):
        self.assertEqual((term.describe(ROLES), term.label), (text, "gradient_penalty"))


class ClippedRatioTest(parameterized.TestCase):
    """r = exp(l_0 - l): how much likelier a draw became; f is the critic's output."""

    def value(self, critic, ratio, epsilon=0.4):
        before = 0.7
        asked = sample(
            discriminator=stubs.judge(lambda x: tf.constant([critic])),
            ratio=stubs.judge(lambda x: tf.constant([before - np.log(ratio)], tf.float32)),
        ).where(l=tf.constant([before]))
        return float(ClippedRatio(epsilon=epsilon)(asked)[0])

    @parameterized.named_parameters(
        ("good_and_unmoved", 2.0, 1.0, -2.0),
        ("good_and_likelier", 2.0, 1.3, -2.6),
        ("good_and_much_likelier_is_clipped", 2.0, 3.0, -2.8),
        ("good_and_less_likely_is_not_clipped", 2.0, 0.1, -0.2),
        ("bad_and_unmoved", -2.0, 1.0, 2.0),
        ("bad_and_less_likely", -2.0, 0.7, 1.4),
        ("bad_and_much_less_likely_is_clipped", -2.0, 0.1, 1.2),
        ("bad_and_much_likelier_is_not_clipped", -2.0, 3.0, 6.0),
        ("a_narrower_clip", 2.0, 3.0, -2.2, 0.1),
    )
    def test_is_minus_the_lesser(self, critic, ratio, by_hand, epsilon=0.4):
        self.assertAlmostEqual(self.value(critic, ratio, epsilon), by_hand, places=5)

    @parameterized.parameters((2.0, 1.0, True), (2.0, 3.0, False), (-2.0, 0.1, False), (-2.0, 3.0, True))
    def test_where_it_clips_nothing_pulls_the_ratio_further(self, critic, ratio, moves):
        now = tf.Variable([0.7 - np.log(ratio)], dtype=tf.float32)
        with tf.GradientTape() as tape:
            asked = sample(
                discriminator=stubs.judge(lambda x: tf.constant([critic])),
                ratio=stubs.judge(lambda x: tf.identity(now)),
            ).where(l=tf.constant([0.7]))
            value = ClippedRatio()(asked)
        gradient = tape.gradient(value, now)
        found = 0.0 if gradient is None else float(gradient[0])
        self.assertAlmostEqual(found, critic * ratio if moves else 0.0, places=4)

    def test_the_gradient_reaches_the_critics_input_as_well(self):
        slope = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            asked = sample(ratio=stubs.judge(lambda x: tf.zeros([B]))).where(x=slope * X, l=tf.zeros([B]))
            value = tf.reduce_sum(ClippedRatio()(asked))
        np.testing.assert_allclose(tape.gradient(value, slope), -np.sum(linear(X)), rtol=1e-5)

    def test_asks_both(self):
        term = ClippedRatio("critic", "classifier")
        self.assertEqual((term.judges, term.conditioned, term.label), (("critic", "classifier"),) * 2 + ("clipped",))
        self.assertEqual(
            ClippedRatio(epsilon=0.2).describe(ROLES), "-min(r f, clip(r, 1 -+ 0.2) f) with f = l(x), r = exp(l - l(x))"
        )
        roles = Roles(ROLES, ("discriminator", "ratio"))
        text = "-min(r f, clip(r, 1 -+ 0.4) f) with f = l_discriminator(x), r = exp(l - l_ratio(x))"
        self.assertEqual(ClippedRatio().describe(roles), text)


if __name__ == "__main__":
    absltest.main()
