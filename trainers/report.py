"""Makes the end of a finished run again: its figures, pictures, export and report.

  python -m trainers.report --workdir=runs/vae_digits

Nothing is trained.  Where a part of the end had failed, this is how to have it once the cause is mended.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

from . import finished, rundir, scripts, summary

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")


def report(
    workdir: str, *, data_dir: str | None = None, manual_dir: str | None = None
) -> tuple[summary.End, rundir.RunDirectory]:
    """Makes the end of a finished run again.

    Args:
        workdir: The run directory.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.

    Returns:
        What it ended with, and its directory.

    Raises:
        ValueError: If the directory holds no finished run.
    """
    run = finished.load(workdir, data_dir=data_dir, manual_dir=manual_dir)
    command = f"python -m trainers.train --flagfile={run.directory.flags}"
    training, held_out = run.split("train"), run.split("validation")
    return summary.write(run.model, run.directory, run.settings, training, held_out, command), run.directory


def main(_: list[str]) -> int:
    return scripts.show(*report(_WORKDIR.value, data_dir=_DATA_DIR.value, manual_dir=_MANUAL_DIR.value))


if __name__ == "__main__":
    scripts.start(main)
