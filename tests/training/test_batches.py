"""A look at a batch in the graph says what the slow look in Python says."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from ugm_tf import DATA, E, NegativeLogProb, Phase, Recipe, validation
from ugm_tf.supports import Support
from ugm_tf.training import batches

ODD = (0.5, 1 / 255, 0.5 / 255, -1e-2, 1.01, 255.0, -1e30, np.nan, np.inf, -np.inf)


def joint(family, size):
    """A density of c given x, of vectors."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(size)])
    wake = Phase("wake", (E(NegativeLogProb("scored"), DATA),), "scored")
    return ugm_tf.Joint(
        Recipe({"scored": "p(c | x)"}, (wake,), ("x", "c")), {"scored": ugm_tf.Density(network, family)}
    )


class LookTest(absltest.TestCase):
    def test_a_pipeline_of_ones_own_keeps_its_first_batch(self):
        model = table.model(*table.VAE[1:])
        x = table.arrays(model.recipe, 16 * 4)["x"]
        once = iter(np.split(x, 4))  # what is taken of it is gone
        data = tf.data.Dataset.from_generator(lambda: once, output_signature=tf.TensorSpec((16, *table.IMAGE)))
        with mock.patch.object(tf.data.Dataset, "take", side_effect=AssertionError("looked at")):
            model.fit(data, verbose=0)
        self.assertEqual(int(model.steps), 4)


class GoodTest(parameterized.TestCase):
    @parameterized.parameters(
        ("bernoulli", 37), ("continuous_bernoulli", 37), ("unit_gaussian", 37), ("discretized_logistic", 74)
    )
    def test_of_numbers_anywhere_in_a_batch(self, family, size):
        of, rng = joint(family, size), np.random.default_rng(0)
        good = tf.function(batches.good(of), autograph=False)
        clean = rng.integers(0, 2, (41, 37)).astype(np.float32)
        x = np.zeros((41, 2), np.float32)
        self.assertTrue(good((x, clean)))
        seen = set()
        for value in ODD:
            for place in (0, 41 * 37 - 1, *rng.integers(0, 41 * 37, 3)):  # vectorised or in the rest
                c = clean.copy()
                c.flat[place] = value
                try:
                    validation.check_values(of.recipe, of.densities, {"c": c})
                    expected = True
                except ValueError:
                    expected = False
                seen.add(expected)
                self.assertEqual(bool(good((x, c))), expected, f"{value} at {place}")
        self.assertEqual(seen, {True, False} if family != "bernoulli" else {False})

    @parameterized.parameters(
        ("one_hot", [[0, 1, 0]], [[0, 1, 1], [0, 0, 0], [0.5, 0.5, 0], [np.nan, 1, 0], [2, -1, 0]]),
        ("relaxed_one_hot", [[0, 1, 0], [0.5, 0.25, 0.25]], [[0.5, 0.5, 0.5], [2, -1, 0], [np.nan, 0, 1]]),
    )
    def test_of_rows(self, family, inside, outside):
        good, x = batches.good(joint(family, 3)), np.zeros((3, 2), np.float32)
        for row in inside:
            self.assertTrue(good((x, np.array([inside[0], row, inside[0]], np.float32))), row)
        for row in outside:
            self.assertFalse(good((x, np.array([inside[0], row, inside[0]], np.float32))), row)

    def test_of_no_example(self):
        self.assertFalse(batches.good(joint("bernoulli", 3))((np.zeros((0, 2)), np.zeros((0, 3)))))

    def test_of_large_numbers_that_are_numbers(self):
        values = np.full((8, 3), 3e38, np.float32)
        self.assertTrue(batches.good(joint("unit_gaussian", 3))((np.zeros((8, 2)), values)))


class RefuseTest(absltest.TestCase):
    def test_names_the_place_and_the_fault(self):
        with self.assertRaisesRegex(
            ValueError, "^Stopped there: The data of c hold NaN or infinity, first in example 1"
        ):
            values = np.array([[0, 1, 1], [0, np.nan, 0]])
            batches.refuse(joint("bernoulli", 3), (np.zeros((2, 2)), values), "Stopped there")

    def test_of_what_python_finds_no_fault_with_names_the_spread(self):
        with self.assertRaisesRegex(ValueError, "do not take. Received x between 0 and 0, c between 1 and 1"):
            batches.refuse(joint("bernoulli", 3), (np.zeros((2, 2)), np.ones((2, 3))), "Stopped there")


class KnownTest(parameterized.TestCase):
    """Batches that cannot hold a wrong value are not looked at, all others are."""

    def setUp(self):
        super().setUp()
        self.x = np.zeros([48, 8, 8, 1], np.uint8)
        self.x[:16] = 255  # of which a first batch says that all are bits

    def batches(self, observation, **options):
        examples = ugm_tf.data.Examples(self.x, name="x")
        return ugm_tf.data.batches(examples, 16, observation=observation, shuffle=False, epochs=1, **options)

    @parameterized.parameters(
        ("bernoulli", 3, ("binary",)),
        ("continuous_bernoulli", 3, ("binary", "levels", "unit")),
        ("discretized_logistic", 6, ("binary", "levels")),
        ("unit_gaussian", 3, ("binary", "levels", "unit", "one_hot")),
        ("one_hot", 3, ("one_hot",)),
        ("relaxed_one_hot", 3, ("one_hot",)),
    )
    def test_by_how_they_are_made(self, family, size, known):
        of = joint(family, size)
        for kind in ("binary", "levels", "unit", "one_hot", "real"):
            self.assertEqual(batches.known(of, {"x": "unit", "c": kind}), kind in known, kind)
        self.assertFalse(batches.known(of, {"c": "binary"}))  # nothing is known of x
        self.assertFalse(batches.known(of, {"x": "real", "c": "binary"}))  # which may be NaN

    @parameterized.parameters(
        (0.0, 1.0, True), (-1.0, 1.0, True), (0.1, 1.0, False), (0.0, 0.9, False), (-1.0, 0.0, False)
    )
    def test_the_reach_of_an_activation(self, least, most, answer):
        support = Support("range", "", "", "", least, most)
        self.assertEqual([batches._implied(kind, support) for kind in ("unit", "levels", "binary")], [answer] * 3)
        self.assertFalse(batches._implied("one_hot", support))

    def test_other_levels(self):
        support = Support("levels", "", "", "", levels=16)
        self.assertEqual([batches._implied(kind, support) for kind in ("levels", "binary")], [False, False])

    @pytest.mark.slow
    def test_training_looks_at_what_is_not_known(self):
        model = table.model("vae", {}, table.dense)
        with mock.patch.object(batches, "good", lambda joint: lambda data: tf.constant(False)):
            model.fit(self.batches("binarised"), verbose=0)
            model.fit(np.zeros([32, 8, 8, 1]), verbose=0)  # looked at as a whole, before
            self.assertEqual(int(model.steps), 4)
            for data in (
                self.batches("binarised").map(lambda batch: batch),
                ((np.zeros([4, 8, 8, 1]),) for _ in range(1)),
            ):
                with self.assertRaisesRegex(ValueError, "stopped before step 5"):
                    model.fit(data, verbose=0)
            with self.assertRaisesRegex(ValueError, "Evaluation stopped at batch 1"):
                model.evaluate(np.zeros([32, 8, 8, 1]), verbose=0)

    @pytest.mark.slow
    def test_what_a_callback_gives_within_a_fit_is_looked_at(self):
        model, bad, found = table.model("vae", {}, table.dense), np.full([4, 8, 8, 1], 7.0, np.float32), []

        def ask(*_, **__):
            for door in (model.train_on_batch, model.test_on_batch):
                with self.assertRaisesRegex(ValueError, "0 or 1"):
                    door(bad)
                found.append(door)

        model.fit(
            self.batches("binarised"), verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=ask)]
        )
        self.assertEqual((len(found) > 0, int(model.steps)), (True, 3))

    def test_grey_images_that_begin_with_bits_are_no_bits(self):
        self.x[40] = 100
        model = table.model("vae", {}, table.dense)
        with self.assertRaisesRegex(ValueError, "Training stopped before step 3"):
            model.fit(self.batches("grey"), verbose=0)


if __name__ == "__main__":
    absltest.main()
