"""Tests of the question whether a server answers; they speak to this machine only."""

import http.server
import socket
import threading
import time
from unittest import mock

from absl.testing import absltest

from ugm_tf.data import reachable


class Missing(http.server.BaseHTTPRequestHandler):
    """Answers every question with an error page."""

    def do_HEAD(self):
        self.send_error(404)

    def log_message(self, *arguments):
        del arguments


class TroubleTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict("os.environ", {"no_proxy": "*"}))

    def test_is_none_if_anything_answers(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Missing) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            self.assertIsNone(reachable.trouble(f"http://127.0.0.1:{server.server_port}/file.gz"))

    def test_says_why_a_server_refuses(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # a port that is taken, and at which nobody listens
            self.assertRegex(reachable.trouble(f"http://127.0.0.1:{closed.getsockname()[1]}"), "refused")

    def test_waits_no_longer_than_the_timeout(self):
        def never(*arguments, **options):
            time.sleep(5)
            raise OSError

        with mock.patch.object(reachable.urllib.request, "urlopen", side_effect=never):
            start = time.monotonic()
            self.assertEqual(reachable.trouble("http://localhost", timeout=0.2), "no answer within 0.2 s")
            self.assertLess(time.monotonic() - start, 2.0)


if __name__ == "__main__":
    absltest.main()
