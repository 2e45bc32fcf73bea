"""Files for Docker Compose and Kubernetes, the docs' and those of every bundle, against the schemas of both."""

import pathlib
import re
import subprocess
import sys

import pytest
from absl.testing import absltest, parameterized

from ugm_tf.serving import deployment

_COMPOSE = ("check_jsonschema", "--builtin-schema", "vendor.compose-spec")
_KUBERNETES = ("kubernetes_validate", "--strict")
_DOCS = pathlib.Path(__file__).parents[2] / "docs"


def _of_docs(page):
    return re.search(r"```yaml\n(.*?)```", (_DOCS / page).read_text(), re.DOTALL)[1]


class ManifestsTest(parameterized.TestCase):
    def check(self, tool, text):
        pytest.importorskip(tool[0])
        file = self.create_tempfile("file.yaml", text).full_path
        command = [sys.executable, "-m", *tool, file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    @parameterized.named_parameters(
        ("compose", _COMPOSE, lambda: deployment.compose("digits"), "pids_limit:"),
        ("serving", _KUBERNETES, lambda: deployment.kubernetes("digits"), "automountServiceAccountToken:"),
        ("training", _KUBERNETES, lambda: _of_docs("distributed.md"), "completionMode:"),
    )
    @pytest.mark.slow
    def test_is_as_its_schema_says_and_a_word_amiss_is_seen(self, tool, text, key):
        self.assertEqual(self.check(tool, text())[0], 0, self.check(tool, text())[1])
        status, said = self.check(tool, text().replace(key, f"my_{key}"))
        self.assertEqual(status, 1, said)
        self.assertIn(f"my_{key[:-1]}", said)


if __name__ == "__main__":
    absltest.main()
