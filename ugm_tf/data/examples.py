"""A split of a data set, checked once."""

import bisect
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from ugm_tf.data.checks import checked_data, checked_labels, checked_names, checked_number, class_counts
from ugm_tf.data.fingerprints import Fingerprint, array_digest
from ugm_tf.data.image_files import ImageFiles
from ugm_tf.data.readings import Reading
from ugm_tf.data.storage import storage_of

__all__ = ["Examples", "loaded"]


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """One split of a data set, held in memory or as if it were.

    Gathering a batch from memory costs less than any other input pipeline.  What does not fit is mapped into it, by
    `load` or as `np.load(file, mmap_mode="r")`, and is not copied.  The arrays are
    checked when they are given and read-only afterwards.

    Args:
        x: Images, uint8 [N, H, W, C] with C = 1 or 3; or vectors, float32 [N, D]. Of `load(..., storage="files")` it
            is no array, but becomes one by `np.asarray`, whole or of some rows: `np.asarray(x[:100])`.
        c: Labels, integers [N] from 0 up to `num_classes` - 1, or strings [N] of `class_names`; or None. Kept as int32.
        num_classes: Number of classes C of `c`. Each must have an example, unless the classes are named.
        name: The data set's name, for messages.
        split: The split's name, for messages.
        class_names: Names of the classes, C of them. Without them classes are called by their numbers.

    Attributes:
        reading: What was read of the whole data set and what was passed over; None where it was not loaded.
        origin: What identifies the data set; None where it was not loaded.

    Raises:
        ValueError: If there is no example, a number is not finite, a dtype or a shape is
            another, a label is out of range or no name, or a class without a name has no example.

    Example:

    >>> examples = Examples(np.zeros([4, 8, 8, 1], np.uint8), np.array([0, 1, 0, 1]), num_classes=2)
    >>> len(examples), examples.shape, len(examples.labelled_subset(per_class=1))
    (4, (8, 8, 1), 2)
    """

    x: np.ndarray
    c: np.ndarray | None = None
    num_classes: int | None = None
    name: str = "examples"
    split: str = ""
    class_names: Sequence[str] | None = None
    # Not arguments, so that `dataclasses.replace` with other arrays does not keep what identifies these.
    reading: Reading | None = dataclasses.field(default=None, init=False)
    origin: Fingerprint | None = dataclasses.field(default=None, init=False)

    def __post_init__(self):
        object.__setattr__(self, "x", _read_only(checked_data(_array(self.x, "x", self.title), self.title)))
        classes, names = self.num_classes, self.class_names
        if (self.c is None) != (classes is None and names is None):
            raise ValueError(
                f"{self.title}: labels c and num_classes (or class_names) go together: give both or neither. "
                f"Received: c={'None' if self.c is None else 'labels'}, num_classes={classes}."
            )
        if self.c is not None:
            names = None if names is None else checked_names(names, classes, self.title)
            classes = len(names) if names is not None else checked_number(classes, self.title)
            labels = checked_labels(_array(self.c, "c", self.title), self.x, names, classes, self.title)
            object.__setattr__(self, "c", _read_only(labels))
            object.__setattr__(self, "num_classes", classes)
            object.__setattr__(self, "class_names", names or tuple(map(str, range(classes))))

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        classes = "no labels" if self.c is None else f"{self.num_classes} classes"
        return f"Examples({self.title}: {len(self)} of shape {self.shape}, {self.x.dtype}, {classes})"

    @property
    def title(self) -> str:
        """The name and the split, for messages: "digits/train", or "folder:photos, train", which is no path."""
        between = ", " if ":" in self.name else "/"
        return f"{self.name}{between}{self.split}" if self.split else self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: (H, W, C) or (D,)."""
        return self.x.shape[1:]

    @property
    def storage(self) -> str:
        """Where x lies: "memory"; "mapped", in a file that is mapped into it; or "files", in those of its images."""
        return storage_of(self.x)

    @property
    def is_image(self) -> bool:
        """Whether x is images, uint8 [N, H, W, C], rather than vectors."""
        return self.x.ndim == 4

    @property
    def class_counts(self) -> np.ndarray:
        """Examples of each class, int64 [C]; empty where there are no labels."""
        return np.zeros([0], np.int64) if self.c is None else class_counts(self.c, self.num_classes or 0)

    @functools.cached_property
    def fingerprint(self) -> Fingerprint:
        """What identifies the data: of the whole set where it was loaded, else of these arrays."""
        if self.origin is not None:
            return self.origin
        return Fingerprint("array", {n: array_digest(a) for n, a in (("x", self.x), ("c", self.c)) if a is not None})

    def labelled_subset(
        self, *, per_class: int | None = None, fraction: float | None = None, seed: int = 0
    ) -> "Examples":
        """The same number of examples of each class, chosen by seed; of a fraction, as nearly as there are so many.

        The subsets of one seed are nested: a larger one holds every smaller one, so that
        curves over the number of labels compare like with like.  The order of the
        examples is kept.

        Args:
            per_class: How many examples of each class.
            fraction: Instead of `per_class`: the part of all examples, above 0 and up to 1, rounded to
                a whole number a class and at least one. A class that has fewer gives all that it has, and
                the others more.
            seed: Which subset; from 0 to 2**32 - 1.

        Returns:
            `Examples` of per_class * C examples, or of that fraction.

        Raises:
            ValueError: If there are no labels, a class has too few examples, or not exactly one
                of `per_class` and `fraction` is given.
        """
        if self.c is None or self.num_classes is None:
            raise ValueError(f"{self.title} has no labels, so it has no labelled subset.")
        if (per_class is None) == (fraction is None):
            raise ValueError(
                "labelled_subset() takes either per_class or fraction. "
                f"Received: per_class={per_class}, fraction={fraction}."
            )
        if fraction is not None:
            if not 0.0 < fraction <= 1.0:
                raise ValueError(f"fraction must be above 0 and at most 1. Received: fraction={fraction}.")
            per_class = _level(self.class_counts, fraction)
        if per_class is None or per_class < 1:
            raise ValueError(f"per_class must be at least 1. Received: per_class={per_class}.")
        counts = self.class_counts
        if fraction is None and counts.min() < per_class:
            number = int(counts.argmin())
            name = (
                ""
                if self.class_names is None or self.class_names[number] == str(number)
                else (f" ('{self.class_names[number]}')")
            )
            raise ValueError(
                f"{self.title} has only {counts.min()} examples of class {number}{name}, and {per_class} of "
                f"each class were asked for. Ask for at most per_class={counts.min()}."
            )
        order = np.random.RandomState(seed).permutation(len(self))  # RandomState's streams never change
        chosen = [order[self.c[order] == label][:per_class] for label in range(self.num_classes)]
        rows = np.sort(np.concatenate(chosen))
        chosen_ones = dataclasses.replace(self, x=self.x[rows], c=self.c[rows])
        most = "" if counts.min() >= per_class else "up to "
        return loaded(chosen_ones, self, labelled_subset=f"{most}{per_class} of each class by seed {seed}")


def _level(counts: np.ndarray, fraction: float) -> int:
    """How many of each class, where there are so many, make such a part of all; more as the part is larger."""
    even = max(1, round(fraction * int(counts.sum()) / len(counts)))
    if counts.min() >= even:
        return even
    wanted, most = fraction * int(counts.sum()), int(counts.max())

    def total(level: int) -> int:
        return int(np.minimum(counts, level).sum())

    above = min(most, even + bisect.bisect_left(range(even, most), wanted, key=total))
    return min((max(even, above - 1), above), key=lambda level: abs(total(level) - wanted))


def loaded(examples: Examples, source: Examples | tuple[Reading, Fingerprint], **facts: Any) -> Examples:
    """Marks examples as those of a data set that was loaded.

    Args:
        examples: Newly made ones.
        source: What was read, and what identifies it; or the examples that these were made of.
        **facts: How they were made of them.

    Returns:
        `examples`.
    """
    reading, origin = (source.reading, source.origin) if isinstance(source, Examples) else source
    object.__setattr__(examples, "reading", reading)
    object.__setattr__(examples, "origin", None if origin is None else origin.derived(**facts))
    return examples


def _array(values: Any, variable: str, title: str) -> np.ndarray:
    if isinstance(values, ImageFiles):  # which is taken for one, and of which nothing is read yet
        return cast(np.ndarray, values)
    try:
        array = np.asarray(values)
    except ValueError as error:  # NumPy's own, of lists that are no array
        raise ValueError(f"{title}: {variable} is not one array: {error}. Give all examples one shape.") from error
    is_text = array.dtype == object and all(isinstance(value, str) for value in array.flat)
    return array.astype(str) if is_text else array


def _read_only(array: np.ndarray) -> np.ndarray:
    if isinstance(array, ImageFiles):
        return array
    view = array.view()
    view.flags.writeable = False
    return view
