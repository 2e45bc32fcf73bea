"""Every recipe on the embedded digits: docs/figures.json, from which docs/models.md is written.

  python -m benchmarks.digits --seeds=3 --workdir=runs/digits --out=docs/figures.json --picture=docs/images/digits.png

trains each recipe with the trainer's defaults from several seeds, and evaluates it on the test split as
`python -m trainers.evaluate` does: means over seeds of training, with the standard deviation over them; and, beside
them, what the same model gives before its first step.  Runs that are there already are not run again, and the file is
written after each recipe, so that this may be stopped and started.  The picture shows samples of the first seed.
"""

import json
import os
import pathlib
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from absl import flags

import ugm_tf
from trainers import building, defaults, evaluation, pictures, run, rundir, scripts
from trainers.figure import from_dict
from trainers.settings import Settings
from ugm_tf import files, grids

_RECIPES = flags.DEFINE_list("recipes", ugm_tf.recipes.names(), "Which recipes.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "How many seeds.", lower_bound=1)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON; recipes that are not run keep theirs.")
_PICTURE = flags.DEFINE_string("picture", None, "Where a picture of samples of --shown goes, if anywhere.")
_SHOWN = flags.DEFINE_list("shown", ["aavae", "gan", "iwgan", "vae"], "The recipes in the picture.")
_COLUMNS, _ROWS, _GAP, _SCALE, _MARGIN = 6, 5, 2, 5, 24
_HOW = (
    "Data: the 1,797 real 8x8 digits of scikit-learn, of which 1,297 train and 250 test; the trainer's defaults, which "
    "were chosen on 250 validation examples. Machine: {machine}. Command: `python -m benchmarks.digits --seeds={n}`."
)


def picture(samples: dict[str, np.ndarray]) -> bytes:
    """A PNG of one grid of samples beside the other, each under its name."""
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    tiles = [
        grids.grid(x[: _COLUMNS * _ROWS], columns=_COLUMNS, pad=10, scale=_SCALE)[..., 0] for x in samples.values()
    ]
    height, width = tiles[0].shape
    canvas = PIL.Image.new("L", (len(tiles) * (width + 10 * _GAP) - 10 * _GAP, height + _MARGIN), 255)
    draw = PIL.ImageDraw.Draw(canvas)
    for i, (name, tile) in enumerate(zip(samples, tiles, strict=True)):
        left = i * (width + 10 * _GAP)
        canvas.paste(PIL.Image.fromarray(tile), (left, _MARGIN))
        draw.text((left, 2), name, fill=0, font=PIL.ImageFont.load_default(size=16))
    return grids.encode_png(np.asarray(canvas)[..., None])


_MEASURED = ("accuracy", "translation", "classes", "redundancy", "elbo", "bound", "losses")


def trained(name: str, seed: int, directory: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The figures of a recipe trained from a seed, by name; read back if the run is there already."""
    if not (directory / "evaluation.json").exists():
        run.train(Settings(name, "digits", seed=seed), directory, show=False)
        evaluation.evaluate(directory, seeds=1, metrics=_MEASURED)
        keras.utils.clear_session(free_memory=True)
    return measured(directory)


def untrained(name: str, directory: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The figures of the same model before its first step, by name."""
    if not (directory / "evaluation.json").exists():
        examples = ugm_tf.data.load("digits", "train")
        asked = Settings(name, "digits", ema=0.0)  # there is nothing to average yet
        settings = defaults.resolve(asked, examples.shape, len(examples))
        keras.utils.set_random_seed(settings.seed)
        recipe = settings.make_recipe()
        model = building.build(recipe, settings, examples)
        model.compile(building.optimizers(recipe, settings.learning_rate))
        model.save(rundir.RunDirectory(directory, settings).model)
        evaluation.evaluate(directory, seeds=1, metrics=_MEASURED)
    return measured(directory)


def measured(directory: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The figures of a run that was evaluated, by name."""
    found = [from_dict(figure) for figure in evaluation.read(directory / "evaluation.json")["figures"]]
    return {f.name: {"value": f.value, "unit": f.unit, "how": f.how} for f in found}


def aggregate(each: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """By figure: its mean over seeds, its deviation over them, its unit and how it was measured; no losses."""
    out = {}
    for name, first in each[0].items():
        values = [found[name]["value"] for found in each]
        if "/" in name and len(each[0]) > sum("/" in n for n in each[0]):
            continue  # a metric of the recipe's own, where there is something that compares
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        out[name] = {"mean": float(np.mean(values)), "spread": spread, "unit": first["unit"], "how": first["how"]}
    return out


def main(_: list[str]) -> None:
    root = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    versions = rundir.versions()
    machine = f"{versions['machine']}, no GPU; TensorFlow {versions['tensorflow']}, Keras {versions['keras']}"
    results: dict[str, Any] = {"how": _HOW.format(machine=machine, n=_SEEDS.value), "recipes": {}}
    if _OUT.value and pathlib.Path(_OUT.value).exists():
        results["recipes"] = json.loads(pathlib.Path(_OUT.value).read_text())["recipes"]
    for name in _RECIPES.value:
        each = [trained(name, seed, root / f"{name}_{seed}") for seed in range(_SEEDS.value)]
        figures = aggregate(each)
        start = {key: found["value"] for key, found in untrained(name, root / f"{name}_untrained").items()}
        results["recipes"][name] = {
            "data": "digits",
            "seeds": len(each),
            "figures": figures,
            "start": {key: start[key] for key in figures if key in start and "alone" not in key},
        }
        shown = ", ".join(
            f"{key} {figure['mean']:.4g} ± {figure['spread'] or 0:.2g}" for key, figure in figures.items()
        )
        print(f"{name}: {shown}", flush=True)
        if _OUT.value:
            results["recipes"] = dict(sorted(results["recipes"].items()))
            files.write(_OUT.value, (json.dumps(results, indent=1) + "\n").encode())
    if _PICTURE.value:
        samples = {}
        for name in _SHOWN.value:
            model = ugm_tf.load_model(root / f"{name}_0" / "model.keras")
            samples[name] = pictures.samples(model, _COLUMNS * _ROWS, seed=1)[0]
        files.write(_PICTURE.value, picture(samples))


if __name__ == "__main__":
    scripts.start(main)
