"""A user's own arrays, in an .npz file."""

import zipfile
import zlib

import numpy as np

from ugm_tf.data.checks import checked_labels, checked_names
from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint, array_digest, digest
from ugm_tf.data.readings import Reading, say
from ugm_tf.data.splits import SPLITS, splits_by_content

__all__ = ["load_npz"]

_NAMES = "class_names"


def load_npz(path: str, split: str) -> Examples:
    """Reads one split from an .npz file.

    Args:
        path: A file with x (and c), to be divided; or with x_train (and c_train) and, where
            there are such, x_validation, x_test and their labels. y_train and so on, as in
            Keras's own files, are labels too. x is uint8 [N, H, W] or [N, H, W, C], or float [N, D]. Labels are
            integers from 0, each with an example to train on; or integers or strings beside `class_names`, strings [C].
        split: "train", "validation" or "test".

    Returns:
        `Examples`.

    Raises:
        ValueError: If the file cannot be read, or an array has an unknown name, a wrong dtype or a
            wrong shape; or labels have gaps.
    """
    title = f"npz:{path}"
    x, c, names, origin = _arrays(path)
    x = {part: Examples(_as_stored(values), name=title, split=part).x for part, values in x.items()}
    if x["train"].dtype == np.uint8 and x["train"].max() == 1:
        raise ValueError(
            f"{title}: the images have the values 0 and 1 of 0 to 255. Bits become grey levels by 255 * x."
        )
    labels, names = _labels(c, x, names, title)
    rows = _divided(x, labels, names, title)
    reading = Reading(
        title, {name: len(found) for name, (_, found) in rows.items()}, None if names is None else len(names)
    )
    say(reading)
    part, chosen = rows[split]
    examples = Examples(
        x[part][chosen], labels[part][chosen] if labels else None, name=title, split=split, class_names=names
    )
    return loaded(examples, (reading, origin), splits="by content")


def _arrays(path: str):
    """Data and labels by part, names of the classes, and the fingerprint; what is not divided yet is "train"."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise ValueError(f"There is no file '{path}' (data 'npz:{path}').") from None
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' is not an .npz file that NumPy can read without pickle: {error}.") from error
    origin = Fingerprint("array", {key: array_digest(value) for key, value in found.items()})
    names = found.pop(_NAMES, None)
    x: dict[str, np.ndarray] = {}
    c: dict[str, np.ndarray] = {}
    for key, value in found.items():
        kind, _, part = key.partition("_")
        by_name, part = (x if kind == "x" else c), part or "train"
        if kind not in ("x", "c", "y") or part not in SPLITS or part in by_name:
            raise ValueError(
                f"'{path}' has an array called '{key}'. Expected x and c; or x_train, c_train, x_validation, "
                f"c_validation, x_test, c_test; and maybe {_NAMES}. It has: {', '.join(found)}."
            )
        by_name[part] = value
    if not x or (c and set(c) != set(x)):
        raise ValueError(
            f"'{path}' has data for {', '.join(x) or 'nothing'} and labels for {', '.join(c) or 'nothing'}. "
            "Give data, and labels for all of it or for none."
        )
    if "train" not in x:
        raise ValueError(f"'{path}' has no x_train. It has: {', '.join(found)}.")
    return x, c, names, origin


def _as_stored(x: np.ndarray) -> np.ndarray:
    if x.ndim == 3 and x.dtype == np.uint8:
        return x[..., np.newaxis]
    return x.astype(np.float32) if x.ndim == 2 and x.dtype == np.float64 else x


def _labels(c: dict[str, np.ndarray], x: dict[str, np.ndarray], names: np.ndarray | None, title: str):
    """Labels by part, and the names of their classes: those that the file gives, or those of the training labels."""
    if not c:
        if names is not None:
            raise ValueError(f"{title} has {_NAMES} and no labels. Give both or neither.")
        return {}, None
    named = None if names is None else checked_names(np.ravel(names), None, title)
    parts = ("train", *(part for part in c if part != "train"))
    classes = len(named) if named else 0
    found = {}
    for part in parts:
        if not named and part == "train":  # its largest label says how many classes there are
            whole = c[part].size and c[part].dtype.kind in "iu"
            classes = int(c[part].max()) + 1 if whole and c[part].max() >= 0 else 1
            found[part] = checked_labels(c[part], x[part], None, classes, f"{title}/{part}")
            named = tuple(map(str, range(classes)))
        else:
            found[part] = checked_labels(c[part], x[part], named, classes, f"{title}/{part}")
    return found, named


def _divided(
    x: dict[str, np.ndarray], labels: dict[str, np.ndarray], names: tuple[str, ...] | None, title: str
) -> dict[str, tuple[str, np.ndarray]]:
    """For each split the part that it is of, and its rows there."""
    missing = [split for split in ("test", "validation") if split not in x]
    rows = {part: (part, np.arange(len(values))) for part, values in x.items()}
    if missing:
        classes = None if names is None else [names[label] for label in labels["train"]]
        try:
            divided = splits_by_content(_digests(x["train"]), classes, missing)
        except ValueError as error:
            raise ValueError(f"{title}: {error} Give it more examples, or splits of its own.") from error
        rows |= {split: ("train", found) for split, found in divided.items()}
    return {split: rows[split] for split in SPLITS}


def _digests(x: np.ndarray) -> list[str]:
    """Of each example; of equal ones by their number among their like, since rows of a table may be equal by chance."""
    seen: dict[str, int] = {}
    found = []
    for row in x:
        content = digest(row.tobytes())
        seen[content] = seen.get(content, -1) + 1
        found.append(digest(f"{content} {seen[content]}".encode()))
    return found
