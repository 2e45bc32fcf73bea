"""The local server's REST, of TensorFlow Serving's addresses and forms, and a page of it."""

import http.server
import json
import re
import threading
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
_MOST_CONNECTIONS, _IDLE = 128, 10.0  # and the seconds that a slow client has for each read
_PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d{1,20})|/labels/([^/:]+))?(/metadata|:predict|:classify|:regress)?"
)


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

    def log_message(self, format: str, *args: Any) -> None:
        """A server of tests is silent."""

    def _answer(self, method: Callable[[Any], Any]) -> None:
        try:
            match = _PATH.fullmatch(self.path.partition("?")[0])
            if not match:
                raise InvalidRequest(f"Malformed request: {self.command} {self.path[:200]}")
            status, content = 200, method(match)
        except ServingError as error:
            status, content = HTTP_STATUS.get(error.code, 500), {"error": error.message[:4000]}
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        self._send(status, json.dumps(content).encode(), "application/json")

    def _get(self, match: Any) -> Any:
        name, version, label, what = match.groups()
        number = int(version) if version else None
        if what == "/metadata":
            return _metadata(self.local.servables.get(name, number, label))
        if what:
            raise InvalidRequest(f"Malformed request: GET {self.path[:200]}")
        number = self.local.servables.get(name, None, label).version if label else number
        return {
            "model_version_status": [
                {
                    "version": str(found),
                    "state": state,
                    "status": {"error_code": "UNKNOWN" if message else "OK", "error_message": message},
                }
                for found, state, message in self.local.servables.status(name, number)
            ]
        }

    def _post(self, match: Any) -> Any:
        name, version, label, what = match.groups()
        body = self._body()
        if what != ":predict":
            code = "UNIMPLEMENTED" if what in (":classify", ":regress") else "INVALID_ARGUMENT"
            raise of_code(code, f"Malformed request: POST {self.path[:200]}")
        spec = (name, int(version) if version else None, label)
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
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            self.close_connection = True  # what it sends is not read
            if length.isdecimal():
                raise TooLarge(f"A request has at most {_MOST_BYTES} bytes. Received: {length[:20]}.")
            raise InvalidRequest("A request says its Content-Length.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("The client went away.")
        return body

    def _send(self, status: int, content: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True


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
