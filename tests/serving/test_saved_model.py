"""Exports: what a server reads in them is what the model answers."""

import json
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.core.protobuf import saved_model_pb2

import ugm_tf
from tests.serving import served
from ugm_tf.serving import CARD, saved_model


class Own(keras.layers.Layer):
    """A user's network that does something beside its dense layer."""

    def __init__(self, also):
        super().__init__()
        self.also, self.dense = also, keras.layers.Dense(6)

    def call(self, x):
        return self.dense(self.also(tf.reshape(x, [-1, 64])))


def with_own_encoder(also):
    made, network = ugm_tf.recipes.vae(), Own(also)
    network(tf.zeros([2, 8, 8, 1]))
    built = ugm_tf.networks.build(made, served.SHAPES, hidden=(5,))
    return ugm_tf.UnifiedModel(made, {**built, "encoder": ugm_tf.Density(network, "gaussian")})


class Drawing(keras.layers.Layer):
    """A layer that draws from TensorFlow's own generator."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path) / "base"


class AnswersTest(TestCase):
    def assert_answers_agree(self, of, rows=3, **tolerance):
        path = saved_model.export_model(of, self.base)
        for name, signature in ugm_tf.serving.signatures(of).items():
            batch = served.values(signature.inputs, rows)
            expected = signature.function(*map(tf.constant, batch.values()))
            out = served.answers(path, name, batch)
            self.assertCountEqual(out, expected)
            for key, value in expected.items():
                self.assertEqual(out[key].dtype, bool if key == "ok" else np.float32)
                self.assertLen(out[key], rows)
                np.testing.assert_allclose(out[key], value, **(tolerance or {"rtol": 1e-5, "atol": 1e-6}), err_msg=name)

    @parameterized.parameters(("vae", 1), ("gan", 3), ("iwgan", 1), ("aavae", 3))
    @pytest.mark.slow
    def test_every_endpoint_of_each_recipe_is_served(self, recipe, rows):
        self.assert_answers_agree(served.model(recipe), rows)

    @parameterized.parameters("batch", "spectral")
    @pytest.mark.slow
    def test_convolutions_and_their_normalisations_are_served(self, normalization):
        self.assert_answers_agree(served.model("gan", "dcgan", normalization=normalization))

    def test_pictures_of_one_channel_have_it_in_the_signature(self):
        made = ugm_tf.recipes.gan()
        built = ugm_tf.networks.build(made, {"x": (8, 8, 1), "z": (3,)}, network="dcgan", filters=4)
        chosen = ugm_tf.serving.signatures(ugm_tf.UnifiedModel(made, built))
        for name in ("decode", "sample"):
            asked = [tf.TensorSpec(s.shape, s.dtype, name=key) for key, s in chosen[name].inputs.items()]
            answers = tf.function(chosen[name].function).get_concrete_function(*asked).structured_outputs
            self.assertEqual(answers["x"].shape.as_list(), [None, 8, 8, 1])

    @pytest.mark.slow
    def test_residual_networks_are_served(self):
        self.assert_answers_agree(served.model(ugm_tf.recipes.conditional_gan(), "resnet", conditioning="projection"))

    @pytest.mark.slow
    def test_conditions_are_served(self):
        self.assert_answers_agree(served.model(served.conditional()))

    @pytest.mark.slow
    def test_what_was_trained_under_bfloat16_is_served_in_float32(self):
        policy = keras.config.dtype_policy()
        self.addCleanup(keras.config.set_dtype_policy, policy)
        keras.config.set_dtype_policy("mixed_bfloat16")
        of = served.model("aavae")
        of.compile("adam", jit_compile=False)
        of.fit(np.ones([4, 8, 8, 1], np.float32), batch_size=4, verbose=0)
        self.assertEqual(of.decoder.network.compute_dtype, "bfloat16")
        self.assert_answers_agree(of, rtol=0.02, atol=0.02)  # bfloat16 has 8 bits

    @pytest.mark.slow
    def test_averaged_weights_are_served_where_the_model_keeps_them(self):
        of = served.model("vae")
        of.compile(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9), jit_compile=False)
        of.fit(np.zeros([8, 8, 8, 1], np.float32), batch_size=4, epochs=3, verbose=0)
        path, z = saved_model.export_model(of, self.base), np.ones([2, 3], np.float32)
        served_x, last = served.answers(path, "decode", {"z": z})["x"], of.decode(z).numpy()
        with of.averaged():
            np.testing.assert_allclose(served_x, of.decode(z), rtol=1e-5)
        self.assertGreater(np.abs(served_x - last).max(), 1e-4)
        self.assertEqual(json.loads((path / CARD).read_text())["weights"], "averages over training")

    @pytest.mark.slow
    def test_a_sample_depends_on_its_seed_alone(self):
        path = saved_model.export_model(served.model(), self.base)
        seeds = np.array([[5, 0], [-3, 7], [5, 0], [2**31 - 1, 1]], np.int32)
        together = served.answers(path, "sample", {"seed": seeds})
        for i in range(4):
            alone = served.answers(path, "sample", {"seed": seeds[i : i + 1]})
            for name in ("x", "z"):
                np.testing.assert_allclose(alone[name][0], together[name][i], rtol=1e-6, atol=1e-6)
        self.assertGreater(np.abs(together["z"][1] - together["z"][3]).min(), 1e-3)

    @pytest.mark.slow
    def test_a_request_without_a_signature_is_a_sample(self):
        path = saved_model.export_model(served.model(), self.base)
        seed = {"seed": np.array([[5, 0]], np.int32)}
        default, sample = (served.answers(path, name, seed) for name in ("serving_default", "sample"))
        np.testing.assert_array_equal(default["x"], sample["x"])

    def test_the_first_endpoint_is_the_default(self):
        path = saved_model.export_model(served.model(), self.base, endpoints=["decode", "encode"])
        self.assertEqual(
            served.answers(path, "serving_default", {"z": np.zeros([2, 3], np.float32)})["x"].shape, (2, 8, 8, 1)
        )
        self.assertEqual(json.loads((path / CARD).read_text())["serving_default"], "decode")


class ContentsTest(TestCase):
    def read(self, path):
        return saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs[0]

    @pytest.mark.slow
    def test_nothing_in_it_is_compiled_by_xla_or_random_by_itself(self):
        of = served.model("aavae")
        of.compile("adam", jit_compile=True)
        path = saved_model.export_model(of, self.base)
        functions = self.read(path).graph_def.library.function
        self.assertFalse(any(function.attr["_XlaMustCompile"].b for function in functions))
        ops = {node.op for function in functions for node in function.node_def}
        self.assertEqual({op for op in ops if "Random" in op or "PyFunc" in op}, set())

    @pytest.mark.slow
    def test_every_input_and_output_has_a_free_batch(self):
        path = saved_model.export_model(served.model(served.conditional()), self.base)
        for name, signature in self.read(path).signature_def.items():
            for tensors in (signature.inputs, signature.outputs):
                for key, info in tensors.items():
                    if name != "__saved_model_init_op":
                        self.assertEqual(info.tensor_shape.dim[0].size, -1, f"{name}: {key}")

    def test_holds_the_weights_that_its_endpoints_need_once(self):
        of = served.model("gan")
        of.compile("adam")
        path = saved_model.export_model(of, self.base, endpoints=["sample"])
        stored = tf.train.list_variables(str(path / "variables/variables"))
        shapes = sorted(shape for name, shape in stored if "VARIABLE_VALUE" in name)
        self.assertEqual(shapes, sorted(list(variable.shape) for variable in of.decoder.variables))

    @pytest.mark.slow
    def test_the_card_says_what_it_is(self):
        path = saved_model.export_model(served.model(served.conditional()), self.base, metadata={"data": "toy"})
        card = json.loads((path / "assets.extra/model.json").read_text())
        self.assertEqual(card["densities"]["decoder"], "p(x | z, c) Bernoulli()")
        self.assertEqual(card["equations"][0], "wake: minimise over encoder, decoder")
        self.assertEqual(card["metadata"], {"data": "toy"})
        self.assertEqual(card["versions"]["tensorflow"], tf.__version__)
        self.assertEqual(
            card["signatures"]["sample"],
            {
                "answers": "the mean of p(x | z, c) for each seed, and what was drawn for it",
                "inputs": {
                    "c": {"dtype": "float32", "shape": [None, 4], "values": "finite"},
                    "seed": {"dtype": "int32", "shape": [None, 2]},
                },
                "outputs": {
                    "ok": {"dtype": "bool", "shape": [None]},
                    "x": {"dtype": "float32", "shape": [None, 8, 8, 1]},
                    "z": {"dtype": "float32", "shape": [None, 3]},
                },
            },
        )


class RefusalsTest(TestCase):
    def tearDown(self):
        self.assertEqual(os.listdir(self.base) if self.base.exists() else [], [])
        super().tearDown()

    @parameterized.parameters((["sample", "encode"],), ([],))
    def test_refuses_endpoints_that_there_are_not(self, endpoints):
        with self.assertRaisesRegex(ValueError, "can be asked for sample, score, decode, discriminate. Received"):
            saved_model.export_model(served.model("gan"), self.base, endpoints=endpoints)

    def test_refuses_another_kind_of_model(self):
        with self.assertRaisesRegex(ValueError, "takes a UnifiedModel, .*Received: <Sequential"):
            saved_model.export_model(keras.Sequential(), self.base)

    @parameterized.parameters(float("nan"), b"")
    def test_refuses_metadata_that_json_cannot_hold(self, value):
        with self.assertRaisesRegex(ValueError, "metadata is a dict that JSON can hold: .*Received"):
            saved_model.export_model(served.model(), self.base, metadata={"a": value})

    def test_refuses_an_input_of_unknown_shape(self):
        made, translate = ugm_tf.recipes.vae(), keras.layers.Dense(6)
        translate(tf.zeros([2, 4]))
        phase = ugm_tf.Phase("wake", (ugm_tf.E(ugm_tf.NegativeLogProb("to_z")),), ("to_z",))
        made = ugm_tf.Recipe({"to_z": "p(z | c)"}, (phase,), ("z", "c"))
        of = ugm_tf.UnifiedModel(made, {"to_z": ugm_tf.Density(translate, "gaussian")})
        with self.assertRaisesRegex(ValueError, "'to_z' takes c, of a shape that no network .* leave 'to_z' out"):
            saved_model.export_model(of, self.base)

    @pytest.mark.slow
    def test_refuses_a_network_that_a_server_cannot_compile(self):
        of = with_own_encoder(tf.function(tf.tanh, jit_compile=True))
        with self.assertRaisesRegex(ValueError, "compiles a part of itself with XLA.*Take jit_compile=True out"):
            saved_model.export_model(of, self.base)

    def test_refuses_a_network_that_draws_by_itself(self):
        built = ugm_tf.networks.build(ugm_tf.recipes.vae(), served.SHAPES, hidden=(5,))
        inputs = keras.Input(built["encoder"].network.input_shape[1:])
        drawn = Drawing()(keras.layers.Dense(6)(keras.layers.Flatten()(inputs)))
        encoder = ugm_tf.Density(keras.Model(inputs, drawn), "gaussian")
        of = ugm_tf.UnifiedModel(ugm_tf.recipes.vae(), {**built, "encoder": encoder})
        with self.assertRaisesRegex(ValueError, r"The network draws by RandomStandardNormal, made at test_saved_model"):
            saved_model.export_model(of, self.base)
        self.assertFalse(self.base.exists() and list(self.base.glob("[!.]*")))

    def test_refuses_a_network_that_reads_files(self):
        of = with_own_encoder(lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32))
        with self.assertRaisesRegex(ValueError, r"operations that a served graph may not: ReadFile. They"):
            saved_model.export_model(of, self.base)

    def test_refuses_a_network_that_calls_python(self):
        of = with_own_encoder(lambda x: tf.ensure_shape(tf.numpy_function(np.tanh, [x], tf.float32), [None, 64]))
        with self.assertRaisesRegex(ValueError, r"calls back into Python \(PyFunc\).*in place of tf.py_function"):
            saved_model.export_model(of, self.base)


if __name__ == "__main__":
    absltest.main()
