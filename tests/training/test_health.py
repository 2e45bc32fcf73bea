"""Training stops at the step that is not finite, or skips it, and says what was not finite."""

import logging
import pathlib
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf.callbacks import Checkpoints
from ugm_tf.training import stepping

STEPS, BAD = 8, 5  # of an epoch; the one whose batch is not finite


def poisoned(model, value=np.nan):
    """An epoch of batches, of which one holds this value."""
    x = table.arrays(model.recipe, 16 * STEPS)["x"]
    x[16 * (BAD - 1) + 3, 2, 2, 0] = value
    return tf.data.Dataset.from_tensor_slices(x).batch(16, drop_remainder=True)


def made(row=table.VAE, **options):
    """A model that does not look at its batches, so that bad ones get as far as its losses."""
    return table.model(*row[1:], check_values=False, **options)


def stepwise(row, batches):
    """State of a model after these numbers of batches."""
    model = made(row)
    for number, batch in enumerate(poisoned(model), start=1):
        if number in batches:
            model.train_on_batch(batch)
        else:
            model.steps.assign_add(1)
    return model


class StopTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_at_the_step_with_the_state_from_before_it(self):
        self.check(3, False)

    @parameterized.parameters((1, False), (STEPS, False), (STEPS, True))
    @pytest.mark.slow
    def test_at_the_step_however_many_are_in_a_call(self, steps_per_execution, jit_compile):
        self.check(steps_per_execution, jit_compile)

    def check(self, steps_per_execution, jit_compile):
        model = made(steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        words = "diverged at step 5, in phase 'wake': distortion = nan, .*loss = nan, the gradient of 'encoder' is not"
        with self.assertRaisesRegex(FloatingPointError, f"{words}.*Lower the learning rate"):
            model.fit(poisoned(model), verbose=0)
        self.assertEqual(int(model.steps), BAD - 1)
        expected = stepwise(table.VAE, range(1, BAD))
        expected.steps.assign(BAD - 1)
        table.assert_same(table.state(model), table.state(expected), **({"rtol": 1e-4} if jit_compile else {}))

    def test_eagerly_too(self):
        model = made(run_eagerly=True)
        with self.assertRaisesRegex(FloatingPointError, "diverged at step 5, in phase 'wake'"):
            model.fit(poisoned(model), verbose=0)

    @pytest.mark.slow
    def test_it_may_be_trained_on_after(self):
        model = made(steps_per_execution=STEPS)
        with self.assertRaises(FloatingPointError):
            model.fit(poisoned(model), verbose=0)
        model.fit(table.dataset(model.recipe), verbose=0)
        self.assertEqual(int(model.steps), BAD - 1 + 3)

    @parameterized.parameters(
        ("alternating", np.nan),
        ("simultaneous", np.nan),
        ("alternating", np.nan, {"jit_compile": True, "steps_per_execution": STEPS}),
        ("alternating", np.inf, {"jit_compile": True, "steps_per_execution": STEPS, "clipvalue": 0.1}),
        ("alternating", 1e30, {"jit_compile": True, "steps_per_execution": STEPS, "clipnorm": 0.1}),
    )
    @pytest.mark.slow
    def test_a_gradient_alone_with_its_density(self, schedule, value, options=None):
        options = {"steps_per_execution": 2, **(options or {})}
        clips = {name: options.pop(name) for name in ("clipvalue", "clipnorm") if name in options}
        optimizer = keras.optimizers.Adam(**clips)
        model = made(table.GAN, schedule=schedule, optimizer=optimizer, **options)
        gradient = tf.custom_gradient(lambda x: (x, lambda dy: tf.ones_like(dy) * value))
        call = model.decoder.network.call
        model.decoder.network.call = lambda *a, **k: gradient(call(*a, **k))
        before = [v.numpy() for v in model.decoder.trainable_variables]
        words = "diverged at step 1, in phase 'generate': the gradient of 'decoder' is not finite. Nothing"
        with self.assertRaisesRegex(FloatingPointError, words):
            model.fit(table.dataset(model.recipe), verbose=0)
        for variable, value in zip(model.decoder.trainable_variables, before, strict=True):
            np.testing.assert_array_equal(variable, value)

    def test_what_may_hide_it_is_looked_at_step_by_step(self):
        class Own(keras.optimizers.SGD):
            pass

        def unwatched(optimizer, **options):
            return made(optimizer=optimizer, jit_compile=True, **options)._unwatched(STEPS) is not None

        self.assertTrue(unwatched(keras.optimizers.SGD()))
        self.assertTrue(unwatched(keras.optimizers.Adam(global_clipnorm=1.0)))
        hiding = [keras.optimizers.SGD(clipvalue=1.0), keras.optimizers.SGD(clipnorm=1.0), Own()]
        self.assertEqual([unwatched(optimizer) for optimizer in hiding], [False] * 3)
        self.assertFalse(unwatched("sgd", on_nan="skip"))
        bounded = made(optimizer="sgd", jit_compile=True)
        bounded.trainable_variables[0].constraint = keras.constraints.MaxNorm(1.0)
        self.assertIsNone(bounded._unwatched(STEPS))
        self.assertIsNone(made(optimizer="sgd")._unwatched(STEPS - 1))

    def test_of_data_that_are_refused_no_callback_is_remembered(self):
        model = made()
        with self.assertRaises(ValueError):
            model.fit(np.zeros([4, 3, 3, 1]), callbacks=[keras.callbacks.TerminateOnNaN()])
        with self.assertRaisesRegex(FloatingPointError, "diverged at step 1"):
            model.train_on_batch(np.full([4, 8, 8, 1], np.nan, np.float32))

    @pytest.mark.slow
    def test_is_told_before_a_later_batch_of_the_call_that_is_refused(self):
        model = table.model(*table.VAE[1:], steps_per_execution=STEPS)
        x = table.arrays(model.recipe, 16 * STEPS)["x"]
        x[-1] = 5.0
        data = tf.data.Dataset.from_tensor_slices(x).batch(16, drop_remainder=True)
        model.decoder.trainable_variables[0].assign(np.nan * model.decoder.trainable_variables[0])
        with self.assertRaisesRegex(FloatingPointError, "diverged at step 1"):
            model.fit(data, verbose=0)
        model.decoder.trainable_variables[0].assign(tf.zeros_like(model.decoder.trainable_variables[0]))
        model.fit(data.take(STEPS - 1), verbose=0)
        self.assertEqual(int(model.steps), STEPS - 1)

    @pytest.mark.slow
    def test_no_checkpoint_of_it_is_written(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        model, checkpoints = made(), Checkpoints(folder, 1)
        checkpoints.restore(model)
        with self.assertRaises(FloatingPointError):
            model.fit(poisoned(model), callbacks=[checkpoints], verbose=0)
        self.assertEqual(checkpoints.restore(model), BAD - 1)
        self.assertTrue(all(np.isfinite(v.numpy()).all() for v in model.variables))

    @pytest.mark.slow
    def test_a_callback_that_is_there_for_it_ends_training_instead(self):
        model = made(steps_per_execution=2)
        with self.assertWarns(UserWarning):
            history = model.fit(poisoned(model), callbacks=[keras.callbacks.TerminateOnNaN()], verbose=0)
        self.assertLen(history.epoch, 1)
        self.assertEqual(int(model.steps), BAD - 1)

    @parameterized.parameters(False, True)
    @pytest.mark.slow
    def test_moving_averages_are_those_from_before(self, jit_compile):
        model = made(table.BATCH_NORM, jit_compile=jit_compile, steps_per_execution=STEPS)
        with self.assertRaises(FloatingPointError):
            model.fit(poisoned(model), verbose=0)
        expected = stepwise(table.BATCH_NORM, range(1, BAD))
        expected.steps.assign(BAD - 1)
        table.assert_same(table.state(model), table.state(expected), **({"rtol": 1e-3} if jit_compile else {}))

    @pytest.mark.slow
    def test_steps_that_are_not_looked_at_are_those_that_are(self):
        """In one program of several steps none is, unless they end with what is not finite."""
        models = []
        for kept in (0, 2**28):
            with mock.patch.object(stepping, "_MOST_KEPT", kept):
                models.append(made(steps_per_execution=STEPS, jit_compile=True))
                models[-1].fit(table.dataset(models[-1].recipe, n=16 * STEPS), epochs=2, verbose=0)
        table.assert_same(table.state(models[0]), table.state(models[1]), rtol=1e-5)


class SkipTest(parameterized.TestCase):
    @pytest.mark.slow
    def test_it_goes_on_as_if_the_batch_had_taught_nothing(self):
        model = made(steps_per_execution=3, on_nan="skip")
        with self.assertLogs("ugm_tf.training", logging.WARNING) as logged:
            history = model.fit(poisoned(model), verbose=0).history
        self.assertLen(logged.output, 1)
        self.assertRegex(logged.output[0], "Skipped an update at step 5, in phase 'wake': distortion = nan")
        table.assert_same(table.state(model), table.state(stepwise(table.VAE, set(range(1, STEPS + 1)) - {BAD})))
        self.assertTrue(np.isfinite(history["wake/loss"]).all())

    @pytest.mark.slow
    def test_the_metrics_are_means_over_the_other_steps(self):
        model, losses = made(on_nan="skip"), []
        with self.assertLogs("ugm_tf.training"):
            for batch in poisoned(model):
                model.reset_metrics()
                losses.append(model.train_on_batch(batch, return_dict=True)["wake/loss"])
        model = made(on_nan="skip", steps_per_execution=STEPS)
        with self.assertLogs("ugm_tf.training"):
            mean = model.fit(poisoned(model), verbose=0).history["wake/loss"]
        np.testing.assert_allclose(mean, np.delete(losses, BAD - 1).mean(), rtol=1e-5)

    @pytest.mark.slow
    def test_where_every_step_is_skipped_it_stops(self):
        model = made(on_nan="skip", steps_per_execution=STEPS)
        bad = tf.data.Dataset.from_tensors(np.full([16, *table.IMAGE], np.nan, np.float32))
        batches = table.dataset(model.recipe, 16).map(lambda x: x["x"]).concatenate(bad.repeat())
        with (
            self.assertLogs("ugm_tf.training"),
            self.assertRaisesRegex(FloatingPointError, "last 103 steps were all sk"),
        ):
            model.fit(batches, steps_per_epoch=200, verbose=0)

    def test_is_kept_in_a_file(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "model.keras"
        made(on_nan="skip").save(path)
        self.assertEqual(ugm_tf.load_model(path).get_compile_config()["on_nan"], "skip")

    def test_of_skipped_steps_alone_there_is_no_mean(self):
        model = made(on_nan="skip", jit_compile=False)
        with self.assertLogs("ugm_tf.training"):
            bad = tf.data.Dataset.from_tensors(np.full([16, *table.IMAGE], np.nan, np.float32))
            history = model.fit(bad, verbose=0).history
        self.assertTrue(np.isnan(history["wake/loss"][0]))


class GradientTest(parameterized.TestCase):
    """Of one layer, whose gradient is what its activation makes it."""

    X = np.ones([64, 4], np.float32)

    def fit(self, activation, optimizer, **options):
        encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), keras.layers.Lambda(activation)])
        decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
        recipe = ugm_tf.recipes.vae()
        densities = {
            "prior": ugm_tf.Prior((2,)),
            "encoder": ugm_tf.Density(encoder, "gaussian"),
            "decoder": ugm_tf.Density(decoder, "bernoulli"),
        }
        model = ugm_tf.UnifiedModel(recipe, densities)
        model.compile(optimizer, **options)
        model.fit(self.X, batch_size=8, epochs=15, verbose=0)

    @parameterized.parameters(False, True)
    def test_one_that_no_scale_of_the_loss_makes_finite_ends_training(self, jit_compile):
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
        with self.assertRaisesRegex(FloatingPointError, "1.. steps were not finite at any scale of the loss, so that"):
            self.fit(lambda x: tf.sqrt(0.0 * x), scaled, jit_compile=jit_compile)

    def test_a_large_one_is_finite(self):
        self.fit(lambda x: 1e10 * x, keras.optimizers.SGD(1e-30))


class RefusalTest(absltest.TestCase):
    def test_another_word(self):
        with self.assertRaisesRegex(ValueError, "on_nan is 'stop' or 'skip'. Received: 'rollback'"):
            made(on_nan="rollback")


if __name__ == "__main__":
    absltest.main()
