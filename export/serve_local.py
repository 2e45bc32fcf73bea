"""Serves the models below a base path on this machine, for development and tests: no substitute for TensorFlow Serving.

  python -m export.serve_local models

answers as TensorFlow Serving does, by gRPC on port 8500 and REST on port 8501, and has a page to sample from at
http://127.0.0.1:8501/?model=NAME.  It listens to this machine alone, and ends with Ctrl-C.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import ugm_tf


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="The base path, as export.export writes it.")
    parser.add_argument("--port", type=int, default=8500, help="The port of gRPC; 0 picks one, -1 leaves it out.")
    parser.add_argument("--rest_api_port", type=int, default=8501, help="The port of REST; 0 picks one.")
    parser.add_argument("--poll", type=float, default=1.0, help="How often to look for new versions, in seconds.")
    asked = parser.parse_args(argv)
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    try:
        port = None if asked.port < 0 else asked.port
        with ugm_tf.serving.LocalServer(asked.base, port, asked.rest_api_port, asked.poll) as server:
            print(f"REST: {server.rest}  gRPC: {server.grpc or 'none'}", flush=True)
            end.wait()
    except (ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
