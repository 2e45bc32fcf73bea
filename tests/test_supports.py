"""Where the values of a variable lie, as a network's last activation says."""

import keras
import numpy as np
from absl.testing import absltest, parameterized

from ugm_tf import supports
from ugm_tf.networks import dcgan, mlp

LAYERS = keras.layers


def sequential(*layers):
    return keras.Sequential([keras.Input((3,)), LAYERS.Dense(4), *layers])


def branched():
    x = keras.Input((3,))
    return keras.Model(x, LAYERS.Add()([LAYERS.Dense(4, "sigmoid")(x), LAYERS.Dense(4, "sigmoid")(x)]))


class Own(keras.Model):
    def call(self, x):
        return x


class ReachTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("linear", lambda: sequential(), None),
        ("relu", lambda: sequential(LAYERS.Activation("relu")), None),
        ("sigmoid", lambda: sequential(LAYERS.Activation("sigmoid")), (0, 1)),
        ("tanh", lambda: sequential(LAYERS.Dense(4, "tanh"), LAYERS.Reshape((2, 2, 1))), (-1, 1)),
        ("rescaled", lambda: sequential(LAYERS.Dense(4, "tanh"), LAYERS.Rescaling(0.5, 0.5)), (0, 1)),
        (
            "twice",
            lambda: sequential(LAYERS.Dense(4, "tanh"), LAYERS.Rescaling(2.0, 1.0), LAYERS.Rescaling(-1.0)),
            (-3, 1),
        ),
        ("a_layer_behind", lambda: sequential(LAYERS.Dense(4, "tanh"), LAYERS.Dense(2)), None),
        ("nested", lambda: sequential(keras.Sequential([keras.Input((4,)), LAYERS.Dense(2, "sigmoid")])), (0, 1)),
        ("branched", branched, None),
        ("own", Own, None),
        ("layer", lambda: LAYERS.Dense(2, "sigmoid"), (0, 1)),
        ("mlp", lambda: mlp([(3,)], (4, 4, 1), bounded=True), (0, 1)),
        ("mlp_unbounded", lambda: mlp([(3,)], (4, 4, 1)), None),
        ("dcgan", lambda: dcgan([(3,)], (8, 8, 1), filters=2, bounded=True), (0, 1)),
    )
    def test_is_that_of_the_last_activation(self, make, expected):
        self.assertEqual(supports.reach(make()), expected)

    def test_holds_of_what_a_network_puts_out(self):
        network = sequential(LAYERS.Dense(4, "tanh"), LAYERS.Rescaling(2.0, 1.0), LAYERS.Rescaling(-1.0))
        least, most = supports.reach(network)
        values = np.asarray(network(1e3 * np.random.default_rng(0).normal(size=(99, 3)).astype(np.float32)))
        self.assertGreaterEqual(values.min(), least)
        self.assertLessEqual(values.max(), most)


if __name__ == "__main__":
    absltest.main()
