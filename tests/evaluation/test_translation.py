"""Translation there and back, by networks that are known."""

import keras
import numpy as np
from absl.testing import absltest

import ugm_tf
from ugm_tf.evaluation import cycle, cycle_error, is_translator


def affine(scale, shift):
    """A network x -> scale x + shift of one number."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.set_weights([np.array([[scale]], np.float32), np.array([shift], np.float32)])
    return network


def logit():
    return ugm_tf.Density(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), "logit")


def translator(there, back):
    densities = {
        "forward": ugm_tf.Density(affine(*there), "laplace"),
        "decoder": ugm_tf.Density(affine(*back), "laplace"),
        "discriminator": logit(),
        "target_discriminator": logit(),
    }
    return ugm_tf.UnifiedModel(ugm_tf.recipes.cyclegan(), densities)


X = np.arange(6, dtype=np.float32)[:, None]


class TranslationTest(absltest.TestCase):
    def test_there_and_back(self):
        moved, back = cycle(translator((2.0, 1.0), (0.5, 0.0)), X)
        np.testing.assert_allclose(moved, 2.0 * X + 1.0)
        np.testing.assert_allclose(back, X + 0.5)

    def test_from_the_other_domain(self):
        moved, back = cycle(translator((2.0, 1.0), (0.5, 0.0)), X, start="target")
        np.testing.assert_allclose(moved, 0.5 * X)
        np.testing.assert_allclose(back, X + 1.0)

    def test_more_examples_than_a_part(self):
        many = np.random.default_rng(0).normal(size=(1201, 1)).astype(np.float32)
        np.testing.assert_allclose(cycle(translator((-1.0, 1.0), (-1.0, 1.0)), many)[1], many, atol=1e-6)

    def test_the_cycle_error_is_a_mean_absolute_difference(self):
        self.assertAlmostEqual(
            cycle_error(np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([[0.5, 1.0], [0.5, 0.25]])), 0.1875
        )

    def test_only_some_models_translate(self):
        self.assertTrue(is_translator(translator((1.0, 0.0), (1.0, 0.0))))
        vae = ugm_tf.recipes.vae()
        other = ugm_tf.UnifiedModel(vae, ugm_tf.networks.build(vae, {"x": (1,), "z": (1,)}, likelihood="gaussian"))
        self.assertFalse(is_translator(other))
        with self.assertRaisesRegex(ValueError, r"takes p\(target \| x\) and p\(x \| target\). This model has: p\(z\)"):
            cycle(other, X)

    def test_refuses_a_third_domain(self):
        with self.assertRaisesRegex(ValueError, "A domain is 'x' or 'target'. Received: start='y'"):
            cycle(translator((1.0, 0.0), (1.0, 0.0)), X, start="y")


if __name__ == "__main__":
    absltest.main()
