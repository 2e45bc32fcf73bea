"""What a model's own classifier is worth: its accuracy, and the same network's without all but the labels."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ugm_tf.densities import Density
from ugm_tf.evaluation.checks import check_rows
from ugm_tf.model import UnifiedModel

__all__ = ["Supervised", "classified", "has_classifier", "supervised"]

_BATCH = 500


def has_classifier(model: UnifiedModel) -> bool:
    """Whether the model has a density called "classifier", q(c | .)."""
    return "classifier" in model.recipe.densities


def classified(model: UnifiedModel, x: np.ndarray) -> np.ndarray:
    """The classes that the model's classifier finds most likely.

    Args:
        model: A model with a classifier.
        x: Examples as the model takes them, [N, ...].

    Returns:
        Labels, int [N].

    Raises:
        ValueError: If there is no example, or a number is not finite.
    """
    x = check_rows("Examples to classify", x, least=1)
    parts = [model.classify(x[i : i + _BATCH]).numpy() for i in range(0, len(x), _BATCH)]
    return np.argmax(np.concatenate(parts), -1)


class Supervised(keras.Model):
    """Untrained copies of the networks that lead from an input to what is told of it: [B, ...] to logits, [B, C].

    Args:
        densities: In order, each of what the one before it draws; the last one is of classes, or of units.
    """

    def __init__(self, densities: Sequence[Density]):
        super().__init__()
        self.copies = [Density.from_config(density.get_config()) for density in densities]

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        value = inputs
        for density in self.copies[:-1]:
            value = density.location(density.distribution(value, training=training))
        return self.copies[-1](value, training=training)


def supervised(
    model: UnifiedModel,
    batches: Any,
    steps: int = 1000,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Supervised:
    """The model's classifier, trained anew on labelled examples and on nothing else: what the rest has to beat.

    Args:
        model: A model with a classifier.
        batches: An endless dataset of dicts with "x" and "c".
        steps: Training steps.
        learning_rate: Adam's step size.
        seed: Fixes the initial weights.

    Returns:
        A Keras model from x to logits, [B, C].

    Raises:
        ValueError: If the classifier takes what no density infers from x alone.
    """
    keras.utils.set_random_seed(seed)
    alone = Supervised([model.densities[name] for name in _path(model)])
    alone.compile(keras.optimizers.Adam(learning_rate), keras.losses.CategoricalCrossentropy(from_logits=True))
    alone.fit(
        batches.map(lambda batch: (batch["x"], batch["c"])), steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0
    )
    return alone


def _path(model: UnifiedModel) -> list[str]:
    roles = model.recipe.roles
    path = ["classifier"]
    while roles[path[0]].given != ("x",):
        makers = [n for n, r in roles.items() if r.letter == "q" and (r.of,) == roles[path[0]].given]
        makers = [n for n in makers if len(roles[n].given) == 1 and n not in path]
        if not makers:
            raise ValueError(
                f"The classifier is {roles['classifier']}, and no density infers {', '.join(roles[path[0]].given)} "
                f"from x alone. This model has: {', '.join(model.recipe.densities)}."
            )
        path.insert(0, makers[0])
    return path
