"""Whatever data come as: what can be made an array of numbers is taken at every door, and what cannot is named.

Also in graphs of the user's own, from generators and datasets, and with variables that belong together.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

from tests.conformance import table
from tests.conformance.loops import GOOD, LOOPS, PREDICTIONS, ROW, VERBS, model


class KindTest(parameterized.TestCase):
    """Lists of numbers are arrays at every door; what holds none is refused by what it is."""

    DOORS = {
        name: door
        for name, door in {**LOOPS, **PREDICTIONS, **VERBS}.items()
        if name not in ("fit(dataset)", "fit(generator)", "evaluate(dataset)", "predict(dataset)")
    }
    OTHERS = {
        "None": (lambda: None, "Received: None"),
        "strings": (lambda: GOOD.astype(str), "must be numbers. Received strings. Make numbers"),
        "a string": (lambda: "folder", "must be numbers. Received strings"),
        "objects": (lambda: np.array([None] * 16), "must be numbers. Received dtype object, .* first is a NoneType"),
        "floats": (lambda: GOOD.astype(object), r"dtype object, .* first is a float. Convert them, as astype"),
        "dates": (lambda: np.zeros([16], "datetime64[D]"), r"must be numbers. Received dtype datetime64\[D\]"),
        "complex": (lambda: GOOD.astype(complex), "must be numbers. Received dtype complex128"),
        "lists": (lambda: [[[0.0, 1.0], [0.0]]] * 16, "must be numbers in rows of one length. Received a list of 16"),
        "words": (lambda: [["a"]] * 16, "must be numbers. Received strings"),
        "ragged": (lambda: tf.ragged.constant([[0.0], [0.0, 1.0]]), "dense tensor. Received: a RaggedTensor; use its"),
    }

    NOTHING = {"3": 3, "1.0": 1.0, "{}": {}, "()": (), "(None,)": (None,), "spec": tf.TensorSpec([2])}

    @parameterized.product(door=list(DOORS), kind=list(OTHERS))
    def test_what_is_no_array_of_numbers(self, door, kind):
        of, (value, says) = model("aavae"), self.OTHERS[kind]
        if kind == "None" and door == "fit(validation_data)":  # is none
            return
        before = int(of.steps)
        with self.assertRaisesRegex(ValueError, says):
            self.DOORS[door](of, value())
        self.assertEqual(int(of.steps), before)

    @parameterized.parameters(*DOORS)
    @pytest.mark.slow
    def test_lists_of_numbers(self, door):
        of = model("aavae")
        answers = [self.DOORS[door](of, x) for x in (GOOD, GOOD.tolist())]
        if not door.startswith(("fit", "train")):
            np.testing.assert_allclose(*answers, rtol=1e-5, atol=1e-6)

    @pytest.mark.slow
    def test_lists_of_several_variables(self):
        of, c = model("conditional_vae"), np.eye(3, dtype=np.float32)[np.arange(16) % 3]
        x, rows = GOOD.tolist(), c.tolist()
        expected = of.evaluate(GOOD, c, verbose=0)
        for data in ((x, rows), ([x, rows], None), ({"x": x, "c": rows}, None), ((x, rows), None), (GOOD, rows)):
            np.testing.assert_allclose(of.evaluate(*data, verbose=0), expected, rtol=1e-5)
        of.fit(x, rows, validation_data=(x, rows), verbose=0)
        with self.assertRaisesRegex(ValueError, "The data of c must be numbers. Received strings"):
            of.fit(x, np.array(["cat"] * 16), verbose=0)
        with self.assertRaisesRegex(ValueError, "c of encode.. must be numbers. Received strings"):
            of.encode(x, c="cat")

    def test_a_list_of_examples(self):
        for door in ("fit", "evaluate", "predict", "model(x)"):
            with self.assertRaisesRegex(ValueError, "16 parts. Make one array of a list of examples with np.stack"):
                self.DOORS[door](model("aavae"), list(GOOD))

    def test_codes(self):
        of, z = model("gan"), np.ones([4, 3], np.float32)
        for door in (of.decode, of, of.predict_on_batch, functools.partial(of.predict, verbose=0)):
            np.testing.assert_allclose(door(z.tolist()), door(z), rtol=1e-6)
            with self.assertRaisesRegex(ValueError, "numbers. Received strings|z must be numbers"):
                door(z.astype(str))

    def test_a_batch_of_words(self):
        words = tf.data.Dataset.from_tensors(tf.constant([["a"]]))
        for door in ("fit", "evaluate", "predict"):
            with self.assertRaisesRegex(ValueError, r"x (of model\(\) )?must be numbers. Received strings"):
                self.DOORS[door](model("aavae"), words)

    @parameterized.parameters(tf.Variable, keras.Variable, tf.constant)
    @pytest.mark.slow
    def test_tensors_and_variables(self, kind):
        of = model("aavae")
        for name, door in self.DOORS.items():
            found = door(of, kind(GOOD))
            if not name.startswith(("fit", "train", "evaluate", "test")):
                np.testing.assert_allclose(found, door(of, GOOD), rtol=1e-5, atol=1e-6, err_msg=name)

    @parameterized.product(
        door=[*LOOPS, *PREDICTIONS, "model(x)"], data=["3", "1.0", "{}", "()", "(None,)", "tf.TensorSpec([2])"]
    )
    def test_what_holds_no_examples(self, door, data):
        of, value = model("aavae"), eval(data)
        if door in self.DOORS and (data, door) != ("tf.TensorSpec([2])", "model(x)"):
            before = int(of.steps)
            with self.assertRaisesRegex(ValueError, r"a single number|[Rr]eceived|takes .*x"):
                self.DOORS[door](of, value)
            self.assertEqual(int(of.steps), before)

    @pytest.mark.slow
    def test_lists_and_tuples_of_variables(self):
        of, c = model("conditional_vae"), np.eye(3, dtype=np.float32)[np.arange(16) % 3]
        one = model("aavae")
        for wrap in (list, tuple):
            for door in (of.fit, of.evaluate, of.train_on_batch, of.test_on_batch):
                door(wrap((GOOD, c)))
                door(GOOD, c)
            for door in (one.fit, one.evaluate, one.train_on_batch, one.test_on_batch, one.predict, one):
                door(wrap((GOOD,)))

    def test_rows_of_variables_that_belong_together(self):
        of, c = model("conditional_vae"), np.eye(3, dtype=np.float32)[np.arange(16) % 3]
        for door in (of.fit, of.evaluate, of.train_on_batch, of.test_on_batch, of.predict):
            with self.assertRaisesRegex(ValueError, "16 of x, 2 of c|16, 'c': 2"):
                door({"x": GOOD, "c": c[:2]})
        with self.assertRaisesRegex(ValueError, "A batch has as many rows of x and c. Received: 16 of x, 2 of c"):
            of.fit(tf.data.Dataset.from_tensors({"x": GOOD, "c": c[:2]}), verbose=0)

    @pytest.mark.slow
    def test_later_batches_of_other_shapes(self):
        c = np.eye(3, dtype=np.float32)[np.arange(16) % 3]

        class Batches(keras.utils.PyDataset):
            num_batches = 2

            def __getitem__(self, i):
                return (GOOD if i == 0 else GOOD[:, :4],)

        def pairs():
            yield {"x": GOOD, "c": c}
            yield {"x": GOOD, "c": c[:2]}

        for jit in (False, True):
            of = table.model(*ROW["vae"], jit_compile=jit)
            with self.assertRaisesRegex(ValueError, r"before step 2, .* takes x of shape \(8, 8, 1\)"):
                of.fit(Batches(), shuffle=False, verbose=0)
            with self.assertRaisesRegex(ValueError, r"at batch 2: .* takes x of shape \(8, 8, 1\)"):
                of.evaluate(Batches(), verbose=0)
        with self.assertRaisesRegex(ValueError, "before step .*as many rows of x and c. Received: 16 of x, 2 of c"):
            model("conditional_vae").fit(pairs(), verbose=0)

    @pytest.mark.slow
    def test_calls_by_class_numbers(self):
        of, z = model("conditional_gan"), np.ones([3, 3], np.float32)
        np.testing.assert_allclose(of({"z": z, "c": 2}), of.decode(z, c=2), rtol=1e-5)
        np.testing.assert_allclose(of([z, [0, 1, 2]]), of.decode(z, c=[0, 1, 2]), rtol=1e-5)

    @pytest.mark.slow
    def test_loaders_of_other_libraries_are_left_to_keras(self):
        class Loader:
            """What Keras would take, if it were installed."""

        Loader.__module__ = "torch.utils.data"
        mine = type("Mine", (Loader,), {})()
        for door in ("fit", "evaluate", "predict"):
            with self.assertRaisesRegex(ValueError, "Unrecognized data type"):  # Keras's own
                self.DOORS[door](model("aavae"), mine)

    @pytest.mark.slow
    def test_in_a_functional_model(self):
        of = model("aavae")
        inputs = keras.Input(table.IMAGE)
        np.testing.assert_allclose(keras.Model(inputs, of(inputs))(GOOD), of(GOOD), rtol=1e-5)

    def test_batches_that_say_nothing_of_their_shape(self):
        data = tf.data.Dataset.from_generator(lambda: iter([GOOD]), tf.float32)
        for door in ("fit", "evaluate"):
            with self.assertRaisesRegex(ValueError, "say nothing of the shape of x. Say it .* tf.ensure_shape"):
                self.DOORS[door](model("aavae"), data)
        self.assertLen(self.DOORS["predict"](model("aavae"), data), 16)

    @pytest.mark.slow
    def test_generators_of_anything(self):
        of = model("aavae")
        expected = of.evaluate(GOOD, batch_size=16, verbose=0)
        batches = (GOOD, (GOOD,), {"x": GOOD}, ({"x": GOOD},), [GOOD])
        for batch in batches:
            np.testing.assert_allclose(of.evaluate((b for b in (batch,)), verbose=0), expected, rtol=1e-5)
        for batch in batches:
            of.fit((b for b in (batch,)), validation_data=(b for b in (batch,)), validation_steps=1, verbose=0)
            self.assertLen(of.predict((b for b in (batch,)), verbose=0), 16)

    def test_weights_of_held_out_examples(self):
        of, c = model("conditional_vae"), np.eye(3, dtype=np.float32)[np.arange(16) % 3]
        before = int(of.steps)
        with self.assertRaisesRegex(ValueError, "validation_data.* takes no weights of examples"):
            of.fit(GOOD, c, validation_data=(GOOD, c, np.ones(16)), verbose=0)
        for other in (range(4), {1, 2}, iter([])):
            with self.assertRaisesRegex(ValueError, "Received"):
                of.fit(GOOD, c, validation_data=other, verbose=0)
        self.assertEqual(int(of.steps), before)

    @pytest.mark.slow
    def test_predictions_after_training_with_other_steps_in_a_call(self):
        of = table.model(*ROW["vae"], steps_per_execution="auto")
        for _ in range(2):
            self.assertLen(of.predict(GOOD, batch_size=2, verbose=0), 16)
            of.fit(GOOD, batch_size=2, verbose=0)
        self.assertLen(of.predict(tf.data.Dataset.from_tensors(GOOD), verbose=0), 16)


class GraphTest(parameterized.TestCase):
    """In a tf.function of the user's own, with AutoGraph as it is by default."""

    @parameterized.parameters(*VERBS, "sample", "decode", "density")
    @pytest.mark.slow
    def test_answers_as_outside(self, door):
        of = table.model(*ROW["aavae"])  # nothing of it is traced
        x, z = tf.constant(GOOD), tf.constant(np.ones([4, 3], np.float32))
        doors = {name: lambda x, call=call: call(of, x) for name, call in VERBS.items()}
        doors |= {"sample": lambda x: of.sample(3), "decode": lambda x: of.decode(z)}
        doors |= {"density": lambda x: of.encoder.distribution(x).mean()}
        np.testing.assert_allclose(tf.function(doors[door])(x), doors[door](x), rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    absltest.main()
