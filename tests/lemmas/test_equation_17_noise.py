"""Equation 17 on batches: its estimate is unbiased, and with the best discriminator less noisy than the VAE's."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0, X, arbitrary_logit, log_data, log_generated

tfd = tfp.distributions

GOLDEN = (
    0.06228755332845133,
    0.17735301369959747,
    0.21182726580147118,
    0.17227250370971392,
    -0.029535084163589964,
    -0.052083057733428216,
)  # the expected ascent with the arbitrary discriminator, test_equation_17
AAVAE, VAE = ugm_tf.recipes.aavae(), ugm_tf.recipes.vae()


def optimal_logit(x):
    return log_data(x) - log_generated(tf.constant(V0, tf.float64), x)


class Free(exact.Law):
    """A normal density with free draws."""

    def draw(self, distribution, lead, seed):
        noise = tf.random.stateless_normal((*lead, *distribution.batch_shape), seed, dtype=tf.float64)
        return distribution.loc + distribution.scale * noise


def free(densities):
    return {
        name: Free(law.function) if name in ("prior", "encoder", "decoder") else law for name, law in densities.items()
    }


def data_draws(n, seed):
    """Draws of p_data by the inverse of its distribution function."""
    cdf = np.cumsum(np.exp(log_data(X))) * exact.DX
    return tf.constant(np.interp(np.random.default_rng(seed).uniform(size=n), cdf, X.numpy() + exact.DX / 2))


def each(n):
    """The parameters of n examples, [6, n], each with its own: the gradient of a sum is then that of every example."""
    return tf.tile(tf.constant(V0, tf.float64)[:, None], [1, n])


def ascents(n, logit, seed=0):
    """Those of the phase `wake` at n examples of data and n generated ones, every draw a free one, [6, n]."""
    with tf.GradientTape() as tape:
        v = each(n)
        tape.watch(v)
        densities = free(exact.vae_densities(v, logit))
        start = ugm_tf.JointSample(densities, AAVAE.roles, {"x": data_draws(n, seed)}, training=True)
        loss = exact.loss(AAVAE.phase("wake"), start)
    return -n * tape.gradient(loss, v).numpy()


class UnbiasedTest(absltest.TestCase):
    def scores(self, logit, n=100_000):
        """Standard errors between the mean and equation 17."""
        found = ascents(n, logit)
        return np.abs(found.mean(1) - GOLDEN) / (found.std(1) / np.sqrt(n))

    def test_batches_have_equation_17_as_their_mean(self):
        self.assertLess(np.max(self.scores(arbitrary_logit)), 5)

    def test_not_with_another_discriminator(self):
        self.assertGreater(np.max(self.scores(lambda x: arbitrary_logit(x) + 0.5)), 15)


def slopes(recipe, logit, side):
    """The loss's gradient at each x by the production terms of one side, z summed over: [6, x]."""
    with tf.GradientTape() as tape:
        v = each(len(X))
        tape.watch(v)
        densities = exact.vae_densities(v, logit if "discriminator" in recipe.densities else None)
        ones = tf.ones([len(X)], tf.float64)
        start = ugm_tf.JointSample(densities, recipe.roles, {"x": X}, training=True, weight=ones)
        sample = exact.Quadrature("encoder", 0.5)(start, None)
        terms = [e for e in recipe.phase("wake").minimise if e.label.endswith(side)]
        loss = tf.add_n([e.scale * e(sample) for e in terms])
    return len(X) * tape.gradient(loss, v)


def variance(slope, log_density):
    """Of the gradient at one x ~ exp(log_density), [6]."""
    p = tf.exp(log_density) * exact.DX
    mean = tf.linalg.matvec(slope, p)
    return (tf.linalg.matvec(slope**2, p) - mean**2).numpy()


class NoiseTest(absltest.TestCase):
    """Batches of as many generated examples as data; both gradients brought to the same mean."""

    def ratio(self, logit):
        generated = log_generated(tf.constant(V0, tf.float64), X)
        aavae = variance(2 * slopes(AAVAE, logit, "_data"), log_data(X))
        aavae += variance(2 * slopes(AAVAE, logit, "_generated"), generated)
        return aavae / variance(slopes(VAE, logit, ""), log_data(X))

    def test_with_the_best_discriminator_generated_examples_lower_the_gradients_variance(self):
        golden = (0.6547711181095557, 0.6813059580871706, 0.7727449844703249, 0.8307844262780139, 0.7218989007319658)
        np.testing.assert_allclose(self.ratio(optimal_logit)[:5], golden, rtol=1e-6)

    def test_not_with_one_that_takes_all_for_data(self):
        self.assertTrue(np.all(self.ratio(lambda x: 5.0 + 0.0 * x)[:5] > 1.0))


if __name__ == "__main__":
    absltest.main()
