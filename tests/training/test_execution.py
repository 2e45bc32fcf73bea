"""How steps are run is decided by device, layers and the length of an epoch."""

from unittest import mock

import keras
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from ugm_tf.recipes import gan, vae
from ugm_tf.training import execution

DENSE, CONVOLUTION = keras.layers.Dense(1), keras.layers.Conv2DTranspose(1, 3, name="up")


def devices(*kinds):
    """As if there were these devices and no others."""
    return mock.patch.object(tf.config, "list_logical_devices", lambda kind=None: [kind] if kind in kinds else [])


class ChooseJitTest(absltest.TestCase):
    def test_dense_networks_on_a_cpu_are_compiled(self):
        with devices("CPU"):
            self.assertEqual(execution.choose_jit([DENSE]), (True, "XLA: dense networks on a CPU"))

    def test_convolutions_on_a_cpu_are_not_and_the_layer_is_named(self):
        with devices("CPU"):
            jit, reason = execution.choose_jit([DENSE, CONVOLUTION])
        self.assertFalse(jit)
        self.assertIn("'up'", reason)

    def test_a_gpu_compiles_convolutions_too(self):
        with devices("CPU", "GPU"):
            self.assertEqual(execution.choose_jit([CONVOLUTION]), (True, "XLA: there is a GPU"))

    def test_a_distribution_strategy_does_without(self):
        with tf.distribute.OneDeviceStrategy("CPU:0").scope():
            self.assertFalse(execution.choose_jit([DENSE])[0])

    def test_the_model_says_what_was_chosen(self):
        recipe = gan()
        shapes = {"x": (16, 16, 1), "z": (3,)}
        for network, expected in (("mlp", "XLA: dense"), ("dcgan", "no XLA: on a CPU the convolutions of")):
            options = {"hidden": (4,)} if network == "mlp" else {"filters": 2}
            model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, shapes, network=network, **options))
            with devices("CPU"):
                model.compile("adam")
            self.assertStartsWith(model.execution, expected)
            self.assertEqual(bool(model.jit_compile), network == "mlp")

    def test_a_wish_is_followed(self):
        model = ugm_tf.UnifiedModel(vae(), ugm_tf.networks.build(vae(), {"x": (4,), "z": (3,)}, hidden=()))
        for jit_compile in (True, False):
            model.compile("adam", jit_compile=jit_compile)
            self.assertEqual(bool(model.jit_compile), jit_compile)
        model.compile("adam", jit_compile=True, run_eagerly=True)
        self.assertFalse(model.jit_compile)


class ChooseStepsTest(parameterized.TestCase):
    @parameterized.parameters(
        (1, False, 1),
        (8, False, 8),
        (9, False, 5),  # 5 and 4
        (20, False, 7),  # 7, 7 and 6
        (430, True, 86),  # 5 calls
        (100, True, 100),
        (101, True, 51),
        (None, False, 8),
        (None, True, 100),
    )
    def test_calls_are_of_nearly_equal_length(self, steps, jit, expected):
        self.assertEqual(execution.choose_steps(steps, 1000, jit), expected)

    def test_a_call_holds_64_mebibytes_of_data_at_most(self):
        self.assertEqual(execution.choose_steps(None, 2**24, True), 4)
        self.assertEqual(execution.choose_steps(None, 2**40, True), 1)

    def test_data_of_no_size_are_no_harm(self):
        self.assertEqual(execution.choose_steps(5, 0, False), 5)


class WholeEpochTest(absltest.TestCase):
    @pytest.mark.slow
    def test_the_rest_of_an_epoch_is_run_in_the_groups_of_a_whole_one(self):
        model = ugm_tf.UnifiedModel(vae(), ugm_tf.networks.build(vae(), {"x": (4,), "z": (3,)}, hidden=()))
        model.compile("adam", jit_compile=False)
        x = tf.zeros([2, 4])
        batches = tf.data.Dataset.from_tensors({"x": x}).repeat()
        for rest, expected in ((10, 5), (3, 5), (10, 5)):  # 10 steps are two calls of 5, of which 3 are a part
            model.fit(batches, steps_per_epoch=rest, whole_epoch=10, epochs=1, verbose=0)
            self.assertEqual(model.steps_per_execution, expected)
        model.fit(batches, steps_per_epoch=3, epochs=1, verbose=0)
        self.assertEqual(model.steps_per_execution, 3)


if __name__ == "__main__":
    absltest.main()
