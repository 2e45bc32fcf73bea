"""What a served model is asked, and what the graph itself refuses, whoever runs it."""

import tempfile
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.serving import served
from ugm_tf.serving import ServedModel, signatures


class NamesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("vae", "sample"),
        ("gan", "sample"),
        ("cyclegan", "translate"),
        ("adversarial_domain_adaptation", "classify"),
        ("predictability_minimization", "encode"),
    )
    def test_the_default_is_what_the_recipe_is_for(self, recipe, default):
        self.assertEqual(next(iter(signatures(served.model(recipe)))), default)

    @parameterized.parameters("avb", "infogan", "stacked_semi_supervised_vae", "cyclegan", "aahvae")
    @pytest.mark.slow
    def test_no_output_has_the_name_of_an_input(self, recipe):
        for name, signature in signatures(served.model(recipe)).items():
            out = signature.function(*(tf.constant(v) for v in served.values(signature.inputs, 2).values()))
            self.assertNoCommonElements(out, signature.inputs, name)
            self.assertIn("ok", out)

    def test_a_reconstruction_is_called_so(self):
        found = signatures(served.model("vae"))["reconstruct"]
        self.assertCountEqual(found.function(tf.zeros([2, 8, 8, 1])), ["reconstruction", "z", "ok"])

    def test_classes_are_asked_of_data_where_the_classifier_takes_features(self):
        of = served.model("adversarial_domain_adaptation")
        x = served.values({"x": tf.TensorSpec([None, 8, 8, 1])}, 3)["x"]
        found = signatures(of)["classify"]
        self.assertEqual(list(found.inputs), ["x"])
        np.testing.assert_allclose(found.function(tf.constant(x))["c"], of.classify(x), rtol=1e-5)

    def test_a_translator_translates_there_and_back(self):
        of = served.model("cyclegan")
        x = served.values({"x": tf.TensorSpec([None, 8, 8, 1])}, 3)["x"]
        found = signatures(of)
        target = found["translate"].function(tf.constant(x))["target"]
        np.testing.assert_allclose(target, of.endpoints()["forward"].function(x=x)["target"], rtol=1e-5)
        np.testing.assert_allclose(found["translate_back"].function(target)["x"], of.decode(target), rtol=1e-5)

    @parameterized.parameters("ok", "seed", "k", "position", "logit", "class", "\u00e9", "_z", "x_bytes", "x_stddev")
    def test_refuses_a_variable_of_a_name_that_signatures_have(self, name):
        roles = {"prior": f"p({name})", "encoder": f"q({name} | x)", "decoder": f"p(x | {name})"}
        recipe = ugm_tf.Recipe(roles, ugm_tf.recipes.vae().phases, ("x",))
        with self.assertRaisesRegex(ValueError, f"has a variable '{name}', and a served one has names of.*Rename it"):
            signatures(mock.Mock(recipe=recipe))

    @parameterized.parameters(0, -1, 2.0, True, None, 4097)
    def test_refuses_what_is_no_number_of_rows(self, most):
        with self.assertRaisesRegex(ValueError, f"max_batch is a number of rows from 1 to 4,096. Received: {most}"):
            signatures(served.model("gan"), most)


class RefusalsTest(parameterized.TestCase):
    """By a server's way to run a signature, which checks nothing by itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        recipe = ugm_tf.recipes.conditional_vae()
        cls.raw = ServedModel(ugm_tf.serving.export_model(served.model(recipe), tempfile.mkdtemp(), max_batch=8))

    @classmethod
    def tearDownClass(cls):
        cls.raw.close()
        super().tearDownClass()

    @parameterized.parameters(
        *[((3, 64),), ((3, 1, 8, 8),), ((3, 4, 16, 1),), ((3, 8, 8),), ((3, 8, 8, 1, 1),), ((8, 8, 1),), ((),)]
    )
    def test_inputs_of_another_shape(self, shape):
        c = np.eye(4, dtype=np.float32)[:3]
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError,
            r"encode takes x of shape \[B, 8, 8, 1\] and c of shape \[B, 4\], where B is the number of rows, at most 8",
        ):
            self.raw("encode", {"x": np.zeros(shape, np.float32), "c": c})

    def test_a_shape_that_equals_its_signature_where_it_is_spread(self):
        z = np.zeros([3], np.float32)  # of [B, 3]
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"Received the shapes:\] \[3\] \[3 4\]"):
            self.raw("decode", {"z": z, "c": np.eye(4, dtype=np.float32)[:3]})

    def test_unequal_rows(self):
        c = np.eye(4, dtype=np.float32)
        for rows in (1, 2, 4):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, rf"Received the shapes:\] \[{rows} 8 8 1\] \[3 4\]"
            ):
                self.raw("encode", {"x": np.zeros([rows, 8, 8, 1], np.float32), "c": c[:3]})

    def test_more_rows_than_the_export_said(self):
        z, c = np.zeros([9, 3], np.float32), np.eye(4, dtype=np.float32)[[0] * 9]
        self.assertLen(self.raw("decode", {"z": z[:8], "c": c[:8]})["x"], 8)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "at most 8. Received the shapes"):
            self.raw("decode", {"z": z, "c": c})

    def test_another_dtype(self):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "double"):
            self.raw("decode", {"z": np.zeros([1, 3]), "c": np.zeros([1, 4], np.float32)})

    def test_a_bad_value_makes_its_own_row_nan(self):
        x, c = np.zeros([5, 8, 8, 1], np.float32), np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]]
        good = self.raw("encode", {"x": x, "c": c})
        x[0], x[1, 2, 2], c[3] = 255, np.nan, 0
        out = self.raw("encode", {"x": x, "c": c})
        np.testing.assert_array_equal(out["ok"], [False, False, True, False, True])
        np.testing.assert_array_equal(np.isnan(out["z"]).all(-1), ~out["ok"])
        np.testing.assert_array_equal(out["z"][out["ok"]], good["z"][out["ok"]])

    def test_no_row_has_no_answer(self):
        out = self.raw("encode", {"x": np.zeros([0, 8, 8, 1], np.float32), "c": np.zeros([0, 4], np.float32)})
        self.assertEqual(out["z"].shape, (0, 3))


if __name__ == "__main__":
    absltest.main()
