"""Scales that follow a schedule: their values, how they are given, and what a phase makes of them."""

import json

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import schedules
from ugm_tf.algebra.schedules import Cyclical, FromKeras, Linear


def values(schedule, *steps):
    return [float(schedule(tf.constant(step))) for step in steps]


@keras.saving.register_keras_serializable(package="tests")
class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.5 ** tf.cast(step, tf.float32)

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

    def test_compares_by_all_its_values(self):
        self.assertGreaterEqual(schedules.warmup(4), 0.0)
        self.assertLess(schedules.linear(-1.0, 1.0, 4), 0.0)
        self.assertLess(-1.0 * schedules.warmup(4), 0.0)

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

    def test_describes_itself(self):
        self.assertEqual(schedules.of(Halving()).describe(), "Halving()")
        self.assertIsInstance(schedules.of(Halving()), FromKeras)
        lines = ugm_tf.recipes.vae(beta="warmup(1000)").describe().splitlines()
        self.assertEqual(lines[-1], "  + linear(0, 1, 1000)(t) E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))")


class PhaseTest(absltest.TestCase):
    def test_terms_stay_unscaled_and_the_loss_takes_the_value_at_the_step(self):
        phase = ugm_tf.recipes.vae(beta="linear(1, 5, 4)").phase("wake")
        self.assertEqual(phase.metrics, ("wake/distortion", "wake/rate", "wake/rate_scale", "wake/loss"))
        terms = {"wake/distortion": tf.constant(7.0), "wake/rate": tf.constant(2.0)}
        self.assertEqual([float(phase.loss(terms, step)) for step in (0, 1, 9)], [9.0, 11.0, 17.0])
        self.assertEqual({n: float(v) for n, v in phase.scales(1).items()}, {"wake/rate_scale": 2.0})

    def test_a_metric_of_the_name_of_a_scale_is_refused(self):
        rate = ugm_tf.E(ugm_tf.KL("encoder", "prior"), ugm_tf.INFERRED, schedules.warmup(3), name="rate")
        other = ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), ugm_tf.INFERRED, name="rate_scale")
        with self.assertRaisesRegex(ValueError, "Two metrics of phase 'wake' are called 'rate_scale'"):
            phase = ugm_tf.Phase("wake", (rate, other), ("encoder", "decoder"))
            ugm_tf.Recipe(ugm_tf.recipes.vae().densities, (phase,))


if __name__ == "__main__":
    absltest.main()
