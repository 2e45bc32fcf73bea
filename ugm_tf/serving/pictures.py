"""Pictures as a model has them, [B, H, W, C] in [0, 1], and as Pillow has them."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ugm_tf import grids

__all__ = ["from_pictures", "is_picture", "to_files", "to_pictures"]


def is_picture(value: Any) -> bool:
    """Whether it is a picture of Pillow, or a list of them."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, Image.Image) for item in value)
    return isinstance(value, Image.Image)


def from_pictures(pictures: Image.Image | Sequence[Image.Image], shape: tuple[int, ...]) -> np.ndarray:
    """Pictures as a batch, uint8 [B, H, W, C].

    Args:
        pictures: One, or a list.
        shape: What a model takes, (H, W, C), with C of 1 or 3: they are made grey or of three colours.

    Raises:
        ValueError: If one is of another size or transparent in part, or the shape is none of a picture.
    """
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(f"This input is no picture: its shape is [B, {', '.join(map(str, shape))}].")
    several = [pictures] if isinstance(pictures, Image.Image) else pictures
    for picture in several:
        if picture.size != (shape[1], shape[0]):
            raise ValueError(
                f"This model takes pictures of {shape[1]} x {shape[0]}. Received: {picture.size[0]} x "
                f"{picture.size[1]}. Use picture.resize(({shape[1]}, {shape[0]}))."
            )
    _check_opaque(several)
    mode = "L" if shape[-1] == 1 else "RGB"
    return np.stack([np.asarray(picture.convert(mode), np.uint8).reshape(shape) for picture in several])


def to_files(pictures: Image.Image | Sequence[Image.Image]) -> np.ndarray:
    """Pictures as PNG files, bytes [B].

    Raises:
        ValueError: If one is transparent in part.
    """
    several = [pictures] if isinstance(pictures, Image.Image) else pictures
    _check_opaque(several)
    out = np.empty([len(several)], object)
    for i, picture in enumerate(several):
        file = io.BytesIO()
        picture.save(file, "PNG")
        out[i] = file.getvalue()
    return out


def _check_opaque(pictures: Sequence[Image.Image]) -> None:
    for picture in pictures:
        if picture.has_transparency_data and np.asarray(picture.convert("RGBA"))[..., 3].min() < 255:
            raise ValueError(
                f"This picture, of mode {picture.mode}, is transparent in part, and the model learned from pictures on "
                "a background, which is white where a run does not say otherwise: lay it on that one, as by image = "
                'picture.convert("RGBA"); Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).'
            )


def to_pictures(batch: np.ndarray) -> list[Image.Image]:
    """A batch, [B, H, W, C] of floats in [0, 1] or of uint8, or [B] of files, as pictures.

    Raises:
        ValueError: If it is none of pictures.
    """
    batch = np.asarray(batch)
    if batch.dtype.kind == "O":
        return [Image.open(io.BytesIO(file)) for file in batch.tolist()]
    batch = batch if batch.dtype == np.uint8 else grids.pixels(batch)
    return [Image.fromarray(picture[..., 0] if batch.shape[-1] == 1 else picture) for picture in batch]
