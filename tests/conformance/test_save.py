"""Saved, loaded and trained on, a model is bit for bit the one that never stopped."""

import pathlib

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf.callbacks import Checkpoints


class Interrupt(keras.callbacks.Callback):
    """Ends training as a user does, after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps) == self.step:
            raise KeyboardInterrupt


class SaveTest(parameterized.TestCase):
    def path(self):
        return pathlib.Path(self.create_tempdir().full_path) / "model.keras"

    def check(self, row, **options):
        path, fit = self.path(), {"verbose": 0}
        model = table.model(*row, **options)
        data = table.dataset(model.recipe)
        model.fit(data, **fit)
        model.save(path)
        history = model.fit(data, **fit).history

        keras.utils.set_random_seed(99)  # nothing may depend on Keras's own seed
        loaded = ugm_tf.load_model(path)
        self.assertEqual(int(loaded.steps), 3)
        self.assertEqual(loaded.fit(data, **fit).history, history)
        self.assertEqual(int(loaded.steps), 6)
        table.assert_same(table.state(loaded), table.state(model))
        return model, loaded

    def check_trained(self, row):
        """As `check`, from the model that a row's tests share."""
        path = self.path()
        with table.trained(*row) as shared:
            shared.model.save(path)
            history = shared.model.fit(shared.data, verbose=0).history
            keras.utils.set_random_seed(99)
            loaded = ugm_tf.load_model(path)
            self.assertEqual(loaded.fit(shared.data, verbose=0).history, history)
            table.assert_same(table.state(loaded), table.state(shared.model))

    @parameterized.named_parameters(*table.CHOSEN)
    def test_goes_on_as_if_never_stopped(self, *row):
        self.check_trained(row)

    @parameterized.named_parameters(*table.OTHERS)
    @pytest.mark.slow
    def test_goes_on_as_if_never_stopped_for(self, *row):
        self.check_trained(row)

    @parameterized.named_parameters(*table.UNLIKE)
    @pytest.mark.slow
    def test_goes_on_from_the_middle_of_an_epoch(self, *row):
        folder = self.path().parent
        with table.trained(*row) as shared:
            model, data = shared.model, shared.data
            with table.trained(*row):
                history = model.fit(data, verbose=0).history
                expected = table.state(model)
            checkpoints = Checkpoints(folder, every=1)
            checkpoints.restore(model)
            with self.assertRaises(KeyboardInterrupt):
                model.fit(data, callbacks=[checkpoints, Interrupt(8)], verbose=0)
            model.fit(data, verbose=0)  # so that what is not restored is wrong
            again = Checkpoints(folder, every=100)
            self.assertEqual(again.restore(model), 8)
            table.assert_same(model.fit(data.skip(2), callbacks=[again], verbose=0).history, history, rtol=1e-6)
            table.assert_same(table.state(model), expected)

    @pytest.mark.slow
    def test_slots_and_arguments_of_optimizers_are_there(self):
        model, loaded = self.check(table.GAN[1:], optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5))
        for name, optimizer in model.optimizers.items():
            self.assertEqual(optimizer.get_config(), loaded.optimizers[name].get_config())
            self.assertGreater(max(np.abs(v.numpy()).max() for v in optimizer.variables[2:]), 0.0)

    @pytest.mark.slow
    def test_goes_on_as_if_never_stopped_with_xla(self):
        self.check(table.GAN[1:], jit_compile=True, steps_per_execution=2)

    @pytest.mark.slow
    def test_goes_on_with_its_own_arguments_of_compile(self):
        optimizers = {"discriminate": keras.optimizers.SGD(0.1, momentum=0.9), "generate": keras.optimizers.Adam(1e-3)}
        options = {"optimizer": optimizers, "schedule": "simultaneous", "steps_per_execution": 2}
        _, loaded = self.check(table.GAN[1:], **options)
        self.assertEqual(loaded.schedule, "simultaneous")
        self.assertEqual(loaded.steps_per_execution, 2)
        self.assertEqual(
            {name: type(o).__name__ for name, o in loaded.optimizers.items()},
            {"discriminate": "SGD", "generate": "Adam"},
        )

    @parameterized.named_parameters(*table.ROWS)
    @pytest.mark.slow
    def test_a_model_is_made_again_from_its_config(self, *row):
        with table.trained(*row) as shared:
            again = ugm_tf.UnifiedModel.from_config(shared.model.get_config())
            self.assertEqual(again.recipe, shared.model.recipe)
            self.assertEqual(again.get_config(), shared.model.get_config())
            self.assertEqual([v.shape for v in again.variables], [v.shape for v in shared.model.variables])

    def test_the_seed_is_made_again_from_a_config(self):
        again = ugm_tf.UnifiedModel.from_config(table.model(*table.VAE[1:], seed=5).get_config())
        self.assertEqual(again.seed, 5)

    @pytest.mark.slow
    def test_answers_are_the_same_after_loading(self):
        path = self.path()
        model = table.model(*table.VAE[1:], seed=5)
        model.save(path)
        loaded = keras.saving.load_model(path)
        x = table.arrays(model.recipe)["x"]
        self.assertEqual(loaded.evaluate(x, verbose=0), model.evaluate(x, verbose=0))
        np.testing.assert_array_equal(loaded.sample(4, seed=1), model.sample(4, seed=1))

    def test_a_model_that_was_never_compiled_is_saved(self):
        path = self.path()
        recipe = ugm_tf.recipes.vae()
        model = ugm_tf.UnifiedModel(recipe, table.dense(recipe))
        model.save(path)
        np.testing.assert_array_equal(ugm_tf.load_model(path).sample(2), model.sample(2))

    @pytest.mark.slow
    def test_weights_alone_are_saved_and_loaded(self):
        path = self.path().with_name("model.weights.h5")
        model, other = (table.model(*table.GAN[1:]) for _ in range(2))
        model.fit(table.dataset(model.recipe), verbose=0)
        model.save_weights(path)
        other.load_weights(path)
        table.assert_same(table.state(model), table.state(other))


if __name__ == "__main__":
    absltest.main()
