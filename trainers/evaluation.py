"""The figures of a finished run on the test split."""

import dataclasses

from . import figure_table, finished, pictures
from .figures import Figure

__all__ = ["evaluate"]


def evaluate(
    workdir: str,
    *,
    draws: int = 100,
    examples: int | None = None,
    seeds: int = 3,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> list[Figure]:
    """Measures what the model has an answer to, and writes evaluation.json, with what could not be measured and why.

    Args:
        workdir: The run directory.
        draws: k of the importance-weighted bound.
        examples: How many test examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.

    Returns:
        The figures, in the order of `figure_table.ROWS`.

    Raises:
        ValueError: If the directory holds no finished run.
    """
    run = finished.load(workdir, data_dir=data_dir, manual_dir=manual_dir)
    subject = figure_table.Subject(run.model, run.split("train"), run.split("test"))
    with pictures.weights(run.model, run.settings):
        found, skipped = figure_table.measure(subject, figure_table.Effort(draws, examples, seeds))
    written = {f.name: {"value": f.value, "spread": f.spread, "unit": f.unit, "how": f.how} for f in found}
    run.directory.write_json("evaluation", {**written, "skipped": [dataclasses.asdict(s) for s in skipped]})
    return found
