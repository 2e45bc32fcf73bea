"""Lets pytest run absl's tests: `create_tempdir()` reads a flag that `absltest.main()` would have parsed."""

import atexit
import gc
import os
import shutil
import tempfile

from absl import flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
flags.FLAGS.mark_as_parsed()
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()  # classifiers that tests train for a moment stay out of the user's
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)


def pytest_collection_finish(session):
    """What is imported by now stays, so that the collector need not look through it: an eighth of the tests' time."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
