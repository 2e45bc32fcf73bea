"""SNGAN's residual networks: published sizes and parameters, blocks by their formula, images of any size."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf import networks
from ugm_tf.networks import SpectralNorm, projection, resnet
from ugm_tf.recipes import bigan

JUDGE = {"normalization": "spectral", "pooling": "sum"}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def conv(channels, filters, size=3):
    return size**2 * channels * filters + filters


def up_block(channels, filters):
    """Two normalisations, two convolutions and a shortcut."""
    return 2 * channels + 2 * filters + conv(channels, filters) + conv(filters, filters) + conv(channels, filters, 1)


def down_block(channels, filters):
    return conv(channels, channels) + conv(channels, filters) + conv(channels, filters, 1)


def first_block(filters):
    return conv(3, filters) + conv(filters, filters) + conv(3, filters, 1)


class PublishedSizesTest(parameterized.TestCase):
    """Counted by hand from the tables of the papers and from pfnet-research/sngan_projection."""

    @parameterized.parameters(
        (32, 4_276_739),
        (64, 129 * 16_384 + sum(map(up_block, (1024, 512, 256, 128), (512, 256, 128, 64))) + 2 * 64 + conv(64, 3)),
        (
            128,
            129 * 16_384
            + sum(map(up_block, (1024, 1024, 512, 256, 128), (1024, 512, 256, 128, 64)))
            + 2 * 64
            + conv(64, 3),
        ),
    )
    @pytest.mark.slow
    def test_generator(self, size, expected):
        network = resnet([(128,)], (size, size, 3), bounded=True)
        self.assertEqual((trainable(network), network.output_shape), (expected, (None, size, size, 3)))

    @parameterized.parameters(
        (32, 1_053_824 + 1),  # the published code for 32 pixels alone has no last bias
        (64, first_block(64) + sum(map(down_block, (64, 128, 256, 512), (128, 256, 512, 1024))) + 1024 + 1),
        (
            128,
            first_block(64)
            + sum(map(down_block, (64, 128, 256, 512), (128, 256, 512, 1024)))
            + 2 * conv(1024, 1024)
            + 1024
            + 1,
        ),
    )
    @pytest.mark.slow
    def test_discriminator(self, size, expected):
        self.assertEqual(trainable(resnet([(size, size, 3)], (1,), **JUDGE)), expected)

    @pytest.mark.slow
    def test_classes_add_a_scale_and_an_offset_of_each_channel_and_a_direction_of_features(self):
        # 6 conditional normalisations of 256 channels in place of ordinary ones; 128 features.
        decoder = resnet([(128,), (10,)], (32, 32, 3))
        self.assertEqual(trainable(decoder), 4_276_739 - 6 * 2 * 256 + 6 * 2 * 256 * 10)
        judge = projection(resnet, [(32, 32, 3), (10,)], **JUDGE)
        self.assertEqual(trainable(judge), 1_053_824 + 1 + 10 * 128)
        self.assertLen([layer for layer in judge._flatten_layers() if isinstance(layer, SpectralNorm)], 12)

    def test_a_discriminator_is_built_as_published_and_other_networks_with_batch_normalisation(self):
        built = networks.build(bigan(), {"x": (8, 8, 1), "z": (3,)}, network="resnet", filters=2)
        kinds = {n: {type(layer).__name__ for layer in d._flatten_layers()} for n, d in built.items() if n != "prior"}
        self.assertEqual(
            {n: ("SpectralNorm" in k, "FusedBatchNormalization" in k, "SumOverPlaces" in k) for n, k in kinds.items()},
            {
                "encoder": (False, True, False),
                "decoder": (False, True, False),
                "discriminator": (True, False, True),
            },
        )


class BlocksTest(parameterized.TestCase):
    """With published order of operations, which ours only costs less than."""

    def numbers(self, network):
        """Kernels and biases in the order in which layers were made: convolutions, and the dense layer."""
        for i, v in enumerate(network.trainable_variables):
            v.assign(0.3 * normal(*v.shape, seed=i))
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        convolutions.sort(key=lambda layer: int(layer.name.replace("conv2d", "0").replace("_", "")))
        (dense,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
        return iter([v.value for layer in convolutions for v in layer.trainable_variables]), dense

    def convolved(self, y, weights):
        kernel, bias = next(weights), next(weights)
        return tf.nn.conv2d(y, kernel, 1, "SAME") + bias

    def pooled(self, y):
        return tf.nn.avg_pool2d(y, 2, 2, "VALID")

    def assert_near(self, found, expected):
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=1e-4)

    def test_up(self):
        network, z = resnet([(5,)], (14, 14, 2), filters=3, normalization="none"), normal(4, 5)
        weights, dense = self.numbers(network)
        y = tf.reshape(z @ dense.kernel.numpy() + dense.bias.numpy(), [4, 7, 7, 3])
        large = tf.repeat(tf.repeat(y, 2, 1), 2, 2)
        short = self.convolved(large, weights)
        y = self.convolved(tf.nn.relu(large), weights)
        y = self.convolved(tf.nn.relu(y), weights) + short
        self.assert_near(network(z), self.convolved(tf.nn.relu(y), weights))

    @parameterized.parameters("sum", "none")
    def test_down(self, pooling):
        network = resnet([(16, 16, 2)], (3,), filters=4, normalization="none", pooling=pooling)
        (weights, dense), x = self.numbers(network), np.random.default_rng(0).uniform(size=(4, 16, 16, 2))
        x_inside = tf.constant(2.0 * x - 1.0, tf.float32)
        short = self.pooled(self.convolved(x_inside, weights))
        y = self.convolved(x_inside, weights)
        y = self.pooled(self.convolved(tf.nn.relu(y), weights)) + short
        for _ in range(2):  # at 8x8: as they are
            short = y
            y = self.convolved(tf.nn.relu(y), weights)
            y = self.convolved(tf.nn.relu(y), weights) + short
        y = tf.nn.relu(y)
        y = tf.reduce_sum(y, [1, 2]) if pooling == "sum" else tf.reshape(y, [4, -1])
        self.assert_near(network(x.astype(np.float32)), y.numpy() @ dense.kernel.numpy() + dense.bias.numpy())

    def test_weights_are_uniform_with_the_published_limits(self):
        network = resnet([(8, 8, 2)], (3,), filters=32, normalization="none")
        kernels = [layer.kernel.numpy() for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        for kernel in kernels:
            size = kernel.shape[0] ** 2
            gain = 2.0 if size == 9 else 1.0  # shortcuts have none
            limit = np.sqrt(6.0 * gain / (size * (kernel.shape[2] + kernel.shape[3])))
            self.assertBetween(np.abs(kernel).max(), 0.9 * limit, limit)


class ShapesTest(parameterized.TestCase):
    @parameterized.parameters((8, 8, 1), (12, 20, 3), (28, 28, 1), (36, 36, 3), (4, 4, 1), (9, 7, 2), (34, 50, 1))
    @pytest.mark.slow
    def test_any_image_from_a_code_and_back_and_to_another(self, *shape):
        decoder = resnet([(6,)], shape, filters=2)
        encoder = resnet([shape], (5,), filters=2)
        translator = resnet([shape], shape, filters=2, bounded=True)
        self.assertEqual(decoder(np.zeros((2, 6), np.float32)).shape, (2, *shape))
        self.assertEqual(encoder(np.zeros((2, *shape), np.float32)).shape, (2, 5))
        image = translator(np.zeros((2, *shape), np.float32)).numpy()
        self.assertEqual(image.shape, (2, *shape))
        self.assertTrue(((image >= 0.0) & (image <= 1.0)).all())

    def test_refuses_a_pooling_that_there_is_not(self):
        with self.assertRaisesRegex(ValueError, "pooling is one of none, sum. Received: 'mean'"):
            resnet([(8, 8, 1)], (1,), pooling="mean")

    def test_refuses_images_of_several_sizes(self):
        with self.assertRaisesRegex(ValueError, "A resnet network has one image size on all its sides"):
            resnet([(8, 8, 1)], (12, 12, 1))


if __name__ == "__main__":
    absltest.main()
