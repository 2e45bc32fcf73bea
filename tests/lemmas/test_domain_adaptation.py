"""Lemma 1 where both domains learn, and where p(y) is not uniform: asked of the recipes' own phases."""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import X, arbitrary_logit, gradient, kl, log_data, log_mixture, log_normal

tfd = tfp.distributions

# The feature of (a, b) is u a + v b + s, theta = (u, v, s).  One feature of one number would not do: the JSD does not
# change with an invertible map of it, so that a lemma without the JSD would pass.
THETA_0 = (1.2, 0.7, 0.3)
NODES, WEIGHTS = exact.nodes(0.2)
A, B = (tf.reshape(part, [-1]) for part in tf.meshgrid(NODES, NODES))
WEIGHT = len(A) * tf.reshape(WEIGHTS[:, None] * WEIGHTS, [-1])
TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12
ONE = tf.constant(1.0, tf.float64)


def weighted(phase, p_real):
    """The phase with p(y) as factors of its two sides."""
    factors = {"fool": 1.0 - p_real, "fool_real": p_real}
    return dataclasses.replace(
        phase, minimise=tuple(dataclasses.replace(e, scale=factors.get(e.label, e.scale)) for e in phase.minimise)
    )


def adaptation_loss(theta, p_real=0.5, sides=("fool", "fool_real", "labels")):
    """The loss of `generate`, source a ~ N(1, 1), b ~ N(0, 0.5^2), target a ~ N(-1, 0.5^2), b ~ N(0.5, 1)."""
    recipe = ugm_tf.recipes.adversarial_domain_adaptation(supervised=0.0)
    densities = {
        "encoder": exact.Law(lambda x: tfd.Deterministic(tf.linalg.matvec(x, theta[:2]) + theta[2])),
        "classifier": exact.Law(lambda z: tfd.Normal(z, ONE)),
        "discriminator": exact.judge(arbitrary_logit),
    }
    source, target = tf.stack([1.0 + A, 0.5 * B], -1), tf.stack([-1.0 + 0.5 * A, 0.5 + B], -1)
    values = {"x": source, "target": target, "c": A}
    start = ugm_tf.JointSample(densities, recipe.roles, values, training=True, weight=WEIGHT)
    return exact.loss(weighted(exact.only(recipe.phase("generate"), *sides), p_real), start)


def log_features(theta):
    """log p_theta(feature | y) for y = 0, 1."""
    u, v, s = tf.unstack(tf.convert_to_tensor(theta, tf.float64))
    target = log_normal(X, s - u + 0.5 * v, tf.sqrt((0.5 * u) ** 2 + v**2))
    return target, log_normal(X, s + u, tf.sqrt(u**2 + (0.5 * v) ** 2))


def lemma(theta, p_real=0.5):
    return exact.lemma_1(
        tuple(zip(log_features(theta), log_features(THETA_0), strict=True)), arbitrary_logit(X), p_real
    )


class DomainAdaptationTest(parameterized.TestCase):
    @parameterized.parameters(0.5, 0.3, 0.9)
    def test_both_domains_descend_the_kl_minus_the_jsd(self, p_real):
        left = gradient(lambda theta: adaptation_loss(theta, p_real), THETA_0)
        np.testing.assert_allclose(left, gradient(lambda theta: lemma(theta, p_real), THETA_0), atol=TOLERANCE)

    def test_the_gradient_is_the_oracles(self):
        left = gradient(adaptation_loss, (1.2, 0.0, 0.3))[[0, 2]]  # the oracle's feature, of a alone
        np.testing.assert_allclose(left, (0.2979005164197764, 0.014813410855222623), atol=TOLERANCE)

    def test_not_if_the_source_does_not_learn(self):
        left = gradient(lambda theta: adaptation_loss(theta, sides=("fool",)), THETA_0)
        self.assertGreater(np.max(np.abs(left - gradient(lemma, THETA_0))), 1e-2)

    def test_not_without_the_jsd(self):
        def no_jsd(theta):
            live = log_features(theta)
            return lemma(theta) + 0.5 * sum(kl(side, log_mixture(*live)) for side in live)

        left = gradient(adaptation_loss, THETA_0)
        self.assertGreater(np.max(np.abs(left - gradient(no_jsd, THETA_0))), 1e-2)

    def test_nor_with_the_uniform_jsd_where_p_y_is_not_uniform(self):
        left = gradient(lambda theta: adaptation_loss(theta, 0.3), THETA_0)
        self.assertGreater(np.max(np.abs(left - gradient(lemma, THETA_0))), 1e-2)


class GanTest(absltest.TestCase):
    """In a GAN theta is in p(x | y=0) alone."""

    theta_0 = (0.7, np.log(1.3))  # x = m + exp(r) z, theta = (m, r)

    def loss(self, theta, p_real):
        recipe = ugm_tf.recipes.gan()
        decoder = exact.Law(lambda z: tfd.Deterministic(theta[0] + tf.exp(theta[1]) * z))
        densities = {"prior": exact.STANDARD, "decoder": decoder, "discriminator": exact.judge(arbitrary_logit)}
        phase = weighted(exact.exactly(recipe.phase("generate"), prior=0.1), p_real)
        return exact.loss(phase, exact.data(recipe, densities))

    def lemma(self, theta, p_real):
        live, frozen = (log_normal(X, t[0], tf.exp(t[1])) for t in (theta, tf.constant(self.theta_0, tf.float64)))
        return exact.lemma_1(((live, frozen), (log_data(X), log_data(X))), arbitrary_logit(X), p_real)

    def test_it_holds_with_the_jsd_that_p_y_weighs(self):
        left = gradient(lambda theta: self.loss(theta, 0.3), self.theta_0)
        np.testing.assert_allclose(left, gradient(lambda theta: self.lemma(theta, 0.3), self.theta_0), atol=TOLERANCE)
        np.testing.assert_allclose(left, (-0.27119951314151974, 0.1863157354315322), atol=TOLERANCE)

    def test_not_with_another_p_y(self):
        left = gradient(lambda theta: self.loss(theta, 0.3), self.theta_0)
        other = gradient(lambda theta: self.lemma(theta, 0.5), self.theta_0)
        self.assertGreater(np.max(np.abs(left - other)), 1e-2)


if __name__ == "__main__":
    absltest.main()
