"""What verification finds: each kind of damage by its name, and nothing in a good export."""

import dataclasses
import json
import os
import pathlib
import shutil
import tempfile
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.serving import served
from ugm_tf.serving import CARD, VerificationError, cards, export_model, graphs, requests, sums, verify


def setUpModule():
    global MODEL, GOOD
    MODEL = served.model(ugm_tf.recipes.conditional_vae())
    GOOD = export_model(MODEL, tempfile.mkdtemp())


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.version = pathlib.Path(self.create_tempdir().full_path) / "1"
        shutil.copytree(GOOD, self.version)

    def findings(self, model=None):
        with self.assertRaises(VerificationError) as caught:
            verify(self.version, model)
        return [str(finding) for finding in caught.exception.findings]

    def edit(self, name, change, repaired=True):
        """Changes a file, and the checksums with it, as whoever means harm would."""
        path = self.version / name
        path.write_bytes(change(path.read_bytes()))
        if repaired:
            sums.write(self.version)


class FilesTest(TestCase):
    def test_a_good_export_has_no_fault(self):
        verify(self.version, MODEL)

    @parameterized.parameters(
        "saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001", CARD, "fingerprint.pb"
    )
    def test_a_flipped_byte_or_a_missing_end_or_file(self, name):
        whole = (self.version / name).read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        for content in (bytes(flipped), whole[:-1], whole[: len(whole) // 2], b""):
            (self.version / name).write_bytes(content)
            self.assertIn(f"files: {name} is damaged: its checksum is another.", self.findings())
        (self.version / name).unlink()
        self.assertIn(f"files: {name} is missing.", self.findings())

    def test_every_byte_of_the_checksums_counts(self):
        path = self.version / sums.SUMS
        whole = path.read_bytes()
        for place in range(0, len(whole), 37):
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(bytes(changed))
            self.assertNotEmpty(sums.faults(self.version), place)

    @pytest.mark.slow
    def test_200_damaged_bundles_are_each_refused_by_the_name_of_the_file(self):
        rng = np.random.default_rng(0)
        paths = [path for path in sorted(self.version.rglob("*")) if path.is_file() and path.stat().st_size]
        damages = (
            lambda whole, place: whole[:place] + bytes([whole[place] ^ (1 << rng.integers(8))]) + whole[place + 1 :],
            lambda whole, place: whole[:place],
            lambda whole, place: whole[:place] + whole[place + 1 :],
            lambda whole, place: None,
        )
        for i in range(200):
            path, damage = paths[rng.integers(len(paths))], damages[i % len(damages)]
            whole = path.read_bytes()
            content = damage(whole, int(rng.integers(len(whole))))
            path.unlink() if content is None else path.write_bytes(content)
            found = " ".join(self.findings())
            self.assertIn("files: ", found)
            if path.name != "SHA256SUMS":
                self.assertIn(str(path.relative_to(self.version)), found)
            path.write_bytes(whole)
        verify(self.version, MODEL)

    def test_a_file_that_is_not_of_the_export(self):
        (self.version / "assets.extra/more").touch()
        self.assertEqual(self.findings(), ["files: assets.extra/more is not of this export."])

    def test_what_is_no_file(self):
        os.mkfifo(self.version / "pipe")
        (self.version / "folder").symlink_to("/")
        (self.version / "nowhere").symlink_to("/none")
        sums.write(self.version)
        links = [f"files: {name} is a link: a version has its files itself." for name in ("folder", "nowhere")]
        self.assertEqual(self.findings(), [*links, "files: pipe is no file that can be read."])

    @parameterized.parameters("saved_model.pb", sums.SUMS, "variables/variables.data-00000-of-00001")
    def test_what_stands_in_for_a_file_is_not_opened(self, name):
        elsewhere = self.version.parent / "elsewhere"
        (self.version / name).rename(elsewhere)
        (self.version / name).symlink_to(elsewhere)  # with the same content
        self.assertEqual(self.findings(), [f"files: {name} is a link: a version has its files itself."])
        (self.version / name).unlink()
        os.mkfifo(self.version / name)  # which would never end
        self.assertEqual(self.findings(), [f"files: {name} is no file that can be read."])

    def test_folders_that_are_not_of_the_export(self):
        (self.version / "assets/evil").mkdir(parents=True)
        (self.version / "variables/x").mkdir()
        found = [f"files: {name} is no folder of this export." for name in ("assets/evil", "variables/x")]
        self.assertEqual(self.findings(), found)

    def test_a_savedmodel_of_someone_else(self):
        shutil.rmtree(self.version)
        tf.saved_model.save(tf.Module(), str(self.version))
        self.assertStartsWith(self.findings()[0], f"files: {sums.SUMS} cannot be read")

    def test_no_folder(self):
        shutil.rmtree(self.version)
        self.assertNotEmpty(self.findings())


class RepairedTest(TestCase):
    """Damage with checksums to match."""

    def test_a_card_of_other_signatures(self):
        def without(content):
            card = json.loads(content)
            del card["signatures"]["encode"]
            return json.dumps(card).encode()

        self.edit(CARD, without)
        self.assertStartsWith(self.findings()[0], "card: The graph has the signatures ['decode', 'encode'")

    @parameterized.parameters(b"", b"[]", b"{}", b'{"signatures": {"a": 1}}')
    def test_no_card(self, content):
        self.edit(CARD, lambda _: content)
        self.assertStartsWith(self.findings()[0], f"card: {CARD} is not the card of an export")

    @parameterized.parameters(
        ("max_batch", "4", "max_batch is no int"),
        ("max_batch", 10**12, "max_batch is no number of rows"),
        ("serving_default", "none", "serving_default no signature"),
        ("weights_sha256", "0" * 64, "The card is of other weights"),
    )
    def test_a_card_of_something_else(self, key, value, message):
        self.edit(CARD, lambda content: json.dumps(json.loads(content) | {key: value}).encode())
        self.assertIn(message, self.findings()[0])

    @parameterized.parameters(
        ("shape", [None, 5], "'encode' has the inputs {'c': {'dtype': 'float32', 'shape': [None, 4]}"),
        ("dtype", "int32", "'encode' has the inputs {'c': {'dtype': 'float32', 'shape': [None, 4]}"),
        ("values", "as one likes", "No request can be made of what it says of 'encode'"),
        ("more", 1, "a signature is described otherwise"),
    )
    def test_a_card_of_another_input(self, key, value, message):
        def change(content):
            card = json.loads(content)
            card["signatures"]["encode"]["inputs"]["c"][key] = value
            return json.dumps(card).encode()

        self.edit(CARD, change)
        self.assertIn(message, " ".join(self.findings()))

    def test_files_that_a_server_or_a_person_needs(self):
        for name in ("batching_params.pbtxt", "assets.extra/MODEL_CARD.md"):
            (self.version / name).unlink()
        sums.write(self.version)
        found = " ".join(self.findings())
        self.assertIn("card: assets.extra/MODEL_CARD.md is missing", found)
        self.assertIn("files: batching_params.pbtxt is missing", found)

    def test_truncated_variables(self):
        old = sums.sha256(self.version / cards.WEIGHTS).encode()
        self.edit(cards.WEIGHTS, lambda content: content[:100])
        self.assertStartsWith(self.findings()[0], "card: The card is of other weights")
        for name in (CARD, "assets.extra/MODEL_CARD.md"):
            self.edit(name, lambda content: content.replace(old, sums.sha256(self.version / cards.WEIGHTS).encode()))
        self.assertStartsWith(self.findings()[0], "load: ")

    def test_a_damaged_graph(self):
        self.edit("saved_model.pb", lambda content: content[: len(content) // 2])
        self.assertStartsWith(self.findings()[0], "graph: ")

    def test_python_and_state_in_the_graph(self):
        saved = tf.compat.v1.MetaGraphDef()
        for op in ("PyFunc", "RandomUniform", "WriteFile", "NoSuchOperation"):
            saved.graph_def.node.add(name=op, op=op)
        found = " ".join(graphs.faults(saved))
        for message in ("calls back into Python (PyFunc)", "may not: NoSuchOperation, RandomUniform, WriteFile. They"):
            self.assertIn(message, found)

    @pytest.mark.slow
    def test_another_model(self):
        other = served.model(ugm_tf.recipes.conditional_vae())
        other.decoder.network.layers[-2].bias.assign_add(tf.ones_like(other.decoder.network.layers[-2].bias))
        found = self.findings(other)
        self.assertRegex(found[0], r"model: 'sample' answers with x other than this model's, by [\d.]+\.")
        self.assertIn("model: This model is not asked for 'encode', or", " ".join(self.findings(served.model("gan"))))

    @parameterized.parameters(("float32", 1e-6, 1e-3), ("mixed_bfloat16", 3e-3, 0.3), ("mixed_float16", 5e-4, 0.04))
    @pytest.mark.slow
    def test_answers_may_differ_by_what_their_floats_round(self, policy, little, much):
        self.addCleanup(keras.config.set_dtype_policy, keras.config.dtype_policy())
        keras.config.set_dtype_policy(policy)
        of = served.model(ugm_tf.recipes.conditional_vae())
        path = export_model(of, self.version.parent / "base", endpoints=["encode"])
        bias = of.encoder.network.layers[-1].bias
        bias.assign_add(little * tf.ones_like(bias))
        verify(path, of)
        bias.assign_add(much * tf.ones_like(bias))
        with self.assertRaisesRegex(VerificationError, "'encode' answers with z other than this model's, by"):
            verify(path, of)


class AnswersTest(TestCase):
    def export(self, module="signatures", **changes):
        """An export of signatures that lack a check or an answer; nothing is published of it."""
        base = self.version.parent / "base"
        with (
            self.assertRaises(VerificationError) as caught,
            mock.patch.multiple(f"ugm_tf.serving.{module}", **changes),
        ):
            export_model(MODEL, base, endpoints=["encode"])
        self.assertFalse(base.exists())
        return " ".join(map(str, caught.exception.findings))

    def test_a_graph_that_takes_any_shape(self):
        found = self.export(_check=lambda *_: tf.no_op())
        self.assertRegex(
            found, r"refusals: 'encode' answers to c of shape \[65, 4\], x of shape \[65, 8, 8, 1\], which"
        )
        self.assertRegex(
            found, r"refusals: 'encode' refuses c of shape \[2, 4, 1\], x of shape \[2, 8, 8, 1\] by chance"
        )

    def test_a_graph_that_makes_a_number_of_nan(self):
        def plain(model, endpoint):
            return served.replaced(endpoint, lambda out: out | {"ok": tf.ones([tf.shape(out["z"])[0]], tf.bool)})

        self.assertIn("refusals: 'encode' makes a number of NaN in ok.", self.export("questions", masked=plain))

    def test_a_graph_that_refuses_a_bad_row_with_its_neighbours(self):
        from ugm_tf.inference.guards import masked

        def strict(model, endpoint):
            inner = masked(model, endpoint)

            def function(**values):
                finite = [tf.reduce_all(tf.math.is_finite(value)) for value in values.values()]
                with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(finite), ["no"])]):
                    return inner.function(**{key: tf.identity(value) for key, value in values.items()})

            return dataclasses.replace(inner, function=function)

        self.assertIn("'encode' refuses the neighbours of a bad row", self.export("questions", masked=strict))

    def test_rows_that_depend_on_each_other(self):
        from ugm_tf.inference.guards import masked

        def mixed(model, endpoint):
            return served.replaced(
                masked(model, endpoint), lambda out: out | {"z": out["z"] - tf.reduce_mean(out["z"], 0)}
            )

        self.assertIn(
            "rows: 'encode' answers with another z where rows come one by one.", self.export("questions", masked=mixed)
        )

    def test_weights_that_are_no_numbers(self):
        of = served.model("gan")
        of.decoder.set_weights([np.full_like(weight, np.nan) for weight in of.decoder.get_weights()])
        with self.assertRaisesRegex(VerificationError, "'decode' answers with x that is no number"):
            export_model(of, self.version.parent / "base", endpoints=["decode"])


class RequestsTest(parameterized.TestCase):
    def test_there_is_an_example_for_every_rule(self):
        from ugm_tf.inference import guards

        for rule in guards._RULES.values():
            shape = [None] if "labels" in rule.text else [None, 4]
            values = requests.example({"a": {"dtype": "float32", "shape": shape, "values": rule.text}}, 6)["a"]
            self.assertTrue(np.all(rule.holds(tf.constant(values))), rule.text)

    def test_bad_requests_are_made_from_good_ones(self):
        inputs = {v: {"dtype": "float32", "shape": [None, 2], "values": "finite"} for v in ("a", "b")}
        shapes = [{key: value.shape for key, value in bad.items()} for bad in requests.misshapen(inputs, 5)]
        self.assertIn({"a": (1, 2), "b": (2, 2)}, shapes)
        self.assertIn({"a": (6, 2), "b": (6, 2)}, shapes)
        self.assertIn({"a": (2, 2, 1), "b": (2, 2)}, shapes)
        good = requests.example(inputs, 3)
        bad = requests.spoiled(inputs, good, 1)
        self.assertLen(bad, 2)
        np.testing.assert_array_equal(np.isnan(bad[1]["b"]), [[False, False], [True, False], [False, False]])
        self.assertFalse(np.isnan(good["b"]).any())


if __name__ == "__main__":
    absltest.main()
