"""What a model draws, as pictures: grids of images, and scatters of points in the plane."""

import io
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ugm_tf import files
from ugm_tf.arrays import of_numbers

__all__ = ["columns_of", "encode_png", "frame", "grid", "pixels", "save_animation", "save_png", "scatter_png", "stacks"]

GAP = 128  # grey, so that both black and white images show where they end
NAME, LONGEST = 14, 24  # the height of a row's name in pixels, and its length in letters, at most
TILE = 48  # on a screen, an image smaller than this many pixels is enlarged


def pixels(images: np.ndarray) -> np.ndarray:
    """Images as bytes.

    What lies outside [0, 1], as the mean of a Gaussian likelihood may, is cut to it.  An image that has a value
    that is not finite becomes a cross, so that a diverged model is seen to have diverged.

    Args:
        images: Floats in [0, 1], of shape [N, H, W, C], with C of 1 or 3.

    Returns:
        uint8, of the same shape.

    Raises:
        ValueError: If the shape is another, there is no image, or the numbers are integers or none.
    """
    images = np.asarray(of_numbers(images, "Images to draw"))
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"Images to draw have shape [N, H, W, C] with C of 1 or 3. Received: {list(images.shape)}. "
            "Add the missing axis, as in images[..., None]."
        )
    if np.issubdtype(images.dtype, np.integer):
        raise ValueError(f"Images to draw are floats in [0, 1]. Received: {images.dtype}. Divide them by 255.")
    images = images.astype(np.float32)
    height, width = images.shape[1:3]
    diagonal = np.arange(max(height, width))
    cross = np.zeros([height, width, 1], np.float32)
    cross[diagonal * height // len(diagonal), diagonal * width // len(diagonal)] = 1.0
    finite = np.isfinite(images).all(axis=(1, 2, 3), keepdims=True)
    images = np.where(finite, images, np.maximum(cross, cross[:, ::-1]))
    return np.round(255.0 * np.clip(images, 0.0, 1.0)).astype(np.uint8)


def columns_of(number: int, most: int) -> int:
    """How many columns, at most, make full rows of so many images: 64 and 20 -> 16; for want of such, 7 and 5 -> 5."""
    fitting = [columns for columns in range(most, most // 2, -1) if number % columns == 0]
    return min(number, fitting[0] if fitting else most)


def grid(images: np.ndarray, columns: int | None = None, pad: int = 1, scale: int = 1) -> np.ndarray:
    """Images side by side, row after row, each pixel as it is.

    Args:
        images: Floats in [0, 1], of shape [N, H, W, C]; see `pixels`.
        columns: Images in a row; by default as many as make the grid as square as it can be.
        pad: Pixels of grey between two neighbours.
        scale: Each pixel becomes a square of this side, without any blur.

    Returns:
        uint8, of shape [rows * (scale * H + pad) - pad, columns * (scale * W + pad) - pad, C].

    Raises:
        ValueError: If the images are not images, or `columns` or `scale` is not positive, or `pad` is negative.
    """
    tiles = pixels(images)
    columns = math.ceil(math.sqrt(len(tiles))) if columns is None else columns
    if columns < 1 or scale < 1 or pad < 0:
        raise ValueError(f"A grid has columns >= 1, scale >= 1, pad >= 0. Received: {columns=}, {scale=}, {pad=}.")
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    _, height, width, channels = tiles.shape
    rows = math.ceil(len(tiles) / columns)
    out = np.full([rows * (height + pad) - pad, columns * (width + pad) - pad, channels], GAP, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + pad), i % columns * (width + pad)
        out[top : top + height, left : left + width] = tile
    return out


def stacks(*layers: np.ndarray) -> np.ndarray:
    """Each image on top of its partners, as one image: originals above reconstructions.

    Args:
        *layers: From above to below, each of shape [N, H, W, C].

    Returns:
        Of shape [N, layers * H, W, C]; a grid of these keeps partners together.

    Raises:
        ValueError: If the shapes differ.
    """
    shapes = [list(np.shape(layer)) for layer in layers]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"Only images of one shape make stacks. Received: {' and '.join(map(str, shapes))}.")
    return np.concatenate(layers, axis=1)


def encode_png(array: np.ndarray) -> bytes:
    """A uint8 array of shape [H, W, 1] or [H, W, 3] as the bytes of a PNG file."""
    out = io.BytesIO()
    PIL.Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(out, format="PNG", optimize=True)
    return out.getvalue()


def save_png(
    path: str | os.PathLike[str],
    images: np.ndarray,
    columns: int | None = None,
    pad: int = 2,
    scale: int | None = None,
    rows: Sequence[str] = (),
) -> pathlib.Path:
    """Writes a grid of images as a PNG file, whole or not at all.

    Args:
        path: The file; its folder is made if need be.
        images: Floats in [0, 1], of shape [N, H, W, C]; see `pixels`.
        columns: As in `grid`.
        pad: As in `grid`.
        scale: As in `grid`; by default the least that lets an image be seen: 6 for 8x8, 2 for 28x28, 1 from 48x48.
        rows: What each row is called; written before it.

    Returns:
        The path.

    Raises:
        ValueError: As `grid` does, or if there are other than as many rows.
        OSError: If the file cannot be written.
    """
    if scale is None:
        scale = max(1, math.ceil(TILE / max(1, min(np.shape(images)[1:3], default=1))))
    array = grid(images, columns, pad, scale)
    if rows:
        number = math.ceil(len(images) / (columns or math.ceil(math.sqrt(len(images)))))
        if len(rows) != number:
            raise ValueError(f"A grid has a name for each row. Received: {len(rows)} names for {number} rows.")
        array = _named(array, rows, pad)
    return files.write(path, encode_png(array))


def save_animation(
    path: str | os.PathLike[str], pictures: Sequence[str | os.PathLike[str]], seconds: float = 0.2, last: float = 2.0
) -> pathlib.Path:
    """Writes pictures of one size, one after the other and again, as a GIF file, whole or not at all.

    Args:
        path: The file; its folder is made if need be.
        pictures: Image files, at least one.
        seconds: How long each is shown.
        last: How long the last one is.

    Returns:
        The path.

    Raises:
        ValueError: If there is no picture, or they differ in size.
        OSError: If a file cannot be read or written.
    """
    frames = []
    for picture in pictures:
        with PIL.Image.open(picture) as image:
            frames.append(image.convert("L" if image.mode == "L" else "RGB"))
    sizes = dict.fromkeys(frame.size for frame in frames)
    if len(sizes) != 1:
        found = ", ".join(f"{width}x{height}" for width, height in sizes) or "none"
        raise ValueError(f"An animation is of pictures of one size. Received: {found}.")
    out = io.BytesIO()
    milliseconds = [round(1000 * (last if frame is frames[-1] else seconds)) for frame in frames]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return files.write(path, out.getvalue())


def _named(array: np.ndarray, rows: Sequence[str], pad: int) -> np.ndarray:
    """A grid, uint8 [H, W, C], with what its rows are called in a margin on the left."""
    height = (array.shape[0] + pad) // len(rows)
    font = PIL.ImageFont.load_default(max(8, min(NAME, height - pad)))
    words = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in rows]
    margin = math.ceil(max(font.getlength(word) for word in words)) + 2 * pad + 4
    picture = PIL.Image.new("L", (margin, array.shape[0]), 255)
    draw = PIL.ImageDraw.Draw(picture)
    for i, word in enumerate(words):
        draw.text((margin - pad - 4, (i + 0.5) * height - pad / 2), word, fill=0, font=font, anchor="rm")
    left = np.asarray(picture)[..., None].repeat(array.shape[-1], axis=-1)
    return np.concatenate([left, array], axis=1)


def frame(points: np.ndarray, reference: np.ndarray | None = None) -> tuple[float, float, float]:
    """The square of the plane to look at.

    It holds all of `reference` with a margin, or all of `points` where there is no reference: a model's stray points
    do not shrink the data to a dot.

    Args:
        points: Of shape [N, 2].
        reference: Of shape [M, 2]; points of the data.

    Returns:
        The centre's two coordinates, and half the side.

    Raises:
        ValueError: If an array is not of such a shape.
    """
    for array in (points, reference):
        if array is not None and (np.ndim(array) != 2 or np.shape(array)[1] != 2):
            raise ValueError(f"Points of the plane have shape [N, 2]. Received: {list(np.shape(array))}.")
    shown = np.asarray(points if reference is None else reference, np.float64)
    shown = shown[np.isfinite(shown).all(axis=1)]
    if not len(shown):
        return 0.0, 0.0, 1.0
    low, high = shown.min(axis=0), shown.max(axis=0)
    return *((low + high) / 2).tolist(), 0.6 * float((high - low).max()) or 1.0


def scatter_png(path: str | os.PathLike[str], points: np.ndarray, reference: np.ndarray | None = None) -> pathlib.Path:
    """Writes points of the plane as a PNG file, over those of the data if given, whole or not at all.

    The background is transparent and the colours are of middle brightness, for light and dark pages.

    Args:
        path: The file; its folder is made if need be.
        points: What the model drew, of shape [N, 2].
        reference: What the data is, of shape [M, 2].

    Returns:
        The path.

    Raises:
        ValueError: If an array is not of such a shape.
        OSError: If the file cannot be written.
    """
    x, y, half = frame(points, reference)
    figure = Figure(figsize=(3.6, 3.6), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.07, 0.88, 0.88))
    for array, colour, size in ((reference, "#9a9a9a", 14), (points, "#3b76e1", 5)):
        if array is not None:
            across, up = np.asarray(array, np.float64).T
            axes.scatter(across, up, s=size, c=colour, alpha=0.55, linewidths=0)
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    axes.tick_params(colors="#808080", labelsize=7, length=2)
    axes.locator_params(nbins=5)
    for spine in axes.spines.values():
        spine.set_color("#808080")
        spine.set_linewidth(0.5)
    out = io.BytesIO()
    figure.savefig(out, format="png", transparent=True)
    return files.write(path, out.getvalue())
