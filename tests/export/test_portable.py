"""Exports in other runtimes: as the SavedModel, or a line that says why not."""

import importlib.util
import pathlib
import tempfile
from unittest import mock

import pytest
from absl.testing import absltest, parameterized

from export import portable
from tests.export.test_serve_local import run
from tests.serving import served
from ugm_tf.serving import export_model, runtimes

pytestmark = pytest.mark.slow  # one export that all share, and the libraries that convert it, take half a minute

MODULES = {"onnx": "tf2onnx", "litert": "ai_edge_litert", "openvino": "openvino"}
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}


def setUpModule():
    global VERSION
    asked = {"endpoints": ["sample", "score", "decode"], "variants": ["noise", "decode_bytes"]}
    VERSION = export_model(served.model("vae"), tempfile.mkdtemp(), max_batch=4, **asked)


class ConvertedTest(parameterized.TestCase):
    @parameterized.parameters(*runtimes.RUNTIMES)
    def test_every_signature_without_a_seed_is_as_the_saved_model(self, to):
        if importlib.util.find_spec(MODULES[to]) is None:
            self.skipTest(f"takes pip install 'ugm_tf[{to}]'")
        folder = pathlib.Path(self.create_tempdir().full_path)
        status, out, _ = run(portable, VERSION, to=to, output=folder)
        self.assertEqual(status, 0, out)
        found = {line.partition(":")[0]: line for line in out.splitlines()}
        made = {name for name, line in found.items() if "as the SavedModel" in line}
        self.assertEqual(made, {"decode", "sample_noise", "score_noise"}, out)
        self.assertEqual({path.stem for path in folder.glob(f"*{SUFFIXES[to]}")}, made)
        self.assertIn("sample: none. It draws by a seed, as TensorFlow alone can", out)
        self.assertIn("decode_bytes: none. It reads or writes files of pictures", out)


class ConvertTest(parameterized.TestCase):
    """With a runtime of the test's own."""

    def convert(self, run_as, **options):
        folder = pathlib.Path(self.create_tempdir().full_path)

        def make(source, path):
            file = path / f"{source.name}.test"
            file.write_bytes(b"")
            return [file], lambda batch: run_as(source, batch)

        with mock.patch.dict(runtimes.RUNTIMES, {"onnx": lambda: make}):
            status, out, _ = run(portable, VERSION, to="onnx", output=folder, signatures="decode", **options)
        return status, out.strip(), [path.name for path in folder.iterdir()]

    def test_what_answers_as_the_saved_model_is_kept(self):
        def same(source, batch):
            return {key: value.numpy() for key, value in source.function(**batch).items()}

        status, out, files = self.convert(same)
        self.assertEqual((status, files), (0, ["decode.test"]))
        self.assertRegex(out, r"^decode: .*/decode.test, as the SavedModel, to \d+% of the tolerance$")

    def test_what_answers_otherwise_is_not(self):
        def other(source, batch):
            return {key: value.numpy() + (key == "x") * 0.01 for key, value in source.function(**batch).items()}

        status, out, files = self.convert(other)
        self.assertEqual((status, files), (1, []))
        self.assertRegex(out, "^decode: none. It answers otherwise than the SavedModel, by .* times the tolerance$")

    def test_what_fails_says_why_in_a_line(self):
        def fails(source, batch):
            raise RuntimeError("\nno such kernel: Foo\nat line 3")

        status, out, files = self.convert(fails)
        self.assertEqual((status, files), (1, []))
        self.assertEqual(out, "decode: none. It cannot be converted: RuntimeError: no such kernel: Foo")

    def test_refuses_what_is_not_there(self):
        for version, flags, message in (
            (VERSION, {"signatures": "code"}, "has the signatures sample, .*Received: code"),
            (VERSION.parent, {}, "is no version that export_model wrote"),
        ):
            status, _, errors = run(portable, version, to="onnx", **flags)
            self.assertEqual(status, 2)
            self.assertRegex(errors, f"^error: .*{message}")
        with mock.patch.dict("sys.modules", {"openvino": None}):
            status, _, errors = run(portable, VERSION, to="openvino", output=self.create_tempdir().full_path)
        self.assertEqual(status, 2)
        self.assertIn("OpenVINO takes pip install 'ugm_tf[openvino]'", errors)


if __name__ == "__main__":
    absltest.main()
