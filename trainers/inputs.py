"""A split of the data as a recipe takes it: examples, and where it asks for them labelled ones and a second domain."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import ugm_tf

from .settings import Resolved, Settings

__all__ = ["USUAL", "Inputs", "Sources", "load", "prepare", "read"]


class Sources(NamedTuple):
    """Where data lie.

    Args:
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.
        cache_dir: Where mapped files and trained classifiers lie.
    """

    data_dir: str | None = None
    manual_dir: str | None = None
    cache_dir: str | None = None


USUAL = Sources()  # where they lie if nobody says


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
    """One split of a run's data.

    Attributes:
        examples: The source of x.
        variables: The variables of a batch; the recipe's `data`.
        observation: How examples become x.
        labelled: The source of `labelled`, where it is a variable.
        target: The source of `target`, where it is a variable.
        target_is_read: Whether that is a data set of its own, and not a shift of the examples.
    """

    examples: ugm_tf.data.Examples
    variables: tuple[str, ...]
    observation: str
    labelled: ugm_tf.data.Examples | None = None
    target: ugm_tf.data.Examples | None = None
    target_is_read: bool = False

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


def read(settings: Settings, split: str, sources: Sources) -> ugm_tf.data.Examples:
    """A split of the settings' data set.

    Args:
        settings: What to train on.
        split: "train", "validation" or "test".
        sources: Where data lie.

    Raises:
        ValueError: If the data cannot be read.
    """
    may_be_mapped = "mapped" in ugm_tf.data.storages(settings.dataset) and settings.storage in (None, "mapped")
    return ugm_tf.data.load(
        settings.dataset,
        split,
        **sources._replace(cache_dir=sources.cache_dir if may_be_mapped else None)._asdict(),
        image_size=settings.image_size,
        background=settings.background,
        storage=settings.storage,
    )


def prepare(settings: Resolved, split: str, examples: ugm_tf.data.Examples, sources: Sources) -> Inputs:
    """A split that was read, as the run's recipe takes it.

    To train, `labelled` is a subset of the examples, chosen by the run's seed, with as many of each class as
    `settings.labels`; to evaluate, it is the examples themselves, so that x, its label and its evaluation belong
    together.

    Args:
        settings: A run's settings.
        split: "train", "validation" or "test".
        examples: The split.
        sources: Where data lie, for a second domain.

    Raises:
        ValueError: If the data have no labels where the recipe asks for them, too few, or the domains differ in shape.
    """
    variables = settings.make_recipe().data
    _check_labels(settings, examples, variables)
    labelled = target = None
    if "labelled" in variables:
        labelled = examples
        if split == "train" and settings.labels is not None:
            labelled = examples.labelled_subset(per_class=settings.labels, seed=settings.seed)
    if "target" in variables:
        target = _target(settings, examples, split, sources)
    is_read = target is not None and settings.target not in ugm_tf.data.SHIFTS
    return Inputs(examples, variables, settings.observation, labelled, target, is_read)


def load(settings: Resolved, split: str, sources: Sources) -> Inputs:
    """Reads a split of a run's data as its recipe takes it; see `read` and `prepare`."""
    return prepare(settings, split, read(settings, split, sources), sources)


def _check_labels(settings: Settings, examples: ugm_tf.data.Examples, variables: tuple[str, ...]) -> None:
    if "c" in variables and examples.c is None:
        raise ValueError(
            f"Recipe '{settings.recipe}' learns from labels, and {examples.title} has none. Give a --dataset with "
            "labels, such as folder:PATH with a folder for each class, or a recipe that needs none, such as vae or gan."
        )


def _target(settings: Settings, examples: ugm_tf.data.Examples, split: str, sources: Sources) -> ugm_tf.data.Examples:
    name = settings.target or ""
    if name in ugm_tf.data.SHIFTS:
        return ugm_tf.data.shifted(examples, name)
    try:
        asked = settings.storage if settings.storage in set(ugm_tf.data.storages(name)) - {"memory"} else None
        target = read(dataclasses.replace(settings, dataset=name, storage=asked), split, sources)
    except ValueError as e:
        raise ValueError(f"--target is a shift ({', '.join(ugm_tf.data.SHIFTS)}) or a data set. {e}") from e
    if target.shape != examples.shape:
        raise ValueError(
            f"Both domains have images of one shape. Received: {list(examples.shape)} of --dataset={settings.dataset}, "
            f"and {list(target.shape)} of --target={name}. Give --image_size, or another --target."
        )
    return target
