"""The scripts that serve and that sample from a server: one line each, and exit statuses."""

import contextlib
import io
import os
import pathlib
import signal
import threading
from unittest import mock

import PIL.Image
import pytest
from absl.testing import absltest

from export import sample_from, serve_local
from tests.serving import served
from ugm_tf.serving import LocalServer


def run(module, *arguments, **flags):
    """Exit status, lines printed, and lines of errors."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            module.main([*map(str, arguments), *(f"--{name}={value}" for name, value in flags.items())])
            status = 0
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), errors.getvalue()


class ServeLocalTest(absltest.TestCase):
    @pytest.mark.slow
    def test_it_says_where_it_listens_and_ends_by_a_signal(self):
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        self.addCleanup(
            lambda: [signal.signal(n, b) for n, b in zip((signal.SIGINT, signal.SIGTERM), before, strict=True)]
        )
        wait = threading.Event.wait

        def told(event, timeout=None):
            if timeout is None and threading.current_thread() is threading.main_thread():
                os.kill(os.getpid(), signal.SIGTERM)
            return wait(event, timeout)

        with mock.patch.object(threading.Event, "wait", told):
            status, out, _ = run(serve_local, served.bundle()[0], port=0, rest_api_port=0)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"^REST: http://127.0.0.1:\d+  gRPC: 127.0.0.1:\d+\n$")

    def test_a_folder_that_is_not_there_is_an_error(self):
        status, out, errors = run(serve_local, "/none", port=0, rest_api_port=0)
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(errors, "error: There is no folder /none: give the base path of an export.\n")

    def test_a_configuration_that_cannot_be_read_is_an_error(self):
        base = pathlib.Path(self.create_tempdir().full_path)
        (base / "models.config").write_text("model {")
        status, out, errors = run(serve_local, base, port=-1, rest_api_port=0)
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(errors, r"^error: .*models.config has what this exporter does not know: .*\n$")


class SampleFromTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.create_tempdir().full_path, "samples.png")
        self.server = self.enter_context(LocalServer(served.bundle()[0], 0, 0))
        self.flags = {"server": self.server.grpc, "model": "digits", "number": 9, "output": str(self.file)}
        self.flags["timeout"] = 60.0

    @pytest.mark.slow
    def test_a_picture_by_grpc_and_rest_is_the_same(self):
        pictures = []
        for server in (self.server.grpc, self.server.rest):
            status, out, errors = run(sample_from, **{**self.flags, "server": server, "max_batch": 8})
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(out, f"{self.file}: 9 samples of digits\n")
            pictures.append(PIL.Image.open(self.file).tobytes())
        self.assertEqual(pictures[0], pictures[1])

    @pytest.mark.slow
    def test_what_goes_wrong_is_one_line(self):
        for message, flags in (
            ("The classes are 0 to 3. Received: --class=4.", {"class": 4}),
            ("seed is a whole number of -2147483648 to 2147483647. Received: 1099511627776", {"seed": 2**40}),
            ("--number is at least 1. Received: -1", {"number": -1, "class": 0}),
            ("A server of REST is such as http://localhost:8501", {"server": "http://127.0.0.1:abc"}),
            ("does not speak HTTP", {"server": f"http://{self.server.grpc}"}),
            ("timeout=inf", {"timeout": "inf"}),
            ("Servable not found for request: Latest", {"model": "none"}),
            ("Unrecognized servable version label: new", {"label": "new"}),
        ):
            status, out, errors = run(sample_from, **{**self.flags, **flags})
            self.assertEqual((status, out), (2, ""))
            self.assertRegex(errors, f"^error: .*{message}.*\n$")


if __name__ == "__main__":
    absltest.main()
