"""Lets pytest run absl's tests: `create_tempdir()` reads a flag that `absltest.main()` would have parsed."""

import os

from absl import flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
flags.FLAGS.mark_as_parsed()
