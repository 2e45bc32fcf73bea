"""Training with XLA that takes its batches by rows: the same training, bit for bit, as of the batches themselves."""

import gc
import weakref
from unittest import mock

import keras
import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf import data
from ugm_tf.data.batching import rows_of
from ugm_tf.training import execution

RANDOM = np.random.default_rng(0)
IMAGES = data.Examples(RANDOM.integers(0, 256, [40, 5, 5, 1], dtype=np.uint8), RANDOM.integers(0, 3, 40), 3)
OTHERS = data.Examples(RANDOM.integers(0, 256, [30, 5, 5, 1], dtype=np.uint8), RANDOM.integers(0, 3, 30), 3)
SHAPES = {"x": (5, 5, 1), "labelled": (5, 5, 1), "target": (5, 5, 1), "z": (2,), "c": (3,)}
STEPS = 9  # an epoch has 5


def made(recipe="vae", **options):
    recipe = ugm_tf.recipes.get(recipe)
    keras.utils.set_random_seed(0)
    model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, SHAPES, hidden=(4,)))
    model.compile("adam", **{"jit_compile": True, **options})
    return model


def batched(model, examples=IMAGES, observation="binarised", **options):
    variables = model.recipe.data
    others = {name: OTHERS for name in ("labelled", "target") if name in variables}
    return data.batches(examples, 8, observation=observation, variables=variables, **others, **options)


def plain(dataset):
    """The same batches, of which nothing more is known."""
    return dataset.map(lambda batch: batch)


def reading():
    """Says what `make_function` is given to take rows by, call for call."""
    return mock.patch.object(execution, "make_function", wraps=execution.make_function)


def values(model):
    return [w.numpy() for w in model.weights] + [
        v.numpy() for optimizer in model.optimizers.values() for v in optimizer.variables
    ]


class RowsTest(parameterized.TestCase):
    def assert_same(self, a, b):
        for one, other in zip(values(a), values(b), strict=True):
            np.testing.assert_array_equal(one, other)

    @parameterized.parameters(("vae", "binarised"), ("semi_supervised_vae", "binarised"))
    def test_training_is_the_same_as_of_batches(self, recipe, observation):
        self.trains_alike(recipe, observation)

    @parameterized.parameters(
        ("vae", "static"),
        ("gan", "grey"),
        ("gan", "dequantised"),
        ("conditional_vae", "binarised"),
        ("cyclegan", "grey"),
    )
    @pytest.mark.slow
    def test_training_is_the_same_of_other_variables_and_observations(self, recipe, observation):
        self.trains_alike(recipe, observation)

    def trains_alike(self, recipe, observation):
        models, histories = [made(recipe) for _ in range(2)], []
        for model, change in zip(models, (lambda dataset: dataset, plain), strict=True):
            dataset = batched(model, observation=observation, start_step=3)
            with reading() as make:
                histories.append(model.fit(change(dataset), steps_per_epoch=STEPS, epochs=2, verbose=0).history)
            self.assertEqual(make.call_args.kwargs.get("taken") is not None, change is not plain)
        self.assert_same(*models)
        self.assertEqual(*histories)

    def test_vectors_and_an_end_are_the_same_too(self):
        recipe = ugm_tf.recipes.gan()
        models = []
        for change in (lambda dataset: dataset, plain):
            keras.utils.set_random_seed(0)
            model = ugm_tf.UnifiedModel(
                recipe, ugm_tf.networks.build(recipe, {"x": (2,), "z": (2,)}, hidden=(4,)), seed=1
            )
            model.compile("adam", jit_compile=True)
            model.fit(change(data.batches(data.ring(), 100, observation="raw", epochs=2)), verbose=0)
            models.append(model)
        self.assertEqual(int(models[0].steps), 2 * data.steps_per_epoch(data.ring(), 100))
        self.assert_same(*models)

    def test_what_is_not_known_or_moves_or_has_no_one_size_is_no_rows(self):
        model = made()
        self.assertIsNotNone(rows_of(batched(model)))
        for dataset in (
            plain(batched(model)),
            batched(model).repeat(),
            batched(model, augment="flip"),
            batched(model, drop_remainder=False),
        ):
            self.assertIsNone(rows_of(dataset))

    @parameterized.parameters({"jit_compile": False}, {"run_eagerly": True})
    def test_without_xla_batches_are_read(self, **options):
        model = made(**options)
        with reading() as make:
            model.fit(batched(model), steps_per_epoch=2, verbose=0)
        self.assertFalse([call for call in make.call_args_list if call.kwargs.get("taken")])

    def test_of_a_density_that_must_look_batches_are_read_and_refused(self):
        model = made()
        with self.assertRaisesRegex(ValueError, "0 or 1: binarise it"):
            model.fit(batched(model, observation="grey"), steps_per_epoch=2, verbose=0)

    def test_other_data_read_in_the_same_way_compile_nothing_anew(self):
        model, other = made(), made()
        more = data.Examples(RANDOM.integers(0, 256, [90, 5, 5, 1], dtype=np.uint8))
        for each, change in ((model, lambda dataset: dataset), (other, plain)):
            with reading() as make:
                for seed, examples in enumerate((IMAGES, more, IMAGES)):
                    each.fit(change(batched(each, examples, seed=seed)), steps_per_epoch=5, verbose=0)
            self.assertLessEqual(make.call_count, 1)
        self.assert_same(model, other)

    def test_the_model_keeps_no_data(self):
        model, rows = made(), []
        for _ in range(2):
            dataset = batched(model)
            rows.append(weakref.ref(rows_of(dataset)))
            model.fit(dataset, steps_per_epoch=5, verbose=0)
            del dataset
        gc.collect()
        self.assertEqual([each() for each in rows], [None, None])

    def test_between_fits_of_rows_others_train_on_batches(self):
        model, other = made(), made()
        batch = {"x": np.ones([8, 5, 5, 1], np.float32)}
        for each, change in ((model, lambda dataset: dataset), (other, plain)):
            for _ in range(2):
                each.fit(change(batched(each)), steps_per_epoch=5, verbose=0)
                each.train_on_batch(batch)
                each.fit({"x": np.ones([16, 5, 5, 1], np.float32)}, batch_size=8, verbose=0)
        self.assert_same(model, other)

    def test_compiled_anew_nothing_of_before_is_run(self):
        model = made(steps_per_execution=5)
        model.fit(batched(model), steps_per_epoch=5, verbose=0)
        before = [w.numpy() for w in model.trainable_variables]
        model.compile(keras.optimizers.SGD(0.0), jit_compile=True, steps_per_execution=5)
        model.fit(batched(model), steps_per_epoch=5, verbose=0)
        for one, other in zip(model.trainable_variables, before, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_a_step_that_diverges_is_named(self):
        found = []
        for change in (lambda dataset: dataset, plain):
            model = made("gan")
            model.compile(keras.optimizers.SGD(1e38), jit_compile=True)
            with self.assertRaisesRegex(FloatingPointError, "diverged at step") as raised:
                model.fit(change(batched(model, observation="grey")), steps_per_epoch=40, verbose=0)
            found.append((str(raised.exception), int(model.steps)))
        self.assertEqual(*found)

    @pytest.mark.slow
    def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(self):
        whole, parts = made("gan"), made("gan")
        whole.fit(batched(whole, observation="grey"), steps_per_epoch=5, epochs=4, verbose=0)
        parts.fit(batched(parts, observation="grey"), steps_per_epoch=5, epochs=1, verbose=0)
        later = batched(parts, observation="grey", start_step=5)
        parts.fit(later, steps_per_epoch=5, initial_epoch=1, epochs=4, verbose=0)
        self.assert_same(whole, parts)


if __name__ == "__main__":
    absltest.main()
