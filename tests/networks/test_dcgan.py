"""DCGAN's networks: shapes of any image, and the published choices."""

import keras
import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf.networks import SpectralNorm, dcgan

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)


def layers(network, *kinds):
    """The layers of some kinds, in order; those inside a SpectralNorm too."""
    return [layer for layer in network._flatten_layers() if isinstance(layer, kinds)]


class ShapesTest(parameterized.TestCase):
    @parameterized.parameters((28, 28, 1), (32, 32, 3), (8, 8, 1), (7, 7, 1), (5, 3, 2), (9, 20, 3), (17, 17, 1))
    def test_any_image_from_a_code_and_back(self, *shape):
        decoder = dcgan([(6,)], shape, filters=2)
        encoder = dcgan([shape], (5,), filters=2)
        self.assertEqual(decoder(np.zeros((2, 6), np.float32)).shape, (2, *shape))
        self.assertEqual(encoder(np.zeros((2, *shape), np.float32)).shape, (2, 5))

    def test_an_image_to_an_image_and_vectors_beside_images(self):
        shapes = [(9, 12, 3), (4,), (9, 12, 1), (2,)]
        network = dcgan(shapes, (9, 12, 1), filters=2)
        inputs = [np.zeros((2, *shape), np.float32) for shape in shapes]
        self.assertEqual(network(inputs).shape, (2, 9, 12, 1))

    @parameterized.parameters(([(9, 9, 3)], (12, 12, 1)), ([(9, 9, 3), (8, 8, 3)], (1,)))
    def test_refuses_images_of_several_sizes(self, inputs, output):
        with self.assertRaisesRegex(ValueError, "one image size on all its sides. Received: .* Resize the images"):
            dcgan(inputs, output)

    def test_a_vector_beside_an_image_matters(self):
        network = dcgan([(8, 8, 1), (2,)], (1,), filters=2)
        image = np.zeros((2, 8, 8, 1), np.float32)
        logits = network([image, np.eye(2, dtype=np.float32)]).numpy()
        self.assertNotEqual(logits[0], logits[1])

    def test_between_vectors_it_is_dense(self):
        self.assertEmpty(layers(dcgan([(3,), (4,)], (5,)), *CONVOLUTIONS))

    def test_dcgan_28(self):
        # 784 -> 14 x 14 x 64 -> 7 x 7 x 128, and back: the network of the paper at MNIST's size.
        discriminator, decoder = dcgan([(28, 28, 1)], (1,)), dcgan([(100,)], (28, 28, 1))
        for network, shapes in (
            (discriminator, [(14, 14, 64), (7, 7, 128)]),
            (decoder, [(14, 14, 64), (28, 28, 1)]),
        ):
            self.assertEqual([layer.output.shape[1:] for layer in layers(network, *CONVOLUTIONS)], shapes)


class PublishedChoicesTest(parameterized.TestCase):
    def test_weights_are_small_normals(self):
        for network in (dcgan([(28, 28, 1)], (1,)), dcgan([(100,)], (28, 28, 1))):
            kernel = layers(network, *CONVOLUTIONS)[-2].kernel.numpy()
            self.assertAlmostEqual(kernel.std(), 0.02, delta=0.001)
            self.assertAlmostEqual(kernel.mean(), 0.0, delta=0.002)

    def test_neither_the_first_layer_from_an_image_nor_the_last_is_batch_normalised(self):
        batch_norm = keras.layers.BatchNormalization
        discriminator, decoder = dcgan([(28, 28, 1)], (1,), filters=2), dcgan([(5,)], (28, 28, 1), filters=2)
        self.assertEqual([layer.input.shape[1:] for layer in layers(discriminator, batch_norm)], [(7, 7, 4)])
        self.assertEqual([layer.input.shape[1:] for layer in layers(decoder, batch_norm)], [(7, 7, 4), (14, 14, 2)])

    def test_a_normalised_layer_has_no_bias_of_its_own_and_others_have(self):
        network = dcgan([(28, 28, 1)], (1,), filters=2)
        biases = [layer.use_bias for layer in layers(network, *CONVOLUTIONS, keras.layers.Dense)]
        self.assertEqual(biases, [True, False, True])

    def test_spectral_norm_is_on_every_layer_of_a_discriminator(self):
        options = {"filters": 2, "normalization": "spectral"}
        discriminator, decoder = dcgan([(28, 28, 1)], (1,), **options), dcgan([(5,)], (28, 28, 1), **options)
        self.assertLen(layers(discriminator, SpectralNorm), 3)
        self.assertLen(layers(decoder, SpectralNorm), 2)  # and not on the last of 3
        self.assertEmpty(layers(discriminator, keras.layers.BatchNormalization))

    def test_images_are_between_minus_one_and_one_inside(self):
        network = dcgan([(4, 4, 1)], (3,), filters=2, normalization="none")  # small: a dense layer alone
        dense = layers(network, keras.layers.Dense)[0]
        x = np.random.default_rng(0).uniform(size=(5, 4, 4, 1)).astype(np.float32)
        expected = (2.0 * x.reshape(5, 16) - 1.0) @ dense.kernel.numpy() + dense.bias.numpy()
        np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-6)

    def test_a_bounded_image_is_the_published_tanh(self):
        free, bounded = (dcgan([(5,)], (8, 8, 1), filters=2, bounded=bounded) for bounded in (False, True))
        bounded.set_weights(free.get_weights())
        z = 100.0 * np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
        np.testing.assert_allclose(2.0 * bounded(z) - 1.0, np.tanh(free(z)), rtol=1e-4, atol=1e-6)


if __name__ == "__main__":
    absltest.main()
