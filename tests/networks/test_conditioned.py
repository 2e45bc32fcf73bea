"""Units from the others, and discriminators of pairs."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from ugm_tf.networks import dcgan, joint, leave_one_out, mlp, projection, resnet
from ugm_tf.networks.layers import SpectralNorm


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


class LeaveOneOutTest(parameterized.TestCase):
    @parameterized.parameters((2, (5,)), (6, (20,)), (4, (9, 9)), (3, ()))
    def test_an_output_does_not_depend_on_its_own_input(self, size, hidden):
        z = normal(1, size)
        with tf.GradientTape() as tape:
            tape.watch(z)
            out = leave_one_out(size, hidden)(z)[0]
        slopes = tape.jacobian(out, z)[:, 0].numpy()
        np.testing.assert_array_equal(np.diag(slopes), np.zeros(size))
        others = slopes[~np.eye(size, dtype=bool)]
        self.assertTrue(np.all(np.abs(others) > 1e-6))

    def test_nor_by_any_large_change_of_it(self):
        network, z = leave_one_out(4, (8,)), normal(1, 4).numpy()
        changed = z.copy()
        changed[0, 2] = 1000.0
        before, after = network(z).numpy()[0], network(changed).numpy()[0]
        self.assertEqual(before[2], after[2])
        self.assertTrue(np.all(np.abs(np.delete(before - after, 2)) > 1e-3))

    def test_units_share_their_weights_but_are_told_apart(self):
        network = leave_one_out(5, (8,))
        out = network(tf.zeros([1, 5])).numpy()[0]  # all others are alike
        self.assertLen(np.unique(out), 5)
        self.assertEqual(network.count_params(), (2 * 5 * 8 + 8) + (8 + 1))

    @parameterized.parameters(0, 1)
    def test_refuses_a_unit_that_has_no_others(self, size):
        with self.assertRaisesRegex(ValueError, f"from the others, of at least 2 units. Received: size={size}"):
            leave_one_out(size)

    def test_is_of_each_example(self):
        network, z = leave_one_out(3, (8,)), normal(7, 3)
        self.assertEqual(network.output_shape, (None, 3))
        np.testing.assert_allclose(network(z)[4:5], network(z[4:5]), atol=1e-6)

    def test_is_saved_and_loaded(self):
        network, z = leave_one_out(3, (8,), name="predictor"), normal(7, 3)
        path = self.create_tempdir().full_path + "/predictor.keras"
        network.save(path)
        np.testing.assert_array_equal(keras.saving.load_model(path)(z), network(z))


class ProjectionTest(parameterized.TestCase):
    SHAPES = [(8, 8, 1), (4,)]

    @parameterized.named_parameters(
        ("mlp", mlp, {"hidden": (9,)}), ("dcgan", dcgan, {"filters": 2, "normalization": "none"})
    )
    def test_is_the_sum_of_a_dense_unit_and_of_an_inner_product_with_the_class(self, builder, options):
        network = projection(builder, self.SHAPES, features=5, **options)
        x, c = normal(6, 8, 8, 1), normal(6, 4, seed=1)
        body = next(layer for layer in network.layers if isinstance(layer, keras.Model))
        f = body(x).numpy()
        f = np.where(f > 0, f, 0.2 * f)
        dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
        (v,) = next(layer for layer in dense if not layer.use_bias).get_weights()
        u, b = next(layer for layer in dense if layer.use_bias).get_weights()
        self.assertEqual((v.shape, u.shape, b.shape), ((4, 5), (5, 1), (1,)))
        by_hand = (f @ u)[:, 0] + b + np.sum((c.numpy() @ v) * f, -1)
        np.testing.assert_allclose(network([x, c])[:, 0], by_hand, rtol=1e-4, atol=1e-6)

    def test_without_a_class_it_is_the_dense_unit(self):
        network = projection(mlp, self.SHAPES, hidden=(9,))
        x = normal(6, 8, 8, 1)
        zero, halves = network([x, tf.zeros([6, 4])]), [network([x, s * tf.ones([6, 4])]) for s in (1.0, -1.0)]
        np.testing.assert_allclose(zero, (halves[0] + halves[1]) / 2, atol=1e-5)
        self.assertGreater(np.abs(halves[0] - halves[1]).max(), 1e-3)

    def test_each_class_has_a_direction_of_its_own(self):
        network = projection(mlp, self.SHAPES, hidden=(9,))
        x = tf.repeat(normal(1, 8, 8, 1), 4, 0)
        self.assertLen(np.unique(network([x, tf.eye(4)])), 4)

    def test_is_named(self):
        self.assertEqual(projection(mlp, self.SHAPES, name="judge", hidden=()).name, "judge")


class JointTest(parameterized.TestCase):
    SHAPES = [(8, 8, 1), (4,)]

    @parameterized.named_parameters(
        ("mlp", mlp, {"hidden": (9,)}), ("dcgan", dcgan, {"filters": 2, "normalization": "none"})
    )
    def test_the_code_has_two_layers_of_its_own_and_one_with_the_images_features(self, builder, options):
        network = joint(builder, self.SHAPES, features=5, **options)
        x, z = normal(6, 8, 8, 1), normal(6, 4, seed=1)
        body = next(layer for layer in network.layers if isinstance(layer, keras.Model))
        first, second, both, last = (
            layer.get_weights() for layer in network.layers if isinstance(layer, keras.layers.Dense)
        )
        leaky = lambda y: np.where(y > 0, y, 0.2 * y)  # noqa: E731
        g = leaky(leaky(z @ first[0] + first[1]) @ second[0] + second[1])
        h = leaky(np.concatenate([leaky(body(x).numpy()), g], -1) @ both[0] + both[1])
        self.assertEqual(both[0].shape, (10, 10))
        np.testing.assert_allclose(network([x, z]), h @ last[0] + last[1], rtol=1e-4, atol=1e-6)

    def test_a_residual_networks_features_are_pooled(self):
        network = joint(resnet, self.SHAPES, features=5, filters=3)
        body = next(layer for layer in network.layers if isinstance(layer, keras.Model))
        self.assertLen(body.output_shape, 2)
        self.assertEqual(network([normal(6, 8, 8, 1), normal(6, 4)]).shape, (6, 1))

    def test_all_of_it_is_spectrally_normalised(self):
        network = joint(dcgan, self.SHAPES, filters=2, normalization="spectral")
        self.assertFalse([layer for layer in network.layers if isinstance(layer, keras.layers.Dense)])
        self.assertLen([layer for layer in network.layers if isinstance(layer, SpectralNorm)], 4)

    def test_is_saved_and_loaded(self):
        network, pair = joint(dcgan, self.SHAPES, name="judge", filters=2), [normal(7, 8, 8, 1), normal(7, 4)]
        path = self.create_tempdir().full_path + "/judge.keras"
        network.save(path)
        loaded = keras.saving.load_model(path)
        self.assertEqual(loaded.name, "judge")
        np.testing.assert_array_equal(loaded(pair), network(pair))


if __name__ == "__main__":
    absltest.main()
