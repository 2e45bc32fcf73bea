"""From a checkpoint a run goes on bit for bit, within an epoch too."""

import functools
import pathlib

import keras
import numpy as np
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf.callbacks import Checkpoints

STEPS = 7  # an epoch


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
    model = table.model(*next(row for row in table.ROWS if row[0] == name)[1:])
    rows = train(model, 2)
    return table.state(model), rows


class CheckpointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path) / "checkpoints"

    def go_on(self, row, epochs=2, every=2, before=(), after=()):
        """Goes on from the latest checkpoint; returns the model, the step it went on from, and metrics by epoch."""
        model, checkpoints = table.model(*row[1:]), Checkpoints(self.directory, every)
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
    def test_killed_within_an_epoch_it_goes_on_bit_for_bit(self, row, every, after, start):
        with self.assertRaises(Killed):
            self.go_on(row, every=every, after=[Kill(after)])
        self.check(row, start, epochs=(0, 1) if start < STEPS else (1,))

    def test_killed_at_the_end_of_an_epoch_it_still_reports_that_epoch(self):
        with self.assertRaises(Killed):
            self.go_on(table.GAN, every=1, before=[KillAtTheEndOfAnEpoch()])
        self.check(table.GAN, STEPS - 1)

    def test_stopped_between_epochs_it_takes_no_metrics_along(self):
        self.go_on(table.GAN, epochs=1, every=100)  # writes one at the end
        self.check(table.GAN, STEPS, epochs=(1,))

    def test_a_finished_run_stays_as_it_is(self):
        self.go_on(table.GAN, every=STEPS)
        self.check(table.GAN, 2 * STEPS, epochs=())

    def test_what_a_kill_within_a_save_leaves_is_passed_by(self):
        with self.assertRaises(Killed):
            self.go_on(table.GAN, every=4, after=[Kill(4)])
        for name in ("ckpt-5.data-00000-of-00001.tempstate7", "ckpt-5.index", "checkpoint.tmp123"):
            (self.directory / name).write_bytes(b"half of it")
        self.check(table.GAN, 4)

    def test_the_last_two_are_kept(self):
        self.go_on(table.GAN, epochs=1, every=2)  # after 2, 4 and 6 steps, and at the end
        self.assertCountEqual([path.stem for path in self.directory.glob("*.index")], ["ckpt-6", "ckpt-7"])


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
            with self.assertRaisesRegex(ValueError, "ckpt-1 is not a checkpoint of this model.* Train into another"):
                Checkpoints(self.directory, 1).restore(other)

    @parameterized.parameters("index", "data-00000-of-00001")
    def test_a_damaged_checkpoint(self, part):
        self.save(table.GAN)
        path = self.directory / f"ckpt-1.{part}"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with self.assertRaisesRegex(ValueError, "ckpt-1 is not a checkpoint of this model, or is damaged: "):
            Checkpoints(self.directory, 1).restore(table.model(*table.GAN[1:]))

    def test_a_model_that_is_not_compiled(self):
        recipe = ugm_tf.recipes.gan()
        model = ugm_tf.UnifiedModel(recipe, table.dense(recipe))
        with self.assertRaisesRegex(ValueError, "Compile the model before restoring"):
            Checkpoints(self.directory, 1).restore(model)

    def test_training_before_restoring(self):
        model = table.model(*table.GAN[1:])
        with self.assertRaisesRegex(ValueError, r"Call restore\(model\) before fit\(\)"):
            train(model, 1, STEPS - 2, [Checkpoints(self.directory, 1)])

    def test_no_distance_between_checkpoints(self):
        with self.assertRaisesRegex(ValueError, "at least one step apart. Received: every=0"):
            Checkpoints(self.directory, 0)


if __name__ == "__main__":
    absltest.main()
