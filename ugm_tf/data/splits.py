"""The one rule by which every data set has a training, a validation and a test split."""

from collections.abc import Mapping

import numpy as np

__all__ = ["SPLITS", "Span", "check_split", "fixed_order", "fixed_spans"]

SPLITS = ("train", "validation", "test")
MOST_HELD_OUT = 5_000

Span = tuple[str, int, int]


def check_split(split: str) -> None:
    """Refuses a split that no data set has.

    Args:
        split: "train", "validation" or "test".

    Raises:
        ValueError: If it is another.
    """
    if split not in SPLITS:
        raise ValueError(f"A split is one of {', '.join(SPLITS)}. Received: split='{split}'.")


def fixed_spans(sizes: Mapping[str, int], title: str) -> dict[str, Span]:
    """Where the three splits lie in the parts that a data set comes in.

    A part of the same name is taken as it is.  A missing test or validation
    split is the end of the training part: a tenth of it and at most 5,000 examples, first
    the test split off and then the validation split.  So MNIST's 60,000 become 55,000 for
    training and 5,000 for validation.

    Args:
        sizes: Number of examples of each part.
        title: The data set's name, for messages.

    Returns:
        For each split: the part, the first example and the one after the last.

    Raises:
        ValueError: If there is no training part, or it is too small to be divided.
    """
    if "train" not in sizes:
        raise ValueError(f"{title} has no part called 'train'. It has: {', '.join(sizes) or 'none'}.")
    spans = {split: (split, 0, sizes[split]) for split in SPLITS[1:] if split in sizes}
    end = sizes["train"]
    for split in ("test", "validation"):
        if split not in spans:
            start = end - min(MOST_HELD_OUT, sizes["train"] // 10)
            if start == end:
                raise ValueError(
                    f"{title} has {sizes['train']} training examples and no {split} split, too few to hold a tenth "
                    f"of them out. Give it at least 10 examples, or a {split} split of its own."
                )
            spans[split] = ("train", start, end)
            end = start
    spans["train"] = ("train", 0, end)
    return spans


def fixed_order(size: int) -> np.ndarray:
    """The order in which a user's own training examples are divided: fixed, but not the order of the files.

    Args:
        size: Number of examples.

    Returns:
        A permutation of 0...size - 1, the same at all times (files are often sorted by class).
    """
    return np.random.RandomState(0).permutation(size)
