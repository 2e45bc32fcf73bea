"""Makes the end of a finished run again: its figures, pictures, export and report.

  python -m trainers.report --workdir=runs/vae_digits

Nothing is trained.  Where a part of the end had failed, this is how to have it once the cause is mended.
"""

from absl import flags

from . import inputs, scripts, summary

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "Where data larger than memory are prepared to be mapped, and trained classifiers lie."
)


def main(_: list[str]) -> int:
    sources = inputs.Sources(_DATA_DIR.value, _MANUAL_DIR.value, _CACHE_DIR.value)
    return scripts.show(*summary.write_again(_WORKDIR.value, sources))


if __name__ == "__main__":
    scripts.start(main)
