"""The fast layers are Keras's own, in value, gradient and moving averages."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf.networks import fast

RNG = np.random.default_rng(0)


def same(test, layer, other, x, **call):
    """Both layers give the same values and the same gradients, to inputs and weights; or both are refused."""
    x = tf.constant(x)
    layer.build(x.shape)
    other.build(x.shape)
    other.set_weights(layer.get_weights())
    results = []
    for each in (other, layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            try:
                y = each(x, **call)
            except tf.errors.InvalidArgumentError:  # TensorFlow has no such kernel for this processor
                results.append(None)
                continue
            total = tf.reduce_sum(tf.sin(y + 0.1))
        results.append((y, *tape.gradient(total, [x, *(v.value for v in each.trainable_variables)])))
    refused = [result is None for result in results]
    test.assertEqual(*refused)
    if any(refused):
        return
    for left, right in zip(*results, strict=True):
        test.assertIsNotNone(left)
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4)


class ConvolutionsTest(parameterized.TestCase):
    @parameterized.product(channels=[1, 3], kernel=[2, 3, 4, 5], use_bias=[True, False])
    def test_transposed_to_an_image(self, channels, kernel, use_bias):
        options = {"strides": 2, "padding": "same", "use_bias": use_bias, "activation": "tanh"}
        kinds = (fast.ImageConv2DTranspose, keras.layers.Conv2DTranspose)
        layers = (kind(channels, kernel, **options) for kind in kinds)
        same(self, *layers, RNG.normal(size=(2, 4, 6, 5)).astype(np.float32))

    @parameterized.product(channels=[1, 3], kernel=[2, 3, 4, 5], use_bias=[True, False])
    def test_strided_from_an_image(self, channels, kernel, use_bias):
        options = {"strides": 2, "padding": "same", "use_bias": use_bias, "activation": "tanh"}
        layers = (kind(5, kernel, **options) for kind in (fast.ImageConv2D, keras.layers.Conv2D))
        same(self, *layers, RNG.normal(size=(2, 8, 6, channels)).astype(np.float32))

    @parameterized.parameters(
        ({"strides": 3}, (2, 9, 9, 1)),
        ({"strides": 2}, (2, 7, 9, 1)),  # sides that the stride does not divide
        ({"strides": (2, 1)}, (2, 8, 8, 1)),
        ({"strides": 2, "padding": "valid"}, (2, 8, 8, 1)),
        ({"strides": 1}, (2, 8, 8, 1)),
        ({"strides": 2}, (2, 8, 8, 12)),
        ({"strides": 1, "dilation_rate": 2}, (2, 8, 8, 1)),
    )
    def test_all_the_rest_is_as_in_keras(self, options, shape):
        x = RNG.normal(size=shape).astype(np.float32)
        options = {"padding": "same", **options}
        same(self, fast.ImageConv2D(3, 4, **options), keras.layers.Conv2D(3, 4, **options), x)
        transposed = (kind(1, 4, **options) for kind in (fast.ImageConv2DTranspose, keras.layers.Conv2DTranspose))
        same(self, *transposed, x)


class BatchNormalizationTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_is_kerass_with_its_moving_averages(self, training):
        layer, other = (
            kind(momentum=0.9, epsilon=1e-3) for kind in (fast.FusedBatchNormalization, keras.layers.BatchNormalization)
        )
        x = RNG.normal(2.0, 3.0, size=(4, 3, 2, 5)).astype(np.float32)
        same(self, layer, other, x, training=training)
        for left, right in zip(layer.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)
        self.assertEqual(np.any(layer.moving_mean.numpy() != 0.0), training)


if __name__ == "__main__":
    absltest.main()
