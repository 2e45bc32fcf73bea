"""Every callback of `keras.callbacks`, with a model of one optimizer a phase: it works, or is refused before a step."""

import functools
import http.server
import importlib.util
import inspect
import json
import os
import pathlib
import threading
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table

EMA = functools.partial(keras.optimizers.Adam, use_ema=True, ema_momentum=0.5)
LOSS = {"monitor": "generate/loss", "mode": "min"}


def fit(callbacks, epochs=3, row=table.GAN, **options):
    """A small model after some epochs, and its history."""
    fit_options = {name: options.pop(name) for name in ("validation_data",) if name in options}
    model = table.model(*row[1:], **options)
    history = model.fit(table.dataset(model.recipe), epochs=epochs, callbacks=callbacks, verbose=0, **fit_options)
    return model, history.history


class EachCallbackTest(parameterized.TestCase):
    """One test for each name in `keras.callbacks`: `test_NAME`."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path)

    def test_there_is_a_test_for_each(self):
        found = {name for name, value in vars(keras.callbacks).items() if inspect.isclass(value)}
        tests = [name.removeprefix("test_") for name in dir(self) if name.startswith("test_")]
        self.assertEqual(found, {name.rstrip("0123456789") for name in tests if name[0].isupper()})

    @pytest.mark.slow
    def test_Callback(self):
        fit([keras.callbacks.Callback()], epochs=1)

    @pytest.mark.slow
    def test_CallbackList(self):
        seen = []
        watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
        model = table.model(*table.GAN[1:])
        whole = keras.callbacks.CallbackList([watch], add_history=True, model=model)
        model.fit(table.dataset(model.recipe), epochs=2, callbacks=whole, verbose=0)
        self.assertEqual(seen, [0, 1])
        with self.assertRaisesRegex(ValueError, "beside TerminateOnNaN: give a list instead of a CallbackList"):
            fit(keras.callbacks.CallbackList([keras.callbacks.TerminateOnNaN()]))

    @pytest.mark.slow
    def test_History(self):
        history = keras.callbacks.History()
        _, returned = fit([history], epochs=2)
        self.assertEqual(history.history, returned)

    @pytest.mark.slow
    def test_LambdaCallback(self):
        seen = []
        end = keras.callbacks.LambdaCallback(on_train_end=lambda logs: seen.append(sorted(logs)))
        model, _ = fit([end], epochs=1)
        self.assertEqual(seen, [sorted(metric.name for metric in model.metrics)])

    @pytest.mark.slow
    def test_ProgbarLogger(self):
        fit([keras.callbacks.ProgbarLogger()], epochs=1)

    @pytest.mark.slow
    def test_CSVLogger(self):
        fit([keras.callbacks.CSVLogger(str(self.directory / "log.csv"))], epochs=2)
        self.assertLen((self.directory / "log.csv").read_text().splitlines(), 3)

    @pytest.mark.slow
    def test_TensorBoard(self):
        board = keras.callbacks.TensorBoard(str(self.directory), histogram_freq=1, write_steps_per_second=True)
        held_out = table.dataset(ugm_tf.recipes.gan())
        model, _ = fit([board], epochs=2, validation_data=held_out)
        self.assertNotEmpty(list((self.directory / "validation").glob("*")))
        (path,) = (self.directory / "train").glob("*")
        tags = {v.tag for event in tf.compat.v1.train.summary_iterator(str(path)) for v in event.summary.value}
        self.assertContainsSubset({f"epoch_{metric.name}" for metric in model.metrics}, tags)
        self.assertContainsSubset({"epoch_learning_rate_discriminate", "epoch_learning_rate_generate"}, tags)

    @pytest.mark.slow
    def test_ModelCheckpoint(self):
        path = self.directory / "model.keras"
        model, _ = fit([keras.callbacks.ModelCheckpoint(str(path), save_best_only=False)], epochs=1)
        table.assert_same(table.state(ugm_tf.load_model(path)), table.state(model))

    def test_OrbaxCheckpoint(self):
        if importlib.util.find_spec("orbax") is None:
            with self.assertRaisesRegex(ImportError, "orbax"):
                keras.callbacks.OrbaxCheckpoint(str(self.directory))
            return
        fit([keras.callbacks.OrbaxCheckpoint(str(self.directory))], epochs=1)

    @pytest.mark.slow
    def test_BackupAndRestore(self):
        model = table.model(*table.GAN[1:])
        data = table.dataset(model.recipe)

        class Interrupt(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    raise KeyboardInterrupt

        backup = functools.partial(keras.callbacks.BackupAndRestore, str(self.directory))
        with self.assertRaises(KeyboardInterrupt):
            model.fit(data, epochs=2, callbacks=[backup(), Interrupt()], verbose=0)
        again = table.model(*table.GAN[1:])
        again.fit(data, epochs=2, callbacks=[backup()], verbose=0)
        self.assertEqual(int(again.steps), 6)
        table.assert_same(table.state(again), table.state(fit(None, epochs=2)[0]))

    def test_EarlyStopping(self):
        stop = keras.callbacks.EarlyStopping(**LOSS, patience=1, min_delta=1e6, restore_best_weights=True)
        model, history = fit([stop], epochs=9)
        self.assertLen(history["generate/loss"], 2)
        self.assertEqual(int(model.steps), 6)  # the weights went back an epoch; the steps, which fix the draws, did not
        best, _ = fit(None, epochs=1)
        for a, b in zip(model.decoder.get_weights(), best.decoder.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.slow
    def test_ReduceLROnPlateau(self):
        reduce = keras.callbacks.ReduceLROnPlateau(**LOSS, factor=0.1, patience=1, min_delta=1e6)
        model, history = fit([reduce])
        for phase, optimizer in model.optimizers.items():
            self.assertAlmostEqual(float(optimizer.learning_rate), 1e-5, places=7)
            np.testing.assert_allclose(history[f"learning_rate_{phase}"], [1e-3, 1e-3, 1e-4], rtol=1e-5)

    def test_LearningRateScheduler(self):
        halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        rates = {"discriminate": keras.optimizers.SGD(0.8), "generate": keras.optimizers.SGD(0.4)}
        model, _ = fit([halve], epochs=2, optimizer=rates)
        found = {phase: float(optimizer.learning_rate) for phase, optimizer in model.optimizers.items()}
        np.testing.assert_allclose([found["discriminate"], found["generate"]], [0.2, 0.1], rtol=1e-6)

    @pytest.mark.slow
    def test_SwapEMAWeights(self):
        data = table.dataset(table.recipe_of(*table.GAN[1:]))
        _, history = fit([keras.callbacks.SwapEMAWeights()], optimizer=EMA(1e-2), validation_data=data)
        plain, other = fit(None, optimizer=EMA(1e-2), validation_data=data)
        # Training goes on as ever, but for the rounding of Keras's swap, which adds and subtracts.
        np.testing.assert_allclose(history["generate/loss"], other["generate/loss"], rtol=1e-3)
        with plain.averaged():
            found = plain.evaluate(data, verbose=0, return_dict=True)["generate/loss"]
        self.assertAlmostEqual(history["val_generate/loss"][-1], found, delta=1e-3)
        self.assertNotAlmostEqual(history["val_generate/loss"][-1], other["val_generate/loss"][-1], delta=2e-3)

    @parameterized.parameters(False, True)
    @pytest.mark.slow
    def test_TerminateOnNaN(self, raises):
        model = table.model(*table.GAN[1:])
        model.decoder.set_weights([np.full_like(w, np.nan) for w in model.decoder.get_weights()])
        callback = keras.callbacks.TerminateOnNaN(raise_error=raises)
        data = table.dataset(model.recipe)
        if raises:
            with self.assertRaisesRegex(RuntimeError, "NaN or infinite loss by step 0: .*generate/loss = nan"):
                model.fit(data, epochs=3, callbacks=[callback], verbose=0)
        else:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                history = model.fit(data, epochs=3, callbacks=[callback], verbose=0).history
            self.assertTrue(any("Training ends at step 0: " in str(w.message) for w in seen))
            self.assertNotIn("loss", history)
        self.assertEqual(int(model.steps), 0)  # nothing was learned

    @pytest.mark.slow
    def test_RemoteMonitor(self):
        received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        if importlib.util.find_spec("requests") is None:
            with self.assertRaisesRegex(ValueError, "package `requests`, which is not installed"):
                fit([keras.callbacks.RemoteMonitor()])
            return
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        os.environ["no_proxy"] = "127.0.0.1"
        monitor = keras.callbacks.RemoteMonitor(f"http://127.0.0.1:{server.server_port}", send_as_json=True)
        _, history = fit([monitor], epochs=1)
        self.assertAlmostEqual(received[0]["generate/loss"], history["generate/loss"][0], places=5)


class RefusedTest(parameterized.TestCase):
    """What a callback cannot do is said before the first step."""

    def refuses(self, advice, callback, **options):
        model = table.model(*options.pop("row", table.GAN)[1:], **options)
        with self.assertRaisesRegex(ValueError, advice):
            model.fit(
                table.dataset(model.recipe), callbacks=callback if isinstance(callback, list) else [callback], verbose=0
            )
        self.assertEqual(int(model.steps), 0)

    @parameterized.parameters(
        (
            keras.callbacks.EarlyStopping,
            {},
            "EarlyStopping looks for the metric 'val_loss'.*='discriminate/loss', mode='min'",
        ),
        (
            keras.callbacks.ReduceLROnPlateau,
            {"monitor": "loss"},
            "looks for the metric 'loss', and each phase .* its own",
        ),
        (
            keras.callbacks.EarlyStopping,
            {"monitor": "generate/loss"},
            "to fall or to rise: give it mode='min' or 'max'",
        ),
        (keras.callbacks.EarlyStopping, {"monitor": "val_generate/loss", "mode": "min"}, "give fit.. validation_data"),
        (
            keras.callbacks.EarlyStopping,
            {"monitor": "generate/los", "mode": "min"},
            r"'generate/los', of which there is none. Did you mean 'generate/loss'\? There are: discriminate/",
        ),
        (keras.callbacks.ReduceLROnPlateau, {"monitor": "fid"}, "the metric 'fid', of which there is none. There are"),
    )
    def test_a_metric_that_is_not_there(self, kind, options, advice):
        self.refuses(advice, kind(**options))

    def test_the_best_by_a_metric_that_is_not_there(self):
        keep = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
        self.refuses("ModelCheckpoint looks for the metric 'val_loss'", keep)
        keep = keras.callbacks.ModelCheckpoint("best.keras", monitor="fid", save_best_only=True)
        self.refuses("ModelCheckpoint looks for the metric 'fid', of which there is none", keep)

    def test_a_metric_that_only_callbacks_beside_it_could_give(self):
        stop = keras.callbacks.EarlyStopping("nope", mode="min")
        for beside in (keras.callbacks.CSVLogger("log.csv"), ugm_tf.callbacks.Checkpoints("here", 10)):
            self.refuses("'nope', of which there is none", [stop, beside])
        self.refuses("'learning_rate', of which", keras.callbacks.EarlyStopping("learning_rate", mode="min"))

    @pytest.mark.slow
    def test_the_rate_that_a_scheduler_tells(self):
        scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 / (epoch + 1))
        row = table.GAN
        _, history = fit([scheduler], epochs=1, row=row)
        for name in (name for name in history if name.startswith("learning_rate")):
            stop = keras.callbacks.EarlyStopping(name, mode="min")
            self.assertLen(fit([scheduler, stop], epochs=2, row=row)[1][name], 2)

    @parameterized.parameters(
        ("a.h5", "writes a .keras file here, or with save_weights_only=True a .weights.h5. Received: a.h5"),
        (
            "m-{loss:.2f}.keras",
            "names its files by {loss}, of which there is none. There are: epoch, discriminate/",
        ),
    )
    def test_a_file_that_could_not_be_written(self, path, advice):
        self.refuses(advice, keras.callbacks.ModelCheckpoint(path))

    def test_what_is_no_callback(self):
        for wrong in ("a", None, 1, keras.callbacks.EarlyStopping):
            self.refuses("callbacks are instances of keras.callbacks.Callback. Received: ", wrong)

    @pytest.mark.slow
    def test_a_metric_of_another_callback_is_left_to_it(self):
        class Measure(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                logs["fid"] = 1.0

        stop = keras.callbacks.EarlyStopping("fid", mode="min", patience=1)
        _, history = fit([Measure(), stop], epochs=5)
        self.assertLen(history["fid"], 2)

    @parameterized.parameters(
        (keras.callbacks.ReduceLROnPlateau(**LOSS),), (keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),)
    )
    def test_the_rate_of_a_schedule(self, callback):
        rate = keras.optimizers.schedules.CosineDecay(1e-3, 10)
        advice = "sets learning rates, and that of phase 'discriminate' follows a schedule or a function"
        self.refuses(advice, callback, optimizer=keras.optimizers.Adam(rate))

    def test_averages_that_nobody_keeps(self):
        self.refuses("SwapEMAWeights takes optimizers that keep averages", keras.callbacks.SwapEMAWeights())

    def test_averages_of_the_same_weights(self):
        vae = ugm_tf.recipes.vae()
        sharper = ugm_tf.Phase("sharper", (ugm_tf.E(ugm_tf.NegativeLogProb("decoder"), ugm_tf.INFERRED),), "decoder")
        twice = ugm_tf.Recipe(vae.densities, (*vae.phases, sharper))
        self.refuses(
            "cannot swap the weights of decoder, .*model.averaged",
            keras.callbacks.SwapEMAWeights(),
            row=("twice", lambda: twice, {}, table.dense),
            optimizer=EMA(1e-3),
        )


if __name__ == "__main__":
    absltest.main()
