"""`trainers.train` with networks that have a state of their own: dropout, or spectral normalisation.

  python -m benchmarks.other_networks --layers=dropout --recipe=gan

It takes the flags of `trainers.train`; `benchmarks.resume` and `benchmarks.faults` run it.
"""

import functools
from typing import Any
from unittest import mock

from absl import flags

import ugm_tf
from trainers import scripts, train
from ugm_tf.networks import build

_LAYERS = flags.DEFINE_enum(
    "layers", "none", ["none", "dropout", "spectral"], "What the discriminator, or every layer of dcgan networks, has."
)


def with_dropout(recipe: ugm_tf.Recipe, *arguments: Any, **options: Any) -> dict[str, ugm_tf.Density]:
    """The densities that `ugm_tf.networks.build` makes, with half of the discriminator's input dropped."""
    import keras

    densities = dict(build(recipe, *arguments, **options))
    judge = densities["discriminator"]
    network = keras.Sequential([keras.Input(judge.network.input_shape[1:]), keras.layers.Dropout(0.5), judge.network])
    densities["discriminator"] = ugm_tf.Density(network, judge.family)
    return densities


def main(arguments: list[str]) -> int:
    changed = {"dropout": with_dropout, "spectral": functools.partial(build, normalization="spectral"), "none": build}
    with mock.patch.object(ugm_tf.networks, "build", changed[_LAYERS.value]):
        return train.main(arguments)


if __name__ == "__main__":
    scripts.start(main)
