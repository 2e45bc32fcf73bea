"""Evaluates a finished run on the test split.

  python -m trainers.evaluate --workdir=runs/vae_digits
  python -m trainers.evaluate --workdir=runs/gan_mnist --metrics=distances,manifold --samples=5000
  python -m trainers.evaluate --workdir=runs/gan_mnist --features=inception.onnx --features_range=inception

prints and writes evaluation.json, and a section of report.html, of the same layout for every recipe: what samples,
likelihoods, codes and classifiers are worth, beside real data's own figures where there are such; and what could not
be measured, with the reason.  Interrupted, the same command goes on.  Nothing is chosen by these numbers.
"""

import sys

from absl import flags

from ugm_tf.evaluation.features import RANGES

from . import evaluation, figure_table, inputs, scripts, stopping
from .subject import Features

_KEYS = [row.key for row in figure_table.ROWS]
_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_METRICS = flags.DEFINE_list(
    "metrics", None, f"Which figures: some of {', '.join(_KEYS)}; all but annealed, which takes long, by default."
)
_DRAWS = flags.DEFINE_integer("draws", 100, "Draws per example of the importance-weighted bound.", lower_bound=1)
_EXAMPLES = flags.DEFINE_integer(
    "examples", None, "Test examples of a bound, rates and annealing; all, 1,000 and 100 by default.", lower_bound=2
)
_SEEDS = flags.DEFINE_integer(
    "seeds", 3, "How many sets of 1000 samples a classifier judges; 0 for none.", lower_bound=0
)
_SAMPLES = flags.DEFINE_integer(
    "samples",
    None,
    "How many samples are compared with data; as many as training examples, at most 10,000, by default.",
    lower_bound=2,
)
_CHAINS = flags.DEFINE_integer("chains", 16, "Chains of --metrics=annealed.", lower_bound=2)
_TEMPERATURES = flags.DEFINE_integer("temperatures", 1000, "Temperatures of --metrics=annealed.", lower_bound=1)
_FEATURES = flags.DEFINE_string(
    "features",
    None,
    "A feature network: a .keras, .h5 or .onnx file, or a SavedModel; a classifier of the training data by default.",
)
_LAYER = flags.DEFINE_string("features_layer", None, "Its layer or output; the last one by default.")
_SIZE = flags.DEFINE_integer(
    "features_size", None, "Height and width that it takes, where the file does not say.", lower_bound=1
)
_RANGE = flags.DEFINE_enum("features_range", "unit", list(RANGES), "The range that it takes.")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where TFDS keeps data sets.")
_MANUAL_DIR = flags.DEFINE_string("manual_dir", None, "Where files that were downloaded by hand lie.")
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir", None, "Where data larger than memory are prepared to be mapped, and trained classifiers lie."
)


_STOPPED = "Stopped: the same command goes on with the figures that it was measuring; those before them are kept."


def main(_: list[str]) -> int:
    with stopping.at_once(_STOPPED):
        return _main()


def _main() -> int:
    found = evaluation.evaluate(
        _WORKDIR.value,
        features=Features(_FEATURES.value, _LAYER.value, _SIZE.value, _RANGE.value),
        sources=inputs.Sources(_DATA_DIR.value, _MANUAL_DIR.value, _CACHE_DIR.value),
        metrics=None if _METRICS.value is None else tuple(_METRICS.value),
        draws=_DRAWS.value,
        examples=_EXAMPLES.value,
        seeds=_SEEDS.value,
        samples=_SAMPLES.value,
        chains=_CHAINS.value,
        temperatures=_TEMPERATURES.value,
    )
    print(evaluation.as_text(found))
    for failure in found.failures:
        print(f"{failure.part}: {failure.error}", file=sys.stderr)
    return int(bool(found.failures))


if __name__ == "__main__":
    scripts.start(main)
