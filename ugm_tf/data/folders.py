"""A user's own folder of images."""

import dataclasses
import os
import pathlib
from typing import Any

import numpy as np

from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint
from ugm_tf.data.image_files import ImageFiles, in_threads
from ugm_tf.data.listing import Listing, list_images
from ugm_tf.data.pixels import Colour, Header, inspect, parse_background
from ugm_tf.data.readings import Reading, say
from ugm_tf.data.splits import SPLITS, splits_by_content
from ugm_tf.data.storage import in_order, stored

__all__ = ["load_folder"]

_SAID = 10  # of images that cannot be read


def load_folder(
    path: str,
    split: str,
    image_size: int | None,
    background: str | None = None,
    storage: str | None = None,
    cache_dir: str | None = None,
) -> Examples:
    """Reads one split from a folder of images.

    `tfds.ImageFolder` reads only the first of the layouts, and not images of several sizes.

    Args:
        path: A folder: path/split/class/image, or path/class/image to be divided; or both without class folders, which
            are examples without labels. All are grey if each shows nothing but grey by its mode or its palette, else
            RGB. Classes are numbered in the order of their names.
        split: "train", "validation" or "test".
        image_size: Height and width H = W to which the largest centred square is resized; None takes the
            images as they are, which must then be of one size.
        background: What is behind transparent pixels: "white", "black" or "#rrggbb"; None is white.
        storage: "memory", "mapped" or "files"; None is as `ugm_tf.data.storage.stored` decides.
        cache_dir: Where a mapped file lies.

    Returns:
        `Examples` with x uint8 [N, H, W, C].

    Raises:
        ValueError: If the folder has no images, its layout is another, an image of any split cannot be read, sizes
            differ, or a class has no image to train on.
    """
    title, colour = f"folder:{path}", parse_background(background)
    listing = list_images(path)
    files, labels, headers = _inspected(listing, colour)
    rows = _divided(listing, labels, headers, title)
    everything = [header for part in headers.values() for header in part]
    height, width = (image_size, image_size) if image_size else _size(files, headers, title)
    grey = all(header.grey for header in everything)
    part, chosen = rows[split]
    facts = {
        "image_size": str(image_size or "as stored"),
        "background": "#" + bytes(colour).hex(),
        "splits": "by content",
    }
    origin = dataclasses.replace(_fingerprint(path, files, headers), facts=facts)
    shape = (height, width, 1 if grey else 3)
    digests = [headers[part][row].digest for row in chosen]
    images = ImageFiles([files[part][row] for row in chosen], digests, grey, colour, image_size, shape)
    x: Any = images
    if storage != "files":
        x = stored(
            in_order(images.chunks()),
            images.shape,
            storage=storage,
            cache_dir=cache_dir,
            origin=origin,
            title=title,
            split=split,
        )
    reading = Reading(
        title,
        {name: len(found) for name, (_, found) in rows.items()},
        None if listing.classes is None else len(listing.classes),
        listing.passed_over,
        (f"{listing.nested:,} of them lie deeper than their class folder",) if listing.nested else (),
    )
    say(reading)
    c = None if listing.classes is None else labels[part][chosen]
    examples = Examples(x, c, name=title, split=split, class_names=listing.classes)
    return loaded(examples, (reading, origin))


def _inspected(listing: Listing, colour: Colour):
    """By part: the files, their classes and their headers."""
    files, labels, headers = {}, {}, {}
    for part, by_class in listing.files.items():
        names = sorted(by_class)
        files[part] = [str(file) for name in names for file in by_class[name]]
        labels[part] = np.repeat(np.arange(len(names)), [len(by_class[name]) for name in names])
        headers[part] = in_threads(lambda file: _header(file, colour), files[part])
    broken = [str(header) for of in headers.values() for header in of if isinstance(header, ValueError)]
    if len(broken) == 1:
        raise ValueError(broken[0])
    if broken:
        more = f"\nand {len(broken) - _SAID:,} more" if len(broken) > _SAID else ""
        raise ValueError(f"{len(broken):,} images cannot be read:\n" + "\n".join(broken[:_SAID]) + more)
    return files, labels, headers


def _header(file: str, colour: Colour) -> Header | ValueError:
    """A file's header, or why it has none, so that all such are said at once."""
    try:
        found = os.stat(file)
        return inspect(file, found.st_size, found.st_mtime_ns, colour)
    except ValueError as error:
        return error


def _divided(
    listing: Listing, labels: dict[str, np.ndarray], headers: dict[str, list[Header]], title: str
) -> dict[str, tuple[str, np.ndarray]]:
    """For each split the part that it is of, and its rows there in an order of their own, not that of the classes."""
    missing = [split for split in ("test", "validation") if split not in headers]
    if "train" not in headers:
        raise ValueError(f"{title} has no folder 'train'. It has: {', '.join(headers)}.")
    names = listing.classes
    rows: dict[str, tuple[str, np.ndarray]] = {}
    for part, found in headers.items():
        classes = None if names is None else [names[label] for label in labels[part]]
        try:
            divided = splits_by_content([h.digest for h in found], classes, missing if part == "train" else ())
        except ValueError as error:
            raise ValueError(f"{title}: {error} Give it more images, or folders for its splits.") from error
        rows |= {split if part == "train" else part: (part, chosen) for split, chosen in divided.items()}
    return {split: rows[split] for split in SPLITS}


def _size(files: dict[str, list[str]], headers: dict[str, list[Header]], title: str) -> tuple[int, int]:
    """The one size of all images."""
    known: dict[tuple[int, int], str] = {}
    for part, found in headers.items():
        for file, header in zip(files[part], found, strict=True):
            known.setdefault((header.height, header.width), file)
    if len(known) > 1:
        (first, file), (second, other) = list(known.items())[:2]
        raise ValueError(
            f"{title}: images differ in size: '{file}' is {first[1]}x{first[0]} and '{other}' is "
            f"{second[1]}x{second[0]}. Choose one size, such as image_size=64 (--image_size=64)."
        )
    return next(iter(known))


def _fingerprint(path: str, files: dict[str, list[str]], headers: dict[str, list[Header]]) -> Fingerprint:
    root = pathlib.Path(path).expanduser()
    parts = {}
    for part, found in headers.items():
        for file, header in zip(files[part], found, strict=True):
            parts[pathlib.Path(file).relative_to(root).as_posix()] = header.digest[:16]
    return Fingerprint("file", parts)
