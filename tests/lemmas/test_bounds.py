"""The importance-weighted bound, asked of the production term under production draws."""

import itertools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from absl.testing import absltest, parameterized

import ugm_tf
from tests.lemmas import exact
from tests.lemmas.exact import V0
from ugm_tf.algebra import Ancestral, E, ImportanceWeightedBound, JointSample, Phase

tfd = tfp.distributions

ROLES = ugm_tf.recipes.vae().roles


class Given:
    """A density that always has this log-probability."""

    def __init__(self, log_prob):
        self.log_prob = lambda value: log_prob

    def distribution(self, *given, training=None):
        return self


class Table:
    """A density p(x | z) whose log-probability is z itself."""

    def distribution(self, z, training=None):
        return Given(z)


def subsets(k, m):
    """Every choice of m of k draws, [m, choices]."""
    return np.array(list(itertools.combinations(range(k), m))).T


def mean_bounds(log_weights):
    """For m = 1...k the production bound on log p(x) with m draws, in the mean over every choice of m."""
    certain = Given(tf.constant(0.0, tf.float64))
    densities = {"prior": certain, "encoder": certain, "decoder": Table()}
    start = JointSample(densities, ROLES, {"x": tf.zeros([1], tf.float64)}, training=True)
    means = []
    for m in range(1, len(log_weights) + 1):
        chosen = tf.constant(log_weights[subsets(len(log_weights), m)])
        under = exact.under(lambda sample, seed, chosen=chosen: sample.where(z=chosen))
        expectation = E(ImportanceWeightedBound(), under)
        means.append(-exact.loss(Phase("wake", (expectation,), updates=("encoder", "decoder")), start).numpy())
    return means


class Normal(exact.Law):
    """A normal density with draws of its own."""

    def draw(self, distribution, lead, seed):
        noise = tf.random.stateless_normal((*lead, *distribution.batch_shape), seed, dtype=tf.float64)
        return distribution.loc + distribution.scale * noise


def linear_gaussian(encoder):
    """S2's decoder and prior with this encoder, (c, d, t)."""
    a, b, s = V0[0], V0[1], np.exp(V0[2])
    c, d, t = encoder
    return {
        "prior": exact.STANDARD,
        "encoder": Normal(lambda x: tfd.Normal(c * x + d, tf.constant(t, tf.float64))),
        "decoder": exact.normal(a, b, tf.constant(s, tf.float64)),
    }


def bound(encoder, k, seed=0, size=1):
    """The bound at x = 1.5 with k draws, [size]."""
    densities = linear_gaussian(encoder)
    start = JointSample(densities, ROLES, {"x": tf.fill([size], tf.constant(1.5, tf.float64))}, training=True)
    return ImportanceWeightedBound()(Ancestral(("encoder",), k=k)(start, tf.constant([seed, 0])))


def quadrature_bound(k):
    """The same in expectation: over a grid of k-tuples of nodes."""
    nodes, probabilities = exact.nodes(0.5)
    noise = tf.stack([tf.reshape(part, [-1]) for part in tf.meshgrid(*[nodes] * k)])
    weight = tf.reduce_prod(tf.stack([tf.reshape(part, [-1]) for part in tf.meshgrid(*[probabilities] * k)]), 0)
    c, d, t = ENCODER
    densities = {**linear_gaussian(ENCODER)}
    densities["encoder"] = exact.Noisy(lambda x: tfd.Normal(c * x + d, tf.constant(t, tf.float64)), noise)
    x = tf.fill([noise.shape[1]], tf.constant(1.5, tf.float64))
    start = JointSample(densities, ROLES, {"x": x}, training=True, weight=len(x) * weight)
    return -exact.loss(ugm_tf.recipes.iwae(k=k).phase("wake"), start).numpy()


A, B, S2 = V0[0], V0[1], np.exp(2 * V0[2])
VX = A**2 + S2
LOG_P = -0.5 * np.log(2 * np.pi * VX) - (1.5 - B) ** 2 / (2 * VX)  # log p(x) at 1.5
POSTERIOR = (A / VX, -A * B / VX, np.sqrt(S2 / VX))
ENCODER = (V0[3], V0[4], np.exp(V0[5]))


class SubsetsTest(parameterized.TestCase):
    """The mean over m-subsets of the log-mean weight never falls in m: tightness in k, without sampling error."""

    def test_more_draws_never_loosen_the_bound(self):
        log_weights = 1.5 * np.random.default_rng(4).normal(size=9)  # the oracle's numbers
        golden = (
            -0.37220954406555834,
            0.08676336807318755,
            0.29754769249115626,
            0.4283512250349087,
            0.5217301030146869,
        )
        golden += (0.5930815196027563, 0.6498734853319189, 0.6963364073119638, 0.7351217829009735)
        means = mean_bounds(log_weights)
        np.testing.assert_allclose(means, golden, atol=1e-12)  # float64
        self.assertTrue(np.all(np.diff(means) > 0))

    @parameterized.parameters(*range(3))
    def test_nor_on_draws_of_an_encoder(self, seed):
        densities = linear_gaussian(ENCODER)
        start = JointSample(densities, ROLES, {"x": tf.constant([1.5], tf.float64)}, training=True)
        sample = Ancestral(("encoder",), k=6)(start, tf.constant([seed, 0]))
        means = []
        for m in range(1, 7):
            chosen = sample.where(z=tf.gather(sample["z"][:, 0], subsets(6, m)))
            means.append(-np.mean(ImportanceWeightedBound()(chosen)))
        self.assertTrue(np.all(np.diff(means) > 0), means)

    def test_equal_weights_are_as_good_as_one(self):
        np.testing.assert_allclose(mean_bounds(np.full(4, -0.3)), np.full(4, -0.3), atol=1e-15)


class LinearGaussianTest(parameterized.TestCase):
    @parameterized.parameters(1, 2, 5)
    def test_the_exact_posterior_makes_it_log_p_without_variance(self, k):
        np.testing.assert_allclose(bound(POSTERIOR, k, size=20), np.full(20, -LOG_P), atol=1e-12)  # float64

    def test_another_encoder_has_variance(self):
        self.assertGreater(np.std(bound(ENCODER, 5, size=20)), 1e-3)

    @parameterized.parameters(
        (1, -1.5260050820791953),
        (2, -1.5238050377005963),
        (5, -1.522585273160675),
        (10, -1.5223449444879864),
        (50, -1.5219963851903193),
        (200, -1.5219308711405046),
    )
    def test_its_mean_is_the_oracles(self, k, golden):
        draws = bound(ENCODER, k, seed=k, size=400_000 // k)
        error = np.std(draws) / np.sqrt(len(draws))
        self.assertAlmostEqual(-np.mean(draws), golden, delta=5 * error + 2e-4)  # the oracle: 4e-5 (1 s.e.)

    def test_more_draws_are_tighter_without_sampling_error(self):
        bounds = [quadrature_bound(k) for k in (1, 2, 3)]
        self.assertAlmostEqual(bounds[0], -1.5260050820791953, delta=1e-10)  # the ELBO in closed form
        self.assertAlmostEqual(bounds[1], -1.5238050377005963, delta=5 * 4.4e-5)  # the oracle's standard error
        self.assertTrue(bounds[0] < bounds[1] < bounds[2] < LOG_P, bounds)

    def test_its_log_p_is_that_of_the_oracle(self):
        self.assertAlmostEqual(LOG_P, -1.5219616907312592, delta=1e-14)


if __name__ == "__main__":
    absltest.main()
