"""A user's own arrays, in an .npz file."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

from ugm_tf.data.checks import checked_labels, checked_names
from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint, array_digest
from ugm_tf.data.npz_arrays import NpzArray, readable
from ugm_tf.data.prepared import Placed
from ugm_tf.data.readings import Reading, say
from ugm_tf.data.splits import SPLITS, splits_by_content
from ugm_tf.data.storage import in_order, stored

__all__ = ["load_npz"]

_NAMES = "class_names"


def load_npz(path: str, split: str, storage: str | None = None, cache_dir: str | None = None) -> Examples:
    """Reads one split from an .npz file; of the others a few examples at a time.

    Args:
        path: A file with x (and c), to be divided; or with x_train (and c_train) and, where
            there are such, x_validation, x_test and their labels. y_train and so on, as in
            Keras's own files, are labels too. x is uint8 [N, H, W] or [N, H, W, C], or float [N, D]. Labels are
            integers from 0, each with an example to train on; or integers or strings beside `class_names`, strings [C].
        split: "train", "validation" or "test".
        storage: "memory" or "mapped"; None is as `ugm_tf.data.storage.stored` decides.
        cache_dir: Where a mapped file lies.

    Returns:
        `Examples`.

    Raises:
        ValueError: If the file cannot be read, or an array has an unknown name, a wrong dtype or a
            wrong shape; or labels have gaps.
    """
    title = f"npz:{path}"
    with contextlib.ExitStack() as opened:
        with readable(path):
            file = opened.enter_context(np.load(opened.enter_context(open(path, "rb")), allow_pickle=False))
            there = list(file.files)
        keys, of_labels = _keys(there, path)
        with readable(path):
            small = {key: file[key] for key in there if key not in keys.values()}
        x = {part: NpzArray(file, key, path, f"{title}/{part}") for part, key in keys.items()}
        if x["train"].dtype == np.uint8 and x["train"].largest == 1:
            raise ValueError(
                f"{title}: the images have the values 0 and 1 of 0 to 255. Bits become grey levels by 255 * x."
            )
        identities = {key: array_digest(value) for key, value in small.items()}
        origin = Fingerprint("array", identities | {keys[part]: found.identity for part, found in x.items()})
        labels, names = _labels({part: small[key] for part, key in of_labels.items()}, x, small.get(_NAMES), title)
        rows = _divided(x, labels, names, title)
        part, chosen = rows[split]
        values = stored(
            in_order(x[part].chunks()) if len(chosen) == len(x[part]) else _placed(x[part], chosen),
            (len(chosen), *x[part].shape[1:]),
            x[part].dtype,
            storage=storage,
            cache_dir=cache_dir,
            origin=origin,
            title=title,
            split=split,
        )
    sizes = {name: len(found) for name, (_, found) in rows.items()}
    reading = Reading(title, sizes, None if names is None else len(names))
    say(reading)
    c = labels[part][chosen] if labels else None
    return loaded(
        Examples(values, c, name=title, split=split, class_names=names), (reading, origin), splits="by content"
    )


def _keys(there: Sequence[str], path: str) -> tuple[dict[str, str], dict[str, str]]:
    """The keys of data and those of labels by part; what is not divided yet is "train"."""
    x: dict[str, str] = {}
    c: dict[str, str] = {}
    named = ", ".join(key for key in there if key != _NAMES)
    for key in there:
        kind, _, part = key.partition("_")
        by_part, part = (x if kind == "x" else c), part or "train"
        if key == _NAMES:
            continue
        if kind not in ("x", "c", "y") or part not in SPLITS or part in by_part:
            raise ValueError(
                f"'{path}' has an array called '{key}'. Expected x and c; or x_train, c_train, x_validation, "
                f"c_validation, x_test, c_test; and maybe {_NAMES}. It has: {named}."
            )
        by_part[part] = key
    if not x or (c and set(c) != set(x)):
        raise ValueError(
            f"'{path}' has data for {', '.join(x) or 'nothing'} and labels for {', '.join(c) or 'nothing'}. "
            "Give data, and labels for all of it or for none."
        )
    if "train" not in x:
        raise ValueError(f"'{path}' has no x_train. It has: {named}.")
    return x, c


def _placed(x: NpzArray, rows: np.ndarray) -> Iterator[Placed]:
    """The examples of some rows, each with its place among these, in the order of the file."""
    places, at = np.full(len(x), -1), 0
    places[rows] = np.arange(len(rows))
    for chunk in x.chunks():
        here = places[at : at + len(chunk)]
        yield here[here >= 0], chunk[here >= 0]
        at += len(chunk)


def _labels(c: dict[str, np.ndarray], x: dict[str, NpzArray], names: np.ndarray | None, title: str):
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
    x: dict[str, NpzArray], labels: dict[str, np.ndarray], names: tuple[str, ...] | None, title: str
) -> dict[str, tuple[str, np.ndarray]]:
    """For each split the part that it is of, and its rows there."""
    missing = [split for split in ("test", "validation") if split not in x]
    rows = {part: (part, np.arange(len(values))) for part, values in x.items()}
    if missing:
        classes = None if names is None else [names[label] for label in labels["train"]]
        try:
            divided = splits_by_content(x["train"].digests(), classes, missing)
        except ValueError as error:
            raise ValueError(f"{title}: {error} Give it more examples, or splits of its own.") from error
        rows |= {split: ("train", found) for split, found in divided.items()}
    return {split: rows[split] for split in SPLITS}
