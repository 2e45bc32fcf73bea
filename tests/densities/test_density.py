import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf import densities
from ugm_tf.densities import Density, Prior


def network(*inputs, outputs=4, layers=()):
    """An affine network of the sum of its inputs' projections, [outputs]."""
    tensors = [keras.Input((size,)) for size in inputs]
    y = (
        sum(keras.layers.Dense(outputs)(t) for t in tensors)
        if len(tensors) > 1
        else keras.layers.Dense(outputs)(tensors[0])
    )
    for layer in layers:
        y = layer(y)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], y)


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


class OwnLayer(keras.layers.Layer):
    """A layer that does not tell the shapes of its inputs and outputs."""

    def call(self, x):
        return 2.0 * x


class DensityTest(parameterized.TestCase):
    def test_the_distribution_is_the_familys_of_the_networks_output(self):
        net, z = network(3), random(7, 3)
        law = Density(net, "gaussian").distribution(z)
        loc, raw = tf.split(net(z), 2, axis=-1)
        np.testing.assert_allclose(law.mean(), loc, atol=1e-6)
        np.testing.assert_allclose(law.stddev(), np.log1p(np.exp(raw)) + 1e-4, rtol=1e-5)
        self.assertEqual((law.batch_shape, law.event_shape), ([7], [2]))

    def test_shapes_are_known_before_a_tensor_exists(self):
        density = Density(network(3, 5), "gaussian")
        self.assertEqual(
            (density.given_shapes, density.event_shape, density.parameter_shape), ([(3,), (5,)], (2,), (4,))
        )

    def test_parents_come_in_order(self):
        net, z, c = network(3, 5), random(7, 3), random(7, 5)
        np.testing.assert_allclose(Density(net, "unit_gaussian").distribution(z, c).mean(), net([z, c]), atol=1e-6)

    # ------------------------------------------------- axes of draws

    @parameterized.parameters((4,), (4, 2))
    def test_each_draw_is_its_own_example(self, *lead):
        density, z = Density(network(3), "unit_gaussian"), random(*lead, 7, 3)
        law = density.distribution(z)
        self.assertEqual((law.batch_shape, law.event_shape), ([*lead, 7], [4]))
        flat = density.distribution(tf.reshape(z, [-1, 3])).mean()
        np.testing.assert_allclose(law.mean(), tf.reshape(flat, [*lead, 7, 4]), atol=1e-6)

    @parameterized.parameters(((4, 7), (7,)), ((7,), (4, 7)), ((5, 4, 7), (4, 7)), ((4, 7), (1, 7)))
    def test_a_parent_with_fewer_axes_is_given_to_every_draw(self, lead_z, lead_c):
        density, z, c = Density(network(3, 5), "unit_gaussian"), random(*lead_z, 3), random(*lead_c, 5, seed=1)
        lead = np.broadcast_shapes(lead_z, lead_c)
        law = density.distribution(z, c)
        flat = density.distribution(
            tf.reshape(tf.broadcast_to(z, (*lead, 3)), [-1, 3]), tf.reshape(tf.broadcast_to(c, (*lead, 5)), [-1, 5])
        )
        self.assertEqual(law.batch_shape, list(lead))
        np.testing.assert_allclose(law.mean(), tf.reshape(flat.mean(), [*lead, 4]), atol=1e-6)

    @pytest.mark.slow
    def test_shapes_are_static_inside_a_function(self):
        density = Density(network(3, outputs=4), "gaussian")

        @tf.function(input_signature=[tf.TensorSpec([5, None, 3])])
        def drawn(z):
            x = density.draw(density.distribution(z), [2], tf.constant([0, 0]))
            self.assertEqual(x.shape.rank, 4)
            self.assertEqual(x.shape[-1], 2)
            return x

        self.assertEqual(tuple(drawn(random(5, 7, 3)).shape), (2, 5, 7, 2))

    # ------------------------------------------------------ training

    def test_training_reaches_the_network(self):
        density, z = Density(network(3, layers=[keras.layers.Dropout(0.5)]), "unit_gaussian"), random(7, 3)
        plain = density.distribution(z, training=False).mean()
        np.testing.assert_array_equal(plain, density.distribution(z).mean())
        self.assertTrue(np.any(density.distribution(z, training=True).mean() == 0.0))
        self.assertFalse(np.any(plain == 0.0))

    def test_training_reaches_the_network_with_axes_of_draws(self):
        density, z = Density(network(3, layers=[keras.layers.Dropout(0.5)]), "unit_gaussian"), random(5, 7, 3)
        self.assertTrue(np.any(density.distribution(z, training=True).mean() == 0.0))

    def test_the_networks_variables_are_the_densitys(self):
        density = Density(network(3), "gaussian")
        self.assertLen(density.trainable_variables, 2)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(density.distribution(random(7, 3)).log_prob(random(7, 2)))
        self.assertTrue(all(g is not None for g in tape.gradient(loss, density.trainable_variables)))

    # --------------------------------------------------------- draws

    def test_draws_have_axes_then_batch_then_event(self):
        density = Density(network(3), "gaussian")
        law = density.distribution(random(7, 3))
        for lead in ([], [5], [5, 2]):
            self.assertEqual(tuple(density.draw(law, lead, tf.constant([0, 0])).shape), (*lead, 7, 2))

    def test_draws_are_a_function_of_the_seed(self):
        density = Density(network(3), "gaussian")
        law = density.distribution(random(7, 3))
        one, same, other = (density.draw(law, [], tf.constant([0, n])).numpy() for n in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        self.assertTrue(np.all(one != other))

    def test_examples_and_draws_have_noise_of_their_own(self):
        prior = Prior((2,))
        draws = prior.draw(prior.distribution(), [5, 7], tf.constant([0, 0])).numpy()
        self.assertLen(np.unique(draws), draws.size)

    def test_several_draws_of_a_point_are_copies(self):
        density, z = Density(network(3), "point"), random(7, 3)
        draws = density.draw(density.distribution(z), [5], tf.constant([0, 0]))
        np.testing.assert_allclose(draws, np.broadcast_to(density.network(z), (5, 7, 4)), atol=1e-6)

    # ------------------------------------------------ dtypes, saving

    def test_under_mixed_bfloat16_networks_compute_in_it_and_distributions_in_float32(self):
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            density = Density(network(3), "gaussian")
        finally:
            keras.config.set_dtype_policy("float32")
        law = density.distribution(random(7, 3))
        self.assertEqual(density.network(random(7, 3)).dtype, tf.bfloat16)
        self.assertEqual((law.dtype, law.mean().dtype, law.log_prob(random(7, 2)).dtype), (tf.float32,) * 3)
        self.assertEqual(density.draw(law, [], tf.constant([0, 0])).dtype, tf.float32)
        self.assertEqual({v.dtype for v in density.trainable_variables}, {"float32"})

    def test_is_saved_and_loaded(self):
        density, z = Density(network(3, 5), densities.Gaussian(scale=0.5), name="decoder"), (random(7, 3), random(7, 5))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(density))
        loaded.set_weights(density.get_weights())
        self.assertEqual((loaded.family, loaded.name), (density.family, "decoder"))
        np.testing.assert_array_equal(loaded.distribution(*z).mean(), density.distribution(*z).mean())

    # --------------------------------------------------- networks

    def test_takes_a_layer_that_tells_no_shapes(self):
        layer = OwnLayer()
        layer(tf.zeros([1, 3]))
        density, z = Density(layer, "unit_gaussian"), random(7, 3)
        self.assertEqual((density.given_shapes, density.event_shape), (None, None))
        law = density.distribution(z)
        self.assertEqual((law.batch_shape, law.event_shape), ([7], [3]))
        np.testing.assert_allclose(law.mean(), 2.0 * z)

    @parameterized.named_parameters(
        ("no_layer", lambda x: x), ("one_that_is_not_built", keras.Sequential([keras.layers.Dense(3)]))
    )
    def test_refuses(self, given):
        with self.assertRaisesRegex(
            ValueError, "takes a built Keras network: give a Sequential an Input, or call the network"
        ):
            Density(given, "gaussian")

    @parameterized.parameters(
        ("gaussian", 3, r"even last axis. Received a network of output shape \(3,\)"),
        ("logit", 2, r"one logit an example.*output shape \(2,\)"),
        ("categorical", 3, "give classes=3"),
        ("full_covariance_gaussian", 4, r"a vector of n \+ n\(n\+1\)/2 parameters"),
        ("normal", 3, "no family 'normal'"),
    )
    def test_refuses_a_network_that_does_not_fit_its_family(self, family, outputs, advice):
        with self.assertRaisesRegex(ValueError, advice):
            Density(network(3, outputs=outputs), family)


class PriorTest(parameterized.TestCase):
    def test_has_no_batch_and_nothing_to_learn(self):
        prior = Prior((3,))
        self.assertEqual((prior.distribution().batch_shape, prior.distribution().event_shape), ([], [3]))
        self.assertEqual((prior.trainable_variables, prior.given_shapes), ([], []))

    def test_called_it_is_its_log_prob(self):
        z = random(7, 3)
        np.testing.assert_allclose(Prior((3,))(z), Prior((3,)).distribution().log_prob(z))

    def test_is_saved_and_loaded(self):
        prior = Prior((3,), densities.Uniform(width=5.0))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(prior))
        self.assertEqual((loaded.event_shape, loaded.family), ((3,), densities.Uniform(width=5.0)))

    @parameterized.parameters(((0,),), ((3, -1),))
    def test_refuses_an_empty_shape(self, shape):
        with self.assertRaisesRegex(ValueError, r"positive sizes, such as \(20,\). Received: "):
            Prior(shape)

    @parameterized.parameters(((), "gaussian"), ((2, 3), "full_covariance_gaussian"))
    def test_refuses_a_shape_that_does_not_fit_its_family(self, shape, family):
        with self.assertRaisesRegex(ValueError, r"such as \(20,\). Received: "):
            Prior(shape, family)


class AssignedTest(parameterized.TestCase):
    @parameterized.parameters("network", "family", "flow")
    def test_what_a_density_is_made_of_is_not_assigned(self, name):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
        density = Density(network, "bernoulli")
        setattr(density, name, getattr(density, name))
        with self.assertRaisesRegex(AttributeError, f"The {name} of a density cannot be assigned.*model.decoder ="):
            setattr(density, name, keras.layers.Layer())
        density.trainable = False
        self.assertIs(density.network, network)


if __name__ == "__main__":
    absltest.main()
