"""The end of a run: the model, its export, its numbers and its report."""

import importlib
import re
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.callbacks import Progress, grids

from . import figure_table, metrics, options, pictures, report, rundir
from .inputs import Inputs
from .settings import Resolved

__all__ = ["write"]


def write(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: Resolved,
    training: Inputs,
    held_out: Inputs,
    progress: Progress,
    command: str,
) -> dict[str, float]:
    """Writes model.keras, saved_model/1, samples.png, figures.json and report.html; returns the figures.

    Where the run keeps averages of the weights, all but model.keras, which holds both, is made with those.
    """
    # In a wheel both packages stand under ugm_tf.
    saved_model = importlib.import_module(f"{__package__.rpartition('trainers')[0]}export.saved_model")
    model.save(directory.model)
    timing = _timing(directory, progress)
    with pictures.weights(model, settings):
        if not (directory.saved_model / "1").exists():
            saved_model.export_model(model, directory.saved_model, version=1)
        subject = figure_table.Subject(model, training, held_out)
        measured, _ = figure_table.measure(subject, figure_table.AT_THE_END)
        drawn = _draw(model, directory, held_out, settings)
    content = report.Report(
        title=f"{settings.recipe} on {settings.dataset}",
        recipe=settings.recipe,
        dataset=training.examples.title,
        command=command,
        equations=model.describe(),
        flags=options.as_flags(settings),
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


def _draw(
    model: ugm_tf.UnifiedModel, directory: rundir.RunDirectory, held_out: Inputs, settings: Resolved
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
