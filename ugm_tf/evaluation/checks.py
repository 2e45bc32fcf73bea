"""The check at every door of `ugm_tf.evaluation`: what cannot be measured is refused before it is."""

import numbers
from typing import Any

import numpy as np

from ugm_tf.arrays import of_numbers

__all__ = [
    "check_count",
    "check_examples",
    "check_features",
    "check_images",
    "check_labels",
    "check_positive",
    "check_probabilities",
    "check_rows",
]


_MOST = 1e50  # of a feature, whose powers of up to 6 are to be numbers


def check_rows(
    what: str,
    values: Any,
    *,
    least: int = 2,
    rank: int | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    mend: str = "",
) -> np.ndarray:
    """The values as an array of numbers, [N, ...], or a refusal.

    Args:
        what: What they are, as messages call it.
        values: An array or what becomes one.
        least: How many rows the figure takes.
        rank: Number of axes, if it matters.
        low: The least value there may be.
        high: The greatest value there may be.
        mend: What to do about values outside, as a sentence.

    Raises:
        ValueError: If they are no numbers, too few, of another rank, not finite, or outside [low, high].
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{what} are masked in {np.ma.count_masked(values):,} places. Leave those rows out.")
    array = np.asarray(of_numbers(values, what))
    if array.ndim < 1 or (rank is not None and array.ndim != rank):
        axes = "[N, ...]" if rank is None else f"of {rank} ax{'is' if rank == 1 else 'es'}, N first"
        raise ValueError(f"{what} are an array {axes}. Received shape {array.shape}.")
    if len(array) < least or not array.size:
        raise ValueError(
            f"{what} are at least {least} row{'s' if least > 1 else ''} of at least one number. "
            f"Received shape {array.shape}: give more examples."
        )
    finite = np.isfinite(array).reshape(len(array), -1).all(-1)
    if not finite.all():
        raise ValueError(
            f"{what} hold NaN or infinity in {np.sum(~finite)} of {len(array)} rows, first in row "
            f"{int(np.argmin(finite))}: every figure over them would be of no worth. Find out where they come from, "
            "or leave those rows out and say so."
        )
    least_value, most_value = array.min(), array.max()
    if least_value < low or most_value > high:
        raise ValueError(
            f"{what} lie in [{low:g}, {high:g}]. Received values between {least_value:g} and {most_value:g}.{mend}"
        )
    return array


def check_images(what: str, images: Any, *, least: int = 2) -> np.ndarray:
    """Images in [0, 1], float [N, H, W, C], or a refusal.

    Raises:
        ValueError: As `check_rows`, and of whole numbers, which 8-bit images are.
    """
    mend = " Divide 8-bit images by 255; map those in [-1, 1] by (x + 1) / 2."
    array = check_rows(what, images, least=least, rank=4, low=0.0, high=1.0, mend=mend)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{what} are numbers in [0, 1] of a float type. Received: dtype {array.dtype}.{mend}")
    return array


def check_examples(what: str, values: Any, *, least: int = 1) -> np.ndarray:
    """Images as `check_images` takes them, or vectors of any finite numbers, or a refusal.

    Raises:
        ValueError: As `check_images`, as `check_rows`, or if they are neither.
    """
    rank = np.ndim(values)
    if rank not in (2, 4):
        raise ValueError(f"{what} are images, [N, H, W, C], or vectors, [N, D]. Received shape {np.shape(values)}.")
    return check_images(what, values, least=least) if rank == 4 else check_rows(what, values, least=least)


def check_features(least: int = 2, **sets: Any) -> tuple[np.ndarray, ...]:
    """Sets of features, each [N, D] in float64, of one D, or a refusal.

    Args:
        least: How many rows each takes.
        **sets: The sets by name.

    Raises:
        ValueError: As `check_rows`, and if they have different widths.
    """
    arrays = [
        check_rows(f"The features `{name}`", value, least=least, rank=2).astype(np.float64)
        for name, value in sets.items()
    ]
    for name, array in zip(sets, arrays, strict=True):
        if (most := float(np.abs(array).max())) > _MOST:
            raise ValueError(
                f"The features `{name}` are at most {_MOST:g}, as their products are taken. Received: {most:g}."
            )
    if len({array.shape[1] for array in arrays}) > 1:
        found = ", ".join(f"{name} {array.shape}" for name, array in zip(sets, arrays, strict=True))
        raise ValueError(f"Features that are compared come from one network, [N, D] of one D. Received: {found}.")
    return tuple(arrays)


def check_probabilities(what: str, probabilities: Any, *, least: int = 2) -> np.ndarray:
    """Rows of probabilities, [N, C] in float64, that sum to 1, or a refusal.

    Raises:
        ValueError: As `check_rows`, and if a row does not sum to 1 within 1e-3.
    """
    mend = " Give softmax(logits)."
    array = check_rows(what, probabilities, least=least, rank=2, low=0.0, high=1.0 + 1e-6, mend=mend)
    array = array.astype(np.float64)
    sums = array.sum(1)
    worst = int(np.argmax(np.abs(sums - 1.0)))
    if abs(sums[worst] - 1.0) > 1e-3:
        raise ValueError(f"{what} sum to 1 in each row. Received a sum of {sums[worst]:g} in row {worst}.{mend}")
    return array / sums[:, None]


def check_labels(what: str, labels: Any, *, n: int | None = None, classes: int | None = None) -> np.ndarray:
    """Labels, int [N], or a refusal.

    Args:
        what: What they are, as messages call it.
        labels: Whole numbers from 0.
        n: How many there are to be.
        classes: How many classes there are.

    Raises:
        ValueError: As `check_rows`, if one is no whole number, or their number is not `n`.
    """
    high = np.inf if classes is None else classes - 1
    array = check_rows(what, labels, least=1, rank=1, low=0, high=high, mend=" Count classes from 0.")
    if np.any(array != np.round(array)):
        raise ValueError(f"{what} are whole numbers. Received: {array[array != np.round(array)][0]!r} among them.")
    if n is not None and len(array) != n:
        raise ValueError(f"{what} are one for each example. Received {len(array)} of them for {n} examples.")
    return array.astype(np.int64)


def check_count(what: str, value: Any, least: int = 1, most: float = np.inf) -> int:
    """A whole number within bounds, or a refusal.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        upper = "" if most == np.inf else f" and at most {most:g}"
        raise ValueError(f"{what} is a whole number of at least {least}{upper}. Received: {value!r}.")
    return int(value)


def check_positive(what: str, value: Any) -> float:
    """A finite number above 0, or a refusal.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0.0 < float(value) < np.inf:
        raise ValueError(f"{what} is a finite number above 0. Received: {value!r}.")
    return float(value)
