"""Makes the end of a finished run again: its figures, pictures, export and report.

  python -m trainers.report --workdir=runs/vae_digits

Nothing is trained.  Where a part of the end had failed, this is how to have it once the cause is mended.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

from . import scripts, summary

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")


def main(_: list[str]) -> int:
    return scripts.show(*summary.write_again(_WORKDIR.value, data_dir=_DATA_DIR.value, manual_dir=_MANUAL_DIR.value))


if __name__ == "__main__":
    scripts.start(main)
