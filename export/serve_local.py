"""Serves the models below a base path on this machine, for development and tests: no substitute for TensorFlow Serving.

  python -m export.serve_local models

answers as TensorFlow Serving does, by gRPC on port 8500 and REST on port 8501, and has a page to sample from at
http://127.0.0.1:8501/?model=NAME.  It listens to this machine alone, and ends with Ctrl-C.
"""

import os
import signal
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import app, flags

import ugm_tf

_PORT = flags.DEFINE_integer("port", 8500, "The port of gRPC; 0 picks one.", lower_bound=0)
_REST_PORT = flags.DEFINE_integer("rest_api_port", 8501, "The port of REST; 0 picks one.", lower_bound=0)
_GRPC = flags.DEFINE_bool("grpc", True, "Whether there is gRPC, which takes TensorFlow Serving's stubs.")
_POLL = flags.DEFINE_float("poll", 1.0, "How often to look for new versions, in seconds.", lower_bound=0.01)


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        raise app.UsageError(f"Give one base path. Received: {argv[1:]}.")
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    try:
        port = _PORT.value if _GRPC.value else None
        with ugm_tf.serving.LocalServer(argv[1], port, _REST_PORT.value, _POLL.value) as server:
            print(f"REST: {server.rest}  gRPC: {server.grpc or 'none'}", flush=True)
            end.wait()
    except (ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    app.run(main)
