"""Draws samples from a finished run.

  python -m trainers.sample --workdir=runs/vae_digits --number=64 --output=samples.png

A file that ends in .npz gets the array itself, x, and the classes c where the model takes one.
"""

import io
import pathlib
from collections.abc import Sequence

import numpy as np
from absl import flags

from ugm_tf import files, grids

from . import finished, known_data, pictures, scripts

_WORKDIR = flags.DEFINE_string("workdir", None, "The run directory.", required=True)
_OUTPUT = flags.DEFINE_string("output", "samples.png", "Where the samples go: a .png or an .npz.")
_NUMBER = flags.DEFINE_integer("number", 64, "How many.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Fixes the draws; sample i is a function of (seed, i) alone.", 0, 2**31 - 1)
_CLASS = flags.DEFINE_string(
    "class", None, "Class to draw, by number or name, where the model takes one; each in turn by default."
)
_MEAN = flags.DEFINE_bool("mean", True, "The mean of p(x | z); with --nomean a draw from it.")


def sample(
    workdir: str, output: str, number: int = 64, seed: int = 0, label: int | str | None = None, mean: bool = True
) -> pathlib.Path:
    """Writes samples of a finished run; returns the file.

    Args:
        workdir: The run directory.
        output: A .png or an .npz.
        number: How many.
        seed: Fixes the draws.
        label: The class to draw, by number or name, where the model takes one.
        mean: Whether to show the mean of p(x | z) instead of a draw from it.

    Raises:
        ValueError: If there is no finished run, the model cannot sample, or the output is of neither kind.
    """
    path = pathlib.Path(output)
    if path.suffix not in (".png", ".npz"):
        raise ValueError(f"--output ends in .png or .npz. Received: '{output}'.")
    run = finished.load(workdir)
    model = run.model
    given = {}
    endpoint = model.endpoints().get("sample")
    if endpoint is not None and "c" in endpoint.inputs:
        classes = endpoint.inputs["c"].shape[-1]
        names = known_data.class_names(run.data) or ()
        labels = np.arange(number) % classes if label is None else np.full(number, _class(label, classes, names))
        given["c"] = np.eye(classes, dtype=np.float32)[labels]
    elif label is not None:
        raise ValueError("--class is for models whose decoder takes a class c, and this one's does not. Leave it out.")
    with pictures.weights(model, run.settings):
        x = model.sample(number, seed=seed, mean=mean, **given).numpy()
    if path.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, x=x, **given)
        files.write(path, buffer.getvalue())
    elif x.ndim == 2:
        grids.scatter_png(path, x)
    else:
        grids.save_png(path, x)
    return path


def _class(label: int | str, classes: int, names: Sequence[str]) -> int:
    """The number of a class that was given by its name or its number; where a name is a number, the name counts."""
    if label in names:
        return names.index(str(label))
    if str(label).isdecimal() and int(label) < classes:
        return int(label)
    named = f", or a name: {', '.join(names)}" if names else ""
    raise ValueError(f"--class is from 0 to {classes - 1}{named}. Received: {label}.")


def main(_: list[str]) -> None:
    print(sample(_WORKDIR.value, _OUTPUT.value, _NUMBER.value, _SEED.value, _CLASS.value, _MEAN.value))


if __name__ == "__main__":
    scripts.start(main)
