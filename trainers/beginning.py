"""The first weights of a run that begins with those of another."""

import contextlib
import logging
import os
import pathlib

import ugm_tf
from ugm_tf.training import averages

__all__ = ["begin"]

_LOG = logging.getLogger("ugm_tf.trainers")


def begin(model: ugm_tf.UnifiedModel, path: str | os.PathLike[str]) -> None:
    """Gives each density the weights of the density of that name in another model, and says which have none there.

    Where the other model keeps averages of its weights, these are taken.  Optimizers and the step begin anew.

    Args:
        model: The untrained model.
        path: A run directory, or a model.keras.

    Raises:
        ValueError: If there is no such model, a density's arrays have other shapes there, or no density is in both.
    """
    source = _load(path)
    unfit, pairs = [], []
    ours, theirs = (
        [name for name, density in of.densities.items() if density.weights] for of in (model, source)
    )  # a fixed prior has none, and one that learns begins anew
    anew = [name for name in ours if name not in theirs]
    unused = [name for name in theirs if name not in ours]
    for name in set(ours) & set(theirs):
        here, there = model.densities[name].weights, source.densities[name].weights
        shapes = [[tuple(weight.shape) for weight in weights] for weights in (there, here)]
        if shapes[0] != shapes[1]:
            unfit.append(f"{name} ({_difference(*shapes)})")
        else:
            pairs.append((name, here, there))
    if unfit or not pairs:
        what = (
            "; ".join(sorted(unfit))
            or f"it has {', '.join(source.densities)}, and this run {', '.join(model.densities)}"
        )
        raise ValueError(
            f"--init_from={path} does not fit this run: {what}. Give the networks that it was trained with, by "
            "--network, --hidden, --code_size, --prior, --likelihood and --image_size; its flags.txt has them."
        )
    kept = averages.averages(source.joint, source.optimizers)
    with source.averaged() if kept else contextlib.nullcontext():
        for _, here, there in pairs:
            for weight, value in zip(here, there, strict=True):
                weight.assign(value)
    _LOG.info(
        "Begins with %s of %s: %s.%s%s",
        "the averages of the weights" if kept else "the weights",
        path,
        ", ".join(sorted(name for name, *_ in pairs)),
        f" Anew: {', '.join(anew)}." if anew else "",
        f" Not used: {', '.join(unused)}." if unused else "",
    )


def _load(path: str | os.PathLike[str]) -> ugm_tf.UnifiedModel:
    file = pathlib.Path(path)
    file = file / "model.keras" if file.is_dir() else file
    if not file.is_file():
        raise ValueError(f"--init_from is a finished run's directory or a model.keras, and there is no {file}.")
    return ugm_tf.load_model(file)


def _difference(there: list[tuple[int, ...]], here: list[tuple[int, ...]]) -> str:
    """The first array in which they differ, in words."""
    if len(there) != len(here):
        return f"there {len(there)} arrays of weights, here {len(here)}"
    number = next(i for i, (a, b) in enumerate(zip(there, here, strict=True)) if a != b)
    return f"its array {number} is {list(there[number])} there and {list(here[number])} here"
