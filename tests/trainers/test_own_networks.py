"""A builder of one's own by the name of a flag."""

import pathlib

import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers import test_run
from trainers import finished, options, own_networks
from trainers.settings import Settings

CODE = """
import keras

@keras.saving.register_keras_serializable(package="test_own_networks")
class Scaled(keras.layers.Layer):
    def call(self, x):
        return 0.5 * x

def small(inputs, output, bounded=False, name=None, hidden=(6,), scale=1, width: int = 3):
    tensors = [keras.Input(shape) for shape in inputs]
    y = keras.layers.Flatten()(tensors[0])
    size = 1
    for n in output:
        size *= n
    y = keras.layers.Dense(size)(Scaled()(keras.layers.Dense(hidden[0], "tanh")(y)))
    return keras.Model(tensors[0], keras.layers.Reshape(output)(y), name=name)
"""


class OwnNetworksTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.path / "networks.py"
        self.file.write_text(CODE)

    def test_a_name_is_of_the_package_or_of_a_file(self):
        self.assertEqual(own_networks.get("resnet"), ("resnet", {}))
        builder, options_ = own_networks.get(f"{self.file}:small")
        self.assertEqual((builder.__name__, options_), ("small", {}))
        self.assertEqual(own_networks.absolute("b.py:small"), f"{pathlib.Path.cwd() / 'b.py'}:small")

    def test_options_are_in_brackets(self):
        self.assertEqual(own_networks.get("resnet(filters=32, pooling='sum')")[1], {"filters": 32, "pooling": "sum"})
        self.assertEqual(own_networks.get("resnet(pooling=sum)")[1], {"pooling": "sum"})
        self.assertEqual(own_networks.get(f"{self.file}:small(hidden=(3,))")[1], {"hidden": (3,)})
        self.assertEqual(own_networks.absolute("b.py:small(a=1)"), f"{pathlib.Path.cwd() / 'b.py'}:small(a=1)")
        self.assertEqual([own_networks.kind(text) for text in ("dcgan(filters=3)", "mlp")], ["dcgan", "mlp"])

    @parameterized.parameters(
        ("dcgan(filter=3)", r"--network=dcgan\(filter=3\): 'dcgan' networks take .*filters.*Received: filter"),
        ("dcgan(3)", "give options by their names, such as dcgan.filters=32."),
        ("dcgan(filters=3", "is no name, maybe with arguments in brackets"),
        ("dcgan(filters=many)", "is of type int, such as 64. Received: 'many'"),
        ("mlp(hidden=(3,))", "sizes of hidden layers are given by --hidden"),
        ("dcgam(filters=3)", "Did you mean 'dcgan'"),
        ("dcgan(filters='3')", "'filters' of 'dcgan' networks is of type int, such as 64. Received: '3'"),
    )
    def test_other_options_are_refused_as_a_flag(self, text, words):
        flags = self.create_tempfile("flags.txt", f"--network={text}\n").full_path
        with self.assertRaisesRegex(ValueError, words):
            options.read(flags)

    def test_a_builder_of_ones_own_refuses_other_options(self):
        with self.assertRaisesRegex(ValueError, "The builder small takes hidden, scale, width. Received: height"):
            own_networks.get(f"{self.file}:small(height=3)")
        with self.assertRaisesRegex(
            ValueError, "'width' of the builder small is of type int, such as 3. Received: 0.5"
        ):
            own_networks.get(f"{self.file}:small(width=0.5)")
        self.assertEqual(own_networks.get(f"{self.file}:small(scale=0.5)")[1], {"scale": 0.5})  # not annotated

    @parameterized.parameters(
        ("dcgan", {"filters": 0}, "A 'dcgan' network cannot be made with name='encoder_network', filters=0."),
        ("resnet", {"filters": 0}, "A 'resnet' network cannot be made with .*filters=0"),
        ("mlp", {"activation": "nonsense"}, "A 'mlp' network cannot be made with .*activation='nonsense'"),
        (lambda inputs, output: 1 // 0, {}, "asked for 'encoder_network' from .*, failed. ZeroDivisionError: "),
    )
    def test_what_cannot_be_made_says_of_which_network(self, network, options_, words):
        with self.assertRaisesRegex(ValueError, words):
            ugm_tf.networks.build(
                ugm_tf.recipes.vae(), {"x": (16, 16, 3), "z": (3,)}, network=network, likelihood="gaussian", **options_
            )

    def test_another_name_is_refused_as_a_flag(self):
        flags = self.create_tempfile("flags.txt", "--network=unet\n").full_path
        with self.assertRaisesRegex(ValueError, "--network is one of cyclegan, .*path/to/file.py:function.* 'unet'"):
            options.read(flags)

    def test_a_file_that_is_not_there_is_refused_before_work_starts(self):
        with self.assertRaisesRegex(ValueError, "There is no file .*Give --network=path/to/file.py:function"):
            test_run.train(Settings("vae", "digits", network=f"{self.path}/other.py:small"), self.path / "run")

    @pytest.mark.slow
    def test_trains_and_is_read_back(self):
        settings = Settings("vae", "digits", epochs=1, batch_size=256, code_size=2, xla="off")
        with test_run.without_an_end():
            settings = Settings(**{**vars(settings), "network": f"{self.file}:small"})
            done = test_run.train(settings, self.path / "run")
        done.model.save(self.path / "run" / "model.keras")
        read = finished.load(self.path / "run")
        kinds = {type(layer).__name__ for layer in read.model.decoder.network.layers}
        self.assertIn("Scaled", kinds)


if __name__ == "__main__":
    absltest.main()
