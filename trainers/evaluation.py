"""The figures of a finished run on the test split, and evaluation.json, which keeps them."""

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import ugm_tf
from ugm_tf import files

from . import commands, curves, evaluation_section, figure_table, finished, inputs, kept_json, own_code, pictures
from .figure import Figure, from_dict
from .parts import Failure, Parts
from .subject import Effort, Features, Subject

__all__ = ["SCHEMA", "Evaluation", "as_text", "evaluate", "read"]

SCHEMA = 1
FILE = "evaluation.json"
_UNFINISHED = ".evaluation_{}.json"  # by what was asked


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

    What was measured before an interruption is kept: the same call goes on there.  Figures of the same weights and data
    that an earlier call measured, and this one does not ask for, stay, each with its protocol.

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
    figure_table.check_metrics(asked.metrics)
    run = finished.load(workdir, sources)
    words = pictures.weights_in_words(run.model, run.settings)
    training, held_out = run.split("train"), run.split("test")
    subject = Subject(run.model, training, held_out, words, features, sources.cache_dir)
    if features.path is not None:
        subject.network  # noqa: B018  refused before work starts
    parts, protocol = Parts(), {"effort": dataclasses.asdict(asked), "features": dataclasses.asdict(features)}
    with pictures.weights(run.model, run.settings):
        weights = ugm_tf.evaluation.fingerprint(*run.model.get_weights())
        kept = _Kept(run.directory.path, {"schema": SCHEMA, "weights": weights, **protocol})
        found, skipped = figure_table.measure(subject, asked, parts=parts, kept=kept)
    data = {
        "split": held_out.examples.split,
        "n": len(held_out.examples),
        "n_train": len(training.examples),
        "fingerprint": held_out.examples.fingerprint.digest,
    }
    found, skipped = _with_earlier(run.directory.path / FILE, weights, data, asked, found, skipped)
    written = {
        "schema": SCHEMA,
        "run": {
            "recipe": own_code.short(run.settings.recipe),
            "dataset": run.settings.dataset,
            "steps": int(run.model.steps),
            "of": words,
            "weights": weights,
        },
        "data": data,
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
    again = commands.of("evaluate", f"--workdir={path.parent}")
    found = kept_json.read(path, f"{again} makes it again")
    if found.get("schema") != SCHEMA:
        raise ValueError(
            f"'{path}' is of schema {found.get('schema', 'none')}, and this version reads schema {SCHEMA}. Evaluate "
            f"again: {again}."
        )
    try:
        for figure in found["figures"]:
            from_dict(figure)
        if not isinstance(found["skipped"], list):
            raise TypeError("'skipped' is no list")
    except (KeyError, TypeError) as error:
        raise kept_json.damaged(path, f"it lacks or mistakes {error}", f"{again} makes it again") from error
    return found


def as_text(found: Evaluation) -> str:
    """A table of the figures; below, how they were measured, and what was not, those alike together."""
    lines, measured, skipped = [], dict[str, list[str]](), dict[str, list[str]]()
    width = max((len(figure.name) for figure in found.figures), default=0)
    for figure in found.figures:
        value = curves.with_spread(figure.value, figure.spread, figure.unit)
        real = ""
        if figure.real is not None:
            other = "" if figure.real.n == figure.estimate.n else f", n {figure.real.n:,}"
            real = f"(real data {curves.number(figure.real.value, None, figure.unit)}{other})"
        lines.append(f"{figure.name:{width}} {value:>18} {figure.unit:6} {real}".rstrip())
        measured.setdefault(figure.how, []).append(figure.name)
    for each in found.skipped:
        skipped.setdefault(each.reason, []).append(each.name)
    for title, of in (("Measured so:", measured), ("Not measured:", skipped)):
        lines += ["", title] if of else []
        lines += [f"  {', '.join(names)}: {why}" for why, names in of.items()]
    return "\n".join(lines)


def _with_earlier(
    path: pathlib.Path,
    weights: str,
    data: Mapping[str, Any],
    asked: Effort,
    found: list[Figure],
    skipped: list[figure_table.Skipped],
) -> tuple[list[Figure], list[figure_table.Skipped]]:
    """Figures in the table's order, with those of an earlier evaluation that were not asked for now."""
    if asked.metrics is None:
        return found, skipped
    try:
        earlier = read(path)
    except ValueError:
        return found, skipped
    if (earlier.get("run", {}).get("weights"), earlier.get("data")) != (weights, data):
        return found, skipped
    more = [figure for each in earlier["figures"] if (figure := from_dict(each)).row not in ("", *asked.metrics)]
    order = [row.key for row in figure_table.ROWS]
    there = {name for row in figure_table.ROWS if any(f.row == row.key for f in more) for name in row.names}
    whole = sorted([*found, *more], key=lambda figure: order.index(figure.row) if figure.row in order else len(order))
    return whole, [each for each in skipped if each.name not in there]


class _Kept:
    """Rows that are done, in a file of what was asked, as long as others are not; a damaged one counts as none."""

    def __init__(self, folder: pathlib.Path, asked: Mapping[str, Any]):
        self.asked = json.loads(json.dumps(asked))
        digest = hashlib.sha256(json.dumps(self.asked, sort_keys=True).encode()).hexdigest()[:12]
        self.path = folder / _UNFINISHED.format(digest)
        self.rows: dict[str, list[Any]] = {}
        try:
            found = kept_json.read(self.path)
            self.rows = {key: [from_dict(figure) for figure in row] for key, row in found.get("rows", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            self.rows = {}

    def get(self, key: str) -> list[Figure] | None:
        return self.rows.get(key)

    def put(self, key: str, found: list[Figure]) -> None:
        self.rows[key] = found
        rows = {name: [figure.as_dict() for figure in row] for name, row in self.rows.items()}
        files.write(self.path, json.dumps({"asked": self.asked, "rows": rows}).encode())
