"""What holds for every family."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.densities import table
from ugm_tf import densities
from ugm_tf.densities import kinds
from ugm_tf.densities.noise import standard_noise


class NamesTest(parameterized.TestCase):
    @parameterized.parameters(*densities.names())
    def test_every_name_gives_a_family(self, name):
        self.assertIsInstance(densities.get(name), densities.Family)

    def test_every_family_is_in_this_table(self):
        tried = {type(family) for _, family, _, _ in table.FAMILIES}
        self.assertEqual({type(densities.get(name)) for name in densities.names()}, tried)

    def test_unit_gaussian_is_a_gaussian_of_scale_1(self):
        self.assertEqual(densities.get("unit_gaussian"), densities.Gaussian(scale=1.0))

    @parameterized.parameters(" gaussian(scale=0.1)", "gaussian (scale=0.1) ", "gaussian(scale = 0.1)")
    def test_spaces_are_no_part_of_a_name(self, text):
        self.assertEqual(densities.get(text), densities.Gaussian(scale=0.1))
        self.assertEqual(kinds.kind(text), densities.Gaussian(scale=0.1))
        self.assertEqual(
            kinds.kind(text.replace("gaussian", "flow").replace("scale", "steps").replace("0.1", "2")).steps, 2
        )

    def test_a_family_is_returned_as_it_is(self):
        family = densities.Gaussian(scale=0.1)
        self.assertIs(densities.get(family), family)

    @parameterized.parameters(
        ("gaussian(scale=0.1)", densities.Gaussian(scale=0.1)),
        ("gaussian(scale=None)", densities.Gaussian()),
        ("laplace()", densities.Laplace()),
        ("categorical(classes=4)", densities.Categorical(classes=4)),
        ("discretized_logistic(scale=0.05, levels=16)", densities.DiscretizedLogistic(scale=0.05, levels=16)),
        ("relaxed_bernoulli(temperature=2)", densities.RelaxedBernoulli(temperature=2)),
    )
    def test_takes_arguments_by_name(self, text, family):
        self.assertEqual(densities.get(text), family)

    def test_refuses_an_argument_of_another_kind(self):
        with self.assertRaisesRegex(ValueError, "'scale' of the family 'gaussian' is of type float or None. Rec.*'x'"):
            densities.get("gaussian(scale='x')")

    @parameterized.parameters(
        ("gaussian(width=0.1)", r"'gaussian' takes the arguments: scale: float \| None = None"),
        ("gaussian(0.1)", r"'gaussian' takes the arguments: scale: float \| None = None"),
        ("gaussian(0.3, scale=0.1)", "'gaussian' takes the arguments: scale"),
        ("gaussian(scale=0.1, scale=0.2)", "'gaussian' takes the arguments: scale"),
        ("gaussian(scale=print)", "'gaussian' takes the arguments: scale"),
        ("gaussian(scale=)", "'gaussian' takes the arguments: scale"),
        ("gaussian(scale=0.1)+f(scale=3)", "'gaussian' takes the arguments: scale"),
        ("gaussian(**{'scale': 1.0})", "'gaussian' takes the arguments: scale"),
        ("bernoulli(scale=0.1)", "'bernoulli' takes the arguments: none"),
        ("unit_gaussian(scale=0.1)", "'unit_gaussian' takes the arguments: none"),
    )
    def test_refuses_other_arguments(self, text, advice):
        with self.assertRaisesRegex(ValueError, advice) as caught:
            densities.get(text)
        self.assertIn(f"Received: '{text}'", str(caught.exception))

    def test_a_value_that_the_family_refuses_is_refused(self):
        with self.assertRaisesRegex(ValueError, "scale of a Gaussian must be positive.*Received: -1.0"):
            densities.get("gaussian(scale=-1.0)")

    @parameterized.parameters("normal(scale=0.1)", "gaussian(scale=0.1", "gaussian scale=0.1", "", 3)
    def test_refuses_what_is_no_name(self, text):
        with self.assertRaisesRegex(
            ValueError, "There is no family .*. Give one of bernoulli, .*'gaussian.scale=0.1.'"
        ):
            densities.get(text)

    def test_refuses_an_unknown_name(self):
        with self.assertRaisesRegex(
            ValueError,
            r"no family 'normal'. Did you mean 'gaussian'. Give one of bernoulli, .*; or a Family, such as",
        ):
            densities.get("normal")


@parameterized.named_parameters(*table.FAMILIES)
class FamilyTest(parameterized.TestCase):
    def test_shapes_of_values_and_of_parameters_belong_together(self, family, event_shape, parameter_shape):
        self.assertEqual(family.event_shape(parameter_shape), event_shape)
        self.assertEqual(family.parameter_shape(event_shape), parameter_shape)

    def test_the_distribution_has_these_shapes(self, family, event_shape, parameter_shape):
        law = family.distribution(table.parameters(parameter_shape, 7, 2), len(event_shape))
        self.assertEqual((law.batch_shape, law.event_shape, law.dtype), ([7, 2], list(event_shape), tf.float32))

    def test_a_draw_has_the_shape_of_the_noise_and_lies_in_the_support(self, family, event_shape, parameter_shape):
        law = family.distribution(table.parameters(parameter_shape, 2), len(event_shape))
        noise = standard_noise(family.noise, (50, 2, *family.noise_shape(event_shape)), tf.constant([0, 0]))
        x = family.draw(law, noise).numpy()
        self.assertEqual(x.shape, (50, 2, *event_shape) if noise is not None else (2, *event_shape))
        self.assertTrue(np.all(np.isfinite(x)))
        inside = {
            "real": lambda: True,
            "unit": lambda: np.all((x > 0) & (x < 1)),
            "binary": lambda: set(np.unique(x)) == {0.0, 1.0},
            "levels": lambda: (
                np.all(np.isclose(x * (family.levels - 1) % 1, 0, atol=1e-4)) and x.min() >= 0 and x.max() <= 1
            ),
            "one_hot": lambda: set(np.unique(x)) == {0.0, 1.0} and np.all(x.sum(-1) == 1),
            "simplex": lambda: np.all(x >= 0) and np.allclose(x.sum(-1), 1, atol=1e-6),
            "label": lambda: set(np.unique(x)) == {0.0, 1.0, 2.0, 3.0},
        }
        self.assertTrue(inside[family.support]())

    def test_the_value_to_show_has_the_events_shape(self, family, event_shape, parameter_shape):
        location = family.location(family.distribution(table.parameters(parameter_shape, 7), len(event_shape)))
        self.assertEqual(tuple(location.shape), (7, *event_shape))
        self.assertTrue(np.all(np.isfinite(location)))

    def test_is_saved_and_loaded(self, family, event_shape, parameter_shape):
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(family))
        self.assertEqual(loaded, family)
        self.assertIs(type(loaded), type(family))

    def test_a_prior_of_it_has_this_shape(self, family, event_shape, parameter_shape):
        prior = densities.Prior(event_shape, family)
        law = prior.distribution()
        self.assertEqual((law.batch_shape, tuple(law.event_shape)), ([], event_shape))
        self.assertEqual(tuple(prior.draw(law, [6], tf.constant([0, 0])).shape), (6, *event_shape))


@parameterized.named_parameters(*table.WITH_LOG_PROB)
class LogProbTest(parameterized.TestCase):
    def test_log_prob_of_draws_is_finite_and_so_is_its_gradient(self, family, event_shape, parameter_shape):
        values = tf.constant(table.parameters(parameter_shape, 8))
        with tf.GradientTape() as tape:
            tape.watch(values)
            law = family.distribution(values, len(event_shape))
            noise = standard_noise(family.noise, (8, *family.noise_shape(event_shape)), tf.constant([0, 0]))
            log_prob = law.log_prob(tf.stop_gradient(family.draw(law, noise)))
        self.assertEqual(tuple(log_prob.shape), (8,))
        self.assertTrue(np.all(np.isfinite(log_prob)))
        gradient = tape.gradient(log_prob, values)
        self.assertTrue(gradient is None or np.all(np.isfinite(gradient)))


@parameterized.named_parameters(*table.REPARAMETERISED)
class ReparameterisationTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_gradients_of_a_draw_are_those_of_the_parameters(self, family, event_shape, parameter_shape):
        """By fourth-order central differences through the same noise: float32 leaves them 1e-7 / 0.03 of rounding."""
        values = table.parameters(parameter_shape)
        noise = standard_noise(family.noise, (4, *family.noise_shape(event_shape)), tf.constant([1, 0]))
        weights = np.random.default_rng(2).normal(size=event_shape).astype(np.float32)

        def drawn(values):
            return tf.reduce_sum(weights * family.draw(family.distribution(values, len(event_shape)), noise))

        variable = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(variable)
            out = drawn(variable)
        gradient = tape.gradient(out, variable).numpy().ravel()
        for i, step in enumerate(0.03 * np.eye(values.size, dtype=np.float32)):
            f = [drawn(values + n * step.reshape(values.shape)).numpy() for n in (-2, -1, 1, 2)]
            difference = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * 0.03)
            self.assertAlmostEqual(gradient[i], difference, delta=1e-3 * max(1.0, abs(difference)))
        self.assertGreater(np.max(np.abs(gradient)), 1e-3)


class LocationTest(parameterized.TestCase):
    @parameterized.named_parameters(*(row for row in table.FAMILIES if "categorical" not in row[0]))
    def test_a_gradient_flows_through_the_mean(self, family, event_shape, parameter_shape):
        values = tf.constant(table.parameters(parameter_shape))
        weights = np.random.default_rng(2).normal(size=event_shape).astype(np.float32)
        with tf.GradientTape() as tape:
            tape.watch(values)
            location = family.location(family.distribution(values, len(event_shape)))
            out = tf.reduce_sum(weights * location)
        gradient = tape.gradient(out, values)
        self.assertTrue(np.all(np.isfinite(gradient)))
        self.assertGreater(np.max(np.abs(gradient)), 1e-3)

    def test_none_flows_through_the_most_probable_label(self):
        values = tf.constant(table.parameters((3, 4)))
        with tf.GradientTape() as tape:
            tape.watch(values)
            out = densities.Categorical(4).location(densities.Categorical(4).distribution(values, 1))
        self.assertIsNone(tape.gradient(out, values))


class NotReparameterisedTest(parameterized.TestCase):
    @parameterized.named_parameters(*(row for row in table.FAMILIES if not row[1].reparameterised))
    def test_no_gradient_reaches_the_parameters_through_a_draw(self, family, event_shape, parameter_shape):
        values = tf.constant(table.parameters(parameter_shape))
        noise = standard_noise(family.noise, family.noise_shape(event_shape), tf.constant([0, 0]))
        with tf.GradientTape() as tape:
            tape.watch(values)
            out = family.draw(family.distribution(values, len(event_shape)), noise)
        gradient = tape.gradient(out, values)
        self.assertTrue(gradient is None or np.all(np.asarray(gradient) == 0))


class StandardTest(parameterized.TestCase):
    """The laws of priors."""

    @parameterized.named_parameters(
        ("gaussian", "gaussian", scipy.stats.norm.logpdf),
        ("unit_gaussian", "unit_gaussian", scipy.stats.norm.logpdf),
        ("narrow_gaussian", densities.Gaussian(scale=0.1), lambda z: scipy.stats.norm.logpdf(z, scale=0.1)),
        ("full_covariance_gaussian", "full_covariance_gaussian", scipy.stats.norm.logpdf),
        ("laplace", "laplace", scipy.stats.laplace.logpdf),
        ("learned_laplace", densities.Laplace(scale=None), scipy.stats.laplace.logpdf),
        ("uniform", "uniform", lambda z: scipy.stats.uniform.logpdf(z, -1, 2)),
        ("wide_uniform", densities.Uniform(width=6.0), lambda z: scipy.stats.uniform.logpdf(z, -3, 6)),
    )
    def test_real_values(self, family, logpdf):
        z = np.array([[0.0, 0.5, -0.9], [0.1, 0.2, 0.3]])
        by_hand = logpdf(z).sum(-1)
        found = densities.Prior((3,), family).distribution().log_prob(z.astype(np.float32))
        np.testing.assert_allclose(found, by_hand, rtol=1e-5, atol=1e-5)

    def test_a_class_and_a_coin_are_fair(self):
        one_hot = densities.Prior((4,), "one_hot").distribution()
        np.testing.assert_allclose(one_hot.log_prob(tf.eye(4)), np.full(4, -np.log(4)), rtol=1e-6)
        coins = densities.Prior((3,), "bernoulli").distribution()
        np.testing.assert_allclose(coins.log_prob([[0.0, 1.0, 1.0]]), [-3 * np.log(2)], rtol=1e-6)

    def test_a_continuous_bernoulli_is_uniform(self):
        law = densities.Prior((1,), "continuous_bernoulli").distribution()
        np.testing.assert_allclose(law.log_prob([[0.0], [0.3], [1.0]]), np.zeros(3), atol=1e-6)


if __name__ == "__main__":
    absltest.main()
