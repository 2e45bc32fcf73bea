"""A user's own Keras networks serve: Sequential, functional and subclassed; they train, save and load."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table

X, Z, C = table.SHAPES["x"], table.SHAPES["z"], table.SHAPES["c"]


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """Flattens, and maps to a shape; its input's shape is not known from outside."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(int(np.prod(shape)))
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, inputs, training=None):
        return tf.reshape(self.dropout(self.dense(self.flatten(inputs)), training=training), (-1, *self.shape))

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}

    def build(self, input_shape):
        self.dense.build((None, int(np.prod(input_shape[1:]))))
        self.built = True


def sequential(inputs, output):
    size = int(np.prod(output))
    layers = [keras.layers.Flatten(), keras.layers.Dense(size), keras.layers.Reshape(output)]
    return keras.Sequential([keras.Input(inputs), *layers])


def functional(inputs, output):
    tensor = keras.Input(inputs)
    y = keras.layers.Dense(int(np.prod(output)), activation="tanh")(keras.layers.Flatten()(tensor))
    return keras.Model(tensor, keras.layers.Reshape(output)(y))


def of_two(first, second, output):
    """A functional network of two inputs."""
    tensors = [keras.Input(first), keras.Input(second)]
    y = keras.layers.Concatenate()([keras.layers.Flatten()(tensor) for tensor in tensors])
    y = keras.layers.Dense(int(np.prod(output)), activation="tanh")(y)
    return keras.Model(tensors, keras.layers.Reshape(output)(y))


def subclassed(inputs, output):
    network = Subclassed(output)
    network(np.zeros((1, *inputs), np.float32))
    return network


def of_two_inputs(recipe):
    return {
        "prior": ugm_tf.Prior(Z),
        "encoder": ugm_tf.Density(of_two(X, C, (2 * Z[0],)), "gaussian"),
        "decoder": ugm_tf.Density(of_two(Z, C, X), "bernoulli"),
    }


def with_exact_sums(recipe):
    classes = {
        "classes": ugm_tf.Prior(C, "one_hot"),
        "classifier": ugm_tf.Density(sequential(X, C), "one_hot"),
    }
    return {**of_two_inputs(recipe), **classes}


def of_two_domains(recipe):
    judges = {name: ugm_tf.Density(sequential(X, (1,)), "logit") for name in recipe.judges}
    return {name: ugm_tf.Density(functional(X, X), "laplace") for name in ("forward", "decoder")} | judges


def with_a_flow(recipe):
    flow = ugm_tf.densities.InverseAutoregressiveFlow(*Z, steps=1, hidden=(4,), context=2)
    return {
        "prior": ugm_tf.Prior(Z),
        "encoder": ugm_tf.Density(functional(X, (2 * Z[0] + 2,)), "gaussian", flow),
        "decoder": ugm_tf.Density(functional(Z, X), "bernoulli"),
    }


class OwnNetworksTest(parameterized.TestCase):
    @parameterized.parameters(sequential, functional, subclassed)
    @pytest.mark.slow
    def test_trains_is_saved_and_goes_on(self, network):
        def densities(recipe):
            return {
                "prior": ugm_tf.Prior(Z),
                "encoder": ugm_tf.Density(network(X, (2 * Z[0],)), "gaussian"),
                "decoder": ugm_tf.Density(network(Z, X), "bernoulli"),
            }

        model = table.model("vae", {}, densities)
        before = model.get_weights()
        data = table.dataset(model.recipe)
        model.fit(data, epochs=2, validation_data=data, verbose=0)
        self.assertTrue(all(np.any(old != new) for old, new in zip(before[1:], model.get_weights()[1:], strict=True)))
        x = table.arrays(model.recipe)["x"]
        self.assertEqual(model.reconstruct(x).shape, x.shape)
        path = pathlib.Path(self.create_tempdir().full_path) / "model.keras"
        model.save(path)
        loaded = ugm_tf.load_model(path)
        np.testing.assert_array_equal(loaded.reconstruct(x), model.reconstruct(x))
        self.assertEqual(loaded.evaluate(data, verbose=0), model.evaluate(data, verbose=0))

    @parameterized.named_parameters(
        ("two_inputs", "conditional_vae", {}, of_two_inputs),
        ("exact_sums", "semi_supervised_vae", {}, with_exact_sums),
        ("two_domains", "cyclegan", {}, of_two_domains),
        ("a_flow", "iaf_vae", {}, with_a_flow),
        ("a_flow_and_several_draws", "iwae", {"k": 2}, with_a_flow),
    )
    @pytest.mark.slow
    def test_goes_on_after_loading_with(self, *row):
        model = table.model(*row)
        data = table.dataset(model.recipe)
        model.fit(data, verbose=0)
        path = pathlib.Path(self.create_tempdir().full_path) / "model.keras"
        model.save(path)
        loaded = ugm_tf.load_model(path)
        self.assertEqual(loaded.fit(data, verbose=0).history, model.fit(data, verbose=0).history)
        table.assert_same(table.state(loaded), table.state(model))

    def test_training_and_inference_modes_reach_the_network(self):
        density = ugm_tf.Density(subclassed(Z, X), "point")  # of dropout 0.5
        z = np.ones((1, *Z), np.float32)
        still, training = (density.distribution(z, training=training).mean().numpy() for training in (False, True))
        self.assertEqual(np.mean(still == 0.0), 0.0)
        self.assertBetween(np.mean(training == 0.0), 0.2, 0.8)

    def test_serves_several_draws_of_an_example(self):
        density = ugm_tf.Density(functional(Z, X), "bernoulli")
        z = np.random.default_rng(0).normal(size=(5, 2, *Z)).astype(np.float32)
        log_prob = density.distribution(z).log_prob(np.ones((5, 2, *X), np.float32))
        one = density.distribution(z[3]).log_prob(np.ones((2, *X), np.float32))
        np.testing.assert_allclose(log_prob[3], one, rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
