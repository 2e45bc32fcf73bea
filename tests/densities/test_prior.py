"""Priors that learn: their log-probabilities by hand, their draws, what reaches their weights, and what is refused."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import densities
from ugm_tf.densities import Gaussian, Mixture, Prior, VampPrior

Z = np.array([[0.3, -1.0], [2.0, 0.1], [-0.5, 0.4]], np.float32)
MEANS, SCALES, WEIGHTS = np.array([[-3.0, 1.0], [2.0, 0.0]]), np.array([[0.5, 1.0], [0.2, 2.0]]), np.array([0.25, 0.75])


def softplus_inverse(y):
    return np.log(np.expm1(y - 1e-4))


def mixture():
    """Two Gaussians of the plane, whose means, scales and weights are given."""
    prior = Prior((2,), Mixture(2), learned=True)
    each = np.concatenate([MEANS, softplus_inverse(SCALES)], 1).ravel()
    prior.set_weights([np.concatenate([np.log(WEIGHTS), each]).astype(np.float32)])
    return prior


def affine_encoder(family="gaussian", outputs=4):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs)])
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    return ugm_tf.Density(network, family)


def again(layer):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))


class LearnedTest(parameterized.TestCase):
    @parameterized.parameters("gaussian", "laplace(scale=None)", "full_covariance_gaussian", "uniform")
    @pytest.mark.slow
    def test_a_familys_parameters_start_where_the_fixed_prior_is(self, family):
        learned, fixed = Prior((2,), family, learned=True), Prior((2,), family)
        z = np.clip(Z, -0.9, 0.9)
        np.testing.assert_allclose(learned(z), fixed(z), rtol=1e-5)
        self.assertEqual((len(learned.trainable_variables), len(fixed.variables)), (1, 0))

    def test_components_start_apart_from_one_another(self):
        (weights,) = Prior((2,), Mixture(5), learned=True).get_weights()
        means = weights[5:].reshape(5, 4)[:, :2]
        self.assertGreater(np.min(np.linalg.norm(means[:, None] - means, axis=-1) + 9 * np.eye(5)), 1e-3)

    def test_weights_are_float32_under_every_policy(self):
        prior = Prior((2,), Mixture(5), learned=True, dtype="mixed_bfloat16")
        self.assertEqual((prior.variables[0].dtype, prior.distribution().log_prob(Z).dtype), ("float32", tf.float32))

    def test_is_saved_with_what_it_is(self):
        for prior in (mixture(), Prior((3,), "gaussian", densities.MaskedAutoregressiveFlow(3, context=0))):
            loaded = again(prior)
            loaded.set_weights(prior.get_weights())
            z = np.zeros([1, *prior.event_shape], np.float32) + 0.3
            np.testing.assert_array_equal(loaded(z), prior(z))

    def test_one_of_an_earlier_file_is_fixed(self):
        config = {k: v for k, v in Prior((2,)).get_config().items() if k not in ("flow", "learned")}
        self.assertEqual(Prior.from_config(config).variables, [])

    def test_refuses_a_flow_that_waits_for_a_context(self):
        with self.assertRaisesRegex(ValueError, "no network to give its flow a context: .* Received: context=16"):
            Prior((3,), flow=densities.MaskedAutoregressiveFlow(3))


class MixtureTest(parameterized.TestCase):
    def test_its_log_probability_is_that_of_the_sum(self):
        each = [scipy.stats.norm.pdf(Z, m, s).prod(-1) for m, s in zip(MEANS, SCALES, strict=True)]
        np.testing.assert_allclose(mixture()(Z), np.log(WEIGHTS @ each), rtol=1e-5)

    def test_draws_come_from_each_component_as_often_as_it_weighs(self):
        prior, n = mixture(), 20_000
        z = prior.draw(prior.distribution(), [n], tf.constant([3, 4])).numpy()
        left = z[:, 0] < -0.5  # 5 scales from the one mean, 12 from the other
        self.assertAlmostEqual(left.mean(), 0.25, delta=5 * np.sqrt(0.25 * 0.75 / n))
        for of, mean, scale in ((z[left], MEANS[0], SCALES[0]), (z[~left], MEANS[1], SCALES[1])):
            np.testing.assert_allclose(of.mean(0), mean, atol=5 * 2.0 / np.sqrt(n / 4))
            np.testing.assert_allclose(of.std(0), scale, rtol=0.06)

    @parameterized.parameters(
        (0, "at least 1 component. Received: components=0"),
        (2.5, "at least 1 component. Received: components=2.5"),
    )
    def test_refuses_no_number(self, components, advice):
        with self.assertRaisesRegex(ValueError, advice):
            Mixture(components)

    def test_refuses_components_of_bits(self):
        with self.assertRaisesRegex(ValueError, "family of real values .* Received: of=Bernoulli"):
            Mixture(2, densities.get("bernoulli"))

    def test_refuses_images(self):
        with self.assertRaisesRegex(ValueError, r"A mixture is of vectors, .* Received: \(8, 8, 1\)"):
            Prior((8, 8, 1), Mixture(2))

    def test_refuses_a_network_of_another_size(self):
        with self.assertRaisesRegex(ValueError, r"3 logits and as many times .* output shape \(20,\)"):
            Mixture(3).event_shape((20,))


class VampTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(0)  # far pseudo-inputs would have no gradient

    def test_it_is_the_mean_of_the_posteriors_at_its_pseudo_inputs(self):
        encoder, prior = affine_encoder(), VampPrior((2,), (3,), 4)
        posteriors = encoder.distribution(prior.inputs())
        each = np.stack([posteriors.log_prob(np.broadcast_to(z, (4, 2))) for z in Z])
        mean = scipy.special.logsumexp(each, 1) - np.log(4.0)
        np.testing.assert_allclose(prior.distribution(encoder).log_prob(Z), mean, rtol=1e-5)

    def test_pseudo_inputs_and_encoder_learn_from_it(self):
        encoder, prior = affine_encoder(), VampPrior((2,), (3,), 4)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(prior.distribution(encoder).log_prob(Z))
        weights = [*prior.trainable_variables, *encoder.trainable_variables]
        self.assertLen(weights, 3)
        for gradient in tape.gradient(loss, [w.value for w in weights]):
            self.assertGreater(np.max(np.abs(gradient)), 1e-4)

    def test_draws_are_of_the_posteriors(self):
        encoder, prior = affine_encoder("laplace", 2), VampPrior((2,), (3,), 2, "laplace")
        means = encoder.distribution(prior.inputs()).mean().numpy()
        z = prior.draw(prior.distribution(encoder), [20_000], tf.constant([3, 4])).numpy()
        np.testing.assert_allclose(z.mean(0), means.mean(0), atol=0.1)
        variance = 2.0 + means.var(0)  # of a Laplace of scale 1, and between the two
        np.testing.assert_allclose(z.var(0), variance, rtol=0.06)

    def test_pseudo_images_lie_in_the_unit_interval(self):
        prior = VampPrior((2,), (8, 8, 1), 4)
        prior.set_weights([100.0 * w for w in prior.get_weights()])
        self.assertBetween(prior.inputs().numpy().min(), 0.0, 0.1)
        self.assertBetween(prior.inputs().numpy().max(), 0.9, 1.0)

    def test_is_saved_with_what_it_is(self):
        prior = VampPrior((2,), (3,), 4, Gaussian(), encoder="other")
        loaded = again(prior)
        self.assertEqual((loaded.get_config(), loaded.through), (prior.get_config(), ("other",)))
        self.assertEqual([w.shape for w in loaded.weights], [(4, 3)])

    def test_alone_it_has_no_value(self):
        with self.assertRaisesRegex(ValueError, "made of an encoder's posteriors: ask a model"):
            VampPrior((2,), (3,), 4)(Z)


if __name__ == "__main__":
    absltest.main()
