"""The end of a run: the model, its export, its numbers and its report."""

import re
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.callbacks import Progress, grids
from ugm_tf.serving import export_model

from . import defaults, figures, metrics, pictures, report, rundir
from .inputs import Inputs

__all__ = ["measure", "write"]

_QUICK = 10_000  # training examples up to which a classifier takes seconds


def write(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: defaults.Settings,
    training: Inputs,
    held_out: Inputs,
    progress: Progress,
    command: str,
) -> dict[str, float]:
    """Writes model.keras, saved_model/1, samples.png, figures.json and report.html; returns the figures.

    Where the run keeps averages of the weights, all but model.keras, which holds both, is made with those.
    """
    model.save(directory.model)
    timing = _timing(directory, progress)
    with pictures.weights(model, settings):
        if not (directory.saved_model / "1").exists():
            export_model(model, directory.saved_model, version=1)
        measured = measure(model, training, held_out)
        drawn = _draw(model, directory, held_out, settings)
    content = report.Report(
        title=f"{settings.recipe} on {settings.dataset}",
        recipe=settings.recipe,
        dataset=training.examples.title,
        command=command,
        equations=model.describe(),
        flags=dict(line.removeprefix("--").split("=", 1) for line in directory.flags.read_text().splitlines()),
        versions=rundir.versions(),
        metrics=metrics.read(directory.metrics) if directory.metrics.exists() else (),
        progress=_progress(directory) if held_out.examples.is_image else (),
        figures=measured,
        seconds=timing["seconds"],
        images_per_second=timing["examples_per_second"],
        **drawn,
    )
    report.write_report(directory.path, content)
    directory.write_json("versions", rundir.versions())
    numbers = {figure.name: float(figure.value) for figure in measured}
    directory.write_json("figures", numbers)
    return numbers


def measure(model: ugm_tf.UnifiedModel, training: Inputs, held_out: Inputs) -> list[figures.Figure]:
    """The figures of a run that has just ended, the most important first."""
    examples, image = training.examples, training.examples.is_image
    quick = len(examples) <= _QUICK
    out = []
    if ugm_tf.evaluation.has_classifier(model):
        out += figures.classified(model, training, held_out)
    if ugm_tf.evaluation.is_translator(model) and image and quick:
        out += figures.translated(model, training, held_out)
    if "sample" in ugm_tf.inference.endpoints(model) and image and examples.c is not None and quick:
        out += figures.judged(model, examples, held_out.examples)
    if ugm_tf.evaluation.has_predictor(model):
        out += figures.units(model, training, held_out)
    if ugm_tf.inference.has_bound(model):
        out.append(figures.bound(model, held_out))
    return out + figures.losses(model, held_out)


def _draw(
    model: ugm_tf.UnifiedModel, directory: rundir.RunDirectory, held_out: Inputs, settings: defaults.Settings
) -> dict[str, Any]:
    """The pictures of the report, by field; samples.png is written where there is something to draw."""
    image = held_out.examples.is_image
    first = held_out.first(64 if image else 1000)
    out: dict[str, Any] = {
        "data": first["x"],
        "reconstructions": pictures.reconstructions(model, held_out),
        "interpolations": pictures.interpolations(model, held_out),
    }
    png = directory.path / "samples.png"
    if image and ugm_tf.evaluation.is_translator(model):
        out["translations"] = pictures.translations(model, held_out)
        grids.save_png(
            png, np.concatenate([grids.stacks(*part) for part in out["translations"]]), pictures.columns(model)
        )
    elif "sample" in ugm_tf.inference.endpoints(model):
        out["samples"], out["columns"] = pictures.shown(model), pictures.columns(model)
        if image:
            grids.save_png(png, out["samples"], out["columns"])
        else:
            grids.scatter_png(png, out["samples"], reference=np.asarray(held_out.examples.x))
    return out


def _timing(directory: rundir.RunDirectory, progress: Progress) -> dict[str, Any]:
    """Time spent over all the processes of the run."""
    old = directory.read_json("timing")
    timing = {
        "seconds": old.get("seconds", 0.0) + progress.seconds,
        "examples_per_second": progress.examples_per_second or old.get("examples_per_second"),
    }
    directory.write_json("timing", timing)
    return timing


def _progress(directory: rundir.RunDirectory) -> list[tuple[int, Any]]:
    found = [
        (re.fullmatch(r"samples_(\d+)", path.stem), path) for path in sorted(directory.samples.glob("samples_*.png"))
    ]
    return [(int(match[1]), path) for match, path in found if match]
