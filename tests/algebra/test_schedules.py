"""Scales that follow a schedule: their values, how they are given, and what a phase makes of them."""

import json

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import recipes, schedules
from ugm_tf.algebra.schedules import Cyclical, FromKeras, Linear


def values(schedule, *steps):
    return [float(schedule(tf.constant(step))) for step in steps]


@keras.saving.register_keras_serializable(package="tests")
class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.5 ** tf.cast(step, tf.float32)

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak=1.0):
        self.peak = peak

    def __call__(self, step):
        return self.peak * tf.ones([])

    def get_config(self):
        return {}


class ValuesTest(absltest.TestCase):
    def test_linear(self):
        self.assertEqual(values(schedules.linear(2.0, 6.0, 4), 0, 1, 2, 4, 100), [2.0, 3.0, 4.0, 6.0, 6.0])

    def test_warmup_starts_at_nothing(self):
        self.assertEqual(schedules.warmup(1000), Linear(0.0, 1.0, 1000))
        self.assertEqual(values(schedules.warmup(4, to=2.0), 0, 1, 4, 5), [0.0, 0.5, 2.0, 2.0])

    def test_cyclical_rises_in_a_share_of_each_cycle_and_stays_up_after_the_last(self):
        found = values(schedules.cyclical(8, cycles=2, share=0.5), *range(10))
        self.assertEqual(found, [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0])

    def test_a_number_times_a_schedule_is_a_schedule(self):
        schedule = 0.5 * (3.0 * schedules.warmup(4))
        self.assertEqual(values(schedule, 0, 2, 4), [0.0, 0.75, 1.5])
        self.assertEqual((schedule.describe(), schedule.range), ("1.5 linear(0, 1, 4)", (0.0, 1.5)))

    def test_a_cycle_begins_at_its_low_value_whatever_the_number_of_steps(self):
        """In floating point 41 * (2 / 82) is a little below 1."""
        for steps, cycles in ((82, 2), (94, 2), (110, 2), (9999, 3), (33330, 10), (2**31 - 1, 2**30)):
            schedule = schedules.cyclical(steps, cycles=cycles)
            starts = [-(-i * steps // cycles) for i in range(1, min(cycles, 10))]
            if steps % cycles == 0:
                self.assertEqual(values(schedule, *starts), [0.0] * len(starts), f"{steps}, {cycles}")
            last = 2 * ((steps - 1) * cycles % steps) / steps
            np.testing.assert_allclose(values(schedule, steps - 1, steps), [min(last, 1.0), 1.0], atol=1e-6)

    def test_ends_at_its_end_exactly(self):
        for start, end in ((1e8, 1.0), (1e9, 0.5), (3.0, 0.1)):
            self.assertEqual(values(schedules.linear(start, end, 10), 10, 11), [np.float32(end)] * 2)
            cyclical = schedules.cyclical(10, 1, low=start, high=end)
            self.assertEqual(values(cyclical, 5, 11), [np.float32(end)] * 2)

    def test_one_times_a_schedule_is_itself(self):
        warmup = schedules.warmup(10)
        for product in (1.0 * warmup, 0.5 * (2 * warmup), np.float64(1.0) * warmup):
            self.assertEqual((product, hash(product)), (warmup, hash(warmup)))
        for factor in (float("nan"), float("inf")):
            with self.assertRaisesRegex(ValueError, f"finite numbers. Received: factor={factor}"):
                factor * warmup
        for factor in (warmup, True, "2"):
            with self.assertRaises(TypeError):
                warmup * factor

    def test_of_keras_the_range_is_that_of_the_values(self):
        kinds = keras.optimizers.schedules
        cosine = schedules.of(kinds.CosineDecay(1.0, 10))
        np.testing.assert_allclose(cosine.range, (0.0, 1.0), atol=1e-6)
        self.assertEqual(ugm_tf.recipes.vae(beta=0.5 * cosine).phases[0].minimise[1].scale, 0.5 * cosine)
        self.assertFalse(-0.5 * cosine >= 0.0)
        self.assertEqual(schedules.of(kinds.PiecewiseConstantDecay([700, 701], [1.0, -3.0, 2.0])).range, (-3.0, 2.0))
        self.assertEqual(schedules.of(kinds.ExponentialDecay(1.0, 10, 1.1)).range, (1.0, float("inf")))

    def test_compares_by_all_its_values(self):
        self.assertGreaterEqual(schedules.warmup(4), 0.0)
        self.assertLessEqual(schedules.warmup(4), 1.0)
        for schedule in (schedules.linear(-1.0, 1.0, 4), -1.0 * schedules.warmup(4)):
            self.assertFalse(schedule >= 0.0)
        self.assertFalse(schedules.warmup(4) <= 0.9)

    def test_has_no_order(self):
        """max(schedule, 0.5) was once 0.5, without a word."""
        schedule = schedules.warmup(10)
        for asked in (
            *(lambda: max(schedule, 0.5), lambda: min(0.5, schedule), lambda: schedule < 1.0, lambda: 0.0 < schedule),
            lambda: sorted([schedule, 0.5]),
        ):
            with self.assertRaisesRegex(TypeError, r"many values.*Received: linear\(0, 1, 10\) and .*`schedule.range`"):
                asked()

    def test_is_negated_and_divided(self):
        schedule = schedules.warmup(10)
        self.assertEqual((schedule / 2, -schedule, -1.0 * -schedule), (0.5 * schedule, -1.0 * schedule, schedule))
        for asked in (
            *(lambda: schedule + 1, lambda: 1.0 - schedule, lambda: schedule * schedule, lambda: 1 / schedule),
            *(lambda: schedule / 0, lambda: schedule**2, lambda: schedule * tf.constant(2.0), lambda: schedule * "2"),
            lambda: np.ones(2) * schedule,
        ):
            with self.assertRaisesRegex(TypeError, "multiplied and divided by a finite number, and no more. Rec"):
                asked()

    def test_a_product_keeps_the_class_of_its_schedule(self):
        @ugm_tf.record
        class Doubled(schedules.Scaled):
            def __call__(self, step):
                return 2.0 * super().__call__(step)

        self.assertEqual(values(3.0 * Doubled(schedules.linear(1, 1, 2), 0.5), 0), [3.0])
        self.assertEqual((3.0 * Doubled(schedules.warmup(2), 0.5)).number, 1.5)

    def test_keras_schedules_are_equal_by_what_they_are(self):
        one, other = (schedules.of(keras.optimizers.schedules.PolynomialDecay(0.0, 10, 1.0)) for _ in range(2))
        self.assertEqual((one, hash(one)), (other, hash(other)))
        np.testing.assert_allclose(values(one, 0, 5, 10, 20), [0.0, 0.5, 1.0, 1.0], atol=1e-6)
        self.assertEqual(values(schedules.of(Halving()), 0, 1, 2), [1.0, 0.5, 0.25])


class GivenTest(parameterized.TestCase):
    @parameterized.parameters(
        ("warmup(1000)", Linear(0.0, 1.0, 1000)),
        (" linear(0, 2, 5000) ", Linear(0.0, 2.0, 5000)),
        ("linear(start=1, end=0, steps=10)", Linear(1.0, 0.0, 10)),
        ("cyclical(1000, cycles=2)", Cyclical(1000, 2, 0.5, 0.0, 1.0)),
    )
    def test_by_name(self, text, schedule):
        self.assertEqual(schedules.get(text), schedule)

    @parameterized.parameters("warmup", "warmup()", "cosine(10)", "warmup(10, 2, 3)", "warmup(steps=x)", "", "4", "f(")
    def test_refuses_another_text(self, text):
        with self.assertRaisesRegex(
            ValueError, r"There are: cyclical\(steps: int, cycles.*; linear\(.*; warmup\(.*Rec"
        ):
            schedules.get(text)

    @parameterized.parameters("warmup(0)", "linear(0, 1, 2.5)", "cyclical(10, cycles=0)", "cyclical(3, share=2.0)")
    def test_refuses_values_out_of_range(self, text):
        with self.assertRaisesRegex(ValueError, "at least 1"):
            schedules.get(text)

    @parameterized.parameters(
        ("linear(0, 1e999, 5)", "finite numbers. Received: end=inf"),
        ("linear('a', 1, 5)", "finite numbers. Received: start='a'"),
        ("warmup(5, to=True)", "finite numbers. Received: end=True"),
        ("cyclical(10, share=True)", "finite numbers. Received: share=True"),
        ("cyclical(10, cycles=2.5)", "a whole number of cycles, at least 1.*Received: cycles=2.5"),
        ("cyclical(10, cycles=True)", "a whole number of cycles, at least 1.*Received: cycles=True"),
        (f"warmup({2**31})", r"below 2\^31. Received: steps=2147483648"),
        ("warmpu(10)", r"'beta' of vae: A schedule is.*Received: 'warmpu\(10\)'. Did you mean 'warmup'\?"),
        ("warmup(stps=10)", r"'beta' of vae: .*Did you mean 'steps'\?"),
        ("warmup", "'beta' of recipe 'vae' is of type float or .*, such as 1.0 or 'warmup.1000.'. Received: 'warmup'"),
        ("warmup(10.5)", "a whole number of training steps, at least 1"),
        ("warmup(10, to=-1)", r"at least 0. Received: beta=linear\(0, -1, 10\)"),
        (keras.optimizers.schedules.PolynomialDecay(1.0, 20, -4.0), "at least 0. Received: beta=PolynomialDecay"),
        (keras.optimizers.schedules.PolynomialDecay(1.0, 20, float("nan")), "'beta' of vae: .* is nan at step"),
        (float("inf"), "The scale of an expectation is finite. Received: inf"),
    )
    def test_refuses_by_the_name_of_the_weight(self, beta, advice):
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.recipes.vae(beta=beta)

    def test_takes_integers_of_numpy(self):
        self.assertEqual(schedules.warmup(np.int64(10)), schedules.warmup(10))
        self.assertEqual(schedules.cyclical(np.int32(10), np.int64(2), np.float32(0.5)), schedules.cyclical(10, 2))
        self.assertEqual(json.dumps(schedules.warmup(np.int64(10)).get_config()["steps"]), "10")
        self.assertEqual(schedules.warmup(1e3), schedules.warmup(1000))

    @parameterized.named_parameters(
        ("nothing", {}, r"The schedule Own does not say what it is: define `__call__\(self, step\)`.*`range`"),
        ("no_range", {"__call__": lambda self, step: tf.constant(1.0)}, "does not say what it is"),
        ("nan", {"__call__": lambda self, step: tf.constant(np.nan), "range": (0.0, 1.0)}, "between 0 and 1.*nan"),
        ("a_vector", {"__call__": lambda self, step: tf.ones([2]), "range": (0.0, 1.0)}, "float32 scalar between"),
        ("another_type", {"__call__": lambda self, step: step, "range": (0.0, 1.0)}, "float32 scalar between"),
        ("beyond_its_range", {"__call__": lambda self, step: tf.constant(-5.0), "range": (0.0, 1.0)}, "-5"),
        ("a_float", {"__call__": lambda self, step: 1.0, "range": (0.0, 1.0)}, r"1.0, no tensor. Write tf.constant"),
        ("a_double", {"__call__": lambda self, step: tf.constant(1.0, tf.float64), "range": (0.0, 1.0)}, "float64 of"),
        ("an_integer", {"__call__": lambda self, step: step * 0.01, "range": (0.0, 1.0)}, r"int32.*0.1 \* tf.cast"),
        ("a_method", {"__call__": lambda self, step: tf.constant(1.0), "range": lambda self: (0.0, 1.0)}, "@property"),
        ("a_number", {"__call__": lambda self, step: tf.constant(1.0), "range": 1.0}, "property with two numbers"),
        ("a_range_of_nan", {"__call__": lambda self, step: tf.constant(1.0), "range": (np.nan, 1.0)}, "The `range`"),
    )
    def test_refuses_one_of_ones_own_that(self, own, advice):
        schedule = ugm_tf.record(type("Own", (schedules.Schedule,), own))()
        for use in (lambda: ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), scale=schedule), lambda: recipes.vae(schedule)):
            with self.assertRaisesRegex(ValueError, advice):
                use()

    def test_a_multiple_that_is_not_finite_in_float32_is_refused(self):
        with self.assertRaisesRegex(ValueError, "float32 scalar between"):
            ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), scale=-1e39 * schedules.warmup(10))

    @parameterized.named_parameters(
        ("it_leaves_later", lambda step: tf.where(step < 2, 1.0, -5.0), "between 0 and 1, .*at step 2: -5"),
        ("becomes_nan", lambda step: tf.where(step < 5000, 1.0, np.nan), "at step 8192: nan"),
        (
            "branches",
            lambda step: tf.constant(0.0) if step < 5 else tf.constant(1.0),
            "cannot be computed in a.*`if`",
        ),
        ("uses_python", lambda step: tf.constant(float(step)), "Own cannot be computed in a TensorFlow graph"),
        ("draws", lambda step: tf.random.uniform([]), "of the step alone.*asked three times.*stateless_uniform"),
        ("draws_from_a_seed", lambda step: tf.random.uniform([], seed=1), "of the step alone"),
        ("draws_by_numpy", lambda step: tf.constant(np.random.rand(), tf.float32), "of the step alone"),
    )
    def test_one_of_ones_own_is_looked_at_in_a_graph_at_the_powers_of_two(self, function, advice):
        tf.random.set_seed(7)  # with which a graph that draws begins alike each time
        own = {"__call__": lambda self, step: function(step), "range": (0.0, 1.0)}
        schedule = ugm_tf.record(type("Own", (schedules.Schedule,), own))()
        with self.assertRaisesRegex(ValueError, advice):
            ugm_tf.recipes.vae(beta=2.0 * schedule)

    @parameterized.parameters("warmup(10)", schedules.warmup(10), keras.optimizers.schedules.CosineDecay(1.0, 10))
    def test_a_recipe_takes_each_form(self, beta):
        recipe = ugm_tf.recipes.vae(beta=beta)
        self.assertEqual(recipe.phases[0].minimise[1].scale, schedules.of(beta))
        self.assertEqual(recipe, ugm_tf.recipes.get("vae", beta=beta))

    @parameterized.parameters(
        *[("vae", "beta"), ("conditional_vae", "beta"), ("iaf_vae", "beta"), ("vae_gan", "adversary")],
        *[("infogan", "info"), ("cyclegan", "cycle"), ("aae", "reconstruction"), ("acgan", "auxiliary")],
        *[("semi_supervised_vae", "alpha"), ("stacked_semi_supervised_vae", "labelled"), ("veegan", "reconstruction")],
        *[("alice", "cycle"), ("as_vae", "cycle"), ("alpha_gan", "reconstruction"), ("gan", "r1")],
        *[("gan", "gradient_penalty"), ("predictability_minimization", "weight"), ("ppo_gan", "ratio_r1")],
        *[
            ("adversarial_domain_adaptation", "adversary"),
            ("aavae", "beta"),
            ("aasvae", "alpha"),
            ("iwinfogan", "info"),
        ],
    )
    def test_every_weight_may_follow_one(self, name, weight):
        recipe = ugm_tf.recipes.get(name, **{weight: "linear(1, 2, 50)"})
        self.assertIn("linear(1, 2, 50)(t) E[", recipe.describe())
        with self.assertRaisesRegex(ValueError, "at least 0|0 or more"):
            ugm_tf.recipes.get(name, **{weight: "linear(-1, 2, 50)"})

    @parameterized.parameters((tf.constant(2.0),), (True,), (None,), (lambda step: 1.0,))
    def test_refuses_what_is_no_number_and_no_schedule(self, scale):
        with self.assertRaisesRegex(ValueError, r"a number or a schedule, such as ugm_tf.schedules.warmup\(1000\)"):
            ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), scale=scale)

    def test_refuses_a_keras_schedule_whose_config_forgets_an_argument(self):
        """It once trained with other numbers than it was given."""
        with self.assertRaisesRegex(ValueError, r"Forgetful is 0.25 at step 0, .*is 1.0 there: its get_config\(\)"):
            ugm_tf.recipes.vae(beta=Forgetful(0.25))
        self.assertEqual(schedules.of(Forgetful(1.0)).range, (1.0, 1.0))

    def test_refuses_a_keras_schedule_that_cannot_be_saved(self):
        class Own(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return 1.0

        with self.assertRaisesRegex(ValueError, "Own cannot be saved with the model.*or write a ugm_tf.schedules.Sch"):
            ugm_tf.recipes.vae(beta=Own())


class SavedTest(parameterized.TestCase):
    @parameterized.parameters("warmup(10)", "cyclical(8, cycles=2)", Halving(), 0.5 * schedules.warmup(10))
    def test_is_saved_with_the_recipe(self, beta):
        recipe = ugm_tf.adversary_activated(ugm_tf.recipes.vae(beta=beta))
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(recipe)))
        loaded = keras.saving.deserialize_keras_object(config)
        self.assertEqual((loaded, hash(loaded.phases)), (recipe, hash(recipe.phases)))
        self.assertEqual(loaded.describe(), recipe.describe())

    def test_describes_itself_with_all_its_figures(self):
        """Printed by six figures, 0.9999999 once was "1", and read back a schedule was another."""
        for schedule in (schedules.linear(0.1234567, 1234567.0, 10), schedules.cyclical(9, 2, 0.1234567, 1e-9, 1 / 3)):
            self.assertEqual(schedules.get(schedule.describe()), schedule)
        self.assertEqual((0.1234567 * schedules.warmup(2)).describe(), "0.1234567 linear(0, 1, 2)")
        line = ugm_tf.recipes.vae(beta=0.9999999).describe().splitlines()[-1]
        self.assertStartsWith(line, "  + 0.9999999 E[")

    def test_describes_itself(self):
        self.assertEqual(schedules.of(Halving()).describe(), "Halving()")
        self.assertIsInstance(schedules.of(Halving()), FromKeras)
        lines = ugm_tf.recipes.vae(beta="warmup(1000)").describe().splitlines()
        self.assertEqual(lines[-1], "  + linear(0, 1, 1000)(t) E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))")


if __name__ == "__main__":
    absltest.main()
