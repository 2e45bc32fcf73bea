"""Spectral normalisation and appended vectors, by numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf.networks import AppendVector, SpectralNorm

RNG = np.random.default_rng(0)


def followed(layer, x, steps=200):
    """The layer after some steps of its power iteration."""
    for _ in range(steps):
        layer(x, training=True)
    return layer


class SpectralNormTest(parameterized.TestCase):
    @parameterized.parameters(
        (keras.layers.Dense(4, use_bias=False), (5, 6)),
        (keras.layers.Conv2D(4, 3, use_bias=False), (5, 8, 8, 2)),
        (keras.layers.Conv2DTranspose(4, 3, strides=2, use_bias=False), (5, 8, 8, 2)),
    )
    @pytest.mark.slow
    def test_divides_the_kernel_by_its_largest_singular_value(self, inner, shape):
        x = RNG.normal(size=shape).astype(np.float32)
        layer = followed(SpectralNorm(inner), x)
        kernel = inner.kernel.numpy()
        sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        np.testing.assert_allclose(layer(x), inner(x) / sigma, rtol=1e-3, atol=1e-4)

    @pytest.mark.slow
    def test_the_gradient_flows_through_the_division(self):
        inner = keras.layers.Dense(4, use_bias=False)
        x = RNG.normal(size=(5, 6)).astype(np.float32)
        layer = followed(SpectralNorm(inner), x)

        def total(kernel):
            return np.sum(np.sin(x @ kernel / np.linalg.svd(kernel, compute_uv=False)[0]))

        with tf.GradientTape() as tape:
            value = tf.reduce_sum(tf.sin(layer(x)))
        gradient = tape.gradient(value, inner.kernel.value).numpy()
        kernel, epsilon = inner.kernel.numpy().astype(np.float64), 1e-5
        for index in np.ndindex(kernel.shape):
            step = np.zeros_like(kernel)
            step[index] = epsilon
            numeric = (total(kernel + step) - total(kernel - step)) / (2 * epsilon)
            self.assertAlmostEqual(gradient[index], numeric, delta=2e-3)

    def test_only_training_takes_a_step_of_the_power_iteration(self):
        layer = SpectralNorm(keras.layers.Dense(4, use_bias=False))
        x = RNG.normal(size=(5, 6)).astype(np.float32)
        layer(x)
        before = layer.left.numpy()
        np.testing.assert_array_equal(layer(x, training=False), layer(x))
        np.testing.assert_array_equal(layer.left, before)
        layer(x, training=True)
        self.assertGreater(np.abs(layer.left.numpy() - before).max(), 0.0)

    def test_a_bias_is_added_after_the_division(self):
        layer = SpectralNorm(keras.layers.Dense(4, use_bias=False))
        x = RNG.normal(size=(5, 6)).astype(np.float32)
        without = layer(x).numpy()
        layer.offset.assign([1.0, 2.0, 3.0, 4.0])
        np.testing.assert_allclose(layer(x), without + [1.0, 2.0, 3.0, 4.0], rtol=1e-5, atol=1e-6)

    def test_refuses_a_bias_inside(self):
        with self.assertRaisesRegex(ValueError, "use_bias=False and no activation. Received: <Dense"):
            SpectralNorm(keras.layers.Dense(4))

    def test_refuses_an_activation_inside(self):
        with self.assertRaisesRegex(ValueError, "takes a layer with use_bias=False and no activation"):
            SpectralNorm(keras.layers.Dense(4, use_bias=False, activation="relu"))

    def test_is_made_again_from_its_config(self):
        layer = SpectralNorm(keras.layers.Dense(4, use_bias=False), bias=False, epsilon=1e-6)
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        self.assertEqual(again.get_config(), layer.get_config())
        self.assertFalse(again.bias)


class AppendVectorTest(absltest.TestCase):
    def test_each_number_is_a_constant_channel(self):
        image = RNG.normal(size=(5, 3, 2, 1)).astype(np.float32)
        vector = RNG.normal(size=(5, 4)).astype(np.float32)
        out = AppendVector()([image, vector]).numpy()
        np.testing.assert_array_equal(out[..., :1], image)
        for row in range(3):
            for column in range(2):
                np.testing.assert_array_equal(out[:, row, column, 1:], vector)

    def test_tells_its_shape(self):
        self.assertEqual(AppendVector().compute_output_shape([(None, 3, 2, 1), (None, 4)]), (None, 3, 2, 5))


if __name__ == "__main__":
    absltest.main()
