"""Equation 10: lemma 1 for InfoGAN, in the reading in which it is true and in others.  Asked of `infogan`'s and of
`aae`'s own phases, with every code and every x summed over."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import X, arbitrary_logit, gradient, integral, jsd, kl, log_data, log_normal

tfd = tfp.distributions

TOLERANCE = 1e-8  # float64 quadrature on both sides; the oracle's own error is 1e-12
CODES = 4
THETA_0 = (-2.0, -0.5, 0.9, 2.4, np.log(0.7))  # x | code i ~ N(theta[i], exp(theta[4])^2)
CENTRES = tf.constant([-1.8, -0.2, 1.1, 2.0], tf.float64)
GOLDEN = (0.016865393056712346, -0.11098703043251519, -0.07011163257667856, -0.06666666356643554, 0.22446947277442636)
NODES, WEIGHTS = exact.nodes(0.1)


def log_read(x):
    """log q_eta0(code | x), [..., codes]."""
    return tf.nn.log_softmax(-0.5 * ((x[..., None] - CENTRES) / 0.9) ** 2, -1)


class EveryCode:
    """A fair prior over the codes, all of which it draws."""

    def distribution(self, training=None):
        return None

    def draw(self, distribution, lead, seed):
        return tf.range(CODES)


def generate_loss(theta, recipe, maker, reader):
    """Half the loss (p(y) is uniform) of `generate`: a maker draws x from every code and a reader reads it back."""
    densities = {
        "prior": EveryCode(),
        maker: exact.Noisy(lambda i: tfd.Normal(tf.gather(theta, i), tf.exp(theta[CODES])), NODES[:, None]),
        reader: exact.Law(lambda x: tfd.Categorical(logits=log_read(x))),
        "discriminator": exact.judge(arbitrary_logit),
    }
    start = ugm_tf.JointSample(
        densities, recipe.roles, {"x": tf.range(CODES)}, training=True, weight=len(NODES) * WEIGHTS[:, None]
    )
    return 0.5 * exact.loss(recipe.phase("generate"), start)


def infogan_loss(theta, info=1.0):
    recipe = ugm_tf.recipes.infogan(info=info, structured=False)
    return generate_loss(theta, recipe, "decoder", "encoder")


def aae_loss(theta):
    """With the codes in the place of data, and x in the place of codes."""
    return generate_loss(theta, ugm_tf.recipes.aae(), "encoder", "decoder")


def log_made(theta):
    """log p_theta(x | code), [codes, x]."""
    return log_normal(X, theta[:CODES, None], tf.exp(theta[CODES]))


def log_marginal(log_given):
    return tf.reduce_logsumexp(log_given, 0) - np.log(CODES)


def expected_kl(theta, reading):
    """E_p(z) KL to q^r(x | z, y=0) ~ q_eta0(z | x) q^r(y=0 | x) p_theta0(x), read in one of three ways."""
    frozen = log_marginal(log_made(tf.constant(THETA_0, tf.float64)))
    prior = exact.log_mixture(frozen, log_data(X))
    posterior = tf.transpose(log_read(X)) + tf.math.log_sigmoid(arbitrary_logit(X)) + prior
    posterior -= tf.math.log(tf.reduce_sum(tf.exp(posterior), 1, keepdims=True) * exact.DX)
    given, marginal = log_made(theta), log_marginal(log_made(theta))
    under, numerator = {
        "joint": (given, marginal),  # x and z are drawn together, and the numerator is p(x | y)
        "independent": (marginal, marginal),
        "conditional": (given, given),
    }[reading]
    return integral(tf.exp(under) * (numerator - posterior)) / CODES


def lemma(theta, reading="joint"):
    """Equation 10's right-hand side."""
    return 0.5 * expected_kl(theta, reading) - jsd(log_marginal(log_made(theta)), log_data(X))


def information(theta):
    """I(x; z)."""
    given = log_made(theta)
    return sum(kl(log_given, log_marginal(given)) for log_given in tf.unstack(given)) / CODES


class Equation10Test(parameterized.TestCase):
    def test_it_holds_for_x_and_z_drawn_jointly_with_the_marginal_in_the_numerator(self):
        left = gradient(infogan_loss, THETA_0)
        np.testing.assert_allclose(left, gradient(lemma, THETA_0), atol=TOLERANCE)
        np.testing.assert_allclose(left, GOLDEN, atol=TOLERANCE)

    def test_not_for_x_and_z_drawn_independently(self):
        gap = gradient(infogan_loss, THETA_0) - gradient(lambda theta: lemma(theta, "independent"), THETA_0)
        self.assertAlmostEqual(np.max(np.abs(gap)), 0.32021604938281545, delta=TOLERANCE)

    def test_with_the_conditional_in_the_numerator_it_is_off_by_half_the_gradient_of_the_information(self):
        gap = gradient(lambda theta: lemma(theta, "conditional"), THETA_0) - gradient(infogan_loss, THETA_0)
        np.testing.assert_allclose(gap, gradient(lambda theta: 0.5 * information(theta), THETA_0), atol=TOLERANCE)
        self.assertGreater(np.max(np.abs(gap)), 0.1)

    def test_not_with_another_weight_of_the_codes(self):
        left = gradient(lambda theta: infogan_loss(theta, info=0.5), THETA_0)
        self.assertGreater(np.max(np.abs(left - GOLDEN)), 1e-2)

    def test_it_holds_for_aae_with_x_and_z_exchanged(self):
        left = gradient(aae_loss, THETA_0)
        np.testing.assert_allclose(left, GOLDEN, atol=TOLERANCE)


class InformationTest(absltest.TestCase):
    def test_recall_bounds_the_information_from_below_up_to_the_entropy_of_the_codes(self):
        theta = tf.constant(THETA_0, tf.float64)
        recall = 2.0 * (infogan_loss(theta) - infogan_loss(theta, info=0.0))
        self.assertLess((np.log(CODES) - recall).numpy(), information(theta).numpy())

    def test_the_bound_is_tight_where_the_reader_is_the_posterior(self):
        theta = tf.constant(THETA_0, tf.float64)

        def posterior(x):
            return tf.nn.log_softmax(-0.5 * ((x[..., None] - theta[:CODES]) / tf.exp(theta[CODES])) ** 2, -1)

        with absltest.mock.patch.dict(globals(), {"log_read": posterior}):
            recall = 2.0 * (infogan_loss(theta) - infogan_loss(theta, info=0.0))
        self.assertAlmostEqual((np.log(CODES) - recall).numpy(), information(theta).numpy(), delta=TOLERANCE)


if __name__ == "__main__":
    absltest.main()
