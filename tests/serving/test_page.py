"""The page, in a browser without a screen, asks the local server for samples and draws them."""

import shutil
import subprocess
import urllib.parse

import pytest
from absl.testing import absltest, parameterized

from tests.serving import served
from ugm_tf.serving import LocalServer


def browser():
    """The path of one, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
class BrowserTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        if not browser():
            self.skipTest("there is no chromium")
        self.server = self.enter_context(LocalServer(served.bundle()[0], None, 0))

    def page(self, address=None, **query):
        """The page as it is once its request has been answered."""
        address = f"{address or self.server.rest + '/'}?{urllib.parse.urlencode(query)}"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
        profile = f"--user-data-dir={self.create_tempdir().full_path}"
        command = [browser(), *flags, profile, address]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout

    def test_samples_are_drawn(self):
        found = self.page(model="digits", number=5, **{"class": 2})
        self.assertIn('role="status">5 samples.</p>', found)
        self.assertIn('<canvas id="canvas" width="26" height="17"', found)  # 3 x 2 images of 8 x 8, a pixel between

    def test_what_the_server_refuses_is_told(self):
        self.assertRegex(self.page(model="other"), 'role="status">No samples: .*other')
        self.assertIn('role="status">No samples: Classes are 0 to 3.</p>', self.page(model="digits", **{"class": 4}))


if __name__ == "__main__":
    absltest.main()
