"""A base path that a stock server is pointed at: configuration, warm-up, cards and a README that is true."""

import ast
import contextlib
import importlib
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

import ugm_tf
from tests.serving import served
from ugm_tf.serving import LocalServer, VerificationError, configs, export_bundle, sums, verify, warmup, wire


class BundleTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = served.model("gan")
        cls.base = pathlib.Path(tempfile.mkdtemp(), "models")
        cls.version = export_bundle(cls.model, cls.base, "digits", metadata={"recipe": "gan"}, max_batch=6)

    def test_the_base_path_holds_what_a_server_needs(self):
        self.assertCountEqual(
            os.listdir(self.base),
            ["README.md", "batching.config", "compose.yaml", "digits", "kubernetes.yaml", "models.config"]
            + ["monitoring.config", "page.html"],
        )
        self.assertEqual(self.version, self.base / "digits/1")
        config = (self.base / "models.config").read_text()
        self.assertIn('base_path: "/models/digits"', config)
        self.assertIn("prometheus_config {\n  enable: true", (self.base / "monitoring.config").read_text())

    def test_batches_are_padded_to_sizes_of_which_the_last_is_the_most(self):
        text = (self.version / "batching_params.pbtxt").read_text()
        self.assertEqual(re.findall(r"allowed_batch_sizes: (\d+)", text), ["1", "2", "4", "6"])
        self.assertIn("max_batch_size { value: 6 }\n", text)
        self.assertEqual(text, (self.base / "batching.config").read_text())

    def test_there_is_a_warm_up_request_for_every_signature_and_size(self):
        found = [(name, len(next(iter(batch.values())))) for name, batch in warmup.read(self.version)]
        names = ugm_tf.serving.signatures(self.model)
        self.assertCountEqual(found, [(name, size) for name in names for size in (1, 2, 4, 6)])

    def test_the_card_names_no_path_and_the_weights(self):
        text = "".join(path.read_text() for path in (self.version / "assets.extra").glob("*[nd]"))
        self.assertNotIn(str(self.base.parent), text)
        weights = sums.sha256(self.version / "variables/variables.data-00000-of-00001")
        self.assertEqual(text.count(weights), 2)  # in both forms
        self.assertIn("# gan\n", text)

    def test_the_lines_of_the_readme_get_answers(self):
        with LocalServer(self.base, 0, 0) as server:
            text = (self.base / "README.md").read_text()
            text = text.replace("http://localhost:8501", server.rest).replace("localhost:8500", server.grpc)
            for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
                with self.subTest(code), contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(code, {})
                found = ast.literal_eval(out.getvalue())  # names, with shapes or with numbers of rows
                shapes = {"ok": (2,), "x": (2, 8, 8, 1), "z": (2, 3)}
                self.assertIn(found, (shapes, dict.fromkeys(shapes, 2)))
            lines = re.findall(r"^curl .*$", text, re.MULTILINE)
            answers = [json.loads(subprocess.check_output([*shlex.split(line), "-s"], timeout=60)) for line in lines]
        self.assertEqual(answers[0]["model_version_status"][0]["state"], "AVAILABLE")
        self.assertEqual(answers[1]["outputs"]["ok"], [True, True])

    def test_all_ways_to_start_a_server_have_the_same_flags(self):
        texts = [(self.base / name).read_text() for name in ("README.md", "compose.yaml", "kubernetes.yaml")]
        texts[0] = texts[0].partition("docker run")[2].partition("```")[0]
        first, *others = (set(re.findall(r"--\w+_\w+=\S+|--enable_batching=\S+", text)) for text in texts)
        self.assertLen(first, 6)
        self.assertEqual(others, [first, first])
        for text in texts[1:]:
            self.assertIn("/v1/models/digits", text)

    def test_the_servers_lines_of_the_readme_name_files_that_are_there(self):
        text = (self.base / "README.md").read_text()
        for name in re.findall(r"(?:=/models|\$PWD)/([\w./]+)", text):
            self.assertTrue((self.base / name).exists(), name)
        for module, flags in re.findall(r"python -m ugm_tf\.(export\.\w+)(.*)$", text, re.MULTILINE):
            source = pathlib.Path(importlib.import_module(module).__file__).read_text()
            for flag in re.findall(r"--(\w+)=", flags):
                self.assertIn(f'"--{flag}"', source)


class VersionsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.base = pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(mock.patch("ugm_tf.serving.bundle.export_model", self.export))

    def export(self, model, path, max_batch=64):
        path = path / str(max(map(int, os.listdir(path)) if path.exists() else [0], default=0) + 1)
        signature = {"answers": "", "inputs": {"z": {"dtype": "float32", "shape": [None, 2]}}, "outputs": {}}
        card = {"serving_default": "decode", "max_batch": max_batch, "metadata": {}, "densities": {}}
        (path / "assets.extra").mkdir(parents=True)
        (path / "assets.extra/model.json").write_text(json.dumps(card | {"signatures": {"decode": signature}}))
        return path

    def test_stable_stays_and_canary_is_the_newest(self):
        for _ in range(3):
            export_bundle(None, self.base, "a")
        export_bundle(None, self.base, "b", max_batch=8)
        self.assertEqual(configs.labelled(self.base, "a"), {"stable": 1, "canary": 3})
        self.assertEqual(configs.labelled(self.base, "b"), {"stable": 1, "canary": 1})
        self.assertIn("versions: 1\n        versions: 3\n", (self.base / "models.config").read_text())
        self.assertIn("max_batch_size { value: 8 }", (self.base / "batching.config").read_text())
        self.assertIn("\n## a\n", (self.base / "README.md").read_text())

    def test_a_labelled_version_is_not_retired(self):
        for _ in range(4):
            export_bundle(None, self.base, "a", keep=1)
        self.assertCountEqual(os.listdir(self.base / "a"), ["1", "4"])

    def test_a_label_of_a_version_that_is_gone_moves_on(self):
        export_bundle(None, self.base, "a")
        (self.base / "a/1").rename(self.base / "a/7")
        export_bundle(None, self.base, "a")
        self.assertEqual(configs.labelled(self.base, "a"), {"stable": 8, "canary": 8})

    def test_refuses_a_configuration_that_it_cannot_read(self):
        (self.base / "models.config").write_text("model_config_list { config { colour: 1 } }")
        with self.assertRaisesRegex(ValueError, "models.config has what this .* does not know.*colour.*Take that"):
            export_bundle(None, self.base, "a")
        self.assertEqual(os.listdir(self.base), ["models.config"])

    @parameterized.parameters("", "a/b", ".a", None)
    def test_refuses_what_is_no_name(self, name):
        with self.assertRaisesRegex(ValueError, "name is of letters.*Received"):
            export_bundle(None, self.base, name)


class WarmupTest(absltest.TestCase):
    def test_a_request_in_bytes_written_by_hand(self):
        log = wire.message("PredictionLog")()
        log.predict_log.request.model_spec.name = "m"
        log.predict_log.request.model_spec.signature_name = "s"
        log.predict_log.request.inputs.add(key="k", value=b"v")
        request = b"\x0a\x06\x0a\x01m\x1a\x01s" + b"\x12\x06\x0a\x01k\x12\x01v"  # fields 1 and 3 of 1; 1 and 2 of 2
        predict = b"\x0a" + bytes([len(request)]) + request
        self.assertEqual(log.SerializeToString(), b"\x32" + bytes([len(predict)]) + predict)  # 6

    def test_requests_that_do_not_replay_are_found(self):
        version = ugm_tf.serving.export_model(
            served.model("gan"), self.create_tempdir().full_path, endpoints=["decode"], max_batch=1
        )
        (version / warmup.WARMUP).write_bytes(b"no record" * 9)
        sums.write(version)
        with self.assertRaisesRegex(VerificationError, "warm-up: The requests do not replay"):
            verify(version)
        (version / warmup.WARMUP).write_bytes(b"")
        sums.write(version)
        with self.assertRaisesRegex(VerificationError, "warm-up: There is no request for decode."):
            verify(version)


if __name__ == "__main__":
    absltest.main()
