"""The end of a run: the model, its export, its numbers and its report."""

import importlib
import re
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.callbacks import Progress, grids

from . import defaults, metrics, pictures, report, rundir

__all__ = ["bound", "judged", "write"]

_JUDGED, _DRAWS, _BOUNDED = 1000, 100, 500
_QUICK = 10_000  # training examples up to which a classifier takes seconds


def write(
    model: ugm_tf.UnifiedModel,
    directory: rundir.RunDirectory,
    settings: defaults.Settings,
    examples: ugm_tf.data.Examples,
    validation: ugm_tf.data.Examples,
    held_out: Any,
    progress: Progress,
    command: str,
) -> dict[str, float]:
    """Writes model.keras, saved_model/1, samples.png, figures.json and report.html; returns the figures."""
    # In a wheel both packages stand under ugm_tf.
    saved_model = importlib.import_module(f"{__package__.rpartition('trainers')[0]}export.saved_model")
    model.save(directory.model)
    if not (directory.saved_model / "1").exists():
        saved_model.export_model(model, directory.saved_model, version=1)
    timing = _timing(directory, progress)
    figures = [
        report.Figure(name, float(value), unit="nats", how=f"{len(validation)} validation examples, one draw each")
        for name, value in model.evaluate(held_out, verbose=0, return_dict=True).items()
        if name.endswith("/loss")
    ]
    if ugm_tf.inference.has_bound(model):
        figures.insert(0, bound(model, validation, settings))
    samples = None
    if "sample" in ugm_tf.inference.endpoints(model):
        samples = pictures.of(model, validation, settings)["samples"](model)
        if validation.is_image:
            grids.save_png(directory.path / "samples.png", samples)
        else:
            grids.scatter_png(directory.path / "samples.png", samples, reference=np.asarray(validation.x))
        if validation.is_image and examples.c is not None and len(examples) <= _QUICK:
            figures = judged(model, examples, validation, settings) + figures
    content = report.Report(
        title=f"{settings.recipe} on {settings.dataset}",
        recipe=settings.recipe,
        dataset=examples.title,
        command=command,
        equations=model.describe(),
        flags=dict(line.removeprefix("--").split("=", 1) for line in directory.flags.read_text().splitlines()),
        versions=rundir.versions(),
        metrics=metrics.read(directory.metrics) if directory.metrics.exists() else (),
        samples=samples,
        data=pictures.examples_of(validation, 64 if validation.is_image else 1000, settings)["x"],
        reconstructions=pictures.reconstructions(model, validation, settings),
        interpolations=pictures.interpolations(model, validation, settings),
        progress=_progress(directory) if validation.is_image else (),
        figures=figures,
        seconds=timing["seconds"],
        images_per_second=timing["examples_per_second"],
    )
    report.write_report(directory.path, content)
    directory.write_json("versions", rundir.versions())
    numbers = {figure.name: float(figure.value) for figure in figures}
    directory.write_json("figures", numbers)
    return numbers


def bound(
    model: ugm_tf.UnifiedModel,
    examples: ugm_tf.data.Examples,
    settings: defaults.Settings,
    draws: int = _DRAWS,
    number: int = _BOUNDED,
) -> report.Figure:
    """The importance-weighted bound on log p(x), the ELBO for one draw, over the first examples, with its
    standard error."""
    data = pictures.examples_of(examples, number, settings)
    values = model.log_prob_bound(data.pop("x"), k=draws, **data).numpy()
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    how = f"{len(values)} {examples.split} examples; the spread is the standard error over them"
    name = "ELBO" if draws == 1 else f"bound on log p(x), k={draws}"
    return report.Figure(name, float(np.mean(values)), error, "nats", how)


def judged(
    model: ugm_tf.UnifiedModel,
    examples: ugm_tf.data.Examples,
    held_out: ugm_tf.data.Examples,
    settings: defaults.Settings,
    seeds: int = 1,
) -> list[report.Figure]:
    """What a classifier of the training examples makes of samples: means over seeds of sampling, with their
    deviation."""
    classifier = ugm_tf.evaluation.train_classifier(_scaled(examples), examples.c, examples.num_classes)
    right = ugm_tf.evaluation.accuracy(classifier, _scaled(held_out), held_out.c)
    each = [
        ugm_tf.evaluation.judge(classifier, pictures.samples(model, _JUDGED, held_out, settings, seed=1 + seed))
        for seed in range(seeds)
    ]
    how = f"{seeds} x {_JUDGED} samples, by a classifier of the training split that is right on {right:.1%} of "
    how += held_out.split

    def figure(name: str, unit: str, values: list[float]) -> report.Figure:
        spread = float(np.std(values, ddof=1)) if seeds > 1 else None
        return report.Figure(name, float(np.mean(values)), spread, unit, how)

    return [
        figure("classes covered", f"of {examples.num_classes}", [j.coverage for j in each]),
        figure("classifier's confidence", "", [j.confidence for j in each]),
        figure("class entropy of a sample", "nats", [j.entropy for j in each]),
        figure("inception score", f"of {examples.num_classes}", [j.inception_score for j in each]),
    ]


def _scaled(examples: ugm_tf.data.Examples) -> np.ndarray:
    return np.asarray(examples.x, np.float32) / 255.0


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
