"""What every convolutional network has in common: ranges, vectors beside images, ends in full precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.networks import Modulate, dcgan, resnet
from ugm_tf.networks.frame import halvings

KINDS = (("dcgan", dcgan), ("resnet", resnet))
SMALL = {"filters": 2}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def layers(network, kind):
    return [layer for layer in network._flatten_layers() if isinstance(layer, kind)]


class FrameTest(parameterized.TestCase):
    @parameterized.named_parameters(*KINDS)
    def test_ends_in_float32_in_mixed_precision(self, builder):
        keras.utils.set_random_seed(0)  # by chance a judge of few filters says 0 of all three images
        old = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            made = [
                builder([(4,)], (8, 8, 3), bounded=True, **SMALL),
                builder([(4,)], (8, 8, 3), **SMALL),
                builder([(8, 8, 3)], (1,), normalization="spectral", **SMALL),
                builder([(8, 8, 3), (4,)], (8, 8, 3), **SMALL),
            ]
        finally:
            keras.config.set_dtype_policy(old)
        for network in made:
            inputs = [normal(3, *t.shape[1:]) for t in network.inputs]
            y = network(inputs if len(inputs) > 1 else inputs[0])
            self.assertEqual((network.compute_dtype, y.dtype), ("bfloat16", tf.float32))
            rounded = tf.cast(tf.cast(y, tf.bfloat16), tf.float32)
            self.assertGreater(np.mean(y.numpy() != rounded.numpy()), 0.5)  # and has the digits of one

    @parameterized.named_parameters(*KINDS)
    @pytest.mark.slow
    def test_a_vector_is_constant_channels_or_the_scale_and_offset_of_each_normalisation(self, builder):
        shapes = [(8, 8, 1), (4,)]
        for vectors, normalization, expected in (
            ("channels", "batch", 0),
            ("normalization", "batch", None),
            ("normalization", "spectral", 0),  # which normalises nothing that a vector could scale
        ):
            options = {"vectors": vectors, "normalization": normalization, **SMALL}
            network = builder(shapes, (1,), **options)
            found = len(layers(network, Modulate))
            self.assertEqual(found, len(layers(network, keras.layers.BatchNormalization)) if expected is None else 0)

    @parameterized.named_parameters(*KINDS)
    def test_of_a_code_and_a_class_the_class_conditions_and_matters(self, builder):
        network = builder([(6,), (3,)], (16, 16, 1), vectors="normalization", **SMALL)
        found = layers(network, Modulate)
        self.assertNotEmpty(found)
        z, c = np.repeat(normal(1, 6), 2, 0), np.eye(3, dtype=np.float32)[:2]
        before = network([z, c]).numpy()
        np.testing.assert_allclose(before[0], before[1], rtol=1e-4, atol=1e-9)  # at first it changes nothing
        for layer in found:
            layer.scales.assign(normal(*layer.scales.shape))
        after = network([z, c]).numpy()
        self.assertGreater(np.abs(after[0] - after[1]).max(), 0.01 * np.abs(after).max())

    @parameterized.named_parameters(*KINDS)
    def test_its_features_are_a_vector(self, builder):
        network = builder([(8, 8, 1)], (), normalization="spectral", **SMALL)
        self.assertLen(network.output_shape, 2)

    @parameterized.named_parameters(*KINDS)
    def test_refuses_options_that_there_are_not(self, builder):
        with self.assertRaisesRegex(ValueError, "vectors is one of channels, normalization. Received: 'rows'"):
            builder([(8, 8, 1)], (1,), vectors="rows")
        with self.assertRaisesRegex(ValueError, "normalization is one of batch, .*Received: 'layer'"):
            builder([(8, 8, 1)], (1,), normalization="layer")

    @parameterized.named_parameters(*KINDS)
    def test_is_saved_and_loaded(self, builder):
        network = builder([(8, 8, 1), (3,)], (8, 8, 1), vectors="normalization", bounded=True, **SMALL)
        x, c = normal(2, 8, 8, 1), normal(2, 3)
        path = self.create_tempdir().full_path + "/network.keras"
        network.save(path)
        np.testing.assert_array_equal(keras.saving.load_model(path)([x, c]), network([x, c]))

    def test_halvings_round_up(self):
        self.assertEqual(halvings((100, 30), 7), [(100, 30), (50, 15), (25, 8), (13, 4), (7, 2)])


class TrainingTest(parameterized.TestCase):
    """Translators and discriminators of each kind learn, compiled with XLA and not, and in bfloat16."""

    def losses(self, network, **options):
        recipe = ugm_tf.recipes.cyclegan()
        keras.utils.set_random_seed(0)
        built = ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "target": (8, 8, 1)}, network=network, filters=2)
        model = ugm_tf.UnifiedModel(recipe, built, seed=0)
        model.compile(keras.optimizers.SGD(1e-2), **options)
        x = np.random.default_rng(0).uniform(size=(4, 8, 8, 1)).astype(np.float32)
        return model.fit({"x": x, "target": 1.0 - x}, batch_size=4, epochs=3, verbose=0, shuffle=False).history

    @pytest.mark.slow
    def test_with_xla_as_without(self):
        self.check_xla("dcgan")

    @parameterized.parameters("resnet", "cyclegan")
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_with_xla_as_without_of(self, network):
        self.check_xla(network)

    def check_xla(self, network):
        without, compiled = (self.losses(network, jit_compile=jit) for jit in (False, True))
        self.assertEqual(list(without), list(compiled))
        for name, values in without.items():
            np.testing.assert_allclose(values, compiled[name], rtol=1e-3, atol=1e-4, err_msg=name)
        self.assertNotEqual(without["generate/loss"][0], without["generate/loss"][-1])

    @parameterized.parameters("dcgan", "resnet")
    @pytest.mark.slow
    def test_in_bfloat16_as_in_float32_up_to_its_rounding(self, network):
        self.check_bfloat16(network)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_in_bfloat16_as_in_float32_of_cyclegan(self):
        self.check_bfloat16("cyclegan")

    def check_bfloat16(self, network):
        single = self.losses(network, jit_compile=False)
        old = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            mixed = self.losses(network, jit_compile=False)
        finally:
            keras.config.set_dtype_policy(old)
        for name, values in single.items():
            np.testing.assert_allclose(values[0], mixed[name][0], rtol=0.05, atol=0.05, err_msg=name)
            self.assertTrue(np.isfinite(mixed[name]).all(), name)


class ModulateTest(absltest.TestCase):
    def test_scales_and_shifts_by_hand(self):
        layer, x, v = Modulate(), normal(5, 3, 2, 4), normal(5, 6, seed=1)
        np.testing.assert_array_equal(layer([x, v]), x)
        s, o = normal(6, 4, seed=2), normal(6, 4, seed=3)
        layer.set_weights([s, o])
        by_hand = (1.0 + (v @ s)[:, None, None]) * x + (v @ o)[:, None, None]
        np.testing.assert_allclose(layer([x, v]), by_hand, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    absltest.main()
