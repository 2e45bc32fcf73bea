"""A split of the data as a recipe takes it: examples, and where it asks for them labelled ones and a second domain."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import ugm_tf
from ugm_tf.data import augmentation
from ugm_tf.data.examples import loaded

from .settings import Resolved, Settings

__all__ = ["USUAL", "Inputs", "Sources", "load", "part", "prepare", "rarest", "read"]


class Sources(NamedTuple):
    """Where data lie.

    Args:
        data_dir: Where TFDS keeps data sets.
        manual_dir: Where files that were downloaded by hand lie.
        cache_dir: Where mapped files and trained classifiers lie.
        kept: What was read, for several runs on the same data: it is not read again.  None keeps nothing.
    """

    data_dir: str | None = None
    manual_dir: str | None = None
    cache_dir: str | None = None
    kept: dict[tuple[Any, ...], ugm_tf.data.Examples] | None = None


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
        whole: The split that the examples are a part of, by which a classifier of the data learns to judge; None where
            they are all of it.
        augment: How examples are changed in training.
    """

    examples: ugm_tf.data.Examples
    variables: tuple[str, ...]
    observation: str
    labelled: ugm_tf.data.Examples | None = None
    target: ugm_tf.data.Examples | None = None
    target_is_read: bool = False
    whole: ugm_tf.data.Examples | None = None
    augment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        augmentation.check_augmentation(self.examples, self.augment)

    def to_train(self, batch_size: int, seed: int, start_step: int) -> tf.data.Dataset:
        """Endless batches to train with, from a step on."""
        return self.batches(batch_size, seed=seed, start_step=start_step, augment=self.augment)

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
    kept = {} if sources.kept is None else sources.kept
    asked = (settings.dataset, split, settings.image_size, settings.background)
    if (*asked, settings.storage) not in kept:
        may_be_mapped = "mapped" in ugm_tf.data.storages(settings.dataset) and settings.storage in (None, "mapped")
        found = ugm_tf.data.load(
            settings.dataset,
            split,
            data_dir=sources.data_dir,
            manual_dir=sources.manual_dir,
            cache_dir=sources.cache_dir if may_be_mapped else None,
            image_size=settings.image_size,
            background=settings.background,
            storage=settings.storage,
        )
        kept[(*asked, settings.storage)] = kept[(*asked, found.storage)] = found
    return kept[(*asked, settings.storage)]


def part(settings: Settings, split: str, examples: ugm_tf.data.Examples) -> ugm_tf.data.Examples:
    """The part of a split that a run learns from: all of it, but for a training split with a `settings.fraction`.

    It has the same number of examples of each class, but of a class that has fewer all, or where there are no classes
    just so many, chosen by the run's seed; the parts of one seed are nested.

    Args:
        settings: A run's settings.
        split: "train", "validation" or "test".
        examples: The split.

    Raises:
        ValueError: If it would be empty.
    """
    share, classes = settings.fraction, examples.num_classes or 1
    if share is None or split != "train":
        return examples
    number = round(share * len(examples) / classes)
    if number < 1:
        raise ValueError(
            f"--fraction={share} of the {len(examples):,} examples of {examples.title} is none of each of its "
            f"{classes} classes. Give at least {math.ceil(1e4 * classes / len(examples)) / 1e4}, or leave it out to "
            "train on all."
        )
    if examples.c is not None:
        return examples.labelled_subset(fraction=share, seed=settings.seed)
    rows = np.sort(np.random.RandomState(settings.seed).permutation(len(examples))[:number])
    some = dataclasses.replace(examples, x=examples.x[rows])
    return loaded(some, examples, part=f"{number} by seed {settings.seed}")


def prepare(
    settings: Resolved,
    split: str,
    examples: ugm_tf.data.Examples,
    sources: Sources,
    whole: ugm_tf.data.Examples | None = None,
) -> Inputs:
    """A split that was read, as the run's recipe takes it.

    To train, `labelled` is a subset of the examples, chosen by the run's seed, with as many of each class as
    `settings.labels`; to evaluate, it is the examples themselves, so that x, its label and its evaluation belong
    together.

    Args:
        settings: A run's settings.
        split: "train", "validation" or "test".
        examples: The part of the split, as `part` gives it.
        sources: Where data lie, for a second domain.
        whole: The split that it is of.

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
    of = None if whole is examples else whole
    return Inputs(
        examples, variables, settings.observation, labelled, target, is_read, whole=of, augment=settings.augment_data
    )


def load(settings: Resolved, split: str, sources: Sources) -> Inputs:
    """Reads a split of a run's data as its recipe takes it; see `read` and `prepare`."""
    whole = read(settings, split, sources)
    return prepare(settings, split, part(settings, split, whole), sources, whole)


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


def rarest(examples: ugm_tf.data.Examples) -> int:
    """Number of examples of the rarest class; of all examples, where they have no classes."""
    if examples.c is None or examples.num_classes is None:
        return len(examples)
    return int(np.bincount(examples.c, minlength=examples.num_classes).min())
