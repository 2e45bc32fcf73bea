"""Hostile requests to the local server: each gets its error code, none ends it, and the next good one is answered."""

import base64
import http.client
import io
import json
import resource
import socket
import threading
import time
from concurrent import futures
from unittest import mock

import grpc
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc as service

from tests.serving import served
from ugm_tf.serving import Client, LocalServer, ServingError, grpc_api, rest_api

GOOD = {"seed": np.zeros([1, 2], np.int32), "c": np.eye(4, dtype=np.float32)[:1]}
HUGE = tensor_pb2.TensorProto(  # 16 bytes that stand for 4 TB
    dtype=1,
    float_val=[1.0],
    tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[{"size": 10**6}, {"size": 10**6}]),
)
NEGATIVE = tensor_pb2.TensorProto(dtype=1, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[{"size": -1}]))


def setUpModule():
    global SERVER
    SERVER = LocalServer(served.bundle()[0], 0, 0)


def tearDownModule():
    SERVER.close()


class TestCase(parameterized.TestCase):
    def tearDown(self):
        """The next good request is answered."""
        for address in (SERVER.grpc, SERVER.rest):
            with Client(address, "digits", timeout=60) as client:
                self.assertTrue(client.ask("sample", **GOOD)["ok"].all())
        super().tearDown()


class GrpcTest(TestCase):
    def call(self, name="digits", signature="sample", **inputs):
        """The code and the words of the answer to a request."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = name, signature
        for key, value in {**GOOD, **inputs}.items():
            if value is not None:
                proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
                request.inputs[key].CopyFrom(proto)
        with grpc.insecure_channel(SERVER.grpc) as channel:
            try:
                service.PredictionServiceStub(channel).Predict(request, timeout=60)
            except grpc.RpcError as error:
                return error.code().name, error.details()
        return "OK", ""

    @parameterized.named_parameters(
        ("dtype", {"c": np.eye(4)[:1]}, "INVALID_ARGUMENT", "'c' is float32. Received: float64"),
        ("text", {"c": np.array([[b"a"] * 4])}, "INVALID_ARGUMENT", "'c' is float32. Received: string"),
        ("rank", {"c": np.zeros([1, 4, 1], np.float32)}, "INVALID_ARGUMENT", "sample takes seed of shape"),
        ("a_scalar", {"c": np.float32(1)}, "INVALID_ARGUMENT", "sample takes seed of shape"),
        ("size", {"c": np.zeros([1, 5], np.float32)}, "INVALID_ARGUMENT", "sample takes seed of shape"),
        ("unequal_rows", {"c": np.zeros([2, 4], np.float32)}, "INVALID_ARGUMENT", "sample takes seed of shape"),
        ("missing", {"c": None}, "INVALID_ARGUMENT", "Missing but required: {c}"),
        ("extra", {"d": np.zeros([1])}, "INVALID_ARGUMENT", "Sent extra: {d}"),
        ("huge", {"c": HUGE}, "INVALID_ARGUMENT", "tensor parsing error: c has more than"),
        ("negative", {"c": NEGATIVE}, "INVALID_ARGUMENT", "tensor parsing error: c"),
        ("no_dtype", {"c": tensor_pb2.TensorProto()}, "INVALID_ARGUMENT", "tensor parsing error: c"),
        ("short", {"c": tensor_pb2.TensorProto(dtype=1, tensor_content=b"abc")}, "INVALID_ARGUMENT", "c"),
        ("signature", {"signature": "none"}, "FAILED_PRECONDITION", 'signature key "none" not found'),
        ("model", {"name": "none"}, "NOT_FOUND", r"Latest\(none\)"),
        ("nan", {"c": np.full([1, 4], np.nan, np.float32)}, "OK", "^$"),
        ("no_rows", {"c": np.zeros([0, 4], np.float32), "seed": np.zeros([0, 2], np.int32)}, "OK", "^$"),
    )
    def test_a_wrong_request(self, inputs, code, message):
        found, words = self.call(**inputs)
        self.assertEqual(found, code, words)
        self.assertRegex(words, message)

    def test_too_many_rows_and_too_many_bytes(self):
        rows = {"seed": np.zeros([9, 2], np.int32), "c": np.zeros([9, 4], np.float32)}
        self.assertEqual(self.call(**rows)[0], "INVALID_ARGUMENT")
        most = np.zeros([grpc_api.MOST_BYTES // 16 + 1, 4], np.float32)
        self.assertEqual(self.call(c=most)[0], "RESOURCE_EXHAUSTED")

    def test_a_cancelled_call_leaves_the_queue(self):
        batcher, held = SERVER.servables.get("digits")._batcher, threading.Event()
        self.addCleanup(held.set)
        run, ran = batcher._run, []

        def slow(name, inputs):
            ran.append(len(inputs["seed"]))
            held.wait(30)
            return run(name, inputs)

        with mock.patch.object(batcher, "_run", slow), grpc.insecure_channel(SERVER.grpc) as channel:
            request = predict_pb2.PredictRequest(inputs={k: tf.make_tensor_proto(v) for k, v in GOOD.items()})
            request.model_spec.name = "digits"
            stub = service.PredictionServiceStub(channel)
            first = stub.Predict.future(request, timeout=60)
            while not ran:
                time.sleep(0.01)
            second = stub.Predict.future(request, timeout=60)
            while batcher._rows < 1:
                time.sleep(0.01)
            waiting = batcher._tasks[0].future
            second.cancel()
            while not waiting.cancelled():
                time.sleep(0.01)
            held.set()
            self.assertTrue(tf.make_ndarray(first.result().outputs["ok"]).all())
        self.assertEqual(ran, [1])

    def test_a_full_queue_is_unavailable(self):
        batcher = SERVER.servables.get("digits")._batcher
        with mock.patch.object(batcher, "_most", 0):
            self.assertEqual(self.call(), ("UNAVAILABLE", "The batch scheduling queue is full: 0 rows wait."))

    def burst(self, requests):
        """The codes of so many requests by 64 connections."""

        def one(_):
            with Client(SERVER.grpc, "digits", retries=0, timeout=60) as client:
                return [self.code(client) for _ in range(requests // 64)]

        with mock.patch.object(SERVER.servables.get("digits")._batcher, "_most", 32):
            with futures.ThreadPoolExecutor(64) as pool:
                codes = [code for part in pool.map(one, range(64)) for code in part]
        self.assertLessEqual(set(codes), {"OK", "UNAVAILABLE"})
        self.assertIn("OK", codes)

    def code(self, client):
        try:
            client.ask("sample", **GOOD)
        except ServingError as error:
            return error.code
        return "OK"

    def test_a_burst_by_64_connections(self):
        self.burst(256)

    @pytest.mark.slow
    def test_a_burst_of_10000_requests_and_the_memory_that_it_takes(self):
        self.burst(640)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.burst(10_000)
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 200 * 1024)  # KiB


class RestTest(TestCase):
    def post(self, body, path="/v1/models/digits:predict", **headers):
        connection = http.client.HTTPConnection(SERVER.rest.removeprefix("http://"), timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    @parameterized.named_parameters(
        ("no_json", b"{", "JSON Parse error"),
        ("not_utf8", b"\xff\xfe{}", "JSON Parse error"),
        ("deep", b"[" * 100_000, "JSON Parse error"),
        ("a_list", b"[]", "either 'inputs' or 'instances'"),
        ("both", b'{"inputs": {}, "instances": []}', "either 'inputs' or 'instances'"),
        ("no_rows", b'{"instances": []}', "list of at least one row"),
        ("signature", b'{"signature_name": "none", "inputs": {}}', 'name: "none" not found in signature def'),
        ("signature_dtype", b'{"signature_name": 100, "inputs": {}}', "must be a string value"),
        ("missing", b'{"inputs": {"c": [[1, 0, 0, 0]]}}', "Inputs are c, seed. Missing, or none of them: seed"),
        ("ragged", b'{"inputs": {"c": [[1, 0], [0]], "seed": [[0, 0]]}}', "of different lengths"),
        ("text", b'{"inputs": {"c": [["a", "b", "c", "d"]], "seed": [[0, 0]]}}', "expected type: float32"),
        ("b64", b'{"inputs": {"c": {"b64": "!"}, "seed": [[0, 0]]}}', "expected type: float32"),
        (
            "b64_of_a_file",
            b'{"signature_name": "encode_bytes", "inputs": {"x_bytes": [{"b64": "!"}], "c": [0]}}',
            "decode",
        ),
        (
            "no_b64",
            b'{"signature_name": "encode_bytes", "inputs": {"x_bytes": [5], "c": [0]}}',
            "expected type: string",
        ),
        ("a_fraction", b'{"inputs": {"c": [[1, 0, 0, 0]], "seed": [[0.5, 0]]}}', "expected type: int32"),
        ("beyond", b'{"inputs": {"c": [[1, 0, 0, 0]], "seed": [[3000000000, 0]]}}', "beyond int32"),
        ("digits", b'{"inputs": {"c": [[1, 0, 0, 0]], "seed": [[' + b"9" * 5000 + b", 0]]}}", "JSON Parse error"),
        ("rank", b'{"inputs": {"c": [1, 0, 0, 0], "seed": [[0, 0]]}}', "sample takes seed of shape"),
    )
    def test_a_wrong_request(self, body, message):
        status, answer = self.post(body)
        self.assertEqual(status, 400, answer)
        self.assertRegex(answer["error"], message)

    def test_a_bomb_of_a_picture_is_not_ok_and_its_neighbour_is(self):
        files = [io.BytesIO(), io.BytesIO()]
        for size, file in zip((5000, 8), files, strict=True):
            PIL.Image.new("L", (size, size)).save(file, "PNG")
        content = [{"b64": base64.b64encode(file.getvalue()).decode()} for file in files]
        body = {"signature_name": "encode_bytes", "inputs": {"x_bytes": content, "c": [0, 1]}}
        status, answer = self.post(json.dumps(body).encode())
        self.assertEqual((status, answer["outputs"]["ok"]), (200, [False, True]))

    def test_a_value_that_is_no_number_is_not_ok(self):
        body = b'{"inputs": {"c": [[1, 0, 0, 0], [NaN, 0, 0, 0], [1e999, 0, 0, 0]], "seed": [[0, 0], [0, 0], [0, 0]]}}'
        status, answer = self.post(body)
        self.assertEqual((status, answer["outputs"]["ok"]), (200, [True, False, False]))

    def test_a_version_of_more_digits_than_there_are_is_none(self):
        body = json.dumps({"inputs": {key: value.tolist() for key, value in GOOD.items()}}).encode()
        for digits, status in ((19, 404), (5000, 400)):
            self.assertEqual(self.post(body, f"/v1/models/digits/versions/{'9' * digits}:predict")[0], status)

    def test_too_many_bytes_are_refused_unread(self):
        status, answer = self.post(b"", **{"Content-Length": str(2**40)})
        self.assertEqual(status, 429)
        self.assertIn("at most 16777216 bytes", answer["error"])
        self.assertEqual(self.post(b"", **{"Content-Length": "-1"})[0], 400)

    def test_a_slow_client_is_left_alone_and_holds_up_nobody(self):
        host, _, port = SERVER.rest.removeprefix("http://").partition(":")
        with mock.patch.object(rest_api._Handler, "timeout", 0.2):
            with socket.create_connection((host, int(port)), timeout=30) as slow:
                slow.sendall(b"POST /v1/models/digits:predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
                self.assertEqual(slow.recv(100), b"")  # it is hung up on

    def test_more_connections_than_there_is_room_for_are_refused(self):
        with mock.patch.object(rest_api, "_MOST_CONNECTIONS", 2):
            address, end = rest_api.start(SERVER, 0)
        self.addCleanup(end)
        host, _, port = address.removeprefix("http://").partition(":")
        for _ in range(2):
            self.enter_context(socket.create_connection((host, int(port)), timeout=30))
        with socket.create_connection((host, int(port)), timeout=30) as one_more:
            self.assertStartsWith(one_more.recv(100).decode(), "HTTP/1.1 503")


if __name__ == "__main__":
    absltest.main()
