"""Keeps TensorFlow's remarks about GPUs that are not there off the terminal."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

__all__ = ["import_tensorflow"]

# What its libraries write before any setting of theirs is read.
_REMARKS = re.compile(
    rb"absl::InitializeLog\(\)|cudart_stub\.cc|cpu_feature_guard\.cc|^To enable the following instructions: "
    rb"|cuda_(?:platform|driver|executor)\.cc:\d+\] failed call to cuInit|oneDNN custom operations are on"
)


def import_tensorflow() -> None:
    """Imports TensorFlow without its remarks.

    Where the machine has no NVIDIA device it also lists the devices, which else TensorFlow would do at the first
    operation, with an error about CUDA.
    """
    with _held_back():
        import tensorflow as tf

        if not os.path.exists("/dev/nvidiactl"):
            tf.config.list_physical_devices()


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """What is written to the process's stderr within is written at the end, less the remarks."""
    try:
        terminal = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            file.seek(0)
            for line in file:
                if not _REMARKS.search(line):
                    os.write(2, line)
