"""Section 3.3: KL(P || Q), which a GAN's decoder descends, seeks modes, and KL(Q || P), a VAE's, covers them.

A normal density is fitted to a mixture of two by the terms of the algebra, every draw summed over."""

import functools

import numpy as np
import scipy.integrate
import scipy.optimize
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import X, log_normal
from ugm_tf.algebra import DATA, KL, Ancestral, E, NegativeLogProb, Phase, Recipe

tfd = tfp.distributions

STARTS = [(m, np.log(s)) for m, s in ((-3.0, 0.8), (0.0, 3.0), (3.0, 0.8))]


def log_target(x):
    """log of 0.7 N(-3, 0.6^2) + 0.3 N(3, 0.6^2)."""
    scale = tf.constant(0.6, tf.float64)
    parts = [np.log(w) + log_normal(x, m, scale) for w, m in ((0.7, -3.0), (0.3, 3.0))]
    return tf.reduce_logsumexp(tf.stack(parts), 0)


class Target:
    def distribution(self, *given, training=None):
        return self

    def log_prob(self, x):
        return log_target(x)


NOISE, PROBABILITIES = exact.nodes(0.1)

# e is nothing, a parent that lets the fitted density have draws on the nodes.
SEEK = Phase("seek", (E(KL("fitted", "target", sampled=True), Ancestral(("fitted",))),), ("fitted",))
COVER = Phase("cover", (E(NegativeLogProb("fitted"), DATA),), ("fitted",))
RECIPE = Recipe({"fitted": "p(x | e)", "target": "q(x | e)"}, (SEEK, COVER), data=("x", "e"))


def loss(phase, theta):
    mean, scale = theta[0], tf.exp(theta[1])
    densities = {"fitted": exact.Noisy(lambda e: tfd.Normal(mean, scale), NOISE), "target": Target()}
    if phase is SEEK:
        x, weight = NOISE, len(NOISE) * PROBABILITIES
    else:
        x, weight = X, len(X) * exact.DX * tf.exp(log_target(X))
    start = ugm_tf.JointSample(densities, RECIPE.roles, {"x": x, "e": x}, training=True, weight=weight)
    return exact.loss(phase, start)


def value_and_gradient(phase, theta):
    variable = tf.constant(theta, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = loss(phase, variable)
    return value.numpy(), tape.gradient(value, variable).numpy()


@functools.cache
def fits(phase):
    """Where descent from each start ends: mean, scale and value."""
    found = [scipy.optimize.minimize(lambda t: value_and_gradient(phase, t), start, jac=True) for start in STARTS]
    return np.array([(f.x[0], np.exp(f.x[1]), f.fun) for f in found])


@functools.cache
def traced_gradient(contest):
    """`gan_gradient` as a graph: a flow asks for it hundreds of times."""
    recipe = ugm_tf.recipes.gan(contest=contest)

    def loss(live, at):
        densities = {
            "prior": exact.STANDARD,
            "decoder": exact.Law(lambda z: tfd.Deterministic(live[0] + tf.exp(live[1]) * z)),
            "discriminator": exact.judge(lambda x: log_target(x) - log_normal(x, at[0], tf.exp(at[1]))),
        }
        phase = exact.exactly(recipe.phase("generate"), prior=0.1)
        return exact.loss(phase, exact.data(recipe, densities))

    @tf.function(autograph=False)
    def gradient(at):
        with tf.GradientTape() as tape:
            live = tf.identity(at)
            tape.watch(live)
            value = loss(live, at)
        return tape.gradient(value, live)

    return gradient


def gan_gradient(theta, contest="logistic"):
    """That of `gan`'s phase with the best discriminator at theta."""
    return traced_gradient(contest)(tf.constant(theta, tf.float64)).numpy()


class FitTest(absltest.TestCase):
    def test_the_kl_of_a_gan_is_lowest_on_the_larger_mode(self):
        all_fits = fits(SEEK)
        best = all_fits[np.argmin(all_fits[:, 2])]
        np.testing.assert_allclose(best, (-3.0, 0.6, -np.log(0.7)), atol=1e-4)

    def test_and_it_has_a_minimum_on_the_smaller_one(self):
        near = [fit for fit in fits(SEEK) if abs(fit[0] - 3.0) < 0.1]
        self.assertNotEmpty(near)
        self.assertAlmostEqual(near[0][2], -np.log(0.3), delta=1e-4)

    def test_the_kl_of_a_vae_is_lowest_at_the_moments_of_both_from_everywhere(self):
        variance = 0.6**2 + 0.7 * 0.3 * 6.0**2
        for fit in fits(COVER):
            np.testing.assert_allclose(fit[:2], (-1.2, np.sqrt(variance)), atol=1e-4)

    def test_the_gan_with_the_best_discriminator_rests_on_the_mode_and_not_at_the_moments(self):
        self.assertLess(np.max(np.abs(gan_gradient((-3.0, np.log(0.6))))), 1e-4)
        self.assertGreater(np.max(np.abs(gan_gradient((-1.2, np.log(2.81425))))), 1e-2)


MODE, BETWEEN = (-3.0, np.log(0.6)), (-1.3036, np.log(2.7435))


class FlowTest(absltest.TestCase):
    """Where the GAN and the minimax GAN, IWGAN's limit for large batches, end with the best discriminator all along."""

    def end(self, contest, time):
        """Mean and scale where the decoder's gradient flow takes it from a wide start."""
        flow = scipy.integrate.solve_ivp(
            lambda _, theta: -gan_gradient(theta, contest), (0.0, time), (0.3, np.log(2.5)), "LSODA", rtol=1e-4
        )
        return flow.y[0, -1], np.exp(flow.y[1, -1])

    def test_the_minimax_one_rests_between_the_modes_and_the_gan_does_not(self):
        np.testing.assert_allclose(gan_gradient(BETWEEN, "minimax"), 0.0, atol=1e-4)  # the oracle's four digits
        self.assertGreater(np.max(np.abs(gan_gradient(BETWEEN))), 1e-2)

    def test_that_is_not_where_the_vae_rests(self):
        self.assertGreater(np.max(np.abs(gan_gradient((-1.2, np.log(2.81425)), "minimax"))), 1e-2)

    def test_from_a_wide_start_the_minimax_one_ends_there(self):
        np.testing.assert_allclose(self.end("minimax", 300.0), (-1.3036, 2.7435), atol=2e-3)

    def test_from_the_same_start_the_gan_ends_on_a_mode(self):
        np.testing.assert_allclose(self.end("logistic", 35.0), (-3.0, 0.6), atol=2e-3)

    def test_on_a_mode_both_rest(self):
        """The ratio of the densities is constant there, so that no divergence has a slope: the start decides."""
        for contest in ("minimax", "logistic"):
            np.testing.assert_allclose(gan_gradient(MODE, contest), 0.0, atol=1e-4)


if __name__ == "__main__":
    absltest.main()
