"""What arrays may be data and labels; and where they may not, what is wrong with them and how to mend it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["checked_data", "checked_labels", "checked_names", "checked_number", "class_counts", "listed"]

_SHOWN = 5  # classes named in a message


def checked_data(x: np.ndarray, title: str) -> np.ndarray:
    """Refuses an array that is neither images nor vectors.

    Args:
        x: uint8 [N, H, W, C] with C = 1 or 3, or float32 [N, D].
        title: The data set's name, for messages.

    Returns:
        x.

    Raises:
        ValueError: If a dtype or a shape is another, with the expression that mends it; if there is no example, or a
            number of a vector is not finite.
    """
    is_image = x.ndim == 4 and x.dtype == np.uint8 and x.shape[-1] in (1, 3)
    is_vector = x.ndim == 2 and x.dtype == np.float32
    if not (is_image or is_vector):
        raise ValueError(
            f"{title}: x must be images, uint8 [N, H, W, C] with C = 1 or 3 and values 0 to 255, or vectors, "
            f"float32 [N, D]. Received: {x.dtype} {list(x.shape)}. {_mend(x)}"
        )
    if x.size == 0:
        raise ValueError(f"{title} is empty: x has shape {list(x.shape)}.")
    if is_vector and not np.isfinite(x).all():
        finite = np.isfinite(x).all(axis=1)
        raise ValueError(
            f"{title}: x has NaN or infinite numbers in {int((~finite).sum())} of {len(x)} examples, first in example "
            f"{int(finite.argmin())}. Remove them: x = x[np.isfinite(x).all(axis=1)]."
        )
    return x


def checked_number(classes, title: str) -> int:
    """A number of classes as an int, or a refusal.

    Args:
        classes: A whole number from 1 on; NumPy's are taken.
        title: The data set's name, for messages.

    Raises:
        ValueError: If it is another.
    """
    if isinstance(classes, bool) or not isinstance(classes, (int, np.integer)) or classes < 1:
        raise ValueError(f"{title}: num_classes must be a whole number from 1 on. Received: num_classes={classes!r}.")
    return int(classes)


def checked_names(names, num_classes: int | None, title: str) -> tuple[str, ...]:
    """The names of the classes, or a refusal.

    Args:
        names: One for each class, all different.
        num_classes: How many there must be; None is as many as there are.
        title: The data set's name, for messages.

    Raises:
        ValueError: If they are not as many, or two are equal.
    """
    found = (names,) if isinstance(names, str) else tuple(str(name) for name in names)
    twice = sorted({name for name in found if found.count(name) > 1}) if len(set(found)) < len(found) else []
    if twice or not found or (num_classes is not None and len(found) != num_classes):
        expected = "at least one" if num_classes is None else f"num_classes={num_classes}"
        raise ValueError(
            f"{title}: class_names must be {expected} different names. "
            f"Received: {len(found)}{', of them more than once: ' + listed(twice) if twice else ''}."
        )
    return found


def checked_labels(c: np.ndarray, x: Any, names: tuple[str, ...] | None, classes: int, title: str) -> np.ndarray:
    """Labels as int32, or a refusal.

    Args:
        c: Integers [N] from 0 up to `classes` - 1; or strings [N] of `names`.
        x: What they label, [N, ...], or anything of that shape and length.
        names: The names of the classes; None where nothing but the labels themselves says which there are: then each
            class must have an example.
        classes: How many classes there are.
        title: The data set's name, for messages.

    Raises:
        ValueError: If a dtype or a shape is another, a label is out of range or no name, or a class has no example.
    """
    if c.dtype.kind in "US" and c.ndim == 1 and names is not None:
        c = _by_name(c, names, title)
    if c.shape != (len(x),) or not np.issubdtype(c.dtype, np.integer):
        raise ValueError(
            f"{title}: labels must be integers of shape [{len(x)}], one for each example. "
            f"Received: {c.dtype} {list(c.shape)}. {_mend_labels(c, x)}"
        )
    if c.min() < 0 or c.max() >= classes:
        raise ValueError(
            f"{title}: labels c must be 0 to {classes - 1}, as num_classes={classes}. Received: labels from "
            f"{c.min()} to {c.max()}. Labels of any numbers become 0, 1, 2 and so on by {_UNIQUE}."
        )
    if names is None:
        _refuse_gaps(c, classes, title)
    return c.astype(np.int32)


def class_counts(c: np.ndarray, classes: int) -> np.ndarray:
    """Examples of each class, int64 [C], from labels [N]."""
    return np.bincount(c, minlength=classes)


_UNIQUE = "names, c = np.unique(c, return_inverse=True)"


def _refuse_gaps(c: np.ndarray, classes: int, title: str) -> None:
    present = np.unique(c)  # and not a count of each: there may be a billion classes
    if len(present) == classes:
        return
    first = next((i for i, label in enumerate(present) if label != i), len(present))
    raise ValueError(
        f"{title}: each class 0 to {classes - 1} needs an example, and {classes - len(present):,} of {classes:,} have "
        f"none, the first of them class {first}. Labels with gaps become 0, 1, 2 and so on by {_UNIQUE}. If these "
        "classes are real and only missing here, name them all: class_names=[...]."
    )


def _by_name(c: np.ndarray, names: tuple[str, ...], title: str) -> np.ndarray:
    known = {name: number for number, name in enumerate(names)}
    present, inverse = np.unique(c.astype(str), return_inverse=True)
    unknown = [str(name) for name in present if name not in known]
    if unknown:
        raise ValueError(f"{title}: labels {listed(unknown)} are not among the class_names {listed(names)}.")
    return np.array([known[str(name)] for name in present], np.int32)[inverse]


def listed(names: Sequence[str]) -> str:
    """The first few names, for messages."""
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _mend(x: np.ndarray) -> str:
    """What is wrong with an array that is no data, step by step in the order in which it is mended."""
    if x.dtype.kind not in "biuf":
        return "It holds no numbers: give one array of them, in which all examples have one shape."
    if x.ndim == 1:
        return "Numbers, one an example, become vectors by x[:, np.newaxis].astype(np.float32)."
    if x.ndim == 2:
        flat = x.dtype.kind in "biu" and x.shape[1] >= 16
        images = " Flat images become images by x.reshape(-1, H, W, C)." if flat else ""
        return f"Vectors become float32 by x.astype(np.float32).{images}"
    if x.ndim not in (3, 4):
        return "Images have four axes and vectors two: reshape x."
    steps = []
    if x.ndim == 3:
        steps.append("images without channels get them by x[..., np.newaxis]")
    elif x.shape[-1] not in (1, 3):
        steps.append(_mend_channels(x))
    if x.dtype != np.uint8 and x.size:
        steps.append(_mend_values(x))
    text = "; then ".join(steps)
    return text[:1].upper() + text[1:] + "."


def _mend_channels(x: np.ndarray) -> str:
    if x.shape[1] in (1, 3):
        return "channels come last: x = np.moveaxis(x, 1, -1)"
    if x.shape[-1] in (2, 4):
        colours = x.shape[-1] - 1
        return (
            f"the last of {x.shape[-1]} channels is transparency: compose images on white by "
            f"a = x[..., {colours}:] / 255 and np.rint(a * x[..., :{colours}] + 255 * (1 - a)).astype(np.uint8)"
        )
    return f"{x.shape[-1]} channels are neither grey nor RGB: choose C = 1 or 3 of them, last"


def _mend_values(x: np.ndarray) -> str:
    if x.dtype == bool:
        return "bits become grey levels by 255 * x.astype(np.uint8)"
    low, high = x.min(), x.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        return "some numbers are NaN or infinite: remove those images, and scale the others to 0...255"
    values = f"values from {low:.4g} to {high:.4g} become uint8 by "
    whole = x.dtype.kind in "iu"
    if low >= 0 and high <= 1:
        return values + ("(255 * x).astype(np.uint8)" if whole else "np.rint(255 * x).astype(np.uint8)")
    if low >= -1 and high <= 1:
        return values + "np.rint(127.5 * (x + 1)).astype(np.uint8)"
    if low >= 0 and high <= 255:
        return values + ("x.astype(np.uint8)" if whole else "np.rint(x).astype(np.uint8)")
    if low >= 0 and high <= 65535 and whole:
        return values + "(x // 257).astype(np.uint8)"
    return values + "np.rint(255 * (x - x.min()) / (x.max() - x.min())).astype(np.uint8), if these are their limits"


def _mend_labels(c: np.ndarray, x: Any) -> str:
    size = len(x)
    if c.ndim == 2 and c.shape == (size, 1):
        return "Labels in a column become a vector by c[:, 0]."
    if c.ndim == 2 and len(c) == size:
        return "One-hot labels become integers by c.argmax(axis=1)."
    if c.ndim == 1 and len(c) != size:
        if len(c) in x.shape[1:]:
            axis = x.shape.index(len(c), 1)
            return f"The examples seem to lie along axis {axis} of x: np.moveaxis(x, {axis}, 0)."
        return "Give as many labels as examples."
    if c.dtype == bool:
        return "Labels of two classes become integers by c.astype(np.int32)."
    if c.dtype.kind in "US":
        return f"Names become integers by {_UNIQUE}; give class_names=names with them."
    if c.dtype.kind == "f" and np.isfinite(c).all() and (c == np.rint(c)).all():
        return "Whole numbers become integers by c.astype(np.int32)."
    return f"Labels of any kind become integers by {_UNIQUE}."
