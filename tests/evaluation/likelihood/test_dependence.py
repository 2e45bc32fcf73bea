"""The total correlation of codes, against that of Gaussian ones in closed form."""

from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from tests.evaluation.exact import assert_within
from tests.evaluation.likelihood.linear import Linear
from ugm_tf.evaluation.likelihood import dependence, factorises, rate_distortion, total_correlation


def linear(gain, scale=1.0):
    """A VAE of two numbers, whose encoder has these weights and this deviation; and the truth."""
    made = Linear(3, 2, 2)
    dense = made.model.densities["encoder"].network.layers[-1]
    gain = np.asarray(gain, float)
    _, bias = dense.get_weights()
    bias[:2], bias[2:] = -made.shift @ gain, np.log(np.expm1(scale - 1e-3))
    dense.set_weights([np.concatenate([gain, 0 * gain], 1).astype(np.float32), bias])
    aggregate = gain.T @ made.covariance @ gain + scale**2 * np.eye(2)
    return made, 0.5 * (np.log(np.diag(aggregate)).sum() - np.linalg.slogdet(aggregate)[1])


class TotalCorrelationTest(parameterized.TestCase):
    @parameterized.parameters(([[1.0, 1.0], [0.5, 0.6]],), ([[1.0, -0.8], [0.2, 0.3]],), ([[0.3, 0.0], [0.0, 0.3]],))
    def test_is_that_of_gaussian_codes(self, gain):
        made, truth = linear(gain)
        assert_within(self, total_correlation(made.model, made.draw(2000)), truth)

    def test_of_units_that_copy_one_another_is_large_and_of_a_single_one_is_none(self):
        made, truth = linear([[1.0, 1.0], [0.5, 0.6]])
        found = total_correlation(made.model, made.draw(500)).value
        self.assertGreater(found, 0.75 * truth)
        self.assertGreater(found, 0.15)
        alone = Linear(3, 1, 2)
        self.assertAlmostEqual(total_correlation(alone.model, alone.draw(50)).value, 0.0, delta=1e-5)

    def test_a_code_that_is_another_for_every_example_is_overrated(self):
        made, truth = linear([[1.0, 1.0], [0.5, 0.6]], scale=0.002)
        found = total_correlation(made.model, made.draw(100))
        self.assertIn("upwards", found.how["bias"])
        information = rate_distortion(made.model, made.draw(100)).mutual_information
        self.assertGreater(information.value, information.how["most"] - 0.1)
        self.assertGreater(found.value, truth)

    def test_chunks_of_rows_change_nothing(self):
        made, _ = linear([[1.0, 1.0], [0.5, 0.6]])
        x = made.draw(301)
        whole = total_correlation(made.model, x)
        with mock.patch.object(dependence, "_MOST", 301 * 2 * 40):
            self.assertAlmostEqual(total_correlation(made.model, x).value, whole.value, delta=1e-5)

    def test_a_conditional_encoder_takes_its_condition_by_name(self):
        recipe = ugm_tf.recipes.conditional_vae()
        shapes = {"x": (4,), "z": (2,), "c": (3,)}
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, shapes, hidden=(4,)))
        x = np.random.default_rng(0).integers(0, 2, [20, 4]).astype(np.float32)
        c = np.eye(3, dtype=np.float32)[np.arange(20) % 3]
        self.assertTrue(np.isfinite(total_correlation(model, x, c=c).value))
        with self.assertRaisesRegex(ValueError, r"total_correlation\(\) takes x, and by name c"):
            total_correlation(model, x)

    @parameterized.parameters("gan", "aae", "iaf_vae")
    def test_refuses_what_has_no_such_encoder(self, name):
        recipe = ugm_tf.recipes.get(name)
        shapes = {"x": (4,), "z": (2,)}
        model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, shapes, hidden=(4,)))
        self.assertFalse(factorises(model))
        with self.assertRaisesRegex(ValueError, "takes an 'encoder' of one vector, .* This model has: "):
            total_correlation(model, np.zeros([5, 4], np.float32))

    def test_refuses_a_single_example(self):
        made, _ = linear([[1.0, 1.0], [0.5, 0.6]])
        with self.assertRaisesRegex(ValueError, "at least 2 examples"):
            total_correlation(made.model, made.draw(1))


if __name__ == "__main__":
    absltest.main()
