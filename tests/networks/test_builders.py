"""Builders of one's own: what they are given, and what is refused."""

import keras
import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import networks
from ugm_tf.recipes import conditional_gan, gan, vae

SHAPES = {"x": (8, 8, 1), "z": (3,), "c": (4,)}


def mine(inputs, output, bounded=False, name=None, width=5):
    """A dense network that notes nothing."""
    tensors = [keras.Input(shape) for shape in inputs]
    flat = [keras.layers.Flatten()(tensor) for tensor in tensors]
    y = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    y = keras.layers.Dense(width, "tanh")(y)
    y = keras.layers.Dense(int(np.prod(output)), "sigmoid" if bounded else None)(y)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], keras.layers.Reshape(output)(y), name=name)


class OwnBuilderTest(parameterized.TestCase):
    @parameterized.parameters(vae, gan, conditional_gan)
    def test_makes_every_network_of_a_model(self, recipe):
        built = networks.build(recipe(), SHAPES, network=mine, width=6)
        model = ugm_tf.UnifiedModel(recipe(), built)
        given = {"c": [0, 1]} if "c" in recipe().data else {}
        self.assertEqual(model.sample(2, **given).shape, (2, 8, 8, 1))
        widths = {layer.units for layer in built["decoder"].network.layers if isinstance(layer, keras.layers.Dense)}
        self.assertEqual(widths, {6, 64})
        self.assertEqual(built["decoder"].network.name, "decoder_network")

    def test_is_told_whether_its_output_lies_in_the_unit_interval(self):
        last = {r: networks.build(r(), SHAPES, network=mine)["decoder"].network.layers[-2] for r in (vae, gan)}
        self.assertEqual({r: layer.activation.__name__ for r, layer in last.items()}, {vae: "linear", gan: "sigmoid"})

    def test_may_take_the_shapes_alone(self):
        built = networks.build(vae(), SHAPES, network=lambda inputs, output: mine(inputs, output))
        self.assertEqual(built["decoder"].event_shape, (8, 8, 1))

    def test_may_take_any_options(self):
        given = {}

        def noted(inputs, output, **options):
            given.update(options)
            return mine(inputs, output)

        networks.build(vae(), SHAPES, network=noted, depth=3)
        self.assertEqual(set(given), {"bounded", "name", "depth"})

    def test_serves_projection(self):
        built = networks.build(conditional_gan(), SHAPES, network=mine, conditioning="projection")
        self.assertTrue(any(isinstance(layer, keras.layers.Dot) for layer in built["discriminator"].network.layers))

    @parameterized.named_parameters(
        ("no function", 3, "network is one of cyclegan, .*, or a function, def mine.* Received: 3"),
        (
            "options",
            "dcgan(filters=8)",
            r"Received: 'dcgan\(filters=8\)'.* Give options as further arguments: filters=8.",
        ),
        ("no name", "unet", "There are networks of kind .*or give a function, def mine.*Received: 'unet'"),
        ("no shapes", lambda shape: None, "takes `inputs`.*and `output`.* lacks inputs, output"),
        ("no network", lambda inputs, output: None, "asked for 'encoder_network', is to return a built keras.Model"),
        (
            "another output",
            lambda inputs, output: mine(inputs, (2,)),
            r"a network from \[8, 8, 1\] to \[6\], without the batch axis. It returned one from \[8, 8, 1\] to \[2\]",
        ),
        (
            "other inputs",
            lambda inputs, output: mine([(7,)], output),
            r"from \[8, 8, 1\] to \[6\], .* It returned one from \[7\] to \[6\]",
        ),
    )
    def test_refuses(self, network, message):
        with self.assertRaisesRegex(ValueError, message):
            networks.build(vae(), SHAPES, network=network)

    def test_refuses_options_that_it_does_not_take(self):
        with self.assertRaisesRegex(ValueError, "The builder mine takes width. Received: hidden"):
            networks.build(vae(), SHAPES, network=mine, hidden=(3,))
        with self.assertRaisesRegex(ValueError, "Received: widht. Did you mean 'width'?"):
            networks.build(vae(), SHAPES, network=mine, widht=3)


if __name__ == "__main__":
    absltest.main()
