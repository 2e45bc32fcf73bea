"""A split of a data set, in memory, checked once."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

__all__ = ["MAX_BYTES", "Examples", "check_memory"]

MAX_BYTES = 8 * 2**30  # what "in memory" may mean


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """One split of a data set, held in memory.

    Everything that this package trains on fits in memory, and gathering a batch
    from memory costs less than any other input pipeline.  The arrays are
    checked when they are given and read-only afterwards.

    Args:
        x: Images, uint8 [N, H, W, C] with C = 1 or 3; or vectors, float32 [N, D].
        c: Labels, integers [N] from 0 up to `num_classes` - 1, or None. Kept as int32.
        num_classes: Number of classes C of `c`; None exactly when `c` is.
        name: The data set's name, for messages.
        split: The split's name, for messages.

    Raises:
        ValueError: If there is no example, a number is not finite, a dtype or a shape is
            another, or a label is out of range.

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

    def __post_init__(self):
        object.__setattr__(self, "x", _read_only(_checked_data(np.asarray(self.x), self.title)))
        if (self.c is None) != (self.num_classes is None):
            raise ValueError(
                f"{self.title}: labels c and num_classes go together: give both or neither. "
                f"Received: c={'None' if self.c is None else 'labels'}, num_classes={self.num_classes}."
            )
        if self.c is not None and self.num_classes is not None:
            labels = _checked_labels(np.asarray(self.c), len(self.x), self.num_classes, self.title)
            object.__setattr__(self, "c", _read_only(labels))

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        classes = "no labels" if self.c is None else f"{self.num_classes} classes"
        return f"Examples({self.title}: {len(self)} of shape {self.shape}, {self.x.dtype}, {classes})"

    @property
    def title(self) -> str:
        """The name and the split, for messages: "digits/train"."""
        return f"{self.name}/{self.split}" if self.split else self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example: (H, W, C) or (D,)."""
        return self.x.shape[1:]

    @property
    def is_image(self) -> bool:
        """Whether x is images, uint8 [N, H, W, C], rather than vectors."""
        return self.x.ndim == 4

    def labelled_subset(
        self, *, per_class: int | None = None, fraction: float | None = None, seed: int = 0
    ) -> "Examples":
        """The same number of examples of each class, chosen by seed.

        The subsets of one seed are nested: a larger one holds every smaller one, so that
        curves over the number of labels compare like with like.  The order of the
        examples is kept.

        Args:
            per_class: How many examples of each class.
            fraction: Instead of `per_class`: the part of all examples, above 0 and up to 1, rounded to
                a whole number a class and at least one.
            seed: Which subset; from 0 to 2**32 - 1.

        Returns:
            `Examples` of per_class * C examples.

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
            per_class = max(1, round(fraction * len(self) / self.num_classes))
        if per_class is None or per_class < 1:
            raise ValueError(f"per_class must be at least 1. Received: per_class={per_class}.")
        counts = np.bincount(self.c, minlength=self.num_classes)
        if counts.min() < per_class:
            raise ValueError(
                f"{self.title} has only {counts.min()} examples of class {counts.argmin()}, and {per_class} of "
                f"each class were asked for. Ask for at most per_class={counts.min()}."
            )
        order = np.random.RandomState(seed).permutation(len(self))  # RandomState's streams never change
        chosen = [order[self.c[order] == label][:per_class] for label in range(self.num_classes)]
        rows = np.sort(np.concatenate(chosen))
        return dataclasses.replace(self, x=self.x[rows], c=self.c[rows])


def check_memory(title: str, number: int, shape: Sequence[int]) -> None:
    """Refuses images that plainly would not fit in memory, before they are read.

    Args:
        title: The data set's name, for messages.
        number: How many images, N.
        shape: (H, W, C) of one, a byte each.

    Raises:
        ValueError: If they would take more than `MAX_BYTES`.
    """
    size = number * math.prod(shape)
    if size > MAX_BYTES:
        raise ValueError(
            f"'{title}' would take {size / 2**30:.1f} GiB of memory, and data is kept in memory up to "
            f"{MAX_BYTES / 2**30:.1f} GiB. Choose smaller images, such as image_size=64 (--image_size=64)."
        )


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _checked_data(x: np.ndarray, title: str) -> np.ndarray:
    is_image = x.ndim == 4 and x.dtype == np.uint8 and x.shape[-1] in (1, 3)
    is_vector = x.ndim == 2 and x.dtype == np.float32
    if not (is_image or is_vector):
        raise ValueError(
            f"{title}: x must be images, uint8 [N, H, W, C] with C = 1 or 3 and values 0 to 255, or vectors, "
            f"float32 [N, D]. Received: {x.dtype} {list(x.shape)}. Images in [0, 1] become uint8 by "
            "np.rint(255 * x).astype(np.uint8); images without channels get them by x[..., np.newaxis]."
        )
    if x.size == 0:
        raise ValueError(f"{title} is empty: x has shape {list(x.shape)}.")
    if is_vector and not np.isfinite(x).all():
        bad = int((~np.isfinite(x).all(axis=1)).sum())
        first = int((~np.isfinite(x).all(axis=1)).argmax())
        raise ValueError(
            f"{title}: x has NaN or infinite numbers in {bad} of {len(x)} examples, first in example {first}. "
            "Remove them: x = x[np.isfinite(x).all(axis=1)]."
        )
    return x


def _checked_labels(c: np.ndarray, size: int, num_classes: int, title: str) -> np.ndarray:
    if c.shape != (size,) or not np.issubdtype(c.dtype, np.integer):
        raise ValueError(
            f"{title}: labels c must be integers of shape [{size}], one for each example. "
            f"Received: {c.dtype} {list(c.shape)}. One-hot labels become integers by c.argmax(axis=1)."
        )
    if c.min() < 0 or c.max() >= num_classes:
        raise ValueError(
            f"{title}: labels c must be 0 to {num_classes - 1}, as num_classes={num_classes}. "
            f"Received: labels from {c.min()} to {c.max()}."
        )
    return c.astype(np.int32)
