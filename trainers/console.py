"""The commands of an installed package: `ugm-train`, `ugm-report`, `ugm-evaluate`, `ugm-sample`, `ugm-compare`,
`ugm-reproduce` and `ugm-export`.

Each runs its script as `python -m` would, so that `--help` shows the script's own flags and words.
"""

import runpy

__all__ = ["compare", "evaluate", "export", "report", "reproduce", "sample", "train"]


def _run(module: str) -> None:
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def train() -> None:
    """`ugm-train`: in a checkout, `python -m trainers.train`."""
    _run("ugm_tf.trainers.train")


def report() -> None:
    """`ugm-report`: in a checkout, `python -m trainers.report`."""
    _run("ugm_tf.trainers.report")


def evaluate() -> None:
    """`ugm-evaluate`: in a checkout, `python -m trainers.evaluate`."""
    _run("ugm_tf.trainers.evaluate")


def sample() -> None:
    """`ugm-sample`: in a checkout, `python -m trainers.sample`."""
    _run("ugm_tf.trainers.sample")


def compare() -> None:
    """`ugm-compare`: in a checkout, `python -m trainers.compare`."""
    _run("ugm_tf.trainers.compare")


def reproduce() -> None:
    """`ugm-reproduce`: in a checkout, `python -m trainers.reproduce`."""
    _run("ugm_tf.trainers.reproduce")


def export() -> None:
    """`ugm-export`: in a checkout, `python -m export.export`."""
    _run("ugm_tf.export.export")
