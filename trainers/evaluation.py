"""The figures of a finished run on the test split, and evaluation.json, which keeps them."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import ugm_tf
from ugm_tf import files

from . import commands, evaluation_section, figure_table, finished, inputs, kept_json, own_code, pictures
from .figure import Figure, from_dict
from .parts import Failure, Parts
from .subject import Effort, Features, Subject

__all__ = ["SCHEMA", "Evaluation", "evaluate", "read"]

SCHEMA = 1
FILE = "evaluation.json"
_UNFINISHED = ".evaluation.json"


class Evaluation(NamedTuple):
    """What was measured.

    Args:
        figures: In the order of `figure_table.ROWS`.
        skipped: What was not measured, and why.
        failures: Rows that failed; they are among the skipped ones.
    """

    figures: list[Figure]
    skipped: list[figure_table.Skipped]
    failures: list[Failure]


def evaluate(
    workdir: str | os.PathLike[str],
    *,
    features: Features | None = None,
    sources: inputs.Sources = inputs.USUAL,
    **effort: Any,
) -> Evaluation:
    """Measures what the model has an answer to; writes evaluation.json and a section of the report.

    What was measured before an interruption is kept: the same call goes on there.

    Args:
        workdir: The run directory.
        features: The feature network by which samples are compared; a classifier of the training data if None.
        sources: Where the data lie.
        **effort: Fields of `subject.Effort`.

    Raises:
        ValueError: If the directory holds no finished run, its data have changed, or a metric is asked for that there
            is not.
    """
    asked, features = Effort(**effort), features or Features()
    figure_table.check_metrics(asked.metrics or ())
    run = finished.load(workdir, sources)
    words = pictures.weights_in_words(run.model, run.settings)
    training, held_out = run.split("train"), run.split("test")
    subject = Subject(run.model, training, held_out, words, features, sources.cache_dir)
    if features.path is not None:
        subject.network  # noqa: B018  refused before work starts
    parts, protocol = Parts(), {"effort": dataclasses.asdict(asked), "features": dataclasses.asdict(features)}
    with pictures.weights(run.model, run.settings):
        weights = ugm_tf.evaluation.fingerprint(*run.model.get_weights())
        kept = _Kept(run.directory.path / _UNFINISHED, {"schema": SCHEMA, "weights": weights, **protocol})
        found, skipped = figure_table.measure(subject, asked, parts=parts, kept=kept)
    written = {
        "schema": SCHEMA,
        "run": {
            "recipe": own_code.short(run.settings.recipe),
            "dataset": run.settings.dataset,
            "steps": int(run.model.steps),
            "of": words,
            "weights": weights,
        },
        "data": {
            "split": held_out.examples.split,
            "n": len(held_out.examples),
            "n_train": len(training.examples),
            "fingerprint": held_out.examples.fingerprint.digest,
        },
        "asked": protocol,
        "figures": [figure.as_dict() for figure in found],
        "skipped": [dataclasses.asdict(each) for each in skipped],
    }
    run.directory.write_json("evaluation", written)
    evaluation_section.insert(run.directory.report, evaluation_section.render(written))
    kept.path.unlink(missing_ok=True)
    return Evaluation(found, skipped, parts.failures)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What an evaluation.json holds; nothing where there is none.

    Raises:
        ValueError: If another version wrote it.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        return {"schema": SCHEMA, "figures": [], "skipped": []}
    found = kept_json.read(path)
    if found.get("schema") != SCHEMA:
        raise ValueError(
            f"'{path}' is of schema {found.get('schema', 'none')}, and this version reads schema {SCHEMA}. Evaluate "
            f"again: {commands.of('evaluate', f'--workdir={path.parent}')}."
        )
    return found


class _Kept:
    """Rows that are done, in a file as long as others are not."""

    def __init__(self, path: pathlib.Path, asked: Mapping[str, Any]):
        self.path = path
        self.asked = json.loads(json.dumps(asked))
        self.rows: dict[str, list[dict[str, Any]]] = {}
        if path.exists():
            found = kept_json.read(path)
            self.rows = found.get("rows", {}) if found.get("asked") == self.asked else {}

    def get(self, key: str) -> list[Figure] | None:
        return [from_dict(figure) for figure in self.rows[key]] if key in self.rows else None

    def put(self, key: str, found: list[Figure]) -> None:
        self.rows[key] = [figure.as_dict() for figure in found]
        files.write(self.path, json.dumps({"asked": self.asked, "rows": self.rows}).encode())
