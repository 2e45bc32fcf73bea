"""The one rule by which every data set has a training, a validation and a test split."""

import collections
from collections.abc import Mapping, Sequence

import numpy as np

from ugm_tf.arguments import did_you_mean

__all__ = ["SPLITS", "Span", "check_split", "fixed_spans", "splits_by_content"]

SPLITS = ("train", "validation", "test")
MOST_HELD_OUT = 5_000
_HELD_OUT = {"test": (0.0, 0.1), "validation": (0.1, 0.2)}  # of a user's own data

Span = tuple[str, int, int]


def check_split(split: str) -> None:
    """Refuses a split that no data set has.

    Args:
        split: "train", "validation" or "test".

    Raises:
        ValueError: If it is another.
    """
    if split not in SPLITS:
        raise ValueError(
            f"A split is one of {', '.join(SPLITS)}. Received: split='{split}'.{did_you_mean(split, SPLITS)}"
        )


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


def splits_by_content(
    digests: Sequence[str], classes: Sequence[str] | None, missing: Sequence[str]
) -> dict[str, np.ndarray]:
    """Divides a user's own training part by what each example is, so that one more example moves no other.

    The digest of an example's content is read as a number u, uniform on [0, 1): those below 0.1 are for test, those
    from 0.1 to 0.2 for validation and the others for training, where the set has no such split of its own.  Copies of
    one example therefore lie in one split.  The number of examples has no part in it, with two exceptions for small
    sets: the example of the largest u of each class trains in any case, and a split that would be empty gets the one
    of the smallest u that can be spared.

    Args:
        digests: Hexadecimal digits of each example, [N].
        classes: Class of each example, [N]; None where there are none.
        missing: Which of "validation" and "test" are to be held out.

    Returns:
        For "train" and each missing split its rows, in the order of u, which mixes the classes.

    Raises:
        ValueError: If there are too few examples for that many splits, or a class is left without one to train on.
    """
    if len(digests) <= len(missing):
        raise ValueError(f"{len(digests)} examples are too few to be divided into {', '.join(('train', *missing))}.")
    names = [""] * len(digests) if classes is None else list(classes)
    u = np.array([int(text[:13], 16) / 16**13 for text in digests])  # 52 bits: exact
    order: list[int] = np.lexsort((np.arange(len(u)), u)).tolist()
    owner = np.full(len(u), "train", dtype="U10")
    for split, (low, high) in _HELD_OUT.items():
        if split in missing:
            owner[(low <= u) & (u < high)] = split
    last = {names[row]: row for row in order}  # of each class, the largest u
    owner[list(last.values())] = "train"
    for split in missing:
        if not (owner == split).any():
            owner[_spare(order, owner.tolist(), set(last.values()))] = split
    lost = set(last) - {names[row] for row in np.flatnonzero(owner == "train")}
    if lost:
        raise ValueError(f"class '{min(lost)}' has no example left to train on, as each split needs one.")
    return {split: np.array([row for row in order if owner[row] == split]) for split in ("train", *missing)}


def _spare(order: list[int], owner: list[str], kept: set[int]) -> int:
    """The row of the smallest u that its split can spare, if possible of training and not the only one of its class."""
    counts = collections.Counter(owner)
    spare = [row for row in order if counts[owner[row]] > 1]
    return next((row for row in spare if owner[row] == "train" and row not in kept), spare[0])
