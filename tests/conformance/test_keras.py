"""What any Keras user expects: data of every kind, callbacks, histories, predictions."""

import csv
import functools
import pathlib
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table

VAE_METRICS = ["wake/distortion", "wake/loss", "wake/rate"]


def batches_of(x):
    """A PyDataset of dicts."""

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return {"x": x[16 * i : 16 * i + 16]}

    return Batches()


@functools.cache
def fitted(name):
    """History and state of a row of the table after an epoch of a dataset of dicts."""
    model = table.model(*next(row for row in table.ROWS if row[0] == name)[1:])
    return model.fit(table.dataset(model.recipe), verbose=0).history, table.state(model)


class DataTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("array", lambda x: x),
        ("array_of_bytes", lambda x: x.astype(np.uint8)),
        ("array_of_doubles", lambda x: x.astype(np.float64)),
        ("tensor", tf.constant),
        ("dict", lambda x: {"x": x}),
        ("tuple", lambda x: (x,)),
        ("list", lambda x: [x]),
        ("dataset", lambda x: tf.data.Dataset.from_tensor_slices(x).batch(16)),
        ("dataset_of_dicts", lambda x: tf.data.Dataset.from_tensor_slices({"x": x}).batch(16)),
        ("dataset_of_tuples", lambda x: tf.data.Dataset.from_tensor_slices((x.astype(np.uint8),)).batch(16)),
        ("generator", lambda x: (({"x": x[i : i + 16]},) for i in (0, 16, 32))),
        ("py_dataset", batches_of),
    )
    @pytest.mark.slow
    def test_trains_on(self, give):
        model = table.model(*table.VAE[1:])
        data = give(table.arrays(model.recipe)["x"])
        options = {"batch_size": 16} if not isinstance(data, tf.data.Dataset | keras.utils.PyDataset) else {}
        if hasattr(data, "__next__"):
            options = {}
        history = model.fit(data, shuffle=False, verbose=0, **options).history
        self.assertEqual(int(model.steps), 3)
        expected_history, expected = fitted("vae")
        table.assert_same(history, expected_history, rtol=1e-5)
        table.assert_same(table.state(model), expected, rtol=1e-5, atol=1e-7)

    @parameterized.named_parameters(
        ("x_and_y", lambda x, c: (x, c)),
        ("tuple", lambda x, c: ((x, c),)),
        ("list", lambda x, c: ([x, c],)),
        ("dict", lambda x, c: ({"c": c, "x": x},)),
        ("dataset_of_tuples", lambda x, c: (tf.data.Dataset.from_tensor_slices((x, c)).batch(16),)),
    )
    @pytest.mark.slow
    def test_trains_on_two_variables(self, give):
        model = table.model(*table.CONDITIONAL[1:])
        data = give(**table.arrays(model.recipe))
        options = {} if isinstance(data[0], tf.data.Dataset) else {"batch_size": 16}
        model.fit(*data, shuffle=False, verbose=0, **options)
        table.assert_same(table.state(model), fitted("conditional_vae")[1], rtol=1e-5, atol=1e-7)

    @pytest.mark.slow
    def test_trains_on_endless_batches(self):
        model = table.model(*table.VAE[1:])
        data = batches_of(table.arrays(model.recipe)["x"])
        endless = mock.patch.object(type(data), "num_batches", None)
        with endless:
            model.fit(data, steps_per_epoch=3, shuffle=False, verbose=0)
        self.assertEqual(int(model.steps), 3)

    def check_smaller_batch(self, row):
        with table.trained(*row) as shared:
            data = table.arrays(shared.model.recipe)
            history = shared.model.fit(data, batch_size=20, verbose=0).history  # 20, 20 and 8
            self.assertEqual(int(shared.model.steps), 9)
            self.assertTrue(np.isfinite(list(history.values())).all(), history)

    @parameterized.named_parameters(*table.CHOSEN)
    @pytest.mark.slow
    def test_a_last_smaller_batch_counts(self, *row):
        self.check_smaller_batch(row)

    @parameterized.named_parameters(*table.MECHANISMS)
    @pytest.mark.slow
    def test_a_last_smaller_batch_counts_for(self, *row):
        self.check_smaller_batch(row)

    @pytest.mark.slow
    def test_validation_split(self):
        model = table.model(*table.VAE[1:])
        history = model.fit(table.arrays(model.recipe), validation_split=1 / 3, batch_size=16, verbose=0).history
        self.assertEqual(int(model.steps), 2)
        self.assertSameElements(history, [*VAE_METRICS, *(f"val_{name}" for name in VAE_METRICS)])

    @pytest.mark.slow
    def test_single_batches(self):
        model = table.model(*table.VAE[1:])
        x = table.arrays(model.recipe)["x"]
        metrics = [model.train_on_batch(x[i : i + 16], return_dict=True) for i in (0, 16, 32)]
        table.assert_same(table.state(model), fitted("vae")[1])
        self.assertSameElements(metrics[0], VAE_METRICS)
        expected = model.evaluate(x[:16], batch_size=16, verbose=0, return_dict=True)
        self.assertEqual(model.test_on_batch(x[:16], return_dict=True), expected)
        self.assertEqual(int(model.steps), 3)


class CallbacksTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path)

    @pytest.mark.slow
    def test_validation_metrics_are_those_of_an_evaluation(self):
        model = table.model(*table.AAVAE[1:])
        data = table.dataset(model.recipe)
        history = model.fit(data, validation_data=data, epochs=2, verbose=0).history
        metrics = model.evaluate(data, verbose=0, return_dict=True)
        self.assertCountEqual(history, [*metrics, *(f"val_{name}" for name in metrics)])
        table.assert_same({name: history[f"val_{name}"][-1] for name in metrics}, metrics, rtol=1e-6)

    @pytest.mark.slow
    def test_early_stopping_on_a_validation_metric(self):
        model = table.model(*table.VAE[1:], optimizer=keras.optimizers.SGD(1e-6))
        data = table.dataset(model.recipe)
        stop = keras.callbacks.EarlyStopping("val_wake/loss", mode="min", patience=2, min_delta=10.0)
        history = model.fit(data, validation_data=data, epochs=9, callbacks=[stop], verbose=0).history
        self.assertLen(history["wake/loss"], 3)  # the best, and two that are no better

    @pytest.mark.slow
    def test_csv_logger(self):
        model = table.model(*table.VAE[1:])
        log = keras.callbacks.CSVLogger(str(self.directory / "metrics.csv"))
        history = model.fit(table.dataset(model.recipe), epochs=2, callbacks=[log], verbose=0).history
        with open(self.directory / "metrics.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([float(row["wake/rate"]) for row in rows], history["wake/rate"])

    @pytest.mark.slow
    def test_model_checkpoint_keeps_the_best(self):
        model = table.model(*table.VAE[1:], optimizer=keras.optimizers.SGD(0.01))
        path = self.directory / "best.keras"
        keep = keras.callbacks.ModelCheckpoint(str(path), monitor="val_wake/loss", mode="min", save_best_only=True)
        data = table.dataset(model.recipe)
        history = model.fit(data, validation_data=data, epochs=3, callbacks=[keep], verbose=0).history
        best = ugm_tf.load_model(path).evaluate(data, verbose=0, return_dict=True)["wake/loss"]
        self.assertAlmostEqual(best, min(history["val_wake/loss"]), places=4)

    @pytest.mark.slow
    def test_callbacks_see_metrics_after_each_call_of_steps(self):
        model = table.model(*table.VAE[1:], steps_per_execution=2)
        seen = []
        watch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append((batch, sorted(logs)))
        )
        model.fit(table.dataset(model.recipe), callbacks=[watch], verbose=0)
        self.assertEqual(seen, [(1, VAE_METRICS), (3, VAE_METRICS)])

    def test_a_callback_may_stop_training(self):
        model = table.model(*table.VAE[1:])

        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = True

        model.fit(table.dataset(model.recipe), epochs=5, callbacks=[Stop()], verbose=0)
        self.assertEqual(int(model.steps), 1)


class PredictTest(parameterized.TestCase):
    @parameterized.named_parameters(*table.CHOSEN)
    @pytest.mark.slow
    def test_is_what_a_call_answers(self, *row):
        self.check(row)

    @parameterized.named_parameters(*(row for row in table.UNLIKE if row not in table.CHOSEN))
    @pytest.mark.slow
    def test_is_what_a_call_answers_for(self, *row):
        self.check(row)

    def check(self, row):
        with table.trained(*row) as shared:
            model, found = shared.model, shared.model.endpoints()
            if "decode" not in found:
                with self.assertRaisesRegex(ValueError, "has no decoder, so no one answer to a call"):
                    model(table.arrays(model.recipe))
                return
            data, rng = table.arrays(model.recipe, 20), np.random.default_rng(0)
            if "reconstruct" not in found or not set(found["reconstruct"].inputs) <= set(data):
                codes = {v: rng.normal(size=[20, *spec.shape[1:]]) for v, spec in found["decode"].inputs.items()}
                codes |= {"c": np.eye(3)[rng.integers(0, 3, 20)]} if "c" in codes else {}
                data = {v: data.get(v, code).astype(np.float32) for v, code in codes.items()}
            found = model.predict(data, batch_size=16, verbose=0)
            np.testing.assert_allclose(found, model(data), rtol=1e-4, atol=1e-5)

    def test_of_a_model_with_an_encoder_reconstructs(self):
        model = table.model(*table.VAE[1:])
        x = table.arrays(model.recipe)["x"]
        for data in (x, table.dataset(model.recipe)):
            np.testing.assert_allclose(model.predict(data, verbose=0), model.reconstruct(x), rtol=1e-5, atol=1e-6)

    @pytest.mark.slow
    def test_of_a_conditional_model_reconstructs_given_the_condition(self):
        model = table.model(*table.CONDITIONAL[1:])
        data = table.arrays(model.recipe)
        expected = model.reconstruct(data["x"], c=data["c"])
        np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)

    def test_of_a_model_without_an_encoder_decodes(self):
        model = table.model(*table.GAN[1:])
        z = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
        np.testing.assert_allclose(model.predict(z, batch_size=16, verbose=0), model.decode(z), rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    absltest.main()
