"""Evaluates a finished run on the test split.

  python -m trainers.evaluate --workdir=runs/vae_digits

prints and writes evaluation.json: every metric of the recipe; where the model has them, the bound on log p(x), the
accuracy of its classifier and of its translations; and what a classifier of the training split makes of samples.
Nothing is chosen by these numbers.
"""

from absl import flags

from . import evaluation, inputs, scripts

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_DRAWS = flags.DEFINE_integer("draws", 100, "Draws per example of the importance-weighted bound.", lower_bound=1)
_EXAMPLES = flags.DEFINE_integer("examples", None, "Test examples for that bound, all by default.", lower_bound=1)
_SEEDS = flags.DEFINE_integer(
    "seeds", 3, "How many sets of 1000 samples a classifier judges; 0 for none.", lower_bound=0
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")
_CACHE_DIR = flags.DEFINE_string("cache_dir", None, "Where --storage=mapped keeps the files that it prepares.")


def main(_: list[str]) -> None:
    found = evaluation.evaluate(
        _WORKDIR.value,
        draws=_DRAWS.value,
        examples=_EXAMPLES.value,
        seeds=_SEEDS.value,
        sources=inputs.Sources(_DATA_DIR.value, _MANUAL_DIR.value, _CACHE_DIR.value),
    )
    for figure in found:
        spread = "" if figure.spread is None else f" ± {figure.spread:.2g}"
        print(f"{figure.name:32} {figure.value:10.4g}{spread} {figure.unit:6} {figure.how}")


if __name__ == "__main__":
    scripts.start(main)
