"""The probe changes nothing, sees what the phases are about, and says in words what is wrong."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf.callbacks import DivergenceProbe
from ugm_tf.callbacks.warnings import warnings_of
from ugm_tf.evaluation import judged, samples
from ugm_tf.evaluation.samples import memorisation

HEALTHY = {
    "probe/jsd": 0.35,
    "probe/discriminator_gap": 0.25,
    "probe/pull": 0.5,
    "probe/real_accuracy": 0.8,
    "probe/training_accuracy": 0.85,
    "probe/fake_accuracy": 0.9,
    "probe/spread": 1.1,
    "probe/coverage": 1.0,
    "probe/authenticity": 0.6,
    "probe/authenticity_held_out": 0.5,
    "probe/rate": 2.5,
    "probe/active_units": 20.0,
}
_JUDGED, _BOUND = ("jsd", "spread", "real_accuracy", "fake_accuracy"), ("rate", "distortion", "active_units")


def held_out(model, n=40):
    return {name: array[:n] for name, array in table.arrays(model.recipe, n).items()}


_QUICK = (table.GAN, table.AAVAE)


class ProbeTest(parameterized.TestCase):
    @parameterized.named_parameters(table.GAN, table.AAVAE)
    @pytest.mark.slow
    def test_training_goes_the_same_way_bit_for_bit(self, *row):
        states = []
        for probed in (False, True):
            model = table.model(*row)
            callbacks = [DivergenceProbe(held_out(model), every=2, steps=10)] if probed else []
            keras.utils.set_random_seed(1)
            model.fit(table.dataset(model.recipe), epochs=2, callbacks=callbacks, verbose=0)
            states.append((table.state(model), keras.random.normal([2]).numpy()))
        table.assert_same(states[0][0], states[1][0])
        np.testing.assert_array_equal(states[0][1], states[1][1])

    @parameterized.parameters(
        (table.GAN, (*_JUDGED, "kl_generated", "kl_real", "discriminator_gap", "objective", "cosine", "pull")),
        (table.AAVAE, (*_JUDGED, *_BOUND, "kl_generated", "kl_real", "discriminator_gap", "objective")),
        (table.VAE, ("spread", *_BOUND)),
    )
    @pytest.mark.slow
    def test_its_figures_are_in_the_history_of_every_epoch(self, row, names):
        model = table.model(*row[1:])
        probe = DivergenceProbe(held_out(model), every=1000, steps=10)
        history = model.fit(table.dataset(model.recipe), epochs=2, callbacks=[probe], verbose=0).history
        found = {name: values for name, values in history.items() if name.startswith("probe/")}
        self.assertCountEqual(found, [f"probe/{name}" for name in names])
        self.assertEqual({len(values) for values in found.values()}, {2})

    @pytest.mark.slow
    def test_it_measures_as_often_as_asked_and_at_the_end(self):
        model = table.model(*table.GAN[1:])
        probe, seen = DivergenceProbe(held_out(model), every=4, steps=10, budget=1.0), []
        measure = probe.measure
        probe.measure = lambda *args: seen.append(int(model.steps)) or measure(*args)
        model.fit(table.dataset(model.recipe), epochs=3, callbacks=[probe], verbose=0)
        self.assertEqual(seen, [3, 4, 8, 9])  # the first at an epoch's end at the latest

    @pytest.mark.slow
    def test_time_beyond_its_budget_is_not_taken(self):
        model = table.model(*table.GAN[1:])
        probe = DivergenceProbe(held_out(model), every=1, steps=100, budget=1e-9)
        probe.set_model(model)
        probe.on_train_begin()
        probe.measure(10)
        model.run_phases(model.joint.values(held_out(model)))
        model.steps.assign(50)
        probe.on_train_batch_end(0)
        self.assertNotEqual(probe.measured_at, 50)
        self.assertEqual(probe.passed_over, 1)
        probe.budget = 1e9
        model.steps.assign(60)
        probe.on_train_batch_end(0)
        self.assertEqual(probe.measured_at, 60)
        self.assertEqual(probe.passed_over, 1)

    @parameterized.named_parameters(*(row for row in table.RECIPES if row in table.MECHANISMS))
    @pytest.mark.slow
    def test_recipes_of_each_mechanism_are_measured(self, *row):
        self.check(row)

    @parameterized.named_parameters(*(row for row in table.RECIPES if row not in (*_QUICK, *table.MECHANISMS)))
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_every_recipe_is_measured(self, *row):
        self.check(row)

    def check(self, row):
        with table.trained(*row) as shared:
            probe = DivergenceProbe(held_out(shared.model), steps=10)
            probe.set_model(shared.model)
            figures = probe.measure()
            self.assertTrue(np.isfinite(list(figures.values())).all(), figures)
            self.assertEqual(any("jsd" in name for name in figures), bool(judged.judged_pairs(shared.model.joint)))
            self.assertEqual("probe/rate" in figures, shared.model.can("log_prob_bound"))

    @pytest.mark.slow
    def test_a_contest_without_a_log_ratio_has_no_posterior(self):
        row = next(row for row in table.ROWS if row[0] == "gan_wasserstein")
        model = table.model(*row[1:])
        probe = DivergenceProbe(held_out(model), steps=10)
        probe.set_model(model)
        figures = probe.measure()
        self.assertNotIn("probe/kl_generated", figures)
        self.assertAlmostEqual(figures["probe/pull"], 1.0, places=5)

    @parameterized.parameters(ugm_tf.recipes.gan(), ugm_tf.diffaugmented(ugm_tf.recipes.gan()))
    @pytest.mark.slow
    def test_classes_that_samples_reach(self, recipe):
        model = ugm_tf.UnifiedModel(recipe, table.dense(recipe))
        inputs = keras.Input(table.IMAGE)
        logits = keras.layers.Lambda(lambda x: tf.stack([tf.zeros_like(x[:, 0, 0, 0]), 1e-3 - x[:, 0, 0, 0]], 1))(
            inputs
        )
        x = np.ones((40, *table.IMAGE), np.float32)
        x[20:] = 0.0  # the second class, which no sample of (0, 1) is of
        probe = DivergenceProbe(x, steps=10, classifier=keras.Model(inputs, logits), training=x)
        probe.set_model(model)
        figures = probe.measure()
        self.assertEqual(figures["probe/coverage"], 0.5)
        self.assertEqual(figures["probe/authenticity_held_out"], 0.0)
        if "x" in recipe.roles["discriminator"].given:  # else each is judged as it was changed
            self.assertEqual(figures["probe/training_accuracy"], figures["probe/real_accuracy"])  # the same examples

    @parameterized.parameters(ugm_tf.recipes.gan(), ugm_tf.diffaugmented(ugm_tf.recipes.gan()))
    @pytest.mark.slow
    def test_what_training_examples_are_to_each_other_is_found_once(self, recipe):
        model = ugm_tf.UnifiedModel(recipe, table.dense(recipe))
        x = np.random.default_rng(0).random((60, *table.IMAGE), np.float32)
        probe = DivergenceProbe(x[:30], steps=10, training=x[30:])
        probe.set_model(model)
        first = probe.measure()
        with mock.patch.object(memorisation, "nearest", side_effect=memorisation.nearest) as nearest:
            second = probe.measure()
        self.assertEqual(nearest.call_count, 1)  # of the samples
        self.assertEqual(first, second)  # the log-ratio begins anew
        held_out, train = x.reshape(2, 30, -1)
        self.assertEqual(first["probe/authenticity_held_out"], samples.authenticity(train, held_out).value)

    @pytest.mark.slow
    def test_a_critics_zero_says_nothing(self):
        row = next(row for row in table.ROWS if row[0] == "gan_wasserstein")
        model = table.model(*row[1:])
        data = held_out(model)
        probe = DivergenceProbe(data, steps=10, training=data)
        probe.set_model(model)
        figures = probe.measure()
        self.assertFalse([name for name in figures if name.endswith("accuracy")])
        self.assertIn("probe/authenticity", figures)

    @pytest.mark.slow
    def test_samples_of_a_recipe_without_a_discriminator_are_looked_at(self):
        model = table.model(*table.VAE[1:])
        x = held_out(model)["x"]
        probe = DivergenceProbe(x, steps=10, training=np.concatenate([x, 1.0 - x]))
        probe.set_model(model)
        figures = probe.measure()
        drawn = model.sample(len(x), 0, mean=False).numpy()
        self.assertAlmostEqual(figures["probe/spread"], drawn.var(0).sum() / x.var(0).sum(), places=4)
        self.assertEqual(figures["probe/authenticity_held_out"], 0.0)
        train = np.concatenate([x, 1.0 - x]).reshape(2 * len(x), -1)
        authentic = samples.authenticity(train, drawn.reshape(len(x), -1)).value
        self.assertEqual(figures["probe/authenticity"], authentic)

    @pytest.mark.slow
    def test_the_probe_says_no_less_than_the_discriminator_whose_own_loss_is_a_bound(self):
        """With a network that has learned nothing."""
        model = table.model(*table.GAN[1:])
        x = np.random.default_rng(0).integers(0, 2, (60, *table.IMAGE)).astype(np.float32)
        model.fit(x, batch_size=20, epochs=10, verbose=0)
        for training in (None, x):
            probe = DivergenceProbe(x, steps=1, training=training)
            probe.set_model(model)
            figures = probe.measure()
            of_discriminator = figures["probe/jsd"] - figures["probe/discriminator_gap"]  # log 2 less its loss
            self.assertGreater(of_discriminator, 0.03)
            self.assertGreater(figures["probe/discriminator_gap"], -1e-3)

    @pytest.mark.slow
    def test_it_learns_from_training_data_and_measures_on_held_out_ones(self):
        model = table.model(*table.GAN[1:])
        data = held_out(model)["x"]
        for training, learned, measured in (
            (None, 20, 20),
            (np.concatenate([data, data]), 80, 40),
        ):
            probe = DivergenceProbe(data, steps=10, training=training)
            probe.set_model(model)
            probe._prepare()
            (pair,) = probe._pairs
            with (
                mock.patch.object(pair.ratio, "fit", wraps=pair.ratio.fit) as fit,
                mock.patch.object(pair.ratio, "calibrate", wraps=pair.ratio.calibrate) as calibrate,
            ):
                probe.measure()
            self.assertEqual((len(fit.call_args.args[0]), len(calibrate.call_args.args[0])), (learned, measured))

    @pytest.mark.slow
    def test_another_model_is_measured_anew(self):
        models = [table.model(*row[1:]) for row in (table.GAN, table.GAN, table.VAE)]
        models[1].discriminator.network.trainable_weights[-1].assign([5.0])
        probe = DivergenceProbe(held_out(models[0]), every=1000, steps=10)
        found = []
        for model in models:
            model.fit(table.dataset(model.recipe), epochs=1, callbacks=[probe], verbose=0)
            found.append((probe.measured_at, probe.latest))
        self.assertEqual([at for at, _ in found], [3, 3, 3])
        self.assertGreater(found[1][1]["probe/real_accuracy"], 0.9)
        self.assertNotEqual(found[0][1], found[1][1])
        self.assertNotIn("probe/jsd", found[2][1])
        probe.set_model(models[0])
        self.assertIn("probe/jsd", probe.measure())

    @parameterized.parameters((table.GAN, "jsd"), (table.VAE, "distortion"))
    @pytest.mark.slow
    def test_what_is_not_finite_is_said_and_ends_no_training(self, row, name):
        model = table.model(*row[1:])
        probe = DivergenceProbe(held_out(model), steps=10)
        probe.set_model(model)
        bias = model.decoder.network.trainable_weights[-1]
        bias.assign(tf.fill(bias.shape, np.nan))
        self.assertTrue(np.isnan(probe.measure()[f"probe/{name}"]))
        self.assertIn(f"is not finite, so these are not known: {name}", probe.warnings[-1])

    def test_a_probe_of_no_model_is_refused(self):
        with self.assertRaisesRegex(ValueError, "measures a model: give it to fit"):
            DivergenceProbe(np.zeros([40, 8, 8, 1])).measure()

    @parameterized.parameters(("held_out", {}), ("training", {"training": 255.0}))
    def test_data_that_fit_would_refuse_are_refused(self, what, more):
        model = table.model(*table.GAN[1:])
        x = held_out(model)["x"]
        more = {name: factor * x for name, factor in more.items()}
        probe = DivergenceProbe(x if more else 255.0 * x, **more)
        message = f"A DivergenceProbe's {what} data are as those that fit.. takes. .*divide 8-bit images by 255"
        with self.assertRaisesRegex(ValueError, message):
            model.fit(table.dataset(model.recipe), callbacks=[probe], verbose=0)

    @parameterized.parameters("held_out", "training")
    def test_bytes_are_refused_where_any_number_has_a_likelihood(self, what):
        model = table.model("aavae", {}, table.laplace)
        model.compile("adam", jit_compile=False)
        x = held_out(model)["x"]
        given = (255 * x).astype(np.uint8)
        probe = DivergenceProbe(given) if what == "held_out" else DivergenceProbe(x, training=given)
        with self.assertRaisesRegex(ValueError, f"{what} data are as those .*images of bytes, between 0 and 255"):
            model.fit(table.dataset(model.recipe), callbacks=[probe], verbose=0)

    @parameterized.parameters(
        ({"every": 0}, "every of a DivergenceProbe is a whole number of at least 1"),
        ({"budget": 0.0}, "budget is a share of the training time"),
        ({"examples": 3}, "examples of a DivergenceProbe .* at least 20"),
    )
    def test_refuses(self, options, message):
        with self.assertRaisesRegex(ValueError, message):
            DivergenceProbe(np.zeros([40, 8, 8, 1]), **options)

    def test_refuses_a_handful_of_examples(self):
        model = table.model(*table.GAN[1:])
        probe = DivergenceProbe(np.zeros([10, 8, 8, 1]))
        with self.assertRaisesRegex(ValueError, "held_out data of x are at least 20 rows"):
            model.fit(table.dataset(model.recipe), callbacks=[probe], verbose=0)


class LemmaTest(parameterized.TestCase):
    """Lemma 1: half the KL's gradient less the JSD's is that of what the generator minimises, whatever the ratio."""

    @parameterized.named_parameters(table.GAN, ("bigan", "bigan", {}, table.dense), ("aae", "aae", {}, table.dense))
    def test_the_gradients_are_those_of_the_loss(self, *row):
        model = table.model(*row)
        joint, seed = model.joint, tf.constant([3, 4])
        pair = judged.judged_pairs(joint)[0]
        values = joint.values(held_out(model))
        kl, jsd = pair.gradients(
            joint, values, seed, lambda side: tf.reduce_sum(tf.reshape(side.values[0], [40, -1]) ** 2, 1) - 1.0
        )
        phase = next(phase for phase in joint.recipe.phases if phase.name == pair.against)
        term = next(e for e in phase.minimise if e.under == pair.moving)
        with tf.GradientTape() as tape:
            loss = term(pair.moving(joint.sample(values, training=False), seed))
        variables = joint.variables_of(phase)
        pairs = zip(tape.gradient(loss, variables), variables, strict=True)
        expected = np.concatenate([np.zeros(v.shape).ravel() if g is None else np.ravel(g) for g, v in pairs])
        self.assertGreater(np.abs(expected).max(), 1e-3)
        np.testing.assert_allclose(0.5 * kl - jsd, 0.5 * expected, rtol=1e-4, atol=1e-6)


class WarningsTest(parameterized.TestCase):
    def test_there_are_none_of_a_healthy_run(self):
        self.assertEqual(warnings_of(HEALTHY), ())

    @parameterized.parameters(
        ({"probe/spread": 0.1}, "mode dropping: samples have 10% of the variance"),
        ({"probe/coverage": 0.5}, "mode dropping: samples reach 50% of the classes"),
        ({"probe/pull": 0.01}, "saturation: .* slope of 0.01"),
        (
            {"probe/real_accuracy": 1.0, "probe/fake_accuracy": 0.99, "probe/jsd": 0.69},
            "a winning discriminator",
        ),
        (
            {"probe/discriminator_gap": 0.6},
            "a discriminator that is behind: its loss is 0.25 nats above that of one which knows nothing",
        ),
        ({"probe/training_accuracy": 1.0, "probe/real_accuracy": 0.3}, "memorisation: the discriminator takes 100%"),
        ({"probe/authenticity": 0.1}, "memorisation: 90% of the samples .* of held-out data 50%"),
        ({"probe/active_units": 0.0}, "a collapsed posterior: 0 units"),
        ({"probe/rate": 0.01}, "a collapsed posterior: 20 units of the code are active, at a rate of 0.01 nats"),
    )
    def test_each_failure_has_its_own(self, changes, text):
        found = warnings_of({**HEALTHY, **changes})
        self.assertLen(found, 1)
        self.assertRegex(found[0], text)

    def test_of_several_discriminators_each_is_named(self):
        figures = {"probe/discriminate_z/spread": 0.1, "probe/discriminate_x/spread": 1.0}
        self.assertEqual(
            warnings_of(figures), ("mode dropping: samples have 10% of the variance of the data (discriminate_z)",)
        )


if __name__ == "__main__":
    absltest.main()
