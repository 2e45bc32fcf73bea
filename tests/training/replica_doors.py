"""Every door of a model whose strategy has two devices answers as that of a model on one.

A process of its own, as devices are fixed when TensorFlow starts: `python -m tests.training.replica_doors`.
"""

import contextlib
import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from tests.training.replica_runs import strategy_of

STRATEGY = strategy_of(2)
ONE = contextlib.nullcontext


def model(scope=STRATEGY.scope, row=table.VAE, **options):
    with scope():
        return table.model(*row[1:], **options)


def both(row=table.VAE, make_optimizer=lambda: "adam", **options):
    return [model(scope, row, optimizer=make_optimizer(), **options) for scope in (STRATEGY.scope, ONE)]


def apart(left, right):
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(left, right, strict=True))


class Batches(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return (self.x[16 * i : 16 * i + 16],)


class _Test(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        recipe = ugm_tf.recipes.vae()
        self.x, self.data = table.arrays(recipe)["x"], table.dataset(recipe)
        self.bad = self.x.copy()
        self.bad[40, 0] = np.nan

    def check_same(self, several, one):
        self.assertEqual(int(np.asarray(several.steps)), int(np.asarray(one.steps)))
        self.assertLess(apart(several.variables, one.variables), 1e-6)


class DoorsTest(_Test):
    @parameterized.parameters("arrays", "steps", "generator", "sequence")
    def test_fit_takes_data_of_each_kind(self, kind):
        models = both()
        for of in models:
            if kind == "arrays":
                of.fit(self.x, batch_size=16, shuffle=False, verbose=0)
            elif kind == "steps":
                of.fit(self.data, steps_per_epoch=5, epochs=2, verbose=0)
            elif kind == "generator":
                of.fit(((self.x[i : i + 16],) for i in (0, 16, 32)), verbose=0)
            else:
                of.fit(Batches(self.x), shuffle=False, verbose=0)
        self.check_same(*models)

    def test_fewer_batches_than_steps(self):
        models = both(steps_per_execution=5)
        found = [of.fit(self.x, batch_size=16, shuffle=False, steps_per_epoch=5, verbose=0) for of in models]
        self.assertEqual(int(np.asarray(models[0].steps)), 3)
        self.assertIn("wake/loss", found[0].history)
        self.assertSameElements(found[0].history, found[1].history)
        self.check_same(*models)

    def test_a_device_without_a_row_has_no_part_in_weights(self):
        models = both(table.IWGAN)
        for of in models:
            of.fit(self.x[:17], batch_size=16, shuffle=False, verbose=0)
        self.check_same(*models)
        found = [of.evaluate(self.x[:17], batch_size=16, verbose=0, return_dict=True) for of in models]
        self.assertLess(apart(found[0].values(), found[1].values()), 1e-5)

    def test_single_batches(self):
        models = both()
        logs = [[of.train_on_batch(self.x[:16]), of.test_on_batch(self.x[:16])] for of in models]
        np.testing.assert_allclose(*logs, rtol=1e-6)
        self.check_same(*models)
        answers = [of.predict_on_batch(self.x[:4]) for of in models]
        self.assertLen(answers[0], 4)
        np.testing.assert_allclose(*answers, atol=1e-6)

    @parameterized.parameters(1, 21)
    def test_evaluation_and_prediction_of_uneven_batches(self, n):
        several, one = both()
        found = [of.evaluate(self.x[:n], batch_size=8, verbose=0, return_dict=True) for of in (several, one)]
        self.assertLess(max(abs(found[0][name] - found[1][name]) / abs(found[1][name]) for name in found[1]), 1e-5)
        np.testing.assert_allclose(
            *(of.predict(self.x[:n], batch_size=8, verbose=0) for of in (several, one)), atol=1e-6
        )

    def test_bad_values_are_refused_before_a_step(self):
        of = model()
        data = tf.data.Dataset.from_tensor_slices(self.bad).batch(16)
        with self.assertRaisesRegex(ValueError, "Training stopped before step 3"):
            of.fit(data, verbose=0)
        self.assertEqual(int(np.asarray(of.steps)), 2)
        with self.assertRaisesRegex(ValueError, "Evaluation stopped at batch 3"):
            of.evaluate(data, verbose=0)
        with self.assertRaisesRegex(ValueError, "values between 0 and 255"):
            of.predict(255 * self.x, batch_size=8, verbose=0)

    def test_a_step_that_is_not_finite_is_not_taken(self):
        of = model(check_values=False)
        with self.assertRaisesRegex(FloatingPointError, "at step 3, in phase 'wake'.*the gradient of 'encoder'"):
            of.fit(tf.data.Dataset.from_tensor_slices(self.bad).batch(16), verbose=0)
        self.assertEqual(int(np.asarray(of.steps)), 2)
        self.assertTrue(all(np.isfinite(np.asarray(v)).all() for v in of.variables))

    @parameterized.parameters(ONE, STRATEGY.scope)
    def test_a_saved_model_goes_on_on_any_number_of_devices(self, scope):
        file = pathlib.Path(self.create_tempdir().full_path) / "model.keras"
        models = both(make_optimizer=lambda: keras.optimizers.Adam(1e-3, use_ema=True))
        for of in models:
            of.fit(self.data, verbose=0)
        models[0].save(file)
        with scope():
            loaded = ugm_tf.load_model(file)
        for of in (loaded, models[1]):
            of.fit(self.data, verbose=0)
        self.check_same(loaded, models[1])

    def test_both_phases_at_once(self):
        models = both(table.GAN, schedule="simultaneous")
        for of in models:
            of.fit(self.data, epochs=4, verbose=0)
        self.check_same(*models)

    @parameterized.parameters(
        ({"jit_compile": True}, "no jit_compile=True"),
        ({"run_eagerly": True}, "no run_eagerly=True"),
        ({"on_nan": "skip"}, "no on_nan='skip'"),
        ({"optimizer": keras.optimizers.Adam(gradient_accumulation_steps=4)}, "accumulates gradients"),
        ({"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))}, "scales its loss"),
    )
    def test_what_is_not_for_several_devices_is_refused(self, options, message):
        with self.assertRaisesRegex(ValueError, message):
            model(**options)

    def test_a_model_from_elsewhere_is_refused_within_the_scope(self):
        one = model(ONE)
        for door in (lambda: one.compile("adam"), lambda: one.fit(self.x, verbose=0), lambda: one.evaluate(self.x)):
            with STRATEGY.scope(), self.assertRaisesRegex(ValueError, "strategy in which the model was not made"):
                door()

    def test_networks_from_elsewhere_are_refused(self):
        recipe = ugm_tf.recipes.gan()
        densities = table.dense(recipe)
        with STRATEGY.scope(), self.assertRaisesRegex(ValueError, "was made outside of the distribution strategy's"):
            ugm_tf.UnifiedModel(recipe, densities).compile("adam")


class OptionsTest(_Test):
    @parameterized.parameters(
        {"clipnorm": 0.05}, {"global_clipnorm": 0.05}, {"weight_decay": 0.01}, {"use_ema": True, "ema_momentum": 0.9}
    )
    def test_options_of_optimizers(self, **options):
        models = both(table.GAN, lambda: keras.optimizers.Adam(1e-3, **options))
        for of in models:
            of.fit(self.data, epochs=4, verbose=0)
        self.check_same(*models)
        if "use_ema" in options:
            answers = []
            for of in models:
                with of.averaged():
                    answers.append(of.sample(3, seed=1))
            np.testing.assert_allclose(*answers, atol=1e-6)

    @parameterized.parameters(
        *("EarlyStopping", "TerminateOnNaN", "BackupAndRestore", "TensorBoard", "ModelCheckpoint", "SwapEMAWeights"),
        *("ReduceLROnPlateau", "LearningRateScheduler"),
    )
    def test_callbacks(self, name):
        folder = self.create_tempdir().full_path
        watched = {"monitor": "wake/loss", "mode": "min", "patience": 0}
        arguments = {
            "EarlyStopping": {**watched, "restore_best_weights": True},
            "ReduceLROnPlateau": {**watched, "min_delta": 1e9},
            "BackupAndRestore": {"backup_dir": folder},
            "TensorBoard": {"log_dir": folder},
            "LearningRateScheduler": {"schedule": lambda epoch, rate: rate / 2},
            "ModelCheckpoint": {"filepath": f"{folder}/model.keras"},
        }
        models = both(make_optimizer=lambda: keras.optimizers.Adam(1e-3, use_ema=True))
        for of in models:
            callback = getattr(keras.callbacks, name)(**arguments.get(name, {}))
            of.fit(self.data, epochs=3, callbacks=[callback], verbose=0)
        self.check_same(*models)


if __name__ == "__main__":
    absltest.main()
