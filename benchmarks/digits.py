"""Every recipe on the embedded digits, judged by a classifier of the real ones.

  python -m benchmarks.digits --output=docs/images/digits.png

trains each recipe with its defaults from several seeds, and prints a table: mean over seeds, with the standard
deviation over them.  The classifier learns the training split, is stated with its accuracy on the test split, and
judges 1000 samples a seed.  The picture shows samples of the first seed, one recipe beside the other.
"""

import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags

import ugm_tf
from trainers import defaults, pictures, run, scripts
from ugm_tf.callbacks import files, grids

_RECIPES = flags.DEFINE_list("recipes", ugm_tf.recipes.names(), "Which recipes.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "How many seeds.", lower_bound=1)
_WORKDIR = flags.DEFINE_string("workdir", None, "Where the runs are kept; a temporary directory by default.")
_OUTPUT = flags.DEFINE_string("output", None, "Where a picture of samples goes, if anywhere.")
_COLUMNS, _ROWS, _GAP, _SCALE, _MARGIN = 6, 5, 2, 5, 24


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


def main(_: list[str]) -> None:
    workdir = pathlib.Path(_WORKDIR.value or tempfile.mkdtemp())
    train, test = (ugm_tf.data.load("digits", split) for split in ("train", "test"))
    scaled = [np.asarray(part.x, np.float32) / 255.0 for part in (train, test)]
    classifier = ugm_tf.evaluation.train_classifier(scaled[0], train.c, train.num_classes)
    right = ugm_tf.evaluation.accuracy(classifier, scaled[1], test.c)
    rows = {"real test digits": [ugm_tf.evaluation.judge(classifier, scaled[1])]}
    shown = {}
    for name in _RECIPES.value:
        rows[name] = []
        for seed in range(_SEEDS.value):
            settings = defaults.Settings(name, "digits", seed=seed)
            done = run.train(settings, workdir / f"{name}_{seed}", show=False)
            x = pictures.samples(done.model, 1000, test, done.settings, seed=1)
            rows[name].append(ugm_tf.evaluation.judge(classifier, x))
            shown.setdefault(name, x)
    print(f"\nClassifier: {right:.3f} of the test split right. {_SEEDS.value} seeds, 1000 samples each.\n")
    print("| samples of | classes of 10 | confidence | class entropy (nats) | inception score |\n|---|---|---|---|---|")
    for name, judged in rows.items():
        cells = [", ".join(str(j.coverage) for j in judged)]
        for field in ("confidence", "entropy", "inception_score"):
            values = [getattr(j, field) for j in judged]
            spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        print(f"| {name} | {' | '.join(cells)} |")
    if _OUTPUT.value:
        pathlib.Path(_OUTPUT.value).parent.mkdir(parents=True, exist_ok=True)
        files.write(_OUTPUT.value, picture(shown))


if __name__ == "__main__":
    scripts.start(main)
