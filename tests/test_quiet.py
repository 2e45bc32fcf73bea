"""How TensorFlow is imported: without remarks about GPUs that are not there, and with oneDNN on every processor."""

import contextlib
import os
import platform
import subprocess
import sys

from absl.testing import absltest, parameterized

from ugm_tf import quiet

REMARKS = b"""WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795847842.819664 cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU will not be used.
I0000 00:00:1795847843.153848    3361 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use available CPU
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.
E0000 00:00:1795847975.193974    4103 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed call
"""
NEWS = b"""E0000 00:00:1795847975.193974    4103 cuda_platform.cc:52] out of memory
The CPU lacks AVX
no newline"""


class QuietTest(absltest.TestCase):
    def written(self, body):
        """What reaches the process's stderr."""
        (read, write), terminal = os.pipe(), os.dup(2)
        os.dup2(write, 2)
        try:
            body()
        finally:
            os.dup2(terminal, 2)
            os.close(write)
        with os.fdopen(read, "rb") as file:
            return file.read()

    def test_remarks_are_dropped_and_all_else_is_written(self):
        def body():
            with quiet._held_back():
                os.write(2, REMARKS + NEWS)

        self.assertEqual(self.written(body), NEWS)

    def test_after_an_error_too(self):
        def body():
            with contextlib.suppress(ImportError), quiet._held_back():
                os.write(2, NEWS)
                raise ImportError

        self.assertEqual(self.written(body), NEWS)

    def test_what_is_written_afterwards_is_written(self):
        def body():
            with quiet._held_back():
                pass
            os.write(2, REMARKS)

        self.assertEqual(self.written(body), REMARKS)


class OneDNNTest(parameterized.TestCase):
    @parameterized.parameters((None, "True"), ("0", "False"))
    def test_is_on_unless_it_is_turned_off(self, asked, on):
        if platform.machine() not in ("x86_64", "AMD64"):
            self.skipTest("elsewhere TensorFlow decides")
        environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
        if asked is not None:
            environment["TF_ENABLE_ONEDNN_OPTS"] = asked
        asking = "from tensorflow.python.util import _pywrap_util_port as port; print(port.IsMklEnabled())"
        command = [sys.executable, "-c", f"import ugm_tf; {asking}"]
        run = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
        self.assertEqual(run.stdout.strip(), on)

    def test_is_left_alone_where_tensorflow_has_decided_so_that_other_processes_decide_alike(self):
        environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
        script = "import os, tensorflow, ugm_tf; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
        command = [sys.executable, "-c", script]
        run = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
        self.assertEqual(run.stdout.strip(), "None")


if __name__ == "__main__":
    absltest.main()
