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
import sys
import tempfile
import threading
from unittest import mock

import PIL.Image
from absl.testing import absltest, parameterized

import ugm_tf
from export import sample_from
from tests.serving import served
from ugm_tf.serving import LocalServer, VerificationError, configs, export_bundle, guide, sums, verify, warmup, wire


class BundleTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = served.model("gan")
        cls.base = pathlib.Path(tempfile.mkdtemp(), "models")
        of = {"metadata": {"recipe": "gan"}, "max_batch": 6, "variants": ["sample_bytes"]}
        cls.version = export_bundle(cls.model, cls.base, "digits", **of)

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

    def test_beside_a_version_that_is_none_a_lower_one_is_served(self):
        base = pathlib.Path(self.create_tempdir().full_path, "models")
        (base / "digits/99").mkdir(parents=True)
        export_bundle(self.model, base, "digits", version=1, endpoints=["decode"])
        self.assertEqual(configs.labelled(base, "digits"), {"stable": 1, "canary": 1})
        self.assertTrue((base / "README.md").is_file())

    @parameterized.parameters(
        ({"figures": [1]}, r"metadata\['figures'\] is a dict of names with values. Received: \[1\]"),
        ({"trained_with": "abc"}, r"metadata\['trained_with'\] is a dict"),
        ({"class_names": 5}, r"metadata\['class_names'\] is a list of strings. Received: 5"),
        ({"class_names": ["\ud800"]}, "metadata is text that UTF-8 can hold"),
    )
    def test_metadata_that_no_card_can_show_leaves_nothing_behind(self, metadata, message):
        base = pathlib.Path(self.create_tempdir().full_path, "models")
        with self.assertRaisesRegex(ValueError, message):
            export_bundle(self.model, base, "digits", endpoints=["decode"], metadata=metadata)
        self.assertFalse((base / "digits").exists())

    def test_batches_are_padded_to_sizes_of_which_the_last_is_the_most(self):
        text = (self.version / "batching_params.pbtxt").read_text()
        self.assertEqual(re.findall(r"allowed_batch_sizes: (\d+)", text), ["1", "2", "4", "6"])
        self.assertIn("max_batch_size { value: 6 }\n", text)
        self.assertEqual(text, (self.base / "batching.config").read_text())

    def test_there_is_a_warm_up_request_for_every_signature_and_size(self):
        found = [(name, len(next(iter(batch.values())))) for name, batch in warmup.read(self.version)]
        names = [*ugm_tf.serving.signatures(self.model), "sample_bytes"]
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
            lines = re.findall(r"^curl .*http\S+$", text, re.MULTILINE)
            asked = ([*shlex.split(line), "-s"] for line in lines[:2])
            answers = [json.loads(subprocess.check_output(line, timeout=60)) for line in asked]
            self.pictures(text)
        self.assertEqual(answers[0]["model_version_status"][0]["state"], "AVAILABLE")
        self.assertEqual(answers[1]["outputs"]["ok"], [True, True])

    def pictures(self, text):
        """Runs the lines that end with a file of a picture."""
        folder = self.create_tempdir().full_path
        (line,) = re.findall(r"^python -m ugm_tf.export.sample_from (.*)$", text, re.MULTILINE)
        with contextlib.redirect_stdout(io.StringIO()):
            sample_from.main([*shlex.split(line.replace("samples.png", f"{folder}/samples.png")), "--timeout=60"])
        (line,) = re.findall(r"^(curl -s .*\npython -c .*)$", text, re.MULTILINE)
        line = line.replace("python -c", f"{sys.executable} -c")
        subprocess.run(line, shell=True, check=True, cwd=folder, timeout=60)
        sizes = []
        for name in ("samples", "sample"):
            with PIL.Image.open(f"{folder}/{name}.png") as picture:
                sizes.append(picture.size)
        self.assertEqual(sizes[1], (8, 8))
        self.assertGreater(sizes[0], (64, 64))  # 64 of them

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
        self.meanwhile = lambda: None

    def export(self, model, path, max_batch=64, version=None):
        path = path / str(max(map(int, os.listdir(path)) if path.exists() else [0], default=0) + 1)
        signature = {"answers": "", "inputs": {"z": {"dtype": "float32", "shape": [None, 2]}}, "outputs": {}}
        card = {"serving_default": "decode", "max_batch": max_batch, "metadata": {}, "densities": {}}
        self.meanwhile, meanwhile = lambda: None, self.meanwhile
        meanwhile()
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

    def test_of_exporters_at_once_the_highest_version_is_the_newest(self):
        export_bundle(None, self.base, "a")
        self.meanwhile = lambda: [(self.base / "a/2").mkdir(), export_bundle(None, self.base, "a")]
        export_bundle(None, self.base, "a")  # version 2, which is there before 3 and told of after it
        self.assertEqual(configs.labelled(self.base, "a"), {"stable": 1, "canary": 3})
        export_bundle(None, self.base, "a", version=4)
        self.assertEqual(configs.labelled(self.base, "a"), {"stable": 1, "canary": 4})

    def test_another_waits_until_the_files_are_written(self):
        write, seen = configs.write, []

        def slow(base, name, version):
            if name == "a":
                other.start()
                other.join(0.2)
                seen.extend(configs.served(base) or [])
            write(base, name, version)

        other = threading.Thread(target=export_bundle, args=[None, self.base, "b"])
        with mock.patch.object(configs, "write", slow):
            export_bundle(None, self.base, "a")
            other.join()
        self.assertEqual(seen, [])
        self.assertCountEqual(configs.served(self.base), ["a", "b"])

    def test_what_killed_writers_left_is_removed(self):
        (self.base / ".models.1.tmp.config").touch()
        export_bundle(None, self.base, "a")
        self.assertEmpty([name for name in os.listdir(self.base) if name.startswith(".")])

    def test_models_of_others_are_left_alone(self):
        for name, content in (("none", None), ("cut", "{"), ("other", "{}"), ("list", "[]")):
            folder = self.base / name / "1/assets.extra"
            folder.mkdir(parents=True)
            if content is not None:
                (folder / "model.json").write_text(content)
        export_bundle(None, self.base, "a")
        self.assertCountEqual(configs.cards_of(self.base), ["a"])

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

    def test_refuses_a_configuration_that_is_no_text(self):
        (self.base / "models.config").write_bytes(b"\xff\xfe")
        with self.assertRaisesRegex(ValueError, "models.config has what this .*codec.*Take that"):
            export_bundle(None, self.base, "a")
        (self.base / "models.config").unlink()
        (self.base / "models.config").mkdir()
        with self.assertRaisesRegex(ValueError, "models.config has what this .*Is a directory.*Take that"):
            export_bundle(None, self.base, "a")

    @parameterized.parameters("", "a/b", ".a", None, "models.config", "README.md", "mod\u00e8le", "a b", "a\n")
    def test_refuses_what_is_no_name(self, name):
        with self.assertRaisesRegex(ValueError, "name is of letters.*Received"):
            export_bundle(None, self.base, name)


class GuideTest(absltest.TestCase):
    def text(self, sampled, max_batch, **metadata):
        x = {"dtype": "float32", "shape": [None, *sampled]}
        signature = {"answers": "", "inputs": {"seed": {"dtype": "int32", "shape": [None, 2]}}, "outputs": {"x": x}}
        card = {"serving_default": "sample", "densities": {}, "signatures": {"sample": signature}}
        return guide.guide({"m": card | {"metadata": metadata, "max_batch": max_batch}})

    def test_requests_have_no_more_rows_than_the_model_takes(self):
        self.assertIn('"inputs": {"seed": [[615, 807]]}', self.text([8, 8, 1], 1))
        self.assertIn("--number=64 --max_batch=1 --output", self.text([8, 8, 1], 1))
        self.assertIn('Client("localhost:8500", "m", max_batch=1)', self.text([8, 8, 1], 1))
        self.assertIn("--number=64 --output", self.text([8, 8, 1], 64))

    def test_classes_are_named_by_number(self):
        self.assertIn("\nClasses: 0 cat, 1 dog.\n", self.text([2], 64, class_names=["cat", "dog"]))
        self.assertNotIn("Classes:", self.text([2], 64))

    def test_only_images_make_a_picture(self):
        self.assertNotIn("sample_from", self.text([2], 64))


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
