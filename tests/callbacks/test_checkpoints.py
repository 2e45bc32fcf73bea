"""From a checkpoint a run goes on bit for bit, within an epoch too."""

import functools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf.callbacks import Checkpoints

STEPS = 7  # an epoch


def with_dropout(recipe):
    """Densities of a GAN whose discriminator has a user's own Dropout."""
    layers = [keras.Input(table.IMAGE), keras.layers.Flatten(), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    return {**table.dense(recipe), "discriminator": ugm_tf.Density(keras.Sequential(layers), "logit")}


DROPOUT = ("gan_dropout", "gan", {}, with_dropout)


def steps(directory):
    """Steps of the checkpoints that are there."""
    return sorted(int(path.stem.removeprefix("step-")) for path in directory.glob("step-*.state"))


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Ends a run after so many steps; put behind or before the checkpoints."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps) >= self.after:
            raise Killed


class KillAtTheEndOfAnEpoch(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise Killed


def train(model, epochs, start=0, callbacks=()):
    """Trains from step `start` on, as the trainer does; returns the metrics by epoch."""
    x = table.arrays(model.recipe, 16 * STEPS)["x"]
    examples = ugm_tf.data.Examples((255 * x).astype(np.uint8))
    rows = {}
    while start < epochs * STEPS:
        epoch, within = divmod(start, STEPS)
        data = ugm_tf.data.batches(examples, 16, observation="grey", seed=3, start_step=start)
        last = epoch + 1 if within else epochs
        fit = {"initial_epoch": epoch, "epochs": last, "steps_per_epoch": STEPS - within}
        history = model.fit(data, callbacks=list(callbacks), verbose=0, **fit)
        rows |= {e: {k: v[i] for k, v in history.history.items()} for i, e in enumerate(history.epoch)}
        start = last * STEPS
    return rows


@functools.cache
def uninterrupted(name):
    """State and metrics by epoch of a row of the table, after two epochs without a checkpoint."""
    model = table.model(*next(row for row in (*table.ROWS, DROPOUT) if row[0] == name)[1:])
    rows = train(model, 2)
    return table.state(model), rows


class CheckpointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path) / "checkpoints"

    def go_on(self, row, epochs=2, every=2, before=(), after=(), keep=2):
        """Goes on from the latest checkpoint; returns the model, the step it went on from, and metrics by epoch."""
        model, checkpoints = table.model(*row[1:]), Checkpoints(self.directory, every, keep)
        start = checkpoints.restore(model)
        return model, start, train(model, epochs, start, [*before, checkpoints, *after])

    def check(self, row, start, epochs=(0, 1)):
        model, went_on_from, rows = self.go_on(row)
        self.assertEqual(went_on_from, start)
        self.assertEqual(int(model.steps), 2 * STEPS)
        state, expected = uninterrupted(row[0])
        table.assert_same(table.state(model), state)
        self.assertEqual(rows, {epoch: expected[epoch] for epoch in epochs})

    @parameterized.parameters(
        (table.GAN, 3, 5, 3),  # two steps after a checkpoint
        (table.GAN, 2, 9, 8),  # in the second epoch
        (table.GAN, 100, 5, 0),  # before the first checkpoint
        (table.AAVAE, 4, 4, 4),  # just after one
        (table.BATCH_NORM, 2, 9, 8),  # with moving averages
        (table.WARMUP, 2, 5, 4),  # within the warm-up of a scale
    )
    @pytest.mark.slow
    def test_killed_within_an_epoch_it_goes_on_bit_for_bit(self, row, every, after, start):
        with self.assertRaises(Killed):
            self.go_on(row, every=every, after=[Kill(after)])
        self.check(row, start, epochs=(0, 1) if start < STEPS else (1,))

    @pytest.mark.slow
    def test_killed_at_the_end_of_an_epoch_it_still_reports_that_epoch(self):
        with self.assertRaises(Killed):
            self.go_on(table.GAN, every=1, before=[KillAtTheEndOfAnEpoch()])
        self.check(table.GAN, STEPS - 1)

    @pytest.mark.slow
    def test_stopped_between_epochs_it_takes_no_metrics_along(self):
        self.go_on(table.GAN, epochs=1, every=100)  # writes one at the end
        self.check(table.GAN, STEPS, epochs=(1,))

    def fitted(self, data, epochs, callbacks=(), every=2, **options):
        model, checkpoints = table.model(*table.VAE[1:], steps_per_execution=2), Checkpoints(self.directory, every)
        begun = checkpoints.restore(model)
        history = model.fit(data(begun), epochs=epochs, verbose=0, callbacks=[checkpoints, *callbacks], **options)
        return begun, history.history["wake/loss"]

    def test_an_epoch_of_unknown_length_leaves_nothing_to_the_next(self):
        x = table.arrays(ugm_tf.recipes.vae(), 16 * 4)["x"]
        data = lambda _: tf.data.Dataset.from_tensor_slices(x).batch(16).filter(lambda _: True)  # noqa: E731
        _, expected = self.fitted(data, 2)
        for path in self.directory.iterdir():
            path.unlink()
        self.fitted(data, 1)
        begun, found = self.fitted(data, 2, initial_epoch=1)
        self.assertEqual((begun, found), (4, expected[1:]))

    @parameterized.parameters(2, 100)
    def test_an_epoch_that_a_callback_ended_early_goes_on_with_its_metrics(self, every):
        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = True

        x = table.arrays(ugm_tf.recipes.vae(), 16 * 4)["x"]
        data = lambda begun: tf.data.Dataset.from_tensor_slices(x).batch(16, True).skip(begun)  # noqa: E731
        _, expected = self.fitted(data, 1, steps_per_epoch=4)
        for path in self.directory.iterdir():
            path.unlink()
        self.fitted(data, 1, [Stop()], every, steps_per_epoch=4)
        begun, found = self.fitted(data, 1, steps_per_epoch=2)
        self.assertEqual(begun, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    @pytest.mark.slow
    def test_a_finished_run_stays_as_it_is(self):
        self.go_on(table.GAN, every=STEPS)
        self.check(table.GAN, 2 * STEPS, epochs=())

    @pytest.mark.slow
    def test_what_a_kill_within_a_save_leaves_is_passed_by(self):
        with self.assertRaises(Killed):
            self.go_on(table.GAN, every=4, after=[Kill(4)])
        (self.directory / ".step-0000000005.123.tmp.state").write_bytes(b"half of it")
        self.check(table.GAN, 4)
        self.assertEmpty(list(self.directory.glob(".*")))

    @pytest.mark.slow
    def test_the_last_two_are_kept(self):
        self.go_on(table.GAN, epochs=1, every=2)  # after 2, 4 and 6 steps, and at the end
        self.assertEqual(steps(self.directory), [6, 7])

    @pytest.mark.slow
    def test_as_many_as_are_asked_for_are_kept(self):
        self.go_on(table.GAN, epochs=1, every=2, keep=3)
        self.assertEqual(steps(self.directory), [4, 6, 7])

    @parameterized.parameters(b"", b"garbage", None)
    @pytest.mark.slow
    def test_a_damaged_one_is_passed_over_and_said_so_and_later_removed(self, content):
        self.go_on(table.GAN, epochs=1, every=2)
        path = self.directory / "step-0000000007.state"
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if content is None else content)
        with self.assertLogs("ugm_tf.callbacks", "WARNING") as logged:
            self.check(table.GAN, 6)
        self.assertLen(logged.output, 1)
        self.assertRegex(logged.output[0], "step-0000000007.state is damaged and was passed over: .*(bytes|checksum)")
        self.assertEqual(steps(self.directory), [13, 14])

    @pytest.mark.slow
    def test_dropout_goes_on_with_the_masks_that_come_next(self):
        self.go_on(DROPOUT, epochs=1, every=100)
        self.check(DROPOUT, STEPS, epochs=(1,))

    @pytest.mark.slow
    def test_a_model_that_was_saved_and_loaded_takes_the_checkpoints_of_the_one_that_was_built(self):
        model, _, _ = self.go_on(table.GAN, epochs=1)
        model.save(self.directory.parent / "model.keras")
        loaded = ugm_tf.load_model(self.directory.parent / "model.keras")
        self.assertEqual(Checkpoints(self.directory, 2).restore(loaded), STEPS)
        table.assert_same(table.state(loaded), table.state(model))

    @pytest.mark.slow
    def test_the_seed_is_that_of_the_checkpoint_and_another_one_after_going_back(self):
        model, _, _ = self.go_on(table.GAN, epochs=1)
        other, checkpoints = table.model(*table.GAN[1:], seed=5), Checkpoints(self.directory, 2)
        self.assertEqual(checkpoints.restore(other), STEPS)
        self.assertEqual(other.seed, 0)
        self.assertEqual(checkpoints.roll_back(model), STEPS)
        self.assertEqual(checkpoints.roll_back(other), STEPS)
        self.assertNotEqual(model.seed, 0)
        self.assertEqual(model.seed, other.seed)  # a function of the seed before
        table.assert_same(table.state(model), table.state(other))


class RefusalsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path)

    def save(self, row):
        """Writes a checkpoint of a row's model after one step."""
        model, checkpoints = table.model(*row[1:]), Checkpoints(self.directory, 1)
        checkpoints.restore(model)
        checkpoints.set_model(model)
        model.steps.assign(1)
        checkpoints.on_train_end()

    def test_a_checkpoint_of_another_model(self):
        self.save(table.GAN)
        for other in (
            table.model(*table.VAE[1:]),
            table.model(*table.GAN[1:], optimizer="sgd"),
            table.model("gan", {}, lambda recipe: ugm_tf.networks.build(recipe, table.SHAPES, hidden=(9,))),
        ):
            advice = (
                "step-0000000001.state is not a checkpoint of this model: it has .*, where the model has .*Train into"
            )
            with self.assertRaisesRegex(ValueError, advice):
                Checkpoints(self.directory, 1).restore(other)

    def test_checkpoints_of_which_none_is_whole(self):
        self.save(table.GAN)
        (self.directory / "step-0000000001.state").write_bytes(b"")
        with self.assertRaisesRegex(ValueError, "None of the checkpoints in .* is whole: step-0000000001.state. Put a"):
            Checkpoints(self.directory, 1).restore(table.model(*table.GAN[1:]))

    def test_checkpoints_of_an_earlier_version(self):
        for name in ("checkpoint", "ckpt-40.index", "ckpt-40.data-00000-of-00001"):
            (self.directory / name).write_bytes(b"")
        with self.assertRaisesRegex(ValueError, r"of an earlier version \(ckpt-40, ...\).* train into another"):
            Checkpoints(self.directory, 1).restore(table.model(*table.GAN[1:]))

    def test_a_directory_that_cannot_be_made(self):
        (self.directory / "file").write_text("")
        with self.assertRaisesRegex(ValueError, "checkpoints' directory .*file' cannot be written: File exists"):
            Checkpoints(self.directory / "file", 1).restore(table.model(*table.GAN[1:]))

    def test_a_model_that_is_not_compiled(self):
        recipe = ugm_tf.recipes.gan()
        model = ugm_tf.UnifiedModel(recipe, table.dense(recipe))
        with self.assertRaisesRegex(ValueError, "Compile the model before restoring"):
            Checkpoints(self.directory, 1).restore(model)

    @pytest.mark.slow
    def test_training_before_restoring(self):
        model = table.model(*table.GAN[1:])
        with self.assertRaisesRegex(ValueError, r"Call restore\(model\) before fit\(\)"):
            train(model, 1, STEPS - 2, [Checkpoints(self.directory, 1)])

    def test_no_distance_between_checkpoints(self):
        with self.assertRaisesRegex(ValueError, "at least one step apart. Received: every=0"):
            Checkpoints(self.directory, 0)

    def test_no_checkpoint_to_be_kept(self):
        with self.assertRaisesRegex(ValueError, "At least the latest checkpoint is kept. Received: keep=0"):
            Checkpoints(self.directory, 1, keep=0)


if __name__ == "__main__":
    absltest.main()
