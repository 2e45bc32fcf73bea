"""Evaluates a finished run on the test split.

  python -m trainers.evaluate --workdir=runs/vae_digits

prints and writes evaluation.json: every metric of the recipe; where the model has them, the bound on log p(x), the
accuracy of its classifier and of its translations; and what a classifier of the training split makes of samples.
Nothing is chosen by these numbers.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

import ugm_tf

from . import figures, finished, pictures, scripts

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_DRAWS = flags.DEFINE_integer("draws", 100, "Draws per example of the importance-weighted bound.", lower_bound=1)
_EXAMPLES = flags.DEFINE_integer("examples", None, "Test examples for that bound, all by default.", lower_bound=1)
_SEEDS = flags.DEFINE_integer(
    "seeds", 3, "How many sets of 1000 samples a classifier judges; 0 for none.", lower_bound=0
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")


def evaluate(
    workdir: str,
    *,
    draws: int = 100,
    examples: int | None = None,
    seeds: int = 3,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> list[figures.Figure]:
    """The figures of a finished run on the test split, in order.

    Args:
        workdir: The run directory.
        draws: k of the importance-weighted bound.
        examples: How many test examples that bound is over; all if None.
        seeds: How many sets of samples a classifier judges; 0 for none.
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.

    Raises:
        ValueError: If the directory holds no finished run.
    """
    run = finished.load(workdir, data_dir=data_dir, manual_dir=manual_dir)
    model, training, test = run.model, run.split("train"), run.split("test")
    image = test.examples.is_image
    with pictures.weights(model, run.settings):
        out = figures.losses(model, test, every=True)
        if ugm_tf.inference.has_bound(model):
            out.append(figures.bound(model, test, draws=1, number=len(test.examples)))
            out.append(figures.bound(model, test, draws=draws, number=examples or len(test.examples)))
        if ugm_tf.evaluation.has_classifier(model):
            out += figures.classified(model, training, test)
        if ugm_tf.evaluation.is_translator(model) and image:
            out += figures.translated(model, training, test)
        if seeds and image and test.examples.c is not None and "sample" in ugm_tf.inference.endpoints(model):
            out += figures.judged(model, training.examples, test.examples, seeds=seeds)
    run.directory.write_json(
        "evaluation", {f.name: {"value": f.value, "spread": f.spread, "unit": f.unit, "how": f.how} for f in out}
    )
    return out


def main(_: list[str]) -> None:
    found = evaluate(
        _WORKDIR.value,
        draws=_DRAWS.value,
        examples=_EXAMPLES.value,
        seeds=_SEEDS.value,
        data_dir=_DATA_DIR.value,
        manual_dir=_MANUAL_DIR.value,
    )
    for figure in found:
        spread = "" if figure.spread is None else f" ± {figure.spread:.2g}"
        print(f"{figure.name:32} {figure.value:10.4g}{spread} {figure.unit:6} {figure.how}")


if __name__ == "__main__":
    scripts.start(main)
