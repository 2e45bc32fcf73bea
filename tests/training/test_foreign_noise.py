"""A layer that draws from TensorFlow's own generators is refused by the first step; of Keras's seeds it is taken."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import foreign_noise

X = np.zeros([8, 4, 4, 1], np.float32)


class Noise(keras.layers.Layer):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.seed = kind, keras.random.SeedGenerator(1)

    def call(self, inputs, training=False):
        if not training and self.kind != "always":
            return inputs
        shape = tf.shape(inputs)
        if self.kind == "keras":
            return inputs + keras.random.normal(shape, seed=self.seed)
        if self.kind == "generator":
            return inputs + tf.random.get_global_generator().normal(shape)
        return inputs + tf.random.normal(shape)


def model(kind, **options):
    recipe = ugm_tf.recipes.vae()
    densities = ugm_tf.networks.build(recipe, {"x": X.shape[1:], "z": (2,)}, hidden=(5,))
    inputs = keras.Input(X.shape[1:])
    hidden = Noise(kind)(keras.layers.Dense(5, activation="tanh")(keras.layers.Flatten()(inputs)))
    encoder = keras.Model(inputs, keras.layers.Dense(4)(hidden))
    made = ugm_tf.UnifiedModel(recipe, {**densities, "encoder": ugm_tf.Density(encoder, "gaussian")})
    made.compile(optimizer=keras.optimizers.Adam(), **options)
    return made


class LayerTest(parameterized.TestCase):
    @parameterized.parameters(
        ("tensorflow", {}),
        ("tensorflow", {"jit_compile": False}),
        ("tensorflow", {"steps_per_execution": 2}),
        ("generator", {"jit_compile": False}),
    )
    def test_of_a_generator_that_is_not_saved_is_refused_with_its_line(self, kind, options):
        tf.random.set_global_generator(tf.random.Generator.from_seed(1))
        of = model(kind, **options)
        with self.assertRaisesRegex(ValueError, r"A training step draws by .*test_foreign_noise.py:\d+.*SeedGenerator"):
            of.fit(X, batch_size=4, verbose=0)
        self.assertEqual(int(np.asarray(of.steps)), 0)

    @parameterized.parameters("fit", "evaluate", "encode", "reconstruct", "log_prob_bound")
    def test_is_refused_at_every_door(self, door):
        of = model("always")
        with self.assertRaisesRegex(ValueError, r"draws by RandomStandardNormal, made at test_foreign_noise.py:\d+"):
            getattr(of, door)(X)

    @parameterized.parameters(keras.layers.GRU, keras.layers.LSTM)
    @pytest.mark.slow
    def test_layers_that_call_functions_which_draw_nothing_are_taken(self, layer):
        recipe = ugm_tf.recipes.vae()
        densities = ugm_tf.networks.build(recipe, {"x": (4, 4), "z": (2,)}, likelihood="gaussian", hidden=(5,))
        reads = keras.Sequential([keras.Input((4, 4)), layer(3), keras.layers.Dense(4)])
        of = ugm_tf.UnifiedModel(recipe, {**densities, "encoder": ugm_tf.Density(reads, "gaussian")})
        of.compile("adam")
        of.fit(X[..., 0], batch_size=4, verbose=0)
        self.assertEqual(int(np.asarray(of.steps)), 2)

    @parameterized.parameters("called", "branch")
    def test_a_draw_within_a_function_or_a_branch_is_found(self, kind):
        noise = tf.function(lambda x: x + tf.random.normal([2]), autograph=False)

        @tf.function(autograph=False)
        def step(x):
            y = noise(x) if kind == "called" else tf.cond(x[0] > 0, lambda: noise(x), lambda: x)
            foreign_noise.refuse("A training step")
            return y

        with self.assertRaisesRegex(ValueError, "A training step draws by RandomStandardNormal"):
            step(tf.zeros([2]))

    def test_a_function_of_stateless_draws_that_assigns_is_taken(self):
        total = tf.Variable(0.0)

        @tf.function(autograph=False)
        def counted(x):
            total.assign_add(1.0)
            return x + tf.random.stateless_normal([2], [0, 1])

        @tf.function(autograph=False)
        def step(x):
            y = counted(x)
            foreign_noise.refuse("A training step")
            return y

        self.assertEqual(step(tf.zeros([2])).shape, (2,))

    @pytest.mark.slow
    def test_of_a_seed_generator_of_keras_is_taken(self):
        of = model("keras")
        of.fit(X, batch_size=4, verbose=0)
        self.assertEqual(int(np.asarray(of.steps)), 2)


if __name__ == "__main__":
    absltest.main()
