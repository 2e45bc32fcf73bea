"""Dense networks: the formula, by hand."""

import numpy as np
from absl.testing import absltest

from ugm_tf.networks import mlp


class MlpTest(absltest.TestCase):
    def test_is_affine_maps_with_the_activation_between(self):
        rng = np.random.default_rng(0)
        network = mlp([(2, 3), (4,)], (5, 2), hidden=(6,), activation="leaky_relu")
        weights = [rng.normal(size=shape) for shape in ((10, 6), (6,), (6, 10), (10,))]
        network.set_weights(weights)
        x, c = rng.normal(size=(7, 2, 3)), rng.normal(size=(7, 4))
        y = np.concatenate([x.reshape(7, 6), c], 1) @ weights[0] + weights[1]
        y = np.where(y > 0, y, 0.2 * y) @ weights[2] + weights[3]
        np.testing.assert_allclose(network([x, c]), y.reshape(7, 5, 2), rtol=1e-4, atol=1e-5)

    def test_a_bounded_one_ends_in_a_sigmoid(self):
        free, bounded = (mlp([(3,)], (4,), hidden=(), bounded=bounded) for bounded in (False, True))
        bounded.set_weights(free.get_weights())
        x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        np.testing.assert_allclose(bounded(x), 1.0 / (1.0 + np.exp(-free(x))), rtol=1e-5)

    def test_a_scalar_has_no_shape(self):
        self.assertEqual(mlp([(3,)], (1,), hidden=(2,)).output_shape, (None, 1))


if __name__ == "__main__":
    absltest.main()
