"""What spares memory in training, and what it cannot be used with: chunks of draws, parts of a batch, recomputation."""

from collections.abc import Mapping
from typing import Any

import keras

from ugm_tf.algebra import Expectation, GradientPenalty
from ugm_tf.joint import Joint
from ugm_tf.training import accumulation, keras_internals

__all__ = ["check", "rematerialise"]


def check(joint: Joint, accumulate: int, remat: bool, schedule: str) -> None:
    """Refuses what would not be the same training with less memory.

    Args:
        joint: The densities and the recipe.
        accumulate: In how many parts a step takes its batch.
        remat: Whether networks are computed again for gradients.
        schedule: "alternating" or "simultaneous".

    Raises:
        ValueError: If an expectation or a layer cannot be taken in parts, in chunks or twice; it says which.
    """
    accumulation.check(joint.recipe, accumulate, schedule)
    for name, density in joint.densities.items() if accumulate > 1 else ():
        for layer in _changing(density):
            if not _draws(layer):
                raise ValueError(
                    f"accumulate={accumulate} is not for '{name}', whose layer '{layer.name}' "
                    f"({type(layer).__name__}) is of the whole batch, or changes with each part. Use layers without "
                    "such a state, as GroupNormalization is one; 'dcgan' and 'resnet' networks have none by "
                    "normalization='none'."
                )
    for e in joint.recipe.expectations:
        for name in _in_chunks(joint, e):
            for layer in _changing(joint.densities[name]):
                raise ValueError(
                    f"'{e.label}' takes its draws in chunks, and '{name}' has the layer '{layer.name}' "
                    f"({type(layer).__name__}), which changes or draws with each chunk. Leave out `chunk`, or the "
                    "layer."
                )
        if remat and _in_chunks(joint, e):
            raise ValueError(
                f"remat=True is not for '{e.label}', which takes its draws in chunks: its networks are computed again "
                "for the gradient as it is. Leave out remat, or `chunk`."
            )
        if remat and isinstance(e.of, GradientPenalty):
            raise ValueError(
                f"remat=True is not for '{e.label}', which takes a gradient of '{e.of.by}' within the loss. Leave out "
                "remat, or the penalty."
            )


def rematerialise(densities: Mapping[str, Any], remat: bool) -> None:
    """Says to each density whether gradients compute its network again."""
    for density in densities.values():
        density.rematerialised = remat


def _in_chunks(joint: Joint, e: Expectation) -> list[str]:
    """Names of the densities that an expectation computes in each chunk of draws."""
    steps = e.under.steps
    first = next((i for i, step in enumerate(steps) if step.chunk is not None), None)
    if first is None:
        return []
    drawn = {step.sets(joint.roles) for step in steps[first:]}
    asked = dict.fromkeys((*e.asked, *(str(step.density) for step in steps[first + 1 :] if step.density)))
    return [name for name in asked if drawn & set(joint.roles[name].given)]


def _changing(density: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers that change in training beside what is learned, or that draw: batch normalisation, dropout, ..."""
    found = []
    for layer in keras_internals.flat_layers(density):
        inner = {id(v) for part in keras_internals.flat_layers(layer) if part is not layer for v in part.variables}
        own = [v for v in layer.variables if id(v) not in inner and not v.trainable]
        adapted = isinstance(layer, keras.layers.Normalization)  # to the data, before training
        if _draws(layer) or (own and layer.trainable and not adapted):
            found.append(layer)
    return found


def _draws(layer: keras.layers.Layer) -> bool:
    return getattr(layer, "seed_generator", None) is not None
