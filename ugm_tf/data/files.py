"""A user's own data: a folder of images, or an .npz file."""

import pathlib
import zipfile
import zlib

import numpy as np
import PIL.Image

from ugm_tf.data.examples import Examples, check_memory
from ugm_tf.data.resizing import square
from ugm_tf.data.splits import SPLITS, fixed_order, fixed_spans

__all__ = ["load_folder", "load_npz"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_GREY, _COLOUR = ("1", "L", "LA"), ("P", "RGB", "RGBA", "CMYK", "YCbCr")  # Pillow's modes of 8 bits a channel


def load_npz(path: str, split: str) -> Examples:
    """Reads one split from an .npz file.

    Args:
        path: A file with x (and c), to be divided; or with x_train (and c_train) and, where
            there are such, x_validation, x_test and their labels. y_train and so on, as in
            Keras's own files, are labels too. x is uint8 [N, H, W] or [N, H, W, C], or float [N, D].
        split: "train", "validation" or "test".

    Returns:
        `Examples`; labels are 0 up to the largest of the file.

    Raises:
        ValueError: If the file cannot be read, or an array has an unknown name, a wrong dtype or a
            wrong shape.
    """
    title = f"npz:{path}"
    x, c = _arrays(path)
    classes = None if not c else 1 + max(_largest(labels, title) for labels in c.values())
    wholes = {part: Examples(_as_stored(x[part]), c.get(part), classes, title, part) for part in x}
    part, start, end = fixed_spans({part: len(whole) for part, whole in wholes.items()}, title)[split]
    rows = _order(part, len(wholes[part]))[start:end]
    labels = wholes[part].c
    return Examples(wholes[part].x[rows], None if labels is None else labels[rows], classes, title, split)


def load_folder(path: str, split: str, image_size: int | None) -> Examples:
    """Reads one split from a folder of images, with a subfolder a class.

    `tfds.ImageFolder` reads only the first of the two layouts, and not images of
    several sizes.

    Args:
        path: A folder: path/split/class/image.png, or path/class/image.png to be divided. PNG, JPEG,
            BMP and GIF (its first frame) are read; all are grey if each is, else RGB; an alpha
            channel is dropped. Classes are numbered in the order of their names.
        split: "train", "validation" or "test".
        image_size: Height and width H = W to which the largest centred square is resized; None takes the
            images as they are, which must then be of one size.

    Returns:
        `Examples` with x uint8 [N, H, W, C].

    Raises:
        ValueError: If the folder has no images, a layout is not one of the two, an image cannot be
            read, or sizes differ.
    """
    title, root = f"folder:{path}", pathlib.Path(path)
    if not root.is_dir():
        raise ValueError(f"There is no folder '{path}' (data '{title}').")
    below = _subfolders(root)
    divided = any(name in SPLITS for name in below)
    if divided and not set(below) <= set(SPLITS):
        unknown = sorted(set(below) - set(SPLITS))
        raise ValueError(f"'{path}' has splits and also {', '.join(unknown)}. A split is one of {', '.join(SPLITS)}.")
    roots = {name: root / name for name in below} if divided else {"train": root}
    classes = sorted({name for part in roots.values() for name in _subfolders(part)})
    files: dict[str, list[pathlib.Path]] = {}
    labels: dict[str, np.ndarray] = {}
    for part, folder in roots.items():
        listed = [sorted(f for f in (folder / name).glob("*") if f.suffix.lower() in _SUFFIXES) for name in classes]
        files[part] = [file for images in listed for file in images]
        labels[part] = np.repeat(np.arange(len(classes)), [len(images) for images in listed])
        if not files[part]:
            raise ValueError(
                f"'{folder}' has no images. Expected {path}/split/class/image.png or {path}/class/image.png, "
                f"with files ending in {', '.join(_SUFFIXES)}."
            )
    part, start, end = fixed_spans({name: len(listed) for name, listed in files.items()}, title)[split]
    rows = _order(part, len(files[part]))[start:end]
    height, width, mode = _common([file for listed in files.values() for file in listed], image_size, title)
    check_memory(title, len(rows), (image_size or height, image_size or width, len(mode)))
    x = np.stack([_read(files[part][row], mode, image_size) for row in rows])
    return Examples(x, labels[part][rows], len(classes), title, split)


def _arrays(path: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Data and labels by part; what is not divided yet is "train"."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise ValueError(f"There is no file '{path}' (data 'npz:{path}').") from None
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' is not an .npz file that NumPy can read without pickle: {error}.") from error
    x: dict[str, np.ndarray] = {}
    c: dict[str, np.ndarray] = {}
    for key, value in found.items():
        kind, _, part = key.partition("_")
        by_name, part = (x if kind == "x" else c), part or "train"
        if kind not in ("x", "c", "y") or part not in SPLITS or part in by_name:
            raise ValueError(
                f"'{path}' has an array called '{key}'. Expected x and c; or x_train, c_train, x_validation, "
                f"c_validation, x_test, c_test. It has: {', '.join(found)}."
            )
        by_name[part] = value
    if not x or (c and set(c) != set(x)):
        raise ValueError(
            f"'{path}' has data for {', '.join(x) or 'nothing'} and labels for {', '.join(c) or 'nothing'}. "
            "Give data, and labels for all of it or for none."
        )
    return x, c


def _order(part: str, size: int) -> np.ndarray:
    return fixed_order(size) if part == "train" else np.arange(size)


def _as_stored(x: np.ndarray) -> np.ndarray:
    if x.ndim == 3 and x.dtype == np.uint8:
        return x[..., np.newaxis]
    return x.astype(np.float32) if x.ndim == 2 and x.dtype == np.float64 else x


def _largest(labels: np.ndarray, title: str) -> int:
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or not labels.size:
        raise ValueError(
            f"{title}: labels must be integers of shape [N]. Received: {labels.dtype} {list(labels.shape)}."
        )
    return int(labels.max())


def _subfolders(folder: pathlib.Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _common(files: list[pathlib.Path], image_size: int | None, title: str) -> tuple[int, int, str]:
    """The height, the width and the mode, "L" or "RGB", that all images of the set are read with."""
    first, grey = (0, 0), True
    for number, file in enumerate(files):  # reads the files' headers only
        try:
            with PIL.Image.open(file) as image:
                size, mode = image.size, image.mode
        except OSError as error:
            raise ValueError(f"'{file}' is not an image that Pillow can read: {error}.") from error
        if mode not in (*_GREY, *_COLOUR):
            raise ValueError(f"'{file}' has pixels of mode '{mode}'. Convert it to grey or RGB of 8 bits a channel.")
        first = size if number == 0 else first
        grey = grey and mode in _GREY
        if image_size is None and size != first:
            raise ValueError(
                f"{title}: images differ in size: '{files[0]}' is {first[0]}x{first[1]} and '{file}' is "
                f"{size[0]}x{size[1]}. Choose one size, such as image_size=64 (--image_size=64)."
            )
    return first[1], first[0], "L" if grey else "RGB"


def _read(file: pathlib.Path, mode: str, image_size: int | None) -> np.ndarray:
    try:
        with PIL.Image.open(file) as image:
            pixels = np.asarray(image.convert("RGBA").convert("RGB") if mode == "RGB" else image.convert("L"))
    except OSError as error:
        raise ValueError(f"'{file}' is not an image that Pillow can read: {error}.") from error
    pixels = pixels.reshape(*pixels.shape[:2], len(mode))
    return pixels if image_size is None else square(pixels[np.newaxis], image_size)[0]
