"""Samples of images in colour by the trainer's defaults: figures of the test split, from several seeds, and pictures.

  python -m benchmarks.images --package=package --image_size=32 --out=docs/images.json --pictures=docs/images

trains each recipe as `python -m trainers.train --recipe=NAME --dataset=folder:... --image_size=32` does, and measures
samples as `python -m trainers.evaluate` does.  The data are emoji in 9 categories, of npm's `emoji-datasource-twitter`
(CC-BY 4.0), which is to be had by

  npm pack emoji-datasource-twitter@16.0.0 && tar xzf emoji-datasource-twitter-16.0.0.tgz

`--docs=docs/results.md` writes the tables of that page anew, without a run where --out has all that is asked for.
`--defaults=dense` trains with those of before images were convolved, for comparison.  What --out has is not run again,
and each result is written at once, so that this may be stopped and started, on another machine, too.
"""

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from absl import flags

import ugm_tf
from benchmarks import images_page
from trainers import defaults, evaluation, finished, inputs, options, pictures, run, scripts, timing
from trainers.figure import from_dict
from trainers.settings import Settings
from ugm_tf import files, grids

_SCORED, _JUDGED = ("vae", "aavae", "vae_gan"), ("gan", "iwgan", "conditional_gan", "infogan", "bigan")
_DENSE = {"network": "mlp", "hidden": (500, 500), "likelihood": "discretized_logistic", "prior": "none"}
_CONTESTED = {"network": "dcgan", "augment": (), "epochs": 400}
_BEFORE: dict[str, dict[str, Any]] = {
    "vae": _DENSE,
    "aavae": _DENSE,
    "vae_gan": {**_CONTESTED, **_DENSE, "likelihood": "gaussian(scale=0.3)"},
    **dict.fromkeys(_JUDGED, _CONTESTED),
}

_RECIPES = flags.DEFINE_list("recipes", [*_SCORED, *_JUDGED], "Which recipes.")
_PACKAGE = flags.DEFINE_string("package", None, "The unpacked npm package of the emoji, until --workdir has them.")
_SIZE = flags.DEFINE_integer("image_size", 32, "Height and width.", lower_bound=16)
_SEEDS = flags.DEFINE_integer("seeds", 3, "How many seeds.", lower_bound=1)
_DEFAULTS = flags.DEFINE_enum("defaults", "now", ["now", "dense"], "Whose defaults.")
_WORKDIR = flags.DEFINE_string("workdir", "runs/images", "Where the data and the runs are kept.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.", required=True)
_PICTURES = flags.DEFINE_string("pictures", None, "The folder of pictures of samples of the first seed, if any.")
_DOCS = flags.DEFINE_string("docs", None, "A page of Markdown whose section of images is written anew from --out.")
_METRICS = ("classes", "distances", "manifold")
_COLUMNS, _ROWS, _SHOWN_SIZE = 9, 4, 64


def lay_out(package: pathlib.Path, folder: pathlib.Path) -> None:
    """Puts the emoji into a folder of each category, as their package has them: palettes with transparency."""
    images = next((package / "img").iterdir()) / "64"
    for entry in json.loads((package / "emoji.json").read_text()):
        if entry["category"] == "Component":
            continue
        category = folder / entry["category"].replace(" & ", "_and_").replace(" ", "_")
        category.mkdir(parents=True, exist_ok=True)
        for each in (entry, *entry.get("skin_variations", {}).values()):
            if (images / each["image"]).exists():
                shutil.copy(images / each["image"], category / each["image"])


def data(root: pathlib.Path) -> str:
    """The data set's name, with its images in place."""
    folder = root / "emoji"
    if not folder.is_dir():
        if _PACKAGE.value is None:
            raise ValueError("--package is the unpacked npm package of the emoji; see the first lines of this file.")
        draft = root / f".emoji.{os.getpid()}"
        lay_out(pathlib.Path(_PACKAGE.value), draft)
        draft.rename(folder)
    return f"folder:{folder.resolve()}"


def asked(recipe: str, seed: int, dataset: str) -> Settings:
    before = _BEFORE[recipe] if _DEFAULTS.value == "dense" else {}
    return Settings(recipe, dataset, image_size=_SIZE.value, seed=seed, **before)


def as_flags(settings: Settings) -> dict[str, str]:
    """A run's flags, but for where its data lie."""
    return {name: text for name, text in options.as_flags(settings).items() if name != "dataset"}


def check(recipe: str, seed: int, kept: Mapping[str, Any], examples: ugm_tf.data.Examples) -> None:
    """Refuses a result that is kept and was made by other defaults than those of now."""
    settings = dataclasses.replace(asked(recipe, seed, "kept"), storage=examples.storage)
    now = as_flags(defaults.resolve(settings, examples.shape, len(examples), inputs.rarest(examples)))
    if other := {
        n: (kept["flags"].get(n), now.get(n)) for n in {**kept["flags"], **now} if kept["flags"].get(n) != now.get(n)
    }:
        raise ValueError(
            f"{_OUT.value} has {recipe}, seed {seed}, by other defaults than today's, there and now: {other}. Remove "
            "it from there, or give another --out."
        )


def picture(trained: finished.Finished) -> bytes:
    """Samples as they come, as a PNG."""
    with pictures.weights(trained.model, trained.settings):
        samples = pictures.samples(trained.model, _COLUMNS * _ROWS, seed=1)[0]
    scale = max(1, _SHOWN_SIZE // _SIZE.value)
    return grids.encode_png(grids.grid(pictures.seen(samples), columns=_COLUMNS, pad=2, scale=scale))


def result(recipe: str, seed: int) -> dict[str, Any]:
    """Trains a recipe from a seed, and measures it."""
    root = pathlib.Path(_WORKDIR.value)
    where = root / f"{recipe}_{_SIZE.value}_{_DEFAULTS.value}_{seed}"
    if not (where / "report.html").exists():
        run.train(asked(recipe, seed, data(root)), where, keep_checkpoints=1, show=False)
    evaluation.evaluate(where, metrics=_METRICS)
    trained = finished.load(where)
    if _PICTURES.value and not seed:
        name = f"emoji_{_SIZE.value}_{_DEFAULTS.value}_{recipe}.png"
        files.write(pathlib.Path(_PICTURES.value) / name, picture(trained))
    keras.utils.clear_session(free_memory=True)
    found = [from_dict(figure) for figure in evaluation.read(where / "evaluation.json")["figures"]]
    return {
        "figures": {f.name: {"value": f.value, "real": f.real and f.real.value, "unit": f.unit} for f in found},
        "flags": as_flags(trained.settings),
        "seconds": timing.read(trained.directory.path)["seconds"],
        "versions": trained.directory.read_json("versions"),
    }


def main(_: list[str]) -> None:
    out = pathlib.Path(_OUT.value)
    pathlib.Path(_WORKDIR.value).mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    mine = kept.setdefault(str(_SIZE.value), {}).setdefault(_DEFAULTS.value, {})
    if any(mine.values()):
        examples = inputs.read(asked("vae", 0, data(pathlib.Path(_WORKDIR.value))), "train", inputs.USUAL)
        for recipe, seeds in mine.items():
            for seed, found in seeds.items():
                check(recipe, int(seed), found, examples)
    for seed in range(_SEEDS.value):
        for recipe in _RECIPES.value:
            if str(seed) in mine.setdefault(recipe, {}):
                continue
            mine[recipe][str(seed)] = result(recipe, seed)
            files.write(out, (json.dumps(kept, indent=1) + "\n").encode())
            print(f"{recipe}, seed {seed}: {mine[recipe][str(seed)]['figures']}", flush=True)
    print(images_page.table(mine, images_page.names(mine)))
    if _DOCS.value is not None:
        page = pathlib.Path(_DOCS.value)
        files.write(page, images_page.renewed(page.read_text(), kept).encode())


if __name__ == "__main__":
    scripts.start(main)
