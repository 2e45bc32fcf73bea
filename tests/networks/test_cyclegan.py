"""CycleGAN's networks: published parameters, images of any size, and discriminators of patches in a recipe."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import densities, networks
from ugm_tf.networks import cyclegan
from ugm_tf.networks.cyclegan import Reflect
from ugm_tf.recipes import gan

SMALL = {"filters": 2}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


class PublishedTest(parameterized.TestCase):
    """As junyanz/pytorch-CycleGAN-and-pix2pix prints them: 11.378 M and 2.765 M."""

    @pytest.mark.slow
    def test_translator_of_9_blocks(self):
        by_hand = 9_472 + 73_856 + 295_168 + 9 * 2 * 590_080 + 295_040 + 73_792 + 9_411
        self.assertEqual(by_hand, 11_378_179)
        for size, blocks in ((256, None), (64, 9)):
            network = cyclegan([(size, size, 3)], (size, size, 3), blocks=blocks, bounded=True)
            self.assertEqual((trainable(network), network.output_shape), (by_hand, (None, size, size, 3)))

    @pytest.mark.slow
    def test_discriminator_of_patches_of_70x70(self):
        network = cyclegan([(256, 256, 3)], (1,), patches=True)
        self.assertEqual(trainable(network), 3_136 + 131_200 + 524_544 + 2_097_664 + 8_193)
        self.assertEqual((trainable(network), network.output_shape), (2_764_737, (None, 30, 30, 1)))

    def test_a_logit_sees_70x70_pixels(self):
        network = cyclegan([(128, 128, 1)], (1,), normalization="none", patches=True, **SMALL)
        for variable in network.trainable_variables:
            variable.assign(tf.abs(variable))
        with tf.GradientTape() as tape:
            x = tf.constant(np.random.default_rng(0).uniform(0.6, 1.0, (1, 128, 128, 1)), tf.float32)
            tape.watch(x)
            logit = network(x)[0, 7, 7, 0]
        seen = tape.gradient(logit, x).numpy()[0, :, :, 0] != 0.0
        self.assertEqual((seen.any(0).sum(), seen.any(1).sum()), (70, 70))

    def test_six_blocks_up_to_128_pixels(self):
        counts = [
            sum(isinstance(layer, keras.layers.Add) for layer in cyclegan([shape], shape, **SMALL).layers)
            for shape in ((16, 16, 1), (132, 136, 1))
        ]
        self.assertEqual(counts, [6, 9])


class ShapesTest(parameterized.TestCase):
    @parameterized.parameters((8, 8, 1), (9, 14, 3), (16, 20, 1), (32, 36, 3))
    def test_any_image(self, *shape):
        translator = cyclegan([shape], shape, blocks=1, bounded=True, **SMALL)
        judge = cyclegan([shape], (1,), patches=True, **SMALL)
        x = np.random.default_rng(0).uniform(size=(2, *shape)).astype(np.float32)
        y = translator(x).numpy()
        self.assertEqual(y.shape, x.shape)
        self.assertTrue(((y >= 0.0) & (y <= 1.0)).all())
        self.assertEqual(judge(x).shape[::3], (2, 1))
        self.assertTrue(np.isfinite(judge(x)).all())

    def test_reflections_are_numpys(self):
        x = normal(2, 5, 6, 3)
        np.testing.assert_array_equal(Reflect(3)(x), np.pad(x, [(0, 0), (3, 3), (3, 3), (0, 0)], "reflect"))

    def test_each_image_is_normalised_by_itself(self):
        network, x = cyclegan([(8, 8, 1)], (8, 8, 1), blocks=1, **SMALL), normal(5, 8, 8, 1)
        np.testing.assert_allclose(network(x, training=True)[:1], network(x[:1]), atol=1e-5)

    @parameterized.parameters(
        ([(5,)], (8, 8, 1), False, "go from images to images.* Use 'dcgan' or 'resnet' for codes"),
        ([(8, 8, 1)], (5,), False, "Received: ..8, 8, 1.,. to .5,."),
        ([(8, 7, 1)], (8, 7, 1), False, "of at least 8 pixels a side. Received: .8, 7, 1."),
    )
    def test_refuses(self, inputs, output, patches, advice):
        with self.assertRaisesRegex(ValueError, advice):
            cyclegan(inputs, output, patches=patches)

    def test_ends_in_float32_in_mixed_precision(self):
        old = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            made = [
                cyclegan([(8, 8, 1)], (8, 8, 1), blocks=1, bounded=True, **SMALL),
                cyclegan([(8, 8, 1)], (1,), patches=True, **SMALL),
            ]
        finally:
            keras.config.set_dtype_policy(old)
        for network in made:
            y = network(normal(3, 8, 8, 1))
            self.assertEqual((network.compute_dtype, y.dtype), ("bfloat16", tf.float32))
            self.assertTrue(np.isfinite(y).all())

    def test_a_vector_conditions_instance_normalisation(self):
        network = cyclegan([(8, 8, 1), (3,)], (8, 8, 1), blocks=1, vectors="normalization", **SMALL)
        self.assertGreater(sum(isinstance(layer, networks.Modulate) for layer in network.layers), 3)

    @pytest.mark.slow
    def test_is_saved_and_loaded(self):
        network, x = cyclegan([(8, 8, 1)], (8, 8, 1), blocks=1, **SMALL), normal(2, 8, 8, 1)
        path = self.create_tempdir().full_path + "/network.keras"
        network.save(path)
        np.testing.assert_array_equal(keras.saving.load_model(path)(x), network(x))


class RecipeTest(parameterized.TestCase):
    SHAPES = {"x": (16, 16, 1), "target": (16, 16, 1)}

    def model(self, contest="least_squares"):
        recipe = ugm_tf.recipes.cyclegan(contest=contest)
        built = networks.build(recipe, self.SHAPES, network="cyclegan", blocks=1, **SMALL)
        return ugm_tf.UnifiedModel(recipe, built)

    def test_its_discriminators_are_of_patches(self):
        model = self.model()
        found = {name: type(d.family).__name__ for name, d in model.densities.items()}
        self.assertEqual(
            found,
            {
                "forward": "Laplace",
                "decoder": "Laplace",
                "discriminator": "PatchLogit",
                "target_discriminator": "PatchLogit",
            },
        )
        self.assertEqual(model.discriminator.parameter_shape, (2, 2, 1))

    @parameterized.parameters("least_squares", "logistic", "hinge")
    @pytest.mark.slow
    def test_the_loss_is_the_mean_over_patches_and_the_logit_their_mean(self, contest):
        model, x = self.model(contest), np.random.default_rng(0).uniform(size=(4, 16, 16, 1)).astype(np.float32)
        maps = 5.0 * np.asarray(model.discriminator(x))[..., 0]
        model.discriminator.network.layers[-1].kernel.assign(5.0 * model.discriminator.network.layers[-1].kernel)
        sample = model.joint.sample({"x": tf.constant(x)}, training=False)
        losses = {
            "least_squares": lambda v: 0.5 * (v - 1.0) ** 2,
            "logistic": lambda v: np.log1p(np.exp(-v)),
            "hinge": lambda v: np.maximum(1.0 - v, 0.0),
        }
        found = ugm_tf.DiscriminatorLoss(1, contest=contest)(sample)
        np.testing.assert_allclose(found, losses[contest](maps).mean((1, 2)), rtol=1e-4)
        np.testing.assert_allclose(model.discriminate(x), maps.mean((1, 2)), rtol=1e-4, atol=1e-5)

    def test_a_map_of_one_logit_is_a_logit(self):
        x = np.random.default_rng(0).uniform(size=(3, 2)).astype(np.float32)
        plain, patches = densities.Logit(), densities.PatchLogit(1, 1)
        np.testing.assert_allclose(
            plain.distribution(x[:, :1], 0).logits, patches.distribution(x[:, None, None, :1], 0).logits
        )

    def test_codes_need_other_networks(self):
        with self.assertRaisesRegex(ValueError, "Use 'dcgan' or 'resnet' for codes"):
            networks.build(gan(), {"x": (16, 16, 1), "z": (3,)}, network="cyclegan")

    @pytest.mark.slow
    def test_trains_saves_and_exports(self):
        model = self.model()
        model.compile("adam", jit_compile=False)
        x = np.random.default_rng(0).uniform(size=(8, 16, 16, 1)).astype(np.float32)
        history = model.fit({"x": x, "target": 1.0 - x}, batch_size=4, epochs=2, verbose=0).history
        self.assertTrue(np.isfinite(list(history.values())).all())
        path = self.create_tempdir().full_path
        model.save(f"{path}/model.keras")
        loaded = ugm_tf.load_model(f"{path}/model.keras")
        np.testing.assert_allclose(loaded.discriminate(x), model.discriminate(x), atol=1e-6)
        ugm_tf.serving.export_model(model, f"{path}/exported")
        with ugm_tf.serving.ServedModel(f"{path}/exported/1") as served:
            out = served("discriminate", {"x": x})
        np.testing.assert_allclose(out["logit"], model.discriminate(x), rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    absltest.main()
