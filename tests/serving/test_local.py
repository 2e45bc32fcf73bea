"""The local server answers as TensorFlow Serving does, and a client gets what the model answers."""

import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent import futures
from unittest import mock

import grpc
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc, predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc as service

from tests.serving import served
from ugm_tf import files
from ugm_tf.serving import Client, LocalServer, configs, servables


def setUpModule():
    global BASE, MODEL, SERVER
    BASE, MODEL = served.bundle()
    SERVER = LocalServer(BASE, 0, 0, poll=0.05)


def tearDownModule():
    SERVER.close()


def rest(path, body=None):
    """Status and JSON of an answer."""
    request = urllib.request.Request(SERVER.rest + path, None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def rows(number):
    """A request of `sample`."""
    seed = np.stack([np.full(number, 7), np.arange(number)], 1).astype(np.int32)
    return {"seed": seed, "c": np.eye(4, dtype=np.float32)[np.arange(number) % 4]}


class RestTest(parameterized.TestCase):
    def test_columns_and_rows(self):
        batch = {key: value.tolist() for key, value in rows(3).items()}
        status, columns = rest("/v1/models/digits:predict", {"signature_name": "sample", "inputs": batch})
        instances = [{key: batch[key][i] for key in batch} for i in range(3)]
        _, by_row = rest("/v1/models/digits/versions/1:predict", {"instances": instances})
        self.assertEqual(status, 200)
        self.assertEqual(columns["outputs"]["x"], [row["x"] for row in by_row["predictions"]])
        expected = MODEL.sample(3, seed=7, c=rows(3)["c"])
        np.testing.assert_allclose(columns["outputs"]["x"], expected, atol=1e-5)

    def test_status_and_metadata(self):
        version = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        self.assertEqual(rest("/v1/models/digits"), (200, {"model_version_status": [version]}))
        self.assertEqual(rest("/v1/models/digits/labels/stable")[0], 200)
        _, found = rest("/v1/models/digits/metadata")
        self.assertEqual(found["model_spec"], {"name": "digits", "signature_name": "", "version": "1"})
        seed = found["metadata"]["signature_def"]["signature_def"]["sample"]["inputs"]["seed"]
        self.assertEqual(seed["dtype"], "DT_INT32")
        self.assertEqual([size["size"] for size in seed["tensor_shape"]["dim"]], ["-1", "2"])

    @parameterized.parameters(
        ("/v1/models/other:predict", {"inputs": {}}, 404, r"Servable not found for request: Latest\(other\)"),
        ("/v1/models/digits/versions/9:predict", {"inputs": {}}, 404, r"request: Specific\(digits, 9\)"),
        ("/v1/models/digits/labels/new:predict", {"inputs": {}}, 400, "Unrecognized servable version label: new"),
        ("/v1/models/other", None, 404, "Could not find any versions of model other"),
        ("/v1/model/digits", None, 400, "Malformed request: GET /v1/model/digits"),
        ("/v1/models/digits:classify", {}, 501, "Malformed request"),
    )
    def test_errors_of_tensorflow_serving(self, path, body, status, message):
        found, content = rest(path, body)
        self.assertEqual(found, status)
        self.assertRegex(content["error"], message)

    def test_the_lines_of_the_readme_for_a_file_of_a_sample(self):
        block = (BASE / "README.md").read_text().rpartition("One as a PNG file, by curl:\n\n```\n")[2]
        lines = (
            block.partition("```")[0].replace("http://localhost:8501", SERVER.rest).replace("python", sys.executable)
        )
        folder = pathlib.Path(self.create_tempdir().full_path)
        subprocess.run(["bash", "-e", "-o", "pipefail", "-c", lines], cwd=folder, check=True, timeout=60)
        with PIL.Image.open(folder / "sample.png") as picture:
            self.assertEqual((picture.format, picture.size), ("PNG", (8, 8)))

    def test_the_page_is_of_the_same_origin(self):
        with urllib.request.urlopen(f"{SERVER.rest}/?model=digits") as answer:
            self.assertIn("Samples of a served model", answer.read().decode())


class GrpcTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.channel = self.enter_context(grpc.insecure_channel(SERVER.grpc))

    def test_predict_by_the_official_stub(self):
        request = predict_pb2.PredictRequest(output_filter=["ok"])
        request.model_spec.name, request.model_spec.version_label = "digits", "stable"
        for key, value in rows(2).items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
        response = service.PredictionServiceStub(self.channel).Predict(request, timeout=30)
        self.assertEqual(response.model_spec.version.value, 1)
        self.assertEqual(list(response.outputs), ["ok"])
        np.testing.assert_array_equal(tf.make_ndarray(response.outputs["ok"]), [True, True])

    def test_status_by_the_official_stub(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "digits"
        response = model_service_pb2_grpc.ModelServiceStub(self.channel).GetModelStatus(request, timeout=30)
        self.assertEqual([(v.version, v.state) for v in response.model_version_status], [(1, 30)])


class BatchingTest(absltest.TestCase):
    def test_rows_of_several_requests_go_together_and_a_bad_one_changes_no_other(self):
        sizes, held, run = [], threading.Event(), SERVER.servables.get("digits")._batcher._run

        def slow(name, inputs):
            sizes.append(len(inputs["seed"]))
            held.wait(10)
            return run(name, inputs)

        batcher = SERVER.servables.get("digits")._batcher
        self.enter_context(mock.patch.object(batcher, "_run", slow))
        with Client(SERVER.grpc, "digits", max_batch=8, timeout=30) as client, futures.ThreadPoolExecutor(8) as pool:
            client.signatures()
            first = pool.submit(client.ask, "sample", **rows(1))
            while not sizes:
                time.sleep(0.01)
            asked = [{key: value[i : i + 1] for key, value in rows(5).items()} for i in range(5)]
            asked[2] = {**asked[2], "c": np.full([1, 4], np.nan, np.float32)}
            others = [pool.submit(client.ask, "sample", **batch) for batch in asked]
            while batcher._rows < 5:
                time.sleep(0.01)
            held.set()
            found = [other.result() for other in others]
            first.result()
        self.assertEqual(sizes, [1, 8])  # the five, filled up
        self.assertEqual([bool(answer["ok"][0]) for answer in found], [True, True, False, True, True])
        expected = MODEL.sample(5, seed=7, c=rows(5)["c"]).numpy()
        for i in (0, 1, 3, 4):
            np.testing.assert_allclose(found[i]["x"][0], expected[i], atol=1e-5)


class VersionsTest(absltest.TestCase):
    @pytest.mark.slow
    def test_a_new_version_is_served_and_a_broken_one_is_not(self):
        base = BASE.parent / "others"
        shutil.copytree(BASE / "digits/1", base / "digits/1")
        self.addCleanup(shutil.rmtree, base)
        with LocalServer(base, None, 0, poll=0.02) as server, Client(server.rest, "digits", timeout=30) as client:
            self.assertEqual(client.status(), {1: "AVAILABLE"})
            (base / "digits/2").mkdir()
            self.wait(lambda: client.status().get(2) == "END")
            self.assertEqual(client.status()[1], "AVAILABLE")
            self.assertTrue(client.ask("sample", **rows(1))["ok"])
            shutil.copytree(base / "digits/1", base / "draft")
            (base / "draft").rename(base / "digits/3")
            self.wait(lambda: client.status().get(3) == "AVAILABLE" and client.status()[1] == "END")
            self.assertTrue(client.ask("sample", **rows(1))["ok"])
            with self.assertRaisesRegex(Exception, r"NOT_FOUND: .*Specific\(digits, 1\)"):
                Client(server.rest, "digits", version=1).signatures()

    def test_a_version_that_comes_after_its_label_is_served(self):
        base = BASE.parent / "late"
        shutil.copytree(BASE / "digits/1", base / "digits/1")
        self.addCleanup(shutil.rmtree, base)
        configs.write(base, "digits", 1)
        text = (base / configs.MODELS).read_text()
        (base / configs.MODELS).write_text(
            text.replace("value: 1", "value: 2", 1).replace("versions: 1", "versions: [1, 2]")
        )
        loaded = mock.Mock(side_effect=self.stub)
        self.enter_context(mock.patch.object(servables, "Servable", loaded))
        found = servables.Servables(base, poll=3600)
        self.addCleanup(found.close)
        found.refresh()
        self.assertEqual([call.args[1].name for call in loaded.call_args_list], ["1", "2"])  # not again: as before
        (base / "digits/2").mkdir()
        found.refresh()  # empty yet
        self.assertEqual(found.status("digits", 2)[0][1], "END")
        (base / "digits/2/saved_model.pb").touch()
        found.refresh()
        self.assertEqual(found.get("digits", label="canary").version, 2)
        self.assertEqual([state[1] for state in found.status("digits")], ["AVAILABLE", "AVAILABLE"])

    def stub(self, name, path):
        if not (path / "saved_model.pb").exists():
            raise OSError("It is not there.")
        return mock.Mock(version=int(path.name))

    @pytest.mark.slow
    def test_labels_say_what_is_served(self):
        base = BASE.parent / "labelled"
        for number in ("1", "2", "3"):
            shutil.copytree(BASE / "digits/1", base / "digits" / number)
        self.addCleanup(shutil.rmtree, base)
        configs.write(base, "digits", 1)
        configs.write(base, "digits", 3)
        with LocalServer(base, None, 0, poll=0.02) as server, Client(server.rest, "digits", label="canary") as client:
            self.assertEqual(client.status(), {3: "AVAILABLE"})
            with Client(server.rest, "digits") as every:
                self.assertEqual(every.status(), {3: "AVAILABLE", 1: "AVAILABLE"})

    @pytest.mark.slow
    def test_a_label_moves_and_comes_back_without_a_gap(self):
        base = BASE.parent / "moved"
        for number in ("1", "2"):
            shutil.copytree(BASE / "digits/1", base / "digits" / number)
        self.addCleanup(shutil.rmtree, base)
        configs.write(base, "digits", 1)
        configs.write(base, "digits", 2)
        text = (base / configs.MODELS).read_text()
        stable = next(part for part in re.findall(r"version_labels \{[^}]*\}", text) if "stable" in part)

        def say(number, listed):
            moved = text.replace(stable, stable.replace("value: 1", f"value: {number}"))
            files.write(base / configs.MODELS, moved.replace("versions: 1", listed).encode())

        slow = mock.patch.object(servables, "Servable", functools.partial(self.later, servables.Servable))
        with LocalServer(base, None, 0, poll=0.02) as server, slow:
            with Client(server.rest, "digits", label="stable") as client, Client(server.rest, "digits") as every:
                say(2, "versions: 1")
                self.wait(lambda: server.servables.get("digits", label="stable").version == 2)
                self.assertEqual(every.status(), {2: "AVAILABLE", 1: "AVAILABLE"})  # listed still
                say(2, "")
                self.wait(lambda: every.status()[1] == "END")
                say(1, "versions: 1")  # and has to be loaded again
                while every.status()[1] != "AVAILABLE":
                    self.assertTrue(client.ask("sample", **rows(1))["ok"])
                self.wait(lambda: server.servables.get("digits", label="stable").version == 1)

    @pytest.mark.slow
    def test_a_label_stays_where_it_is_until_its_version_is_there(self):
        base = BASE.parent / "stays"
        for number in ("1", "2"):
            shutil.copytree(BASE / "digits/1", base / "digits" / number)
        self.addCleanup(shutil.rmtree, base)
        configs.write(base, "digits", 1)
        configs.write(base, "digits", 2)
        with LocalServer(base, None, 0, poll=0.02) as server, Client(server.rest, "digits") as every:
            text = (base / configs.MODELS).read_text()
            moved = re.sub(r"(key: .stable.\s+value:) 1", r"\1 7", text).replace("versions: 1", "versions: 7")
            self.assertEqual((text.count("7"), moved.count("7")), (0, 2))
            files.write(base / configs.MODELS, moved.encode())
            self.wait(lambda: every.status().get(7) == "END")
            time.sleep(0.2)
            self.assertEqual(server.servables.get("digits", label="stable").version, 1)
            self.assertTrue(server.servables.get("digits", label="stable").ask("sample", rows(1)).result()["ok"])
            shutil.copytree(base / "digits/1", base / "draft")
            (base / "draft").rename(base / "digits/7")
            self.wait(lambda: server.servables.get("digits", label="stable").version == 7)
            self.wait(lambda: every.status()[1] == "END")

    def later(self, kind, *arguments):
        time.sleep(0.3)
        return kind(*arguments)

    def wait(self, done):
        end = time.monotonic() + 60
        while not done():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)


class StartTest(absltest.TestCase):
    def test_refuses_a_port_that_is_taken_and_a_folder_that_is_not_there(self):
        port = int(SERVER.rest.rpartition(":")[2])
        with self.assertRaisesRegex(ValueError, "A port cannot be listened to.*Give another one"):
            LocalServer(BASE.parent, None, port)
        with self.assertRaisesRegex(ValueError, "There is no folder .*none"):
            LocalServer(BASE / "none")
        with self.assertRaisesRegex(ValueError, "A port cannot be listened to"):
            LocalServer(BASE.parent, None, 99_999)
        for poll in (0.0, -1.0, float("nan")):
            with self.assertRaisesRegex(ValueError, "poll is a number of seconds above 0. Received: "):
                LocalServer(BASE.parent, None, 0, poll)

    def test_a_configuration_that_cannot_be_read_is_an_error_at_the_start_and_changes_nothing_later(self):
        base = pathlib.Path(self.create_tempdir().full_path)
        found = servables.Servables(base, poll=3600)
        self.addCleanup(found.close)
        (base / configs.MODELS).write_text("model {")
        found.refresh()
        with self.assertRaisesRegex(ValueError, "models.config has what this exporter does not know"):
            LocalServer(base, None, 0)


if __name__ == "__main__":
    absltest.main()
