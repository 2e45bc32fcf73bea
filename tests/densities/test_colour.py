"""Likelihoods of colour: by SciPy and by exhaustion."""

import itertools

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.densities import table
from ugm_tf import UnifiedModel, densities, networks
from ugm_tf.densities.noise import standard_noise
from ugm_tf.recipes import vae

RNG = np.random.default_rng(0)


class SharedScaleGaussianTest(parameterized.TestCase):
    def test_by_scipy(self):
        values, x = table.parameters((4, 5, 4), 3), RNG.normal(size=(3, 4, 5, 3))
        found = densities.SharedScaleGaussian().distribution(values, 3).log_prob(tf.constant(x, tf.float32))
        for row, image, log_prob in zip(values, x, found, strict=True):
            scale = np.log1p(np.exp(row[..., 3].mean())) + 1e-4
            by_hand = scipy.stats.norm.logpdf(image, row[..., :3], scale).sum()
            np.testing.assert_allclose(log_prob, by_hand, rtol=1e-4)

    def test_the_best_scale_is_the_root_of_the_mean_squared_error(self):
        loc, x = (RNG.normal(size=(1, 4, 5, 3)).astype(np.float32) for _ in range(2))
        best = np.sqrt(np.mean((x - loc) ** 2))
        raw = tf.constant(np.log(np.expm1(best - 1e-4)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(raw)
            values = tf.concat([loc, tf.fill([1, 4, 5, 1], raw)], -1)
            log_prob = densities.SharedScaleGaussian().distribution(values, 3).log_prob(x)
        self.assertAlmostEqual(float(tape.gradient(log_prob, raw)), 0.0, delta=1e-3)  # of 60 terms of order 1

    def test_a_built_network_ends_in_one_scale_of_its_own(self):
        shapes = {"x": (8, 8, 3), "z": (2,)}
        built = networks.build(vae(), shapes, likelihood="shared_scale_gaussian", hidden=(4,))
        decoder = built["decoder"]
        plain = networks.build(vae(), shapes, likelihood="gaussian(scale=0.1)", hidden=(4,))["decoder"]
        self.assertEqual(decoder.count_params(), plain.count_params() + 1)
        self.assertEqual((decoder.event_shape, decoder.parameter_shape), ((8, 8, 3), (8, 8, 4)))
        scales = decoder.distribution(RNG.normal(size=(5, 2)).astype(np.float32)).distribution.scale.numpy()
        np.testing.assert_allclose(scales, np.log(2.0) + 1e-4, rtol=1e-5)  # the softplus of 0
        decoder.network.layers[-1].shared.assign([-0.3])
        scales = decoder.distribution(np.zeros((5, 2), np.float32)).distribution.scale.numpy()
        np.testing.assert_allclose(scales, np.log1p(np.exp(-3.0)) + 1e-4, rtol=1e-5)

    def test_the_scale_is_that_of_the_data_after_few_steps(self):
        keras.utils.set_random_seed(0)
        built = networks.build(vae(), {"x": (4, 4, 3), "z": (2,)}, likelihood="shared_scale_gaussian", hidden=(4,))
        model = UnifiedModel(vae(), built)
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(RNG.normal(0.5, 0.1, [640, 4, 4, 3]).astype(np.float32), batch_size=64, epochs=50, verbose=0)
        scale = built["decoder"].distribution(np.zeros((1, 2), np.float32)).distribution.scale.numpy().max()
        self.assertBetween(scale, 0.09, 0.13)

    def test_refuses_networks_without_a_scale(self):
        with self.assertRaisesRegex(ValueError, "and one raw scale more on the last axis. Received a network of"):
            densities.SharedScaleGaussian().event_shape((8, 8, 1))


def probability(x, parameters, k, levels):
    """P of one pixel's channels in [0, 1], by SciPy's logistic distribution function on [-1, 1]."""
    channels = len(x)
    weights = scipy.special.softmax(parameters[:k])
    locations, log_scales, raw = np.split(parameters[k:], [channels * k, 2 * channels * k])
    locations, log_scales = locations.reshape(channels, k), log_scales.reshape(channels, k)
    coefficients = np.tanh(raw.reshape(-1, k))
    inside, total = 2.0 * np.asarray(x) - 1.0, 0.0
    for component in range(k):
        product, number = 1.0, 0
        for c in range(channels):
            m = locations[c, component]
            for j in range(c):
                m += coefficients[number, component] * inside[j]
                number += 1
            at = scipy.stats.logistic(m, np.exp(max(log_scales[c, component], -7.0)))
            high = 1.0 if x[c] == 1.0 else at.cdf(inside[c] + 1.0 / (levels - 1))
            low = 0.0 if x[c] == 0.0 else at.cdf(inside[c] - 1.0 / (levels - 1))
            product *= high - low
        total += weights[component] * product
    return total


class DiscretizedLogisticMixtureTest(parameterized.TestCase):
    def test_has_the_published_number_of_parameters(self):
        self.assertEqual(densities.DiscretizedLogisticMixture().parameter_shape((32, 32, 3)), (32, 32, 100))
        self.assertEqual(densities.DiscretizedLogisticMixture(5).parameter_shape((28, 28, 1)), (28, 28, 15))

    @parameterized.parameters(1, 2, 3)
    @pytest.mark.slow
    def test_by_scipy_and_all_images_of_a_pixel_sum_to_1(self, channels):
        family = densities.DiscretizedLogisticMixture(3, 4)
        values = table.parameters(family.parameter_shape((1, 1, channels)))
        every = np.array(list(itertools.product(np.arange(4) / 3, repeat=channels)), np.float32)
        log_prob = family.distribution(values, 3).log_prob(every[:, None, None, :]).numpy()
        self.assertAlmostEqual(np.exp(log_prob).sum(), 1.0, delta=1e-5)
        by_hand = [probability(x.astype(np.float64), values[0, 0].astype(np.float64), 3, 4) for x in every]
        np.testing.assert_allclose(np.exp(log_prob), by_hand, rtol=1e-3)

    def test_pixels_are_independent(self):
        family = densities.DiscretizedLogisticMixture(2, 256)
        values = table.parameters((2, 3, 20))
        x = (RNG.integers(0, 256, (2, 3, 3)) / 255).astype(np.float32)
        whole = family.distribution(values, 3).log_prob(x)
        parts = [
            family.distribution(values[i : i + 1, j : j + 1], 3).log_prob(x[i : i + 1, j : j + 1])
            for i in range(2)
            for j in range(3)
        ]
        np.testing.assert_allclose(whole, np.sum(parts), rtol=1e-5)

    def test_a_channel_of_one_component_is_a_discretized_logistic(self):
        family, other = densities.DiscretizedLogisticMixture(1), densities.DiscretizedLogistic()
        loc, log_scale = RNG.normal(size=(2, 3, 1)), RNG.normal(size=(2, 3, 1)) - 2.0
        x = (RNG.integers(0, 256, (2, 3, 1)) / 255).astype(np.float32)
        mine = np.concatenate([np.zeros((2, 3, 1)), loc, log_scale], -1).astype(np.float32)
        raw = np.log(np.expm1(0.5 * np.exp(log_scale) - 1e-4))
        theirs = np.concatenate([0.5 + 0.5 * loc, raw], -1).astype(np.float32)
        left, right = family.distribution(mine, 3).log_prob(x), other.distribution(theirs, 3).log_prob(x)
        np.testing.assert_allclose(left, right, rtol=1e-4)

    def test_draws_are_as_frequent_as_they_are_probable(self):
        family = densities.DiscretizedLogisticMixture(2, 3)
        values, n = table.parameters(family.parameter_shape((1, 1, 2)), seed=2), 20_000
        law = family.distribution(values, 3)
        noise = standard_noise("uniform", (n, *family.noise_shape((1, 1, 2))), tf.constant([0, 0]))
        draws = np.rint(2 * family.draw(law, noise).numpy()[:, 0, 0]).astype(int)
        every = np.array(list(itertools.product(range(3), repeat=2)))
        expected = n * np.exp(law.log_prob(every[:, None, None, :].astype(np.float32) / 2.0).numpy())
        counts = np.array([np.sum((draws == image).all(-1)) for image in every])
        chi2 = np.sum((counts - expected) ** 2 / expected)  # 8 degrees of freedom: above 26.1 once in 1,000
        self.assertLess(chi2, 26.1)

    def test_its_mean_is_that_of_the_logistics(self):
        family = densities.DiscretizedLogisticMixture(1)
        values = np.array([0.0, 0.2, -0.4, -3.0, -3.0, 0.5], np.float32)[None, None]
        mean = family.location(family.distribution(values, 3)).numpy()[0, 0]
        np.testing.assert_allclose(2.0 * mean - 1.0, [0.2, -0.4 + np.tanh(0.5) * 0.2], rtol=1e-5)

    def test_far_from_the_data_it_is_finite_and_so_is_its_gradient(self):
        family = densities.DiscretizedLogisticMixture(2)
        values = tf.constant(30.0 * table.parameters((2, 3, 20)))
        for x in (tf.zeros([2, 3, 3]), tf.ones([2, 3, 3]), tf.fill([2, 3, 3], 128 / 255)):
            with tf.GradientTape() as tape:
                tape.watch(values)
                log_prob = family.distribution(values, 3).log_prob(x)
            self.assertTrue(np.isfinite(log_prob))
            self.assertTrue(np.isfinite(tape.gradient(log_prob, values)).all())

    @parameterized.parameters(
        (lambda: densities.DiscretizedLogisticMixture(0), "at least 1 component and 2 levels. Received: components=0"),
        (lambda: densities.DiscretizedLogisticMixture().event_shape((8, 8, 7)), "takes 30 parameters .* and 100 for"),
        (lambda: densities.DiscretizedLogisticMixture().parameter_shape((8,)), "is of images, such as"),
    )
    def test_refuses(self, make, advice):
        with self.assertRaisesRegex(ValueError, advice):
            make()


if __name__ == "__main__":
    absltest.main()
