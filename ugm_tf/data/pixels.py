"""Image files as they are seen: turned as the camera says, on a background, with the colours of their palette."""

import dataclasses
import functools
import hashlib
import io
import re

import numpy as np
import PIL.Image
import PIL.ImageOps

__all__ = ["Colour", "Header", "inspect", "parse_background", "read"]

Colour = tuple[int, int, int]

_NAMED: dict[str, Colour] = {"white": (255, 255, 255), "black": (0, 0, 0)}
_GREY, _COLOUR = ("1", "L", "LA"), ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # Pillow's modes of 8 bits a channel


def parse_background(background: str | None) -> Colour:
    """The colour behind transparent pixels.

    Args:
        background: "white", "black" or "#rrggbb"; None is white.

    Returns:
        Red, green and blue, 0 to 255.

    Raises:
        ValueError: If it is another.
    """
    text = "white" if background is None else background
    if text in _NAMED:
        return _NAMED[text]
    if not isinstance(text, str) or not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(f"background must be white, black or a colour #rrggbb. Received: background={background!r}.")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


class _Refused(ValueError):
    """Says which file is wrong, as the errors of Pillow's readers do not."""


@dataclasses.dataclass(frozen=True)
class Header:
    """What is to be known of an image file before it is kept.

    Attributes:
        height: In pixels, as it is seen.
        width: Likewise.
        grey: Whether it shows nothing but grey: by its mode, or by the colours of its palette that occur in it.
        digest: The SHA-256 of the file, in hexadecimal digits.
    """

    height: int
    width: int
    grey: bool
    digest: str


@functools.cache
def inspect(file: str, size: int, changed: int, background: Colour) -> Header:
    """Reads a file through, once a process, so that a broken one is found before training and not by its end.

    Args:
        file: Its path.
        size: Its size, and
        changed: the time in nanoseconds at which it was changed last: another file at this path is read anew.
        background: The colour behind transparent pixels.

    Raises:
        ValueError: If it is no image, is damaged, has too many pixels or more than 8 bits a channel.
    """
    del size, changed  # parts of the key
    try:
        with open(file, "rb") as opened:
            content = opened.read()
    except OSError as error:
        raise ValueError(f"'{file}' cannot be read: {error.strerror}. Mend that, or take it away.") from error
    try:
        with _opened(io.BytesIO(content), file) as image:
            width, height = image.size
            if image.format in ("JPEG", "MPO"):  # as small as can be: a quarter of the time, and it is read through
                if image.getexif().get(0x0112, 1) >= 5:  # lies on its side
                    width, height = height, width
                grey = image.mode in _GREY
                image.draft("L", (1, 1))
                image.load()
            else:
                seen = _seen(image, background)
                (width, height), grey = seen.size, _is_grey(image.mode, seen)
    except _Refused:
        raise
    except Exception as error:  # Pillow raises whatever its readers do
        raise _refusal(file, error) from error
    return Header(height, width, grey, hashlib.sha256(content).hexdigest())


def read(file: str, grey: bool, background: Colour, content: bytes | None = None) -> np.ndarray:
    """The pixels of an image file.

    Args:
        file: Its path.
        grey: Whether to give one channel and not three.
        background: The colour behind transparent pixels.
        content: What it holds, where that was read already.

    Returns:
        uint8 [H, W, C] with C = 1 if `grey`, else 3.

    Raises:
        ValueError: As `inspect`.
    """
    try:
        with _opened(file if content is None else io.BytesIO(content), file) as image:
            pixels = np.asarray(_seen(image, background).convert("L" if grey else "RGB"))
    except _Refused:
        raise
    except Exception as error:
        raise _refusal(file, error) from error
    return pixels[..., np.newaxis] if grey else pixels


def _opened(source, file: str) -> PIL.Image.Image:
    image = PIL.Image.open(source)
    if image.mode not in (*_GREY, *_COLOUR):
        raise _Refused(f"'{file}' has pixels of mode '{image.mode}'. Convert it to grey or RGB of 8 bits a channel.")
    if _has_16_bits(image):
        raise _Refused(f"'{file}' has 16 bits a channel. Convert it to grey or RGB of 8 bits a channel.")
    return image


def _has_16_bits(image: PIL.Image.Image) -> bool:
    """Whether its file does: Pillow reads colours of 16 bits as of 8, without a word."""
    found = [tile[3] if isinstance(tile[3], tuple) else (tile[3],) for tile in getattr(image, "tile", ())]
    deep = any(isinstance(value, str) and ";16" in value for values in found for value in values)
    return deep or (image.format == "PPM" and any(isinstance(v, int) and v > 255 for values in found for v in values))


def _seen(image: PIL.Image.Image, background: Colour) -> PIL.Image.Image:
    image = PIL.ImageOps.exif_transpose(image)
    if not image.has_transparency_data:
        return image.convert("RGB") if image.mode.startswith("P") else image
    below = PIL.Image.new("RGBA", image.size, (*background, 255))
    return PIL.Image.alpha_composite(below, image.convert("RGBA")).convert("RGB")


def _is_grey(mode: str, seen: PIL.Image.Image) -> bool:
    if mode not in (*_GREY, "P", "PA"):
        return False
    if seen.mode != "RGB":
        return True
    red, green, blue = seen.split()
    return red == green == blue


def _refusal(file: str, error: Exception) -> ValueError:
    if isinstance(error, PIL.Image.DecompressionBombError):
        return _Refused(f"'{file}' has too many pixels: {error} Make it smaller, or take it away.")
    reason = re.sub(r" ?<_io\.BytesIO object at \w+>", "", str(error).partition("\n")[0]) or type(error).__name__
    return _Refused(f"'{file}' is not an image that Pillow can read: {reason.rstrip('.')}. Mend it, or take it away.")
