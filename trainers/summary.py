"""The end of a run: the model, its export, its numbers and its report; each a part that may fail alone."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import ugm_tf
from ugm_tf import grids
from ugm_tf.serving import CARD, default_variants, export_model

from . import (
    beside,
    building,
    commands,
    doubts,
    evaluation,
    evaluation_section,
    figure_table,
    finished,
    inputs,
    known_data,
    looking,
    metrics,
    model_facts,
    options,
    own_code,
    page,
    pictures,
    probing,
    rundir,
    timing,
)
from .figure import Figure
from .figures import scaled
from .inputs import Inputs
from .parts import Failure, Parts
from .settings import Resolved

__all__ = ["End", "write", "write_again"]


class End(NamedTuple):
    """What a run ended with.

    Args:
        figures: Final numbers, by name.
        failures: Parts that failed.
    """

    figures: dict[str, float]
    failures: list[Failure]


def write(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: Resolved,
    training: Inputs,
    held_out: Inputs,
    command: str,
    cache_dir: str | None,
    trained: bool = False,
) -> End:
    """Writes model.keras, saved_model, samples.png, figures.json and report.html.

    Where the run keeps averages of the weights, all but model.keras, which holds both, is made with those.  A part that
    fails is named in the report, and errors.txt has its traceback; the others are written.

    Args:
        model: The trained model.
        directory: The run's.
        settings: The run's.
        training: What it learned from.
        held_out: The validation split.
        command: What to type to train it again.
        cache_dir: Where trained classifiers lie; None is the user's cache folder.
        trained: Whether training has just ended; else the end of an earlier run is made again, whose model.keras and
            versions.json stay as they are.
    """
    parts, data, name = Parts(), directory.data, own_code.short(settings.recipe)
    names = known_data.class_names(data)
    if trained:
        parts.attempt("model.keras", lambda: model.save(directory.model))
        directory.write_json("versions", rundir.versions())
    versions, took = directory.read_json("versions"), timing.read(directory.path)
    with pictures.weights(model, settings):
        parts.attempt("saved_model", lambda: _export(model, directory, names))
        of = pictures.weights_in_words(model, settings)
        subject = figure_table.Subject(model, training, held_out, of, cache_dir=cache_dir)
        measured, _ = figure_table.measure(subject, figure_table.AT_THE_END, parts=parts)
        drawn = _draw(parts, model, directory, training, held_out, names)
    rows = parts.attempt("curves", lambda: metrics.read(directory.metrics) if directory.metrics.exists() else [])
    probe = parts.attempt("probe", lambda: probing.section(directory.probe, [int(row["epoch"]) for row in rows or ()]))
    numbers = {figure.name: float(figure.value) for figure in measured}
    directory.write_json("figures", numbers)
    progressed = beside.progress(directory) if held_out.examples.is_image else []
    animation = parts.attempt("animation", lambda: beside.animation(directory, progressed))
    doubtful = parts.attempt(
        "doubts", lambda: _doubts(model, settings, training, measured, rows or (), drawn, len(held_out.examples))
    )
    content = page.Report(
        title=f"{name} on {_short(settings.dataset)}",
        recipe=name,
        dataset=training.examples.title,
        readings=known_data.readings(data),
        class_names=names or (),
        weights=of,
        command=command,
        equations=model.describe(),
        flags=options.as_flags(settings),
        versions=versions,
        metrics=rows or (),
        progress=progressed,
        animation=animation,
        figures=[
            (f.name, f.value, f.spread, f.unit, f.how, None if f.real is None else f.real.value) for f in measured
        ],
        doubts=doubtful or (),
        beside=beside.beside(directory),
        probe=probe,
        evaluation=parts.attempt("evaluation", lambda: _evaluation(directory)) or "",
        seconds=took["seconds"],
        images_per_second=took["examples_per_second"],
        **drawn,
        **_facts(parts, model),
    )
    _report(parts, directory, content)
    parts.write(directory.errors)
    return End(numbers, parts.failures)


def write_again(
    workdir: str | os.PathLike[str], sources: inputs.Sources = inputs.USUAL
) -> tuple[End, rundir.RunDirectory]:
    """Writes the end of a finished run again; nothing is trained.

    Args:
        workdir: The run directory.
        sources: Where the data lie.

    Returns:
        What it ended with, and its directory.

    Raises:
        ValueError: If the directory holds no finished run, or its data have changed.
    """
    run = finished.load(workdir, sources)
    command = commands.of("train", f"--flagfile={run.directory.flags}")
    training, held_out = run.split("train"), run.split("validation")
    end = write(run.model, run.directory, run.settings, training, held_out, command, sources.cache_dir)
    return end, run.directory


def _report(parts: Parts, directory: rundir.RunDirectory, content: page.Report) -> None:
    """Writes the page; if it cannot be drawn, one of words and figures alone."""

    def named() -> list[tuple[str, str]]:
        return [(failure.part, failure.error) for failure in parts.failures]

    whole = dataclasses.replace(content, failures=named())
    if not parts.attempt("report.html", lambda: page.write_report(directory.path, whole)):
        bare = page.Report(
            title=content.title,
            recipe=content.recipe,
            dataset=content.dataset,
            readings=content.readings,
            command=content.command,
            equations=content.equations,
            flags=content.flags,
            versions=content.versions,
            figures=content.figures,
            failures=named(),
        )
        parts.attempt("report.html without pictures", lambda: page.write_report(directory.path, bare))


def _export(
    model: ugm_tf.UnifiedModel, directory: rundir.RunDirectory, class_names: Sequence[str] | None = None
) -> None:
    """Exports the model, unless the latest version is of as many steps."""
    latest, steps = directory.latest_export(), int(np.asarray(model.steps))
    card = None if latest is None else latest / CARD
    known = json.loads(card.read_text())["metadata"] if card is not None and card.exists() else {}
    if known.get("steps") != steps:
        named = {} if class_names is None else {"class_names": list(class_names)}
        export_model(model, directory.saved_model, metadata={"steps": steps, **named}, variants=default_variants(model))


def _draw(
    parts: Parts,
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    training: Inputs,
    held_out: Inputs,
    class_names: Sequence[str] | None,
) -> dict[str, Any]:
    """The pictures of the report, by field; samples.png is written where there is something to draw."""
    image = held_out.examples.is_image
    out: dict[str, Any] = {
        "data": parts.attempt("examples", lambda: held_out.first(64 if image else 1000)["x"]),
        "reconstructions": parts.attempt("reconstructions", lambda: pictures.reconstructions(model, held_out)),
        "interpolations": parts.attempt("interpolations", lambda: pictures.interpolations(model, held_out)),
        "codes": parts.attempt("map of codes", lambda: looking.map_of_codes(model, held_out)),
        "traversals": parts.attempt("traversals", lambda: looking.traversals(model, held_out)),
        "neighbours": parts.attempt("nearest training examples", lambda: looking.neighbours(model, training)),
        "confusion": parts.attempt("confusion", lambda: looking.confusion(model, held_out)),
    }
    if image and held_out.observation in ("binarised", "static"):
        out["originals"] = parts.attempt("originals", lambda: scaled(held_out.examples, slice(64)))
    png = directory.path / "samples.png"
    if image and ugm_tf.evaluation.is_translator(model):
        found = parts.attempt("translations", lambda: pictures.translations(model, held_out))
        if found:
            stacks = np.concatenate([grids.stacks(*part) for part in found])
            parts.attempt("samples.png", lambda: grids.save_png(png, stacks, pictures.columns(model)))
        out["translations"] = found or ()
    elif model.can("sample"):
        samples, columns = parts.attempt("samples", lambda: pictures.samples_to_show(model)), pictures.columns(model)
        rows = pictures.row_names(model, class_names)
        if samples is not None and image:
            parts.attempt("samples.png", lambda: grids.save_png(png, samples, columns, rows=rows))
        elif samples is not None:
            x = np.asarray(held_out.examples.x)
            parts.attempt("samples.png", lambda: grids.scatter_png(png, samples, reference=x))
        out |= {"samples": samples, "columns": columns, "rows": rows}
    return out


def _evaluation(directory: rundir.RunDirectory) -> str:
    """The section of an evaluation that was made before."""
    found = directory.read_json("evaluation")
    return evaluation_section.render(evaluation.read(directory.path / evaluation.FILE)) if found else ""


def _facts(parts: Parts, model: ugm_tf.UnifiedModel) -> dict[str, Any]:
    """What the model is made of, by field of the report."""
    return {
        "parameters": parts.attempt("parameters", lambda: model_facts.parameters(model)),
        "densities": parts.attempt("densities", lambda: model_facts.densities(model)) or (),
        "optimizers": parts.attempt("optimizers", lambda: model_facts.optimizers(model)) or {},
    }


def _doubts(
    model: ugm_tf.UnifiedModel,
    settings: Resolved,
    training: Inputs,
    measured: Sequence[Figure],
    rows: Sequence[Mapping[str, float]],
    drawn: Mapping[str, Any],
    held_out: int,
) -> list[str]:
    """What looks wrong with the run."""
    examples, seen = training.examples, drawn.get("originals")
    usual = doubts.usual_epochs(settings, examples.shape, len(examples), inputs.rarest(examples))
    return doubts.doubts(
        measured,
        rows,
        drawn.get("samples"),
        drawn["data"] if seen is None else seen,
        judged=[phase.name for phase in model.recipe.phases if building.is_adversarial(phase)],
        kept_best=settings.keep_best is not None,
        epochs=(settings.epochs, usual),
        held_out=held_out,
    )


def _short(dataset: str) -> str:
    """What a data set is called in a title: of a folder or a file its own name."""
    kind, _, path = dataset.partition(":")
    return pathlib.PurePath(path).name or dataset if kind in ("folder", "npz") and path else dataset
