"""Masked networks, and the flows that they make: triangular Jacobians, normalised densities, saving."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized
from scipy.integrate import trapezoid
from tensorflow_probability import distributions as tfd

from ugm_tf.densities import MADE, Density, InverseAutoregressiveFlow, MaskedAutoregressiveFlow, Prior


def scrambled(layer, size=0.7, seed=0):
    """The layer with random weights, as after training: at the start its outputs are 0."""
    rng = np.random.default_rng(seed)
    layer.set_weights([size * rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def jacobian(function, z):
    with tf.GradientTape() as tape:
        tape.watch(z)
        out = function(z)
    return tape.jacobian(out, z).numpy()


class MadeTest(parameterized.TestCase):
    @parameterized.product(size=[2, 3, 6], hidden=[(7,), (8, 5), (1,)], reverse=[False, True])
    def test_an_output_depends_on_the_inputs_before_it_alone(self, size, hidden, reverse):
        made = scrambled(MADE(size, outputs=3, hidden=hidden, reverse=reverse))
        slopes = jacobian(lambda z: made(z[None])[0], normal(size))  # [n, outputs, n]
        after = np.tril(np.ones([size, size])) if reverse else np.triu(np.ones([size, size]))
        np.testing.assert_array_equal(slopes * after[:, None, :], np.zeros_like(slopes))

    @parameterized.parameters(False, True)
    def test_and_on_each_of_them(self, reverse):
        made = scrambled(MADE(4, outputs=2, hidden=(30, 30), reverse=reverse))
        slopes = np.abs(jacobian(lambda z: made(z[None])[0], normal(4))).min(1)
        before = np.triu(np.ones([4, 4]), 1) if reverse else np.tril(np.ones([4, 4]), -1)
        self.assertTrue(np.all(slopes[before == 1] > 1e-6))

    def test_every_output_depends_on_the_context(self):
        made = scrambled(MADE(3, outputs=2, hidden=(20,), context=4))
        slopes = jacobian(lambda context: made(normal(3)[None], context), normal(1, 4))
        # The first output sees no input, and so of the hidden layer nothing: it has a bias alone.
        self.assertTrue(np.all(np.abs(slopes[0, 1:]) > 1e-7))
        np.testing.assert_array_equal(slopes[0, 0], np.zeros_like(slopes[0, 0]))

    def test_starts_at_zero(self):
        np.testing.assert_array_equal(MADE(3, context=2)(normal(5, 3), normal(5, 2)), np.zeros([5, 3, 2]))

    def test_takes_any_leading_axes(self):
        made = scrambled(MADE(3, outputs=2, context=2))
        inputs, context = normal(4, 5, 3), normal(5, 2)
        found = made(inputs, context)
        self.assertEqual(tuple(found.shape), (4, 5, 3, 2))
        np.testing.assert_allclose(found[2], made(inputs[2], context), atol=1e-6)

    def test_masks_hold_in_training_too(self):
        """A step of gradient descent leaves the Jacobian triangular."""
        made = scrambled(MADE(4, outputs=1))
        optimizer = keras.optimizers.SGD(0.1)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(made(normal(8, 4))))
        optimizer.apply(tape.gradient(loss, made.trainable_variables), made.trainable_variables)
        np.testing.assert_array_equal(np.triu(jacobian(lambda z: made(z[None])[0], normal(4))[:, 0]), np.zeros([4, 4]))

    def test_is_saved_and_loaded(self):
        made = scrambled(MADE(3, 2, (8, 5), 4, reverse=True))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
        loaded.set_weights(made.get_weights())
        inputs = normal(5, 3), normal(5, 4)
        np.testing.assert_array_equal(loaded(*inputs), made(*inputs))

    @parameterized.parameters(
        (dict(size=1), "size=1"),
        (dict(size=3, outputs=0), "outputs=0"),
        (dict(size=3, hidden=()), r"hidden=\(\)"),
        (dict(size=3, hidden=(4, 0)), r"hidden=\(4, 0\)"),
        (dict(size=3, context=-1), "context=-1"),
    )
    def test_refuses(self, options, advice):
        with self.assertRaisesRegex(ValueError, f"A MADE is of at least 2 inputs, 1 output for each, .*{advice}"):
            MADE(**options)


class FlowTest(parameterized.TestCase):
    def flow(self, size=3, steps=2, context=4, **options):
        return InverseAutoregressiveFlow(size, steps, hidden=(16,), context=context, **options)

    @parameterized.parameters(1, 2, 3)
    def test_starts_as_the_identity(self, steps):
        z, context = normal(5, 3), normal(5, 4)
        bijector = self.flow(steps=steps).bijector(context)
        np.testing.assert_allclose(bijector.forward(z), z, atol=1e-6)
        np.testing.assert_allclose(bijector.forward_log_det_jacobian(z, 1), np.zeros(5), atol=1e-6)

    @parameterized.parameters((1, np.triu), (2, None))
    def test_a_step_is_triangular_and_two_are_not(self, steps, zero):
        flow, context = scrambled(self.flow(steps=steps)), normal(1, 4)
        slopes = jacobian(lambda z: flow.bijector(context).forward(z[None])[0], normal(3))
        self.assertTrue(np.all(np.abs(np.diag(slopes)) > 0))
        self.assertTrue(np.any(np.abs(np.tril(slopes, -1)) > 1e-6))
        self.assertEqual(np.any(np.abs(np.triu(slopes, 1)) > 1e-6), zero is None)

    @parameterized.parameters(1, 2, 3)
    @pytest.mark.slow
    def test_its_log_determinant_is_that_of_the_jacobian(self, steps):
        flow, context, z = scrambled(self.flow(steps=steps)), normal(1, 4), normal(3)
        slopes = jacobian(lambda z: flow.bijector(context).forward(z[None])[0], z)
        found = flow.bijector(context).forward_log_det_jacobian(z[None], 1)[0]
        self.assertAlmostEqual(float(found), np.linalg.slogdet(slopes.astype(np.float64))[1], delta=1e-4)

    @parameterized.parameters(1, 2)
    def test_goes_back_where_it_came_from(self, steps):
        flow, context, z = scrambled(self.flow(steps=steps), 0.4), normal(5, 4), normal(5, 3)
        x = tf.identity(flow.bijector(context).forward(z))
        back = flow.bijector(context).inverse(x)  # another bijector: nothing is remembered
        np.testing.assert_allclose(back, z, atol=1e-4)
        self.assertGreater(np.abs(x - z).max(), 0.1)

    def test_each_context_bends_otherwise(self):
        flow = scrambled(self.flow())
        ends = [flow(tf.ones([1, 3]), normal(1, 4, seed=seed)) for seed in (0, 1)]
        self.assertGreater(np.abs(ends[0] - ends[1]).max(), 1e-2)

    def test_a_step_widens_by_at_most_e_squared(self):
        flow = scrambled(self.flow(steps=1), 100.0)
        self.assertLessEqual(
            np.abs(flow.bijector(normal(50, 4)).forward_log_det_jacobian(normal(50, 3), 1)).max(), 6.001
        )

    def test_is_saved_and_loaded(self):
        flow = scrambled(self.flow(steps=3))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(flow))
        loaded.set_weights(flow.get_weights())
        z, context = normal(5, 3), normal(5, 4)
        np.testing.assert_array_equal(loaded(z, context), flow(z, context))

    @parameterized.parameters(0, -1)
    def test_refuses_no_step(self, steps):
        with self.assertRaisesRegex(ValueError, f"A flow has at least one step. Received: steps={steps}"):
            self.flow(steps=steps)


class MaskedTest(parameterized.TestCase):
    """The flow of a prior, whose density of a value from elsewhere is one pass."""

    def test_a_step_is_the_inverse_flows_step_the_other_way(self):
        flow, other = (
            scrambled(made(3, 1, context=0)) for made in (MaskedAutoregressiveFlow, InverseAutoregressiveFlow)
        )
        z = normal(5, 3)
        np.testing.assert_allclose(flow(z), other.bijector().inverse(z), atol=1e-5)
        self.assertGreater(np.max(np.abs(flow(z) - other(z))), 0.1)

    def test_its_log_determinant_is_that_of_the_jacobian(self):
        flow = scrambled(MaskedAutoregressiveFlow(3, 2, context=0))
        for z in normal(4, 3):
            log_det = np.linalg.slogdet(jacobian(lambda z: flow(z[None])[0], z))[1]
            found = flow.bijector().forward_log_det_jacobian(z[None], 1)[0]
            self.assertAlmostEqual(found.numpy(), log_det, delta=1e-4)

    @parameterized.parameters(MaskedAutoregressiveFlow, InverseAutoregressiveFlow)
    def test_a_prior_with_it_integrates_to_one_and_draws_what_it_scores(self, made):
        prior = Prior((2,), flow=scrambled(made(2, 2, (16,), context=0), 0.3))
        draws = prior.draw(prior.distribution(), [20_000], tf.constant([0, 0])).numpy()
        low, high = draws.min(0) - 1.0, draws.max(0) + 1.0
        axes = [np.linspace(low[i], high[i], 401) for i in range(2)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)
        height = np.exp(prior(grid).numpy()).reshape(401, 401)
        self.assertAlmostEqual(trapezoid(trapezoid(height, axes[1]), axes[0]), 1.0, delta=0.01)
        mean = trapezoid(trapezoid(height[..., None] * grid.reshape(401, 401, 2), axes[1], axis=1), axes[0], axis=0)
        np.testing.assert_allclose(draws.mean(0), mean, atol=5 * draws.std(0).max() / np.sqrt(20_000))

    def test_is_saved_and_loaded(self):
        flow = scrambled(MaskedAutoregressiveFlow(3, 2, (5,), context=0))
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(flow))
        loaded.set_weights(flow.get_weights())
        np.testing.assert_array_equal(loaded(normal(4, 3)), flow(normal(4, 3)))


class DensityTest(parameterized.TestCase):
    """A Gaussian with a flow, as a density of z given x."""

    def density(self, family="gaussian", parameters=4, scramble=0.5, name="encoder"):
        flow = scrambled(InverseAutoregressiveFlow(2, 2, (16,), context=3), scramble)
        network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(parameters + 3)])
        return Density(scrambled(network, 0.4, seed=3), family, flow, name=name)

    def test_its_shapes_leave_the_context_out(self):
        density = self.density()
        self.assertEqual((density.event_shape, density.parameter_shape), ((2,), (7,)))
        law = density.distribution(normal(6, 5))
        self.assertEqual((law.batch_shape, law.event_shape), ([6], [2]))

    @parameterized.parameters(("gaussian", 4), ("laplace", 2))
    def test_integrates_to_one(self, family, parameters):
        """Over a square, by the trapezoidal rule, where nearly all of 20,000 draws lie."""
        density = self.density(family, parameters, scramble=0.25)
        law = density.distribution(normal(1, 5))
        draws = density.draw(law, [20_000], tf.constant([0, 0])).numpy()[:, 0]
        low, high = draws.min(0) - 1.0, draws.max(0) + 1.0
        axes = [np.linspace(low[i], high[i], 401) for i in range(2)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 1, 2).astype(np.float32)
        height = np.exp(density.distribution(normal(1, 5)).log_prob(grid).numpy()[:, 0]).reshape(401, 401)
        self.assertAlmostEqual(trapezoid(trapezoid(height, axes[1]), axes[0]), 1.0, delta=0.01)

    def test_the_density_of_its_own_draw_is_that_of_the_same_value_from_elsewhere(self):
        density = self.density(scramble=0.3)
        x = normal(6, 5)
        law = density.distribution(x)
        z = density.draw(law, [4], tf.constant([0, 0]))
        anew = density.distribution(x).log_prob(tf.constant(z.numpy()))
        np.testing.assert_allclose(law.log_prob(z), anew, rtol=1e-3, atol=1e-3)

    def test_its_log_prob_is_by_the_change_of_variables(self):
        density = self.density()
        x, noise = normal(6, 5), normal(6, 2, seed=2)
        law = density.distribution(x)
        z = density.value(law, noise)
        mean, raw, context = np.split(density.network(x).numpy(), [2, 4], -1)
        scale = np.log1p(np.exp(raw)) + 1e-4
        base = tf.constant(mean + scale * noise)
        log_det = density.flow.bijector(tf.constant(context)).forward_log_det_jacobian(base, 1)
        by_hand = scipy.stats.norm.logpdf(base, mean, scale).sum(-1) - log_det
        np.testing.assert_allclose(law.log_prob(z), by_hand, rtol=1e-4, atol=1e-4)

    def test_its_location_is_the_familys_mean_through_the_flow(self):
        density, x = self.density(), normal(6, 5)
        mean, _, context = np.split(density.network(x).numpy(), [2, 4], -1)
        by_hand = density.flow.bijector(tf.constant(context)).forward(tf.constant(mean))
        np.testing.assert_allclose(density.location(density.distribution(x)), by_hand, atol=1e-6)

    def test_without_anything_learned_the_flow_leaves_the_family_alone(self):
        density, x = self.density(scramble=0.0), normal(6, 5)
        mean, raw, _ = np.split(density.network(x).numpy(), [2, 4], -1)
        law = tfd.Independent(tfd.Normal(mean, np.log1p(np.exp(raw)) + np.float32(1e-4)), 1)
        z = normal(6, 2, seed=1)
        np.testing.assert_allclose(density.distribution(x).log_prob(z), law.log_prob(z), rtol=1e-4)

    def test_its_weights_are_the_networks_and_the_flows_and_all_learn(self):
        density = self.density()
        self.assertLen(density.trainable_variables, 2 + 2 * 5)
        with tf.GradientTape() as tape:
            law = density.distribution(normal(6, 5))
            loss = tf.reduce_mean(law.log_prob(density.draw(law, [], tf.constant([0, 0]))))
        self.assertTrue(all(g is not None for g in tape.gradient(loss, density.trainable_variables)))

    def test_is_saved_and_loaded(self):
        density, x, z = self.density(), normal(6, 5), normal(6, 2)
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(density))
        loaded.set_weights(density.get_weights())
        self.assertEqual((loaded.event_shape, loaded.name), ((2,), "encoder"))
        np.testing.assert_allclose(loaded.distribution(x).log_prob(z), density.distribution(x).log_prob(z), rtol=1e-6)

    def test_its_weights_come_back_from_a_file(self):
        density, x = self.density(), normal(6, 5)
        path = self.create_tempdir().full_path + "/model.keras"
        inputs = keras.Input((5,))
        keras.Model(inputs, density(inputs)).save(path)
        loaded = keras.saving.load_model(path).get_layer("encoder")
        for one, other in zip(loaded.get_weights(), density.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        z = normal(6, 2)
        np.testing.assert_allclose(loaded.distribution(x).log_prob(z), density.distribution(x).log_prob(z), rtol=1e-6)

    def test_under_mixed_bfloat16_the_flow_computes_in_float32(self):
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            density = self.density()
        finally:
            keras.config.set_dtype_policy("float32")
        law = density.distribution(normal(6, 5))
        self.assertEqual((law.dtype, law.log_prob(normal(6, 2)).dtype), (tf.float32, tf.float32))


if __name__ == "__main__":
    absltest.main()
