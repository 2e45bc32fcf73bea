"""A folder of small images to read, for the tests of it."""

import pathlib

import numpy as np
import PIL.Image
from absl.testing import parameterized

from ugm_tf import data

__all__ = ["FolderCase", "flat"]


def flat(level, size=(4, 4)):
    """An image of one grey level, or of one colour."""
    return np.full((*size, *np.shape(level)), level, np.uint8)


class FolderCase(parameterized.TestCase):
    """Tests of a folder, which starts empty."""

    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def write(self, path, pixels, **options):
        """Writes an image, of pixels or of Pillow."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        image = pixels if isinstance(pixels, PIL.Image.Image) else PIL.Image.fromarray(pixels)
        image.save(file, **options)

    def touch(self, path, content=b""):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def classes(self, **sizes):
        """Class folders of so many images, each of a level of its own."""
        first = 0
        for name, size in sizes.items():
            for level in range(first, first + size):
                self.write(f"{name}/{level:03d}.png", flat(level))
            first += size

    def load(self, split="train", **options):
        return data.load(f"folder:{self.root}", split, **options)

    def whole(self, **options):
        """All splits."""
        return {split: self.load(split, **options) for split in data.SPLITS}
