"""Image sets of TensorFlow Datasets; no network means an error at once."""

import functools
import inspect
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ugm_tf.data import reachable
from ugm_tf.data.examples import Examples, loaded
from ugm_tf.data.fingerprints import Fingerprint
from ugm_tf.data.readings import Reading, say
from ugm_tf.data.resizing import square
from ugm_tf.data.splits import SPLITS, fixed_spans
from ugm_tf.data.storage import in_order, stored

__all__ = ["known", "load_tfds"]

_CHUNK = 1_000


def known() -> list[str]:
    """All names that the installed TFDS knows, of images and of all else."""
    import tensorflow_datasets as tfds

    return tfds.list_builders(with_community_datasets=False)


def load_tfds(
    name: str,
    split: str,
    *,
    data_dir: str | None,
    manual_dir: str | None,
    download: bool | None,
    image_size: int | None,
    storage: str | None = None,
    cache_dir: str | None = None,
) -> Examples:
    """Reads one split of an image set, after preparing the set if need be.

    Args:
        name: Name of the data set in TFDS, such as "mnist" or "emnist/letters".
        split: "train", "validation" or "test", by the rule of `fixed_spans`.
        data_dir: Where TFDS keeps its data sets; None is TFDS's own default.
        manual_dir: Where files lie that were downloaded by hand, there or in a folder of it called as
            the data set.
        download: False never uses the network; True and None do when files are missing.
        image_size: Height and width to resize to; None keeps them.
        storage: "memory" or "mapped"; None is as `ugm_tf.data.storage.stored` decides.
        cache_dir: Where a mapped file lies.

    Returns:
        `Examples` with x uint8 [N, H, W, C]. Classes of which the set has no example are none of its classes.

    Raises:
        ValueError: If the set is not prepared and cannot be, has no images, or would not fit in memory.
    """
    import tensorflow_datasets as tfds

    if name == "digits":
        import ugm_tf.data.digits_builder  # noqa: F401  registers it

    builder = tfds.builder(name, data_dir=None if data_dir is None else os.path.expanduser(data_dir))
    _check_features(builder, name, image_size)
    if not builder.is_prepared():
        _prepare(builder, name, data_dir, manual_dir, download)
    sizes = {part: info.num_examples for part, info in builder.info.splits.items()}
    spans = fixed_spans(sizes, name)
    part, start, end = spans[split]
    features = builder.info.features
    height, width, channels = features["image"].shape
    origin = _fingerprint(builder).derived(image_size=image_size or "as stored")

    def read(*keys: str) -> Iterator[dict[str, np.ndarray]]:
        only = tfds.decode.PartialDecoding(dict.fromkeys(keys, True))
        dataset = builder.as_dataset(split=f"{part}[{start}:{end}]", decoders=only, shuffle_files=False)
        chunk = _CHUNK if keys == ("label",) or None not in features["image"].shape else 1
        yield from dataset.batch(chunk).prefetch(2).as_numpy_iterator()

    labels: list[np.ndarray] = []

    def images() -> Iterator[np.ndarray]:
        for chunk in read(*(key for key in ("image", "label") if key in features)):
            labels.extend([chunk["label"]] if "label" in chunk else [])
            yield chunk["image"] if image_size is None else square(chunk["image"], image_size)

    x = stored(
        in_order(images()),
        (end - start, image_size or height, image_size or width, channels),
        storage=storage,
        cache_dir=cache_dir,
        origin=origin,
        title=name,
        split=split,
    )
    c = names = None
    if "label" in features:
        labels = labels or [chunk["label"] for chunk in read("label")]  # of a mapped file that is there
        c, names = _named(builder, np.concatenate(labels), features["label"].names)
    lengths = {split: spans[split][2] - spans[split][1] for split in SPLITS}
    reading = Reading(name, lengths, None if names is None else len(names))
    say(reading)
    examples = Examples(x, c, name=name, split=split, class_names=names)
    return loaded(examples, (reading, origin))


def _named(builder: Any, c: np.ndarray, names: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels and names of the classes that have an example: EMNIST's letters are 26 of its builder's 37 classes."""
    if len(np.unique(c)) == len(names) or c.min() < 0:
        return c, tuple(names)
    present = _labels_of_all(str(builder.data_dir))
    if len(present) == len(names):
        return c, tuple(names)
    return np.searchsorted(present, c), tuple(names[label] for label in present)


@functools.cache
def _labels_of_all(folder: str) -> tuple[int, ...]:
    """The labels that some part of a prepared set has, in order."""
    import tensorflow_datasets as tfds

    builder, only = tfds.builder_from_directory(folder), tfds.decode.PartialDecoding({"label": True})
    found: set[int] = set()
    for part in builder.info.splits:
        for chunk in builder.as_dataset(split=part, decoders=only).batch(_CHUNK):
            found |= set(np.unique(chunk["label"].numpy()).tolist())
    return tuple(sorted(found))


def _fingerprint(builder: Any) -> Fingerprint:
    """The version of the builder, the checksums of the files that it downloads, and what it made of them."""
    parts = {f"split {part}": f"{i.num_examples} examples" for part, i in builder.info.splits.items()}
    files = {url.rpartition("/")[2]: str(info.checksum)[:16] for url, info in (builder.url_infos or {}).items()}
    facts = {"TFDS name": builder.info.full_name}
    return Fingerprint("split", parts, facts | {f"download {file}": checksum for file, checksum in files.items()})


def _check_features(builder: Any, name: str, image_size: int | None) -> None:
    import tensorflow_datasets as tfds

    features = builder.info.features
    image = features["image"] if "image" in features else None
    if not isinstance(image, tfds.features.Image) or image.shape[-1] not in (1, 3) or image.np_dtype != np.uint8:
        raise ValueError(f"'{name}' is not a set of grey or RGB images: TFDS gives it {dict(features)}.")
    if "label" in features and not isinstance(features["label"], tfds.features.ClassLabel):
        raise ValueError(f"'{name}' has no single class for an image: its label is {features['label']}.")
    if image_size is None and None in image.shape:
        raise ValueError(
            f"The images of '{name}' differ in size: {image.shape}. "
            "Choose one, such as image_size=64 (--image_size=64)."
        )


def _prepare(builder: Any, name: str, data_dir: str | None, manual_dir: str | None, download: bool | None) -> None:
    """Downloads and prepares, once it is sure that this can succeed."""
    import tensorflow_datasets as tfds

    needed = builder.url_infos or {}
    manual = None if manual_dir is None else _manual_folder(manual_dir, name, needed)
    missing = [info.filename or url for url, info in needed.items() if not _lies_in(manual, info.filename)]
    instructions = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    if instructions and manual is None:
        raise ValueError(
            f"'{name}' must be downloaded by hand into a folder DIR, given as manual_dir=DIR (--manual_dir=DIR). "
            f"TFDS says: {inspect.cleandoc(instructions)}"
        )
    if name != "digits" and not instructions and (missing or manual is None):
        url = next(iter(needed), "https://storage.googleapis.com")
        reason = "downloads are off (download=False)" if download is False else reachable.trouble(url)
        if reason:
            raise ValueError(_advice(builder, name, data_dir, missing, reason))
    try:
        builder.download_and_prepare(
            download_dir=None if data_dir is None else os.path.join(os.path.expanduser(data_dir), "downloads"),
            download_config=tfds.download.DownloadConfig(manual_dir=manual),
        )
    except Exception as error:  # whatever stops TFDS, the user's question is the same
        raise ValueError(
            f"'{name}' cannot be prepared under '{builder.data_dir}': {error}. Check that this folder can be "
            "written (data_dir=DIR, --data_dir=DIR) and that the files in manual_dir are the original ones."
        ) from error


def _lies_in(folder: pathlib.Path | None, filename: str | None) -> bool:
    return folder is not None and bool(filename) and (folder / str(filename)).is_file()


def _manual_folder(manual_dir: str, name: str, needed: dict[str, Any]) -> pathlib.Path:
    folder = pathlib.Path(manual_dir).expanduser()
    own = folder / name.partition("/")[0].partition(":")[0]
    folder = own if own.is_dir() else folder
    if not folder.is_dir():
        raise ValueError(f"There is no folder manual_dir='{manual_dir}'.")
    for info in needed.values():
        file = folder / (info.filename or "")
        if file.is_file() and file.stat().st_size != info.size:
            raise ValueError(
                f"'{file}' has {file.stat().st_size} bytes and is not the file of '{name}', which has "
                f"{int(info.size)}. MNIST and Fashion-MNIST use the same file names: keep each in a folder of its own, "
                f"'{manual_dir}/mnist' and '{manual_dir}/fashion_mnist'."
            )
    return folder


def _advice(builder: Any, name: str, data_dir: str | None, missing: list[str], reason: str) -> str:
    where = "" if data_dir is None else f", data_dir='{data_dir}'"
    lines = [
        f"'{name}' is not prepared under '{builder.data_dir}' and cannot be downloaded: {reason}.",
        "Prepare it where there is a network, and copy that folder here:",
        f"    python -c \"import tensorflow_datasets as tfds; tfds.builder('{name}'{where}).download_and_prepare()\"",
    ]
    if 0 < len(missing) <= 10:
        lines += [f"or put {', '.join(missing)}", "    into a folder DIR and give manual_dir=DIR (--manual_dir=DIR);"]
    return "\n".join([*lines, "or take 'digits', which needs no download."])
