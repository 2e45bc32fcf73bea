"""What is computed again for gradients is the same training; and what cannot be is refused by name."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.training import steps

X = (np.random.default_rng(0).random((32, 4)) < 0.4).astype("float32")


def network(inputs, outputs, *layers):
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(8, "tanh"), *layers, keras.layers.Dense(outputs)]
    )


def densities(layers=tuple):
    """A VAE's, with what `layers` makes in each network."""
    keras.utils.set_random_seed(0)
    return {
        "prior": ugm_tf.Prior((3,)),
        "encoder": ugm_tf.Density(network(4, 6, *layers()), "gaussian"),
        "decoder": ugm_tf.Density(network(3, 4, *layers()), "bernoulli"),
    }


def fitted(recipe, made, **options):
    model = ugm_tf.UnifiedModel(recipe, made, seed=1)
    model.compile(keras.optimizers.SGD(0.1), **{"jit_compile": False, **options})
    model.fit(X, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model


class RematerialisedTest(parameterized.TestCase):
    def check(self, recipe, make, **options):
        plain, again = (fitted(recipe, make(), remat=remat, **options) for remat in (False, True))
        self.assertGreater(len(plain.variables), 8)
        for a, b in zip(plain.variables, again.variables, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=0, atol=1e-6, err_msg=a.path)

    @pytest.mark.slow
    def test_layers_draw_what_they_drew_and_change_once(self):
        layers = lambda: (keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=3))  # noqa: E731
        self.check(ugm_tf.recipes.vae(), lambda: densities(layers))

    @pytest.mark.slow
    def test_with_xla_and_in_parts(self):
        self.check(ugm_tf.recipes.iwae(k=4), densities, jit_compile=True)
        self.check(ugm_tf.recipes.vae(), densities, accumulate=2)

    def test_refuses_chunks_whose_networks_are_computed_again_as_it_is(self):
        model = ugm_tf.UnifiedModel(ugm_tf.recipes.iwae(k=4, chunk=2), densities())
        with self.assertRaisesRegex(ValueError, "remat=True is not for 'bound', which takes its draws in chunks"):
            model.compile("sgd", remat=True)

    def test_the_networks_run_again_for_the_gradient_alone(self):
        made, calls = densities(), []
        decoder, run = made["decoder"], made["decoder"].network.call
        decoder.network.call = lambda *args, **kwargs: calls.append(1) or run(*args, **kwargs)
        for remat, training, expected in ((False, True, 1), (True, True, 2), (True, False, 1)):
            decoder.rematerialised, calls[:] = remat, []
            with tf.GradientTape() as tape:
                out = tf.reduce_sum(decoder(tf.ones([2, 3]), training=training))
            tape.gradient(out, [v.value for v in decoder.trainable_variables])
            self.assertLen(calls, expected)

    def test_refuses_a_gradient_within_the_loss(self):
        recipe = ugm_tf.recipes.gan(r1=1.0)
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (4,), "z": (3,)}, hidden=(8,)))
        with self.assertRaisesRegex(
            ValueError, "remat=True is not for '.*', which takes a gradient of 'discriminator'"
        ):
            model.compile("sgd", remat=True)


class ChunksTest(parameterized.TestCase):
    @parameterized.parameters("alternating", "simultaneous")
    def test_a_step_keeps_nothing_of_a_chunk(self, schedule):
        model = ugm_tf.UnifiedModel(ugm_tf.recipes.iwae(k=8, chunk=4), densities())
        model.compile("sgd", schedule=schedule)
        step = tf.function(
            lambda x: steps.train(model.joint, {"x": x}, 0, tf.constant(0), dict(model.optimizers), schedule)
        )
        graph = step.get_concrete_function(tf.TensorSpec((16, 4))).graph.as_graph_def()
        kinds = [node.op for function in graph.library.function for node in function.node_def]
        kinds += [node.op for node in graph.node]
        self.assertEqual(sum("While" in kind for kind in kinds), 2)  # for the value, and again for the gradient
        self.assertNotIn("TensorListPushBack", kinds)

    @parameterized.parameters(keras.layers.BatchNormalization, lambda: keras.layers.Dropout(0.5))
    def test_refuses_layers_that_change_or_draw_in_each_chunk(self, layer):
        made = densities()
        made["decoder"] = ugm_tf.Density(network(3, 4, layer()), "bernoulli")
        model = ugm_tf.UnifiedModel(ugm_tf.recipes.iwae(k=4, chunk=2), made)
        with self.assertRaisesRegex(ValueError, "takes its draws in chunks, and 'decoder' has the layer"):
            model.compile("sgd")

    def test_takes_them_in_what_is_computed_once_and_where_they_are_frozen(self):
        made = densities()
        made["encoder"] = ugm_tf.Density(network(4, 6, keras.layers.BatchNormalization()), "gaussian")
        frozen = keras.layers.BatchNormalization(trainable=False)
        made["decoder"] = ugm_tf.Density(network(3, 4, frozen), "bernoulli")
        ugm_tf.UnifiedModel(ugm_tf.recipes.iwae(k=4, chunk=2), made).compile("sgd")

    @pytest.mark.slow
    def test_trains_and_evaluates_as_without(self):
        whole, parts = (
            fitted(ugm_tf.recipes.iwae(k=4, chunk=chunk), densities(), jit_compile=True) for chunk in (None, 2)
        )
        for a, b in zip(whole.variables, parts.variables, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=0, atol=1e-6)
        found = [m.evaluate(X, batch_size=16, verbose=0, return_dict=True)["wake/bound"] for m in (whole, parts)]
        np.testing.assert_allclose(*found, rtol=1e-5)


if __name__ == "__main__":
    absltest.main()
