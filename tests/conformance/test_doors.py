"""What goes in is looked at wherever values enter: each door, with each fault, works or names it.

A row of the table is a door, a column a fault; a cell is the answer's shape, or what the refusal says.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from tests.conformance.loops import GOOD, LOOPS, PREDICTIONS, VERBS, model

FAULTS = {
    "range": lambda x: 255.0 * x,
    "signs": lambda x: 2.0 * x - 1.0,
    "nan": lambda x: np.where(np.arange(len(x)).reshape(-1, 1, 1, 1) == 3, np.nan, x).astype(np.float32),
    "shape": lambda x: x[:, :4],
    "empty": lambda x: x[:0],
}
SAYS = {
    "range": "between 0 and 255",
    "signs": "between -1 and 1",
    "nan": "NaN",
    "shape": r"shape .*8, 8, 1.*[Rr]eceived (data of )?shape",
    "empty": "no example|no batch",
}


def after_a_good_one(x):
    """Batches of which the first is good: what only a look at each finds."""
    return tf.data.Dataset.from_generator(
        lambda: iter([GOOD[:8], x]), output_signature=tf.TensorSpec([None, *x.shape[1:]], tf.float32)
    )


LATER = {
    "fit": lambda m, x: m.fit(after_a_good_one(x), verbose=0),
    "evaluate": lambda m, x: m.evaluate(after_a_good_one(x), verbose=0),
}

OTHERS = {
    "run_phases": lambda m, x: m.run_phases(x),
    "evaluate_phases": lambda m, x: m.evaluate_phases(x),
    "rate_distortion": lambda m, x: ugm_tf.evaluation.likelihood.rate_distortion(m, x),
    "encode(draws)": lambda m, x: m.encode(x, draws=2),
}


class XTest(parameterized.TestCase):
    """x of a model with a Bernoulli decoder, an encoder and a discriminator."""

    @parameterized.product(door=[*LOOPS, *PREDICTIONS, *VERBS], fault=list(FAULTS))
    def test_is_looked_at(self, door, fault):
        of = model("aavae")
        before, x = int(of.steps), FAULTS[fault](GOOD)
        call = {**LOOPS, **PREDICTIONS, **VERBS}[door]
        if fault == "empty" and door in (*VERBS, "predict_on_batch"):
            self.assertEqual(call(of, x).shape[0], 0)
            return
        with self.assertRaisesRegex(ValueError, SAYS[fault]):
            call(of, x)
        if not door.startswith("fit(v"):
            self.assertEqual(int(of.steps), before)

    @parameterized.product(door=list(LATER), fault=["range", "signs", "nan"])
    @pytest.mark.slow
    def test_is_looked_at_in_every_batch(self, door, fault):
        of = model("aavae")
        done = int(of.steps) + 1
        which = f"Training stopped before step {done + 1}, at" if door == "fit" else "Evaluation stopped at batch 2"
        with self.assertRaisesRegex(ValueError, f"(?s){which}.*{SAYS[fault]}"):
            LATER[door](of, FAULTS[fault](GOOD))

    @parameterized.parameters("encode", "reconstruct", "model(x)", "discriminate")
    def test_of_grey_is_taken_where_no_nats_are_promised(self, door):
        self.assertTrue(np.isfinite(VERBS[door](model("aavae"), 0.5 * GOOD)).all())

    @parameterized.parameters("log_prob_bound", "fit", "evaluate")
    def test_of_grey_has_no_likelihood_of_bits(self, door):
        with self.assertRaisesRegex(ValueError, "0 or 1: binarise it"):
            {**LOOPS, **VERBS}[door](model("aavae"), 0.5 * GOOD)

    def test_in_a_graph_is_nan_by_rows(self):
        of, x = model("aavae"), FAULTS["nan"](GOOD)
        for door in ("encode", "reconstruct", "discriminate", "log_prob_bound", "model(x)"):
            answers = tf.function(lambda x, door=door: VERBS[door](of, x), autograph=False)(x).numpy()
            bad = np.isnan(answers).reshape(16, -1)
            np.testing.assert_array_equal(bad.all(-1), np.arange(16) == 3, err_msg=door)
            np.testing.assert_array_equal(bad.any(-1), np.arange(16) == 3, err_msg=door)


class PointTest(parameterized.TestCase):
    """x of a decoder without a likelihood, whose last activation says where it lies."""

    def tanh(self):
        recipe = ugm_tf.recipes.gan()
        decoder = [keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Reshape((2, 2, 1))]
        densities = ugm_tf.networks.build(recipe, {"x": (2, 2, 1), "z": (3,)}, hidden=(4,))
        densities["decoder"] = ugm_tf.Density(keras.Sequential(decoder), "point")
        return ugm_tf.UnifiedModel(recipe, densities)

    @parameterized.product(
        name=["gan", "gan_batch_norm"],
        door=["fit", "evaluate", "train_on_batch", "discriminate"],
        fault=["range", "signs"],
    )
    @pytest.mark.slow
    def test_is_in_its_range(self, name, door, fault):
        with self.assertRaisesRegex(ValueError, rf"'decoder', which is .*draws only.*{SAYS[fault]}"):
            {**LOOPS, **VERBS}[door](model(name), FAULTS[fault](GOOD))

    def test_of_a_tanh_is_in_another(self):
        of = self.tanh()
        self.assertEqual(of.discriminate(-np.ones([5, 2, 2, 1])).shape, (5,))
        with self.assertRaisesRegex(ValueError, r"x of values that are in \[-1, 1\]: 'decoder', .*between 255 and 255"):
            of.discriminate(np.full([5, 2, 2, 1], 255))

    def test_of_no_activation_is_anywhere(self):
        recipe = ugm_tf.recipes.gan()
        of = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (2,), "z": (3,)}, hidden=(4,)))
        self.assertEqual(of.discriminate([[100.0, -100.0]]).shape, (1,))

    @parameterized.parameters(*LOOPS, *PREDICTIONS, *VERBS, *OTHERS)
    def test_of_bytes_is_refused_where_any_number_has_a_likelihood(self, door):
        of = table.model("vae", {}, table.laplace)
        if door == "discriminate":
            return  # there is none
        of.compile("adam", jit_compile=False)
        with self.assertRaisesRegex(ValueError, "images of bytes, between 0 and 255: divide them by 255"):
            {**LOOPS, **PREDICTIONS, **VERBS, **OTHERS}[door](of, (255 * GOOD).astype(np.uint8))
        self.assertEqual(int(of.steps), 0)

    @parameterized.product(
        door=["encode", "predict", "fit", "fit(dataset)", "train_on_batch"], dtype=["int64", "int32"]
    )
    def test_of_other_whole_numbers_is_refused_likewise(self, door, dtype):
        of = table.model("vae", {}, table.laplace)
        of.compile("adam", jit_compile=False)
        for x, ends in ((255 * GOOD, "0 and 255"), (-1 * GOOD, "-1 and 0")):
            with self.assertRaisesRegex(ValueError, rf"whole numbers \({dtype}\), between {ends}: divide them by 255"):
                {**LOOPS, **PREDICTIONS, **VERBS}[door](of, x.astype(dtype))

    @parameterized.parameters("encode", "reconstruct", "log_prob_bound", "fit", "rate_distortion")
    def test_of_bits_in_bytes_is_taken(self, door):
        of = table.model("vae", {}, table.laplace)
        of.compile("adam", jit_compile=False)
        {**LOOPS, **VERBS, **OTHERS}[door](of, (GOOD > 0.5).astype(np.uint8))

    def test_of_changed_images_is_looked_at_by_a_discriminator_of_these(self):
        recipe = ugm_tf.diffaugmented(ugm_tf.recipes.gan())
        of = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (8, 8, 1), "z": (3,)}, hidden=(4,)))
        self.assertTrue(np.isfinite(of.discriminate(GOOD)).all())
        for wrong in (255 * GOOD, (255 * GOOD).astype(np.uint8)):
            with self.assertRaisesRegex(ValueError, r"DiffAugment changes images in \[0, 1\] to such.*Divide 8-bit"):
                of.discriminate(wrong)


class CodeTest(parameterized.TestCase):
    """z of a model without an encoder."""

    @parameterized.parameters("decode", "model(z)", "predict", "predict_on_batch")
    def test_is_looked_at(self, door):
        of, z = model("gan"), np.zeros([4, 3], np.float32)
        call = {"decode": of.decode, "model(z)": of, "predict_on_batch": of.predict_on_batch}
        call["predict"] = functools.partial(of.predict, verbose=0)
        self.assertEqual(call[door](z).shape, (4, *table.IMAGE))
        with self.assertRaisesRegex(
            ValueError, "z of values that are finite.*Received .*1 NaN or infinite in 1 of 4 rows"
        ):
            call[door](np.where(np.arange(12).reshape(4, 3) == 5, np.nan, z))
        with self.assertRaisesRegex(ValueError, r"takes z of shape \[B, 3\].*Received shape \[16, 8, 8, 1\]"):
            call[door](GOOD)


class ClassesTest(parameterized.TestCase):
    """c by index, at every door that takes a condition."""

    X, C = table.arrays(ugm_tf.recipes.vae(), 3)["x"], np.eye(3, dtype=np.float32)

    def doors(self):
        vae, gan, z = model("conditional_vae"), model("conditional_gan"), np.ones([3, 3], np.float32)
        conditional = functools.partial(vae.decode, z)
        yield "sample", functools.partial(vae.sample, 3)
        yield "sample, drawn", functools.partial(vae.sample, 3, mean=False)
        yield "decode", conditional
        for door in (vae.encode, vae.reconstruct, vae.log_prob_bound, gan.discriminate):
            yield door.__name__, functools.partial(door, self.X)

    @pytest.mark.slow
    def test_are_one_hot_rows_or_numbers(self):
        for name, door in self.doors():
            expected = door(c=self.C[[2, 0, 1]])
            for numbers in ([2, 0, 1], np.array([2, 0, 1], np.uint8), tf.constant([2, 0, 1], tf.int64)):
                np.testing.assert_array_equal(door(c=numbers), expected, err_msg=name)
            for number in (2, np.int64(2)):
                np.testing.assert_array_equal(door(c=number), door(c=self.C[[2, 2, 2]]), err_msg=name)

    def test_of_no_class_are_refused(self):
        for name, door in self.doors():
            for wrong in (3, [0, 1, -1]):
                with self.assertRaisesRegex(ValueError, r"c, a class from 0 to 2 or one-hot rows. Received: (3|-1)"):
                    door(c=wrong)
            for wrong in (2.0, [0.0, 1.0, 2.0]):
                with self.assertRaisesRegex(
                    ValueError, r"c of shape \[B, 3\].*one-hot rows, or by their numbers as int"
                ):
                    door(c=wrong)
            with self.assertRaisesRegex(ValueError, "3 rows of c. Received 2|as many rows of each input", msg=name):
                door(c=[0, 1])

    def test_in_a_graph_is_a_row_of_nan_where_there_is_no_such_class(self):
        of = model("conditional_vae")
        out = tf.function(lambda c: of.sample(3, c=c), autograph=False)(tf.constant([0, 7, 1]))
        np.testing.assert_array_equal(np.isnan(out).any((1, 2, 3)), [False, True, False])

    def test_in_data_are_one_hot_rows(self):
        with self.assertRaisesRegex(
            ValueError, r"data of shape \(\): make one-hot rows of class numbers, with keras.ops"
        ):
            model("conditional_vae").fit({"x": self.X, "c": np.array([0, 1, 2])}, verbose=0)

    def test_that_an_encoder_infers_are_numbers_too(self):
        of, z = model("infogan"), np.ones([3, 3], np.float32)
        decode = functools.partial(of.decode, z, u=np.ones([3, 2], np.float32))
        np.testing.assert_array_equal(decode(c=1), decode(c=self.C[[1, 1, 1]]))


class OtherDoorsTest(parameterized.TestCase):
    """What Keras's models do and this one does otherwise, said at once."""

    def test_export_and_save(self):
        of = model("vae")
        with self.assertRaisesRegex(ValueError, r"Use ugm_tf.serving.export_model\(model, path\)"):
            of.export("somewhere")
        for name in ("m.h5", "m", "m.hdf5"):
            with self.assertRaisesRegex(ValueError, rf"saved as a .keras file. Received: {name}\."):
                of.save(name)

    def test_weights_of_examples(self):
        for door, options in (
            (model("vae").train_on_batch, {"class_weight": {0: 1.0}}),
            (model("vae").train_on_batch, {"sample_weight": np.ones(16)}),
            (model("vae").test_on_batch, {"sample_weight": np.ones(16)}),
        ):
            with self.assertRaisesRegex(ValueError, r"_on_batch\(\) takes no weights of examples or classes"):
                door(GOOD, **options)


if __name__ == "__main__":
    absltest.main()
