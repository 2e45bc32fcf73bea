"""A split of the data as a recipe takes it: examples, and where it asks for them labelled ones and a second domain."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

import ugm_tf

from . import defaults

__all__ = ["Inputs", "load"]


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
    """One split of a run's data.

    Attributes:
        examples: The source of x.
        variables: The variables of a batch; the recipe's `data`.
        observation: How examples become x.
        labelled: The source of `labelled`, where it is a variable.
        target: The source of `target`, where it is a variable.
    """

    examples: ugm_tf.data.Examples
    variables: tuple[str, ...]
    observation: str
    labelled: ugm_tf.data.Examples | None = None
    target: ugm_tf.data.Examples | None = None

    def batches(self, batch_size: int, **options: Any) -> tf.data.Dataset:
        """Batches for the recipe; `options` are those of `ugm_tf.data.batches`."""
        return ugm_tf.data.batches(
            self.examples,
            batch_size,
            observation=self.observation,
            variables=self.variables,
            labelled=self.labelled,
            target=self.target,
            **options,
        )

    def once(self, batch_size: int = 500) -> tf.data.Dataset:
        """One pass, the same each time, to evaluate."""
        return self.batches(min(batch_size, len(self.examples)), shuffle=False, drop_remainder=False, epochs=1)

    def first(self, n: int) -> dict[str, np.ndarray]:
        """The first n examples, or all if there are less, as the model takes them, by variable."""
        return {name: np.asarray(value) for name, value in next(iter(self.once(n))).items()}


def load(settings: defaults.Settings, split: str, sources: Mapping[str, str]) -> Inputs:
    """A split of the data that a run's settings name.

    To train, `labelled` is a subset of the examples, chosen by the run's seed, with as many of each class as
    `settings.labels`; to evaluate, it is the examples themselves, so that x, its label and its evaluation belong
    together.

    Args:
        settings: A run's, resolved.
        split: "train", "validation" or "test".
        sources: `data_dir` and `manual_dir`, where they are given.

    Raises:
        ValueError: If the data cannot be read, have no labels where the recipe asks for them, or the domains differ
            in shape.
    """
    variables = settings.make_recipe().data
    examples = defaults.load(settings, split, sources)
    _check_labels(settings, examples, variables)
    labelled = target = None
    if "labelled" in variables:
        labelled = (
            examples.labelled_subset(per_class=settings.labels, seed=settings.seed) if split == "train" else examples
        )
    if "target" in variables:
        target = _target(settings, examples, split, sources)
    return Inputs(examples, variables, settings.observation or "", labelled, target)


def _check_labels(settings: defaults.Settings, examples: ugm_tf.data.Examples, variables: tuple[str, ...]) -> None:
    if "c" in variables and examples.c is None:
        raise ValueError(
            f"Recipe '{settings.recipe}' learns from labels, and {examples.title} has none. Give a --dataset with "
            "labels, such as folder:PATH with a folder for each class, or a recipe that needs none, such as vae or gan."
        )


def _target(
    settings: defaults.Settings, examples: ugm_tf.data.Examples, split: str, sources: Mapping[str, str]
) -> ugm_tf.data.Examples:
    name = settings.target or ""
    if name in ugm_tf.data.SHIFTS:
        return ugm_tf.data.shifted(examples, name)
    try:
        target = defaults.load(dataclasses.replace(settings, dataset=name), split, sources)
    except ValueError as e:
        raise ValueError(f"--target is a shift ({', '.join(ugm_tf.data.SHIFTS)}) or a data set. {e}") from e
    if target.shape != examples.shape:
        raise ValueError(
            f"Both domains have images of one shape. Received: {list(examples.shape)} of --dataset={settings.dataset}, "
            f"and {list(target.shape)} of --target={name}. Give --image_size, or another --target."
        )
    return target
