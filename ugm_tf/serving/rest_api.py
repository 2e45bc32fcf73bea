"""The local server's REST, of TensorFlow Serving's addresses and forms, and a page of it."""

import http.server
import json
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from ugm_tf.serving import json_tensors
from ugm_tf.serving.errors import HTTP_STATUS, InvalidRequest, ServingError, TooLarge, of_code
from ugm_tf.serving.page import page

__all__ = ["start"]

_MOST_BYTES = 16 * 2**20  # of a request
_LENGTH = re.compile(r"[0-9]{1,20}")
_MOST_CONNECTIONS, _IDLE = 128, 10.0  # and the seconds that a slow client has for each read
_PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d{1,20})|/labels/([^/:]+))?(/metadata|:predict|:classify|:regress)?"
)


_Spec = tuple[str, int | None, str | None]  # a model's name, and a version or a label


def start(server: Any, port: int) -> tuple[str, Callable[[], None]]:
    """Listens, as `grpc_api.start` does.

    Raises:
        OSError: If the port is taken.
    """
    made = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"local": server}))
    threading.Thread(target=made.serve_forever, args=[0.1], daemon=True).start()

    def end() -> None:
        made.shutdown()
        made.server_close()

    return f"http://127.0.0.1:{made.server_port}", end


class _Server(http.server.ThreadingHTTPServer):
    """A thread a connection, and no more connections than there is room for."""

    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    def __init__(self, *args: Any):
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            request.settimeout(1.0)
            try:
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass  # it went away
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a client that went away or is too slow: nobody is there to be told."""


class _Handler(http.server.BaseHTTPRequestHandler):
    local: Any
    protocol_version, timeout = "HTTP/1.1", _IDLE
    _parsing = threading.BoundedSemaphore(2)  # JSON takes many times its size of memory

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/":
            return self._send(200, page(), "text/html; charset=utf-8")
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def handle_one_request(self) -> None:
        self._has_headers = self._has_read = False
        super().handle_one_request()

    def parse_request(self) -> bool:
        self._has_headers = super().parse_request()
        return self._has_headers

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request that there is a method for, in the form of all other errors."""
        self.close_connection = True
        words = message or http.HTTPStatus(code).phrase
        self._send(code, json.dumps({"error": f"Malformed request: {words}"[:4000]}).encode(), "application/json")

    def log_message(self, format: str, *args: Any) -> None:
        """A server of tests is silent."""

    def _answer(self, method: Callable[[_Spec, str | None], Any]) -> None:
        try:
            match = _PATH.fullmatch(self.path.partition("?")[0])
            if not match:
                raise InvalidRequest(f"Malformed request: {self.command} {self.path[:200]}")
            name, version, label, what = match.groups()
            spec = (_unquoted(name), int(version) if version else None, _unquoted(label))
            status, content = 200, method(spec, what)
        except ServingError as error:
            status, content = HTTP_STATUS.get(error.code, 500), {"error": error.message[:4000]}
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        except Exception as error:  # a client is told, whatever goes wrong
            status, content = 500, {"error": f"{type(error).__name__}: {error}"[:4000]}
        self._send(status, json.dumps(content).encode(), "application/json")

    def _get(self, spec: _Spec, what: str | None) -> Any:
        if what == "/metadata":
            return _metadata(self.local.servables.get(*spec))
        if what:
            raise InvalidRequest(f"Malformed request: GET {self.path[:200]}")
        return {
            "model_version_status": [
                {
                    "version": str(found),
                    "state": state,
                    "status": {"error_code": "UNKNOWN" if message else "OK", "error_message": message},
                }
                for found, state, message in self.local.servables.status(*spec)
            ]
        }

    def _post(self, spec: _Spec, what: str | None) -> Any:
        body = self._body()
        if what != ":predict":
            code = "UNIMPLEMENTED" if what in (":classify", ":regress") else "INVALID_ARGUMENT"
            raise of_code(code, f"Malformed request: POST {self.path[:200]}")
        servable = self.local.servables.get(*spec)

        def dtypes(signature: str) -> dict[str, np.dtype]:
            key = signature or "serving_default"
            if key not in servable.signatures:
                raise InvalidRequest(f'Serving signature name: "{key}" not found in signature def')
            found = servable.signatures[key].inputs.items()
            return {name: np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype) for name, info in found}

        with self._parsing:
            signature, inputs, by_rows = json_tensors.inputs(body, dtypes)
        _, future = self.local.ask(spec, signature, inputs)
        outputs = self.local.outputs(future)
        with self._parsing:
            return json_tensors.outputs(outputs, by_rows)

    def _body(self) -> bytes:
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]) or "Transfer-Encoding" in self.headers:
            raise InvalidRequest("A request says its Content-Length once, and has no Transfer-Encoding.")
        length = int(lengths[0])
        if length > _MOST_BYTES:
            raise TooLarge(f"A request has at most {_MOST_BYTES} bytes. Received: {length}.")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("The client went away.")
        self._has_read = True
        return body

    def _send(self, status: int, content: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if self.close_connection or not self._is_in_step():
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            if not self._is_in_step():
                self._linger()
        except OSError:
            self.close_connection = True

    def _is_in_step(self) -> bool:
        """Whether what comes next is a request, and no body of this one."""
        if not self._has_headers:  # of a line that is no request
            return False
        return self._has_read or not ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers)

    def _linger(self) -> None:
        """Reads on for a moment: a connection that is closed with bytes unread can lose its answer."""
        end = time.monotonic() + 1.0
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(0.2)
        while time.monotonic() < end and self.connection.recv(2**16):
            pass


def _unquoted(name: Any) -> Any:
    return name and urllib.parse.unquote(name)


def _metadata(servable: Any) -> Any:
    signatures = {
        name: json_format.MessageToDict(
            signature, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for name, signature in servable.signatures.items()
    }
    return {
        "model_spec": {"name": servable.name, "signature_name": "", "version": str(servable.version)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
