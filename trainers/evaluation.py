"""The figures of a finished run on the test split."""

import dataclasses

from . import figure_table, finished, inputs, pictures
from .figures import Figure

__all__ = ["evaluate"]


def evaluate(
    workdir: str,
    *,
    draws: int = 100,
    examples: int | None = None,
    seeds: int = 3,
    sources: inputs.Sources = inputs.USUAL,
) -> list[Figure]:
    """Measures what the model has an answer to, and writes evaluation.json, with what could not be measured and why.

    Args:
        workdir: The run directory.
        draws: k of the importance-weighted bound.
        examples: How many test examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        sources: Where the data lie.

    Returns:
        The figures, in the order of `figure_table.ROWS`.

    Raises:
        ValueError: If the directory holds no finished run, or its data have changed.
    """
    run = finished.load(workdir, sources)
    words = pictures.weights_in_words(run.model, run.settings)
    subject = figure_table.Subject(run.model, run.split("train"), run.split("test"), words)
    with pictures.weights(run.model, run.settings):
        found, skipped = figure_table.measure(subject, figure_table.Effort(draws, examples, seeds))
    written = {f.name: {"value": f.value, "spread": f.spread, "unit": f.unit, "how": f.how} for f in found}
    run.directory.write_json("evaluation", {**written, "skipped": [dataclasses.asdict(s) for s in skipped]})
    return found
