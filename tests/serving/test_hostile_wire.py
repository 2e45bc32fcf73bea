"""Hostile bytes to the local server: what they cost in memory, and that a connection stays in step or is closed."""

import json
import socket
import tracemalloc
from unittest import mock

import grpc
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc, predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc as service

from tests.serving import served
from ugm_tf.serving import InvalidRequest, LocalServer, grpc_api, http_calls, json_tensors

FLOATS = np.dtype(np.float32)
GOOD = {"seed": np.zeros([1, 2], np.int32), "c": np.eye(4, dtype=np.float32)[:1]}
BODY = json.dumps({"signature_name": "sample", "inputs": {key: value.tolist() for key, value in GOOD.items()}})
PREDICT = "/v1/models/digits:predict"


def setUpModule():
    global SERVER
    SERVER = LocalServer(served.bundle()[0], 0, 0)


def tearDownModule():
    SERVER.close()


def tensor(sizes, dtype=types_pb2.DT_FLOAT, **values):
    """A tensor of a message, that says its shape."""
    shape = tensor_shape_pb2.TensorShapeProto(dim=[{"size": size} for size in sizes])
    return tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape, **values)


class JsonTest(parameterized.TestCase):
    def test_strings_of_different_lengths_take_no_room_for_the_longest_each(self):
        content = [["a" * 100_000, *["b"] * 1000]]
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with self.assertRaisesRegex(InvalidRequest, "expected type: float32"):
            json_tensors.array(content, FLOATS)
        self.assertLess(tracemalloc.get_traced_memory()[1], 2**20)

    @parameterized.named_parameters(
        ("a_string_among_numbers", [[1.0, "2"]], "float32", "expected type: float32"),
        ("nothing", [None], "float32", "expected type: float32"),
        ("an_object", [{"b64": ""}], "int32", "expected type: int32"),
        ("truth", [True, 1.0], "float32", "expected type: float32"),
        ("beyond_floats", [10**400], "float32", "beyond float32"),
        ("beyond_longs", [10**30], "int64", "beyond int64"),
        ("lists_and_numbers", [[1], 2], "float32", "of different lengths"),
        ("deeper_in_places", [[[1], [2]], [[3], [4, 5]]], "float32", "of different lengths"),
        ("half_a_pair", ["\ud800"], "object", "is no UTF-8"),
    )
    def test_refuses(self, content, dtype, message):
        with self.assertRaisesRegex(InvalidRequest, message):
            json_tensors.array(content, np.dtype(dtype))

    def test_more_axes_than_an_array_has_are_refused(self):
        content = 1.0
        for _ in range(100):
            content = [content]
        with self.assertRaisesRegex(InvalidRequest, "too many axes"):
            json_tensors.array(content, FLOATS)

    def test_numbers_of_all_kinds_are_taken(self):
        found = json_tensors.array([[1, 2.5], [float("nan"), 1e300]], FLOATS)
        np.testing.assert_array_equal(found, np.array([[1, 2.5], [np.nan, np.inf]], np.float32))
        self.assertEqual(found.dtype, FLOATS)
        np.testing.assert_array_equal(json_tensors.array([[True], [False]], np.dtype(bool)), [[True], [False]])


class GrpcTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.channel = self.enter_context(grpc.insecure_channel(SERVER.grpc))

    def refused(self, call, request):
        with self.assertRaises(grpc.RpcError) as caught:
            call(request, timeout=30)
        return caught.exception.code().name, caught.exception.details()

    def predict(self, signature="sample", output_filter=(), **inputs):
        request = predict_pb2.PredictRequest(output_filter=output_filter)
        request.model_spec.name, request.model_spec.signature_name = "digits", signature
        for key, value in inputs.items():
            proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
            request.inputs[key].CopyFrom(proto)
        return self.refused(service.PredictionServiceStub(self.channel).Predict, request)

    @parameterized.named_parameters(
        (
            "inputs_that_are_too_large_together",
            "sample",
            {"seed": tensor([5 * 2**20, 2], 3, int_val=[1]), "c": tensor([5 * 2**19, 4], float_val=[1.0])},
            "has more than 67108864 bytes, with other inputs",
        ),
        ("a_name_before_its_size", "sample", {**GOOD, "d": tensor([10**9, 10**9], float_val=[1.0])}, "Sent extra: {d}"),
        ("a_dtype_before_its_size", "sample", {**GOOD, "c": tensor([10**9], 2, double_val=[1.0])}, "'c' is float32"),
        (
            "strings_by_what_each_takes",
            "encode_bytes",
            {"x_bytes": tensor([2**26 - 1], 7, string_val=[b"a"]), "c": np.zeros([1], np.int32)},
            "x_bytes has more than 67108864 bytes",
        ),
        ("more_axes_than_there_are", "sample", {**GOOD, "c": tensor([2**62] * 100_000)}, "tensor parsing error: c"),
    )
    def test_nothing_is_expanded_before_all_is_looked_at(self, signature, inputs, message):
        with mock.patch.object(grpc_api, "_array", side_effect=AssertionError):
            code, words = self.predict(signature, **inputs)
        self.assertEqual(code, "INVALID_ARGUMENT")
        self.assertIn(message, words)

    @parameterized.parameters(
        (("ok", "ok"), "duplicate output tensor alias: ok"),
        (("ok",) * 100_000, "duplicate output tensor alias: ok"),
        (("ok", "none"), "output tensor alias not found in signature: none"),
    )
    def test_an_output_is_asked_for_once(self, names, message):
        self.assertEqual(self.predict(output_filter=names, **GOOD), ("INVALID_ARGUMENT", message))

    @parameterized.parameters(
        (types_pb2.DT_HALF, "half_val", 70_000),
        (types_pb2.DT_HALF, "half_val", -1),
        (types_pb2.DT_BFLOAT16, "half_val", 70_000),
        (types_pb2.DT_UINT8, "int_val", 300),
        (types_pb2.DT_INT8, "int_val", -1000),
        (types_pb2.DT_UINT16, "int_val", -1),
    )
    def test_numbers_that_the_dtype_has_not_are_refused(self, dtype, field, number):
        with self.assertRaisesRegex(InvalidRequest, "tensor parsing error: c"):
            found = grpc_api._arrays({"c": tensor([1], dtype, **{field: [number]})})
            self.fail(found)

    def test_the_status_of_a_label(self):
        status = model_service_pb2_grpc.ModelServiceStub(self.channel).GetModelStatus
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name, request.model_spec.version_label = "digits", "stable"
        self.assertLen(status(request, timeout=30).model_version_status, 1)
        request.model_spec.version_label = "new"
        words = "Unrecognized servable version label: new"
        self.assertEqual(self.refused(status, request), ("INVALID_ARGUMENT", words))


class WireTest(parameterized.TestCase):
    def sent(self, *requests):
        """Status, JSON and whether the connection is closed, of each answer to bytes on one connection."""
        host, _, port = SERVER.rest.removeprefix("http://").partition(":")
        found = []
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall("".join(requests).encode())
            with connection.makefile("rb") as file:
                while line := file.readline():
                    headers = dict(part.decode().strip().split(": ", 1) for part in iter(file.readline, b"\r\n"))
                    content = file.read(int(headers["Content-Length"]))
                    closes = headers.get("Connection") == "close"
                    found.append((int(line.split()[1]), json.loads(content)["error"] if closes else "", closes))
                    if not closes and len(found) == len(requests):
                        break
        return found

    @parameterized.named_parameters(
        ("an_unknown_path", "POST /none", "Content-Length: {n}", "Malformed request: POST /none", 400),
        ("a_get_with_a_body", "GET /none", "Content-Length: {n}", "Malformed request: GET /none", 400),
        ("two_lengths", f"POST {PREDICT}", "Content-Length: {n}\r\nContent-Length: 0", "Content-Length once", 400),
        ("chunks", f"POST {PREDICT}", "Transfer-Encoding: chunked", "has no Transfer-Encoding", 400),
        (
            "a_length_and_chunks",
            f"POST {PREDICT}",
            "Content-Length: {n}\r\nTransfer-Encoding: chunked",
            "no Transfer-Encoding",
            400,
        ),
        ("digits", f"POST {PREDICT}", f"Content-Length: {'9' * 5000}", "Content-Length once", 400),
        ("digits_of_others", f"POST {PREDICT}", "Content-Length: \u00b2", "Content-Length once", 400),
        ("no_method", "FOO /", "Content-Length: {n}", "Unsupported method", 501),
        ("put", f"PUT {PREDICT}", "Content-Length: {n}", "Unsupported method", 501),
        ("options", "OPTIONS *", "Accept: */*", "Unsupported method", 501),
        ("a_long_line", f"GET /{'a' * 70_000}", "Accept: */*", "Too Long", 414),
        ("many_headers", "GET /", "\r\n".join(["A: b"] * 200), "Too many headers", 431),
        ("a_long_header", "GET /", "A: " + "b" * 70_000, "Line too long", 431),
    )
    def test_what_is_refused_unread_closes_the_connection(self, line, headers, message, status):
        body = f"GET /v1/models/digits HTTP/1.1\r\nHost: a\r\n\r\n{BODY}"
        headers = headers.replace("{n}", str(len(body)))
        answers = self.sent(f"{line} HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n{body}")
        self.assertLen(answers, 1)
        self.assertEqual((answers[0][0], answers[0][2]), (status, True))
        self.assertIn(message, answers[0][1])

    def test_requests_whose_bodies_are_read_go_on_on_one_connection(self):
        of = [(PREDICT, BODY), ("/v1/models/none:predict", BODY), (PREDICT, "{"), (PREDICT, BODY)]
        requests = [f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}" for path, body in of]
        self.assertEqual(self.sent(*requests), [(status, "", False) for status in (200, 404, 400, 200)])

    def test_a_head_has_no_body(self):
        host, _, port = SERVER.rest.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        self.assertStartsWith(answer.decode(), "HTTP/1.1 501")
        self.assertEndsWith(answer, b"\r\n\r\n")

    @parameterized.parameters(
        ('{"signature_name": "encode_bytes", "inputs": {"x_bytes": ["\\ud800"], "c": [0]}}', 400),
        ('{"signature_name": "\\ud800", "inputs": {}}', 400),
        ('{"inputs": {"\\ud800": [], "c": [], "seed": []}}', 400),
    )
    def test_half_a_pair_of_a_character_has_an_answer(self, body, status):
        request = f"POST {PREDICT} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self.assertEqual(self.sent(request), [(status, "", False)])

    def test_a_client_that_sends_too_much_gets_the_answer(self):
        status, content = http_calls.exchange(SERVER.rest + PREDICT, b" " * (17 * 2**20), 30.0, 2**20)
        self.assertEqual(status, 429)
        self.assertIn(b"at most 16777216 bytes", content)

    def test_a_fault_of_the_server_has_an_answer(self):
        with mock.patch.object(json_tensors, "inputs", side_effect=ZeroDivisionError("no")):
            answers = self.sent(f"POST {PREDICT} HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}")
        self.assertEqual(answers, [(500, "ZeroDivisionError: no", True)])

    def test_names_in_paths_are_unquoted(self):
        self.assertEqual(self.sent("GET /v1/models/%64igits/labels/%73table HTTP/1.1\r\n\r\n"), [(200, "", False)])


if __name__ == "__main__":
    absltest.main()
