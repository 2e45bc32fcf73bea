"""Clients at servers that are none of TensorFlow Serving, or that break off: one clear error, within the deadline."""

import contextlib
import json
import socket
import threading
import time

from absl.testing import absltest, parameterized

from ugm_tf.serving import Client, DeadlineExceeded, ServingError, TooLarge, Unavailable, http_calls

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


def answer(content, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content)


def signature(**inputs):
    """Metadata of one signature "sample"."""
    outputs = {"x": {"dtype": "DT_FLOAT"}, "ok": {"dtype": "DT_BOOL"}}
    found = {"signature_def": {"signature_def": {"sample": {"inputs": inputs, "outputs": outputs}}}}
    return json.dumps({"metadata": found}).encode()


SEED = {"dtype": "DT_INT32", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "2"}]}}


class TestCase(parameterized.TestCase):
    def serve(self, *answers, pause=0.0, hangs=False):
        """The address of a server that sends each connection the next of the answers, in parts."""
        listening = socket.create_server(("127.0.0.1", 0))
        end = threading.Event()
        listening.settimeout(30)

        def run():
            with contextlib.suppress(OSError):
                for parts in answers:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        self.send(connection, parts, pause, end)
                        end.wait(30 if hangs else 0)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(listening.close)
        self.addCleanup(end.set)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    def send(self, connection, parts, pause, end):
        connection.recv(65536)
        for part in [parts] if isinstance(parts, bytes) else parts:
            if end.wait(pause):
                return
            connection.sendall(part)

    def client(self, *answers, timeout=30.0, **options):
        return Client(self.serve(*answers, **options), "digits", timeout=timeout, retries=0)


class AnswersTest(TestCase):
    @parameterized.named_parameters(
        ("an_object", b"{}", "KeyError: 'model_version_status'"),
        ("a_list", b"[]", "TypeError"),
        ("a_number", b"7", "TypeError"),
        ("another_version", b'{"model_version_status": [{"version": "new"}]}', "ValueError"),
        ("deep", b"[" * 100_000, "RecursionError"),
        ("digits", b"9" * 5000, "ValueError"),
        ("html", b"<html>", "JSONDecodeError"),
    )
    def test_of_another_service(self, content, message):
        with self.client(answer(content)) as asking:
            with self.assertRaisesRegex(ServingError, f"INTERNAL: .* answers as no TensorFlow Serving does: {message}"):
                asking.status()

    @parameterized.named_parameters(
        ("an_object", b"{}", "KeyError: 'metadata'"),
        ("a_list", b'{"metadata": {"signature_def": {"signature_def": []}}}', "AttributeError"),
        ("a_signature", b'{"metadata": {"signature_def": {"signature_def": {"sample": 5}}}}', ""),
        ("a_dtype", signature(seed={"dtype": []}), "ParseError"),
    )
    def test_of_other_metadata(self, content, message):
        with self.client(answer(content)) as asking:
            with self.assertRaisesRegex(ServingError, f"INTERNAL: .*answers as no TensorFlow Serving does: {message}"):
                asking.signatures()

    @parameterized.parameters({}, {"dtype": "DT_NONE"})
    def test_a_dtype_that_there_is_none_of(self, **seed):
        with self.client(answer(signature(seed=seed))) as asking:
            with self.assertRaisesRegex(ServingError, "INTERNAL: The server says that seed is of a dtype"):
                asking.sample(1)

    @parameterized.named_parameters(
        ("none", b"{}", "KeyError: 'outputs'"),
        ("some", b'{"outputs": {"x": [[1.0]]}}', "InvalidRequest: .*Outputs are ok, x"),
        ("others", b'{"outputs": {"x": [["a"]], "ok": [true]}}', "InvalidRequest: .*expected type: float32"),
    )
    def test_of_other_outputs(self, content, message):
        with self.client(answer(signature(seed=SEED)), answer(content)) as asking:
            with self.assertRaisesRegex(ServingError, f"INTERNAL: .*answers as no TensorFlow Serving does: {message}"):
                asking.sample(1)

    @parameterized.named_parameters(
        ("an_error", b'{"error": "no"}', b"404 None", "NOT_FOUND: no"),
        ("deep", b"[" * 5000, b"404 None", r"NOT_FOUND: \[\["),
        ("elsewhere", b"", b"302 Found\r\nLocation: http://127.0.0.1:1/", "INTERNAL"),
    )
    def test_errors(self, content, status, message):
        with self.client(answer(content, status)) as asking:
            with self.assertRaisesRegex(ServingError, message):
                asking.status()

    def test_more_than_a_client_takes(self):
        address = self.serve(answer(b"9" * 11))
        with self.assertRaisesRegex(TooLarge, "answers with more than 10 bytes"):
            http_calls.exchange(address, None, 30.0, 10)


class BreaksTest(TestCase):
    @parameterized.named_parameters(
        ("no_http", b"\x00\x00\x12\x04SSH-2.0\r\n", "INTERNAL: .*does not speak HTTP, or breaks off: BadStatusLine"),
        ("cut", HEAD % 100 + b"{}", "INTERNAL: .*breaks off: 98 bytes of its answer are missing"),
        ("empty", HEAD % 100, "INTERNAL: .*breaks off: 100 bytes of its answer are missing"),
        (
            "a_cut_chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
            "INTERNAL: .*breaks off: IncompleteRead",
        ),
        ("a_long_header", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, "INTERNAL: .*LineTooLong"),
    )
    def test_what_breaks_off(self, content, message):
        with self.client(content) as asking, self.assertRaisesRegex(ServingError, message):
            asking.status()

    def test_a_server_that_goes_away_is_unavailable(self):
        with self.client(b"") as asking, self.assertRaises(Unavailable):
            asking.status()

    @parameterized.named_parameters(
        ("headers", [b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 90]),
        ("a_header", [b"HTTP/1.1 200 OK\r\nA: ", *[b"b"] * 600]),
        ("a_body", [HEAD % 600, *[b" "] * 600]),
        ("a_body_of_an_error", [b"HTTP/1.1 500 No\r\nContent-Length: 600\r\n\r\n", *[b" "] * 600]),
    )
    def test_an_answer_in_drips_has_one_deadline(self, parts):
        start = time.monotonic()
        with self.client(parts, pause=0.05, timeout=0.4) as asking, self.assertRaises(DeadlineExceeded):
            asking.status()
        self.assertLess(time.monotonic() - start, 3.0)  # the drips take more

    def test_an_error_whose_body_hangs_has_the_deadline(self):
        content = b"HTTP/1.1 500 No\r\nContent-Length: 600\r\n\r\n"
        with self.client(content, hangs=True, timeout=0.3) as asking, self.assertRaises(DeadlineExceeded):
            asking.status()


class AddressTest(parameterized.TestCase):
    @parameterized.parameters(
        "http://127.0.0.1:abc",
        "http://127.0.0.1:99999",
        "http://",
        "http://:8501",
        "http://local host:8501",
        "http://localhost:8501/\n",
        "http://[::1:8501",
        "http://localhost:8501?model=digits",
    )
    def test_what_is_none_is_refused(self, address):
        with self.assertRaisesRegex(ValueError, "A server of REST is such as http://localhost:8501. Received: 'http"):
            Client(address, "digits")

    @parameterized.parameters("http://localhost:8501/", "HTTP://localhost", "https://[::1]:8501/below")
    def test_what_is_one_is_taken(self, address):
        Client(address, "digits").close()


if __name__ == "__main__":
    absltest.main()
