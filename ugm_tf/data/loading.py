"""Data by name."""

import os
from typing import Any

from ugm_tf.arguments import did_you_mean
from ugm_tf.data import digits, tfds_images
from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint, array_digest
from ugm_tf.data.folders import load_folder
from ugm_tf.data.npz import load_npz
from ugm_tf.data.pixels import parse_background
from ugm_tf.data.readings import Reading, say
from ugm_tf.data.resizing import check_image_size, square
from ugm_tf.data.splits import SPLITS, check_split
from ugm_tf.data.stacked import STACKED, stack
from ugm_tf.data.storage import STORAGES, check_storage
from ugm_tf.data.toys import TOYS, toy_split

__all__ = ["SPLITS", "load", "names", "storages"]

_IMAGE_SETS = ("digits", "mnist", "fashion_mnist", "svhn_cropped", "cifar10")


def names() -> list[str]:
    """The data sets known by name, sorted; `load` takes any other image set of TFDS too."""
    return sorted((*_IMAGE_SETS, *STACKED, *TOYS))


def storages(name: str) -> tuple[str, ...]:
    """The storages that a data set may have: "memory"; "mapped" of what may be large; "files" of folders.

    Args:
        name: As for `load`.
    """
    kind, colon, _ = name.partition(":")
    if colon and kind == "folder":
        return STORAGES
    return ("memory",) if name in (*TOYS, *STACKED, "digits") else ("memory", "mapped")


def load(
    name: str,
    split: str = "train",
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    download: bool | None = None,
    image_size: int | None = None,
    background: str | None = None,
    storage: str | None = None,
    cache_dir: str | None = None,
    seed: int | None = None,
) -> Examples:
    """Reads one split of a data set.

    | name | examples (train, validation, test) | network |
    |---|---|---|
    | "digits" | real 8x8 digits of scikit-learn: 1,297, 250, 250 | never |
    | "mnist", "fashion_mnist" | 28x28 grey: 55,000, 5,000, 10,000 | once |
    | "cifar10" | 32x32 RGB: 45,000, 5,000, 10,000 | once |
    | "svhn_cropped" | 32x32 RGB: 68,257, 5,000, 26,032 | once |
    | "ring", "grid" | draws from 8 and 25 Gaussians: 100,000, 2,500, 2,500 | never |
    | "stacked_mnist" | 28x28x3, a digit in each channel, 1,000 modes: 128,000, 5,000, 26,000 | as "mnist" |
    | "stacked_digits" | 8x8x3 of the real digits, 1,000 modes: 12,800, 2,500, 2,600 | never |
    | any other name | the image set that TFDS calls so | once |
    | "folder:PATH" | images in PATH/split/class or PATH/class, or without classes in PATH | never |
    | "npz:PATH" | arrays x and c, or x_train, c_train, x_test and so on | never |

    The splits are fixed.  Where a set has no validation or test split of its own, a
    tenth of its training part is held out for each: the end of it, at most 5,000 examples; of folders and files
    the examples whose content's hash says so, so that one more example moves no other.

    What was read and what was passed over is logged in one line, and kept as the examples' `reading`; what
    identifies the data is their `fingerprint`.

    With no network and no prepared data the error comes at once and says what to do.

    Args:
        name: One of the above.
        split: "train", "validation" or "test".
        data_dir: Where TFDS keeps its data sets; None is TFDS's own default, and keeps
            "digits" off the disk altogether.
        manual_dir: A folder with files downloaded by hand, for sets of TFDS: there, or in a
            folder of it called as the data set.
        download: False never uses the network; True and None do when files are missing.
        image_size: Height and width to resize images to, from their largest centred square; None
            keeps them as they are.
        background: What is behind the transparent pixels of a folder's images: "white", "black" or "#rrggbb"; None is
            white.
        storage: "memory"; "mapped", for what is larger: it is prepared once as a file, which is mapped into memory; or
            "files", for images of a folder that are to lie nowhere else: each batch reads its own. Batches are the
            same. None is "memory" up to 8 GiB, or half of the machine's memory if that is less, and else "mapped".
        cache_dir: Where a mapped file lies; None is `ugm_tf` in the user's cache folder.
        seed: Which draws of "ring" and "grid"; None is 0.

    Returns:
        `Examples`.

    Raises:
        ValueError: If there is no such data set or split, an option does not belong to it, or
            it cannot be read.

    Example:

    >>> ugm_tf.data.load("digits", "test")
    Examples(digits/test: 250 of shape (8, 8, 1), uint8, 10 classes)
    """
    check_split(split)
    check_image_size(image_size)
    parse_background(background)
    check_storage(storage)
    kind, colon, path = name.partition(":")
    from_files = bool(colon) and kind in ("folder", "npz")
    from_tfds = not from_files and name not in TOYS
    options: dict[str, Any] = {"data_dir": data_dir, "manual_dir": manual_dir, "download": download}
    _refuse(name, {} if from_tfds else options, "data sets of TFDS")
    _refuse(name, {} if name in TOYS else {"seed": seed}, "ring and grid")
    _refuse(name, {"image_size": image_size} if name in TOYS or kind == "npz" else {}, "images")
    _refuse(name, {} if from_files and kind == "folder" else {"background": background}, "folders of images")
    _refuse_storage(name, storage, cache_dir)

    if name in TOYS:
        return toy_split(name, split, seed or 0)
    if from_files:
        if kind == "npz":
            return load_npz(path, split, storage, cache_dir)
        return load_folder(path, split, image_size, background, storage, cache_dir)
    if name in STACKED:
        return stack(load(STACKED[name], split, **options, image_size=image_size), name)
    if name == "digits" and data_dir is None:
        return _digits(split, image_size)
    if name not in _IMAGE_SETS:
        _check_known(name)
    return tfds_images.load_tfds(
        name,
        split,
        data_dir=data_dir,
        manual_dir=manual_dir,
        download=download,
        image_size=image_size,
        storage=storage,
        cache_dir=cache_dir,
    )


def _digits(split: str, image_size: int | None) -> Examples:
    x, c = digits.arrays(split)
    names = tuple(map(str, range(digits.CLASSES)))
    x = x if image_size is None else square(x, image_size)
    reading = Reading("digits", digits.SIZES, digits.CLASSES)
    say(reading)
    whole = {part: digits.arrays(part) for part in digits.SIZES}
    parts = {f"{n}_{part}": array_digest(a) for part, pair in whole.items() for n, a in zip("xc", pair, strict=True)}
    examples = Examples(x, c, name="digits", split=split, class_names=names)
    return loaded(examples, (reading, Fingerprint("array", parts)), image_size=image_size or "as stored")


def _refuse(name: str, options: dict, owners: str) -> None:
    given = [f"{key}={value!r}" for key, value in options.items() if value is not None]
    if given:
        raise ValueError(f"{', '.join(given)} belongs to {owners}, and '{name}' is not of them. Leave it out.")


def _refuse_storage(name: str, storage: str | None, cache_dir: str | None) -> None:
    suited = storages(name)
    if storage is not None and storage not in suited:
        owners = "folders of images" if storage == "files" else "folders of images, files and data sets of TFDS"
        _refuse(name, {"storage": storage}, owners)
    if cache_dir is not None and ("mapped" not in suited or storage not in (None, "mapped")):
        raise ValueError(
            f"cache_dir={cache_dir!r} belongs to storage='mapped', and '{name}' is kept in "
            f"{storage or 'memory'}. Leave it out."
        )


def _check_known(name: str) -> None:
    base = name.partition("/")[0].partition(":")[0]
    everything = [*names(), *tfds_images.known()]
    if base not in everything:
        hint = did_you_mean(base, everything)
        if os.path.exists(name):
            hint = f" Did you mean '{'folder' if os.path.isdir(name) else 'npz'}:{name}'?"
        raise ValueError(
            f"There is no data set '{name}'.{hint} Known: {', '.join(names())}; any other image set "
            "of TFDS by its name; 'folder:PATH'; 'npz:PATH'."
        )
