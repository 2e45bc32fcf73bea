"""Feature networks: trained once, read from files, and asked in the size and range that they take."""

import importlib.util
import pathlib
import sys
from unittest import mock

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.evaluation import FeatureNetwork, features
from ugm_tf.evaluation.samples import resize

IMAGES = np.random.default_rng(0).random([5, 8, 8, 3], np.float32)


def network(*size):
    """From [B, *size, 3] to means over places of x, and of x squared."""
    inputs = keras.Input((*size, 3))
    square = keras.layers.Multiply(name="square")([inputs, inputs])
    pooled = [keras.layers.GlobalAveragePooling2D(name=name)(x) for name, x in (("first", inputs), ("second", square))]
    return keras.Model(inputs, keras.layers.Concatenate(name="both")(pooled))


class ResizeTest(parameterized.TestCase):
    @parameterized.parameters((8, 3), (28, 7), (9, 20), (28, 75))
    def test_is_pillows_bicubic_on_float_channels(self, before, after):
        """As clean-fid does it: each channel a float image, resized with antialiasing, and clipped."""
        x = np.random.default_rng(before).random([2, before, before, 3], np.float32)
        channels = [
            [PIL.Image.fromarray(image[..., c], "F").resize((after, after), PIL.Image.BICUBIC) for c in range(3)]
            for image in x
        ]
        theirs = np.clip(np.transpose([[np.asarray(c) for c in image] for image in channels], [0, 2, 3, 1]), 0.0, 1.0)
        np.testing.assert_allclose(resize(x, after), theirs, atol=2e-6)

    @parameterized.parameters((12, 5), (6, 10))
    def test_is_the_formula(self, before, after):
        """Keys's kernel with a = -1/2, as wide as the factor of shrinking, its weights summing to 1."""
        shrink = max(before / after, 1.0)
        at = (np.arange(after)[:, None] + 0.5) * before / after - 0.5
        t = np.abs(np.arange(before)[None] - at) / shrink
        kernel = np.where(
            t < 1, 1.5 * t**3 - 2.5 * t**2 + 1, np.where(t < 2, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2, 0.0)
        )
        kernel /= kernel.sum(1, keepdims=True)
        x = np.random.default_rng(1).random([1, before, before, 1], np.float32)
        truth = np.clip(kernel @ x[0, ..., 0] @ kernel.T, 0.0, 1.0)
        np.testing.assert_allclose(resize(x, after)[0, ..., 0], truth, atol=2e-6)


class TrainedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path
        inputs = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3), keras.layers.Dense(2)]
        self.train = self.enter_context(
            mock.patch.object(features, "train_classifier", side_effect=lambda *_, **__: keras.Sequential(inputs))
        )
        x = np.random.default_rng(0).integers(0, 255, [6, 4, 4, 1], np.uint8)
        self.examples = ugm_tf.data.Examples(x, np.arange(6) % 2, 2)

    def test_once_and_then_read_the_same(self):
        first, second = (FeatureNetwork.trained(self.examples, self.folder) for _ in range(2))
        self.assertEqual(self.train.call_count, 1)
        self.assertEqual(first.hash, second.hash)
        images = self.examples.x / np.float32(255)
        np.testing.assert_array_equal(first(images), second(images))
        self.assertEqual(first(images).shape, (6, 3))
        np.testing.assert_allclose(first.probabilities(images).sum(1), 1.0)
        self.assertEqual(first.how["network_hash"], first.hash)

    def test_other_data_and_other_seeds_have_their_own(self):
        other = ugm_tf.data.Examples(255 - self.examples.x, self.examples.c, 2)
        for arguments in ((self.examples,), (other,), (self.examples, 1)):
            FeatureNetwork.trained(arguments[0], self.folder, *arguments[1:])
        self.assertEqual(self.train.call_count, 3)

    def test_a_broken_file_is_made_anew(self):
        FeatureNetwork.trained(self.examples, self.folder)
        (file,) = pathlib.Path(self.folder).glob("*.keras")
        file.write_bytes(b"torn")
        with self.assertLogs("ugm_tf.evaluation", "WARNING"):
            FeatureNetwork.trained(self.examples, self.folder)
        self.assertEqual(self.train.call_count, 2)

    def test_of_channels_has_their_features_and_the_product_of_their_probabilities(self):
        one = FeatureNetwork.trained(self.examples, self.folder)
        both = one.of_channels(2)
        x = np.random.default_rng(3).random([4, 4, 4, 2], np.float32)
        parts = [x[..., channel : channel + 1] for channel in range(2)]
        np.testing.assert_allclose(both(x), np.concatenate([one(part) for part in parts], 1), rtol=1e-5)
        p, q = (one.probabilities(part) for part in parts)
        np.testing.assert_allclose(both.probabilities(x), (p[:, :, None] * q[:, None]).reshape(4, 4), rtol=1e-5)

    def test_refuses_what_are_no_examples(self):
        for wrong in (self.examples.x, None, "digits"):
            with self.assertRaisesRegex(ValueError, "takes ugm_tf.data.Examples, .*Received: a (ndarray|NoneType|str)"):
                FeatureNetwork.trained(wrong, self.folder)

    def test_refuses_data_without_labels(self):
        with self.assertRaisesRegex(ValueError, "examples has no labels. Give a network of a file"):
            FeatureNetwork.trained(ugm_tf.data.Examples(self.examples.x), self.folder)


class FileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def saved(self, *size, name="a.keras"):
        network(*size).save(self.folder / name)
        return self.folder / name

    def test_a_keras_file_and_a_layer_of_it(self):
        found, layer = FeatureNetwork.load(self.saved(8, 8)), FeatureNetwork.load(self.saved(8, 8), layer="second")
        means, squares = IMAGES.mean((1, 2)), (IMAGES**2).mean((1, 2))
        np.testing.assert_allclose(found(IMAGES), np.concatenate([means, squares], 1), rtol=1e-5)
        np.testing.assert_allclose(layer(IMAGES), squares, rtol=1e-5)
        np.testing.assert_allclose(FeatureNetwork.load(self.saved(8, 8), layer="square")(IMAGES), squares, rtol=1e-5)
        self.assertEqual(layer.how["layer"], "second")
        self.assertNotEqual(layer.hash, FeatureNetwork.load(self.saved(4, 4)).hash)

    @parameterized.parameters(
        ("unit", IMAGES),
        ("signed", 2 * IMAGES - 1),
        ("bytes", 255 * IMAGES),
        ("inception", (255 * IMAGES - 128) / 128),
        ("imagenet", (IMAGES - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
    )
    def test_takes_its_range(self, value_range, taken):
        found = FeatureNetwork.load(self.saved(8, 8), layer="first", value_range=value_range)
        np.testing.assert_allclose(found(IMAGES), taken.mean((1, 2)), rtol=1e-4, atol=1e-4)

    def test_takes_its_size_and_its_channels(self):
        found = FeatureNetwork.load(self.saved(None, None), layer="second", size=3)
        np.testing.assert_allclose(found(IMAGES), (resize(IMAGES, 3) ** 2).mean((1, 2)), rtol=1e-5)
        grey = IMAGES[..., :1]
        np.testing.assert_allclose(found(grey), np.repeat((resize(grey, 3) ** 2).mean((1, 2)), 3, 1), rtol=1e-5)
        self.assertEqual(found.how["size"], 3)

    def test_a_saved_model(self):
        network(8, 8).export(str(self.folder / "b"), verbose=False)
        found = FeatureNetwork.load(self.folder / "b")
        np.testing.assert_allclose(found(IMAGES)[:, :3], IMAGES.mean((1, 2)), rtol=1e-5)

    def test_tokens_and_channels_first(self):
        module = tf.Module()
        module.call = tf.function(
            lambda x: {"tokens": tf.stack([2.0 * tf.reduce_mean(x, [2, 3]), tf.zeros([len(x), 3])], 1), "places": x},
            input_signature=[tf.TensorSpec([None, 3, 8, 8], tf.float32)],
        )
        tf.saved_model.save(module, self.folder / "c", signatures=module.call)
        for output, factor in (("tokens", 2.0), ("places", 1.0)):
            found = FeatureNetwork.load(self.folder / "c", layer=output)
            np.testing.assert_allclose(found(IMAGES), factor * IMAGES.mean((1, 2)), rtol=1e-5)
        with self.assertRaisesRegex(ValueError, "several outputs: .*. Say which: layer=NAME"):
            FeatureNetwork.load(self.folder / "c")

    def test_onnx(self):
        if importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("onnx") is None:
            self.skipTest("onnx and onnxruntime are not installed.")
        import onnx

        sides = [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 8, 8])]
        outputs = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3, 1, 1])]
        graph = onnx.helper.make_graph([onnx.helper.make_node("GlobalAveragePool", ["x"], ["y"])], "g", sides, outputs)
        opset = [onnx.helper.make_opsetid("", 13)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), self.folder / "d.onnx")
        np.testing.assert_allclose(FeatureNetwork.load(self.folder / "d.onnx")(IMAGES), IMAGES.mean((1, 2)), rtol=1e-5)

    def test_onnx_without_its_package_says_what_to_install(self):
        (self.folder / "d.onnx").write_bytes(b"")
        with mock.patch.dict(sys.modules, {"onnxruntime": None}):
            with self.assertRaisesRegex(ValueError, r"not installed: pip install 'ugm_tf\[onnx\]'"):
                FeatureNetwork.load(self.folder / "d.onnx")

    @parameterized.parameters(
        ({"layer": "third"}, "has no 'third'. It has: .*first"),
        ({"value_range": "0..1"}, "value_range is one of unit, signed, bytes, inception, imagenet"),
        ({"size": 16}, "takes images of 8 x 8. Received: size=16"),
        ({"size": 0}, "size of a feature network is a whole number"),
    )
    def test_refuses_options_that_do_not_fit(self, options, advice):
        with self.assertRaisesRegex(ValueError, advice):
            FeatureNetwork.load(self.saved(8, 8), **options)

    def test_refuses_what_is_no_network(self):
        with self.assertRaisesRegex(ValueError, "which is not there"):
            FeatureNetwork.load(self.folder / "none.keras")
        (self.folder / "e.keras").write_bytes(b"nothing")
        with self.assertRaisesRegex(ValueError, "no Keras model that can be read"):
            FeatureNetwork.load(self.folder / "e.keras")
        with self.assertRaisesRegex(ValueError, "none of them"):
            FeatureNetwork.load(self.folder)
        with self.assertRaisesRegex(ValueError, r"give size=N \(--features_size=N\)"):
            FeatureNetwork.load(self.saved(None, None))
        with self.assertRaisesRegex(ValueError, "gives features and no classes"):
            FeatureNetwork.load(self.saved(8, 8)).probabilities(IMAGES)


if __name__ == "__main__":
    absltest.main()
