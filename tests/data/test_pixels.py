"""Tests of how an image file is seen."""

import struct
import zlib

import numpy as np
import PIL.Image
from absl.testing import absltest, parameterized

from tests.data.folder_case import FolderCase, flat
from ugm_tf.data.pixels import inspect, parse_background, read

WHITE = (255, 255, 255)


class PixelsTest(FolderCase):
    def seen(self, name="1.png", background=WHITE):
        """How it is inspected, height, width and whether grey, and its pixels."""
        file = str(self.root / name)
        header = inspect(file, 0, (self.root / name).stat().st_mtime_ns, background)
        pixels = read(file, header.grey, background)
        self.assertEqual(pixels.shape, (header.height, header.width, 1 if header.grey else 3))
        return pixels

    @parameterized.parameters("1.jpg", "1.png", "1.webp", "1.tif")
    def test_orientation_of_the_camera_is_applied(self, name):
        stored = np.zeros([8, 16, 3], np.uint8)
        stored[:, :8] = 255  # the left half is white
        exif = PIL.Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees with the clock: the left becomes the top
        self.write(name, stored, exif=exif, **({"lossless": True} if name == "1.webp" else {}))
        seen = self.seen(name)
        self.assertEqual(seen.shape[:2], (16, 8))
        self.assertGreater(seen[:8].min(), 250)
        self.assertLess(seen[8:].max(), 5)

    def test_transparency_is_composed_on_the_background(self):
        pixels = np.zeros([1, 3, 4], np.uint8)
        pixels[0] = [(255, 0, 0, 0), (255, 0, 0, 255), (255, 0, 0, 51)]  # hidden, opaque, a fifth
        self.write("1.png", pixels)
        self.assertEqual(self.seen().tolist(), [[[255, 255, 255], [255, 0, 0], [255, 204, 204]]])
        self.assertEqual(self.seen(background=(0, 100, 0)).tolist(), [[[0, 100, 0], [255, 0, 0], [51, 80, 0]]])

    def test_a_black_shape_on_transparent_stays_a_shape(self):
        pixels = np.zeros([1, 2, 2], np.uint8)
        pixels[0, 0, 1] = 255
        self.write("1.png", pixels)
        self.assertEqual(self.seen().tolist(), [[[0], [255]]])

    def test_one_colour_that_stands_for_transparent(self):
        self.write("1.png", PIL.Image.fromarray(flat((7, 8, 9))), transparency=(7, 8, 9))
        self.write("2.png", PIL.Image.fromarray(flat(9)), transparency=9)
        self.assertEqual(self.seen()[0, 0].tolist(), [255] * 3)
        self.assertEqual(self.seen("2.png")[0, 0].tolist(), [255])

    def palette(self, colours, indices, **options):
        image = PIL.Image.fromarray(np.array([indices], np.uint8), mode=None).convert("L")
        image = PIL.Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([value for colour in colours for value in colour])
        self.write("1.png", image, **options)
        return self.seen()

    def test_a_palette_becomes_what_it_shows(self):
        found = self.palette([(255, 0, 0), (0, 0, 255)], [0, 1, 1])
        self.assertEqual(found.tolist(), [[[255, 0, 0], [0, 0, 255], [0, 0, 255]]])

    def test_a_palette_that_shows_grey_is_grey(self):
        found = self.palette([(10, 10, 10), (200, 200, 200), (255, 0, 0)], [0, 1, 1])  # red does not occur
        self.assertEqual(found.tolist(), [[[10], [200], [200]]])

    def test_transparent_entries_of_a_palette_are_background(self):
        found = self.palette([(255, 0, 0), (0, 0, 0)], [0, 1, 0], transparency=bytes([0, 255]))
        self.assertEqual(found.tolist(), [[[255], [0], [255]]])  # nothing but grey is to be seen

    @parameterized.parameters("1", "CMYK", "YCbCr", "LA", "RGBA")
    def test_other_modes(self, mode):
        suffix = "tif" if mode in ("CMYK", "YCbCr") else "png"
        self.write(f"1.{suffix}", PIL.Image.fromarray(flat(255)).convert(mode))
        np.testing.assert_allclose(self.seen(f"1.{suffix}"), 255, atol=1)

    def test_the_first_frame_of_an_animation(self):
        frames = [PIL.Image.fromarray(flat(level)) for level in (10, 200)]
        frames[0].save(self.root / "1.gif", save_all=True, append_images=frames[1:])
        self.assertEqual(self.seen("1.gif").tolist(), flat((10,)).tolist())

    @parameterized.parameters("1.jpg", "1.png", "1.bmp", "1.gif", "1.tif", "1.webp")
    def test_a_truncated_image_is_refused_by_name(self, name):
        rng = np.random.default_rng(0)
        self.write(name, rng.integers(0, 256, [40, 40, 3], np.uint8))
        file = self.root / name
        file.write_bytes(file.read_bytes()[: -file.stat().st_size // 3])
        with self.assertRaisesRegex(ValueError, f"'{file}' is not an image that Pillow can read: .*take it away"):
            inspect(str(file), 0, 1, WHITE)

    @parameterized.parameters(b"", b"<html>", b"\x89PNG\r\n\x1a\n\x00\x00", b"GIF89a", b"\xff\xd8\xff\xe0")
    def test_a_file_that_is_no_image_is_refused_by_name(self, content):
        self.touch("1.png", content)
        with self.assertRaisesRegex(ValueError, "1.png' is not an image that Pillow can read"):
            inspect(str(self.root / "1.png"), len(content), 1, WHITE)

    def test_16_bits_a_channel_are_refused_with_what_to_do(self):
        self.write("1.png", np.full([4, 4], 300, np.uint16))
        with self.assertRaisesRegex(ValueError, "1.png' has pixels of mode 'I;16'.*8 bits"):
            self.seen()

    @parameterized.parameters((2, 3), (4, 2), (6, 4))
    def test_16_bits_are_refused_of_colours_too_which_pillow_reads_as_8(self, kind, channels):
        def chunk(name, content):
            return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

        header = struct.pack(">IIBBBBB", 4, 4, 16, kind, 0, 0, 0)
        rows = zlib.compress((b"\0" + bytes(8 * channels)) * 4)
        self.touch("1.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
        self.touch("1.ppm", b"P6 4 4 65535\n" + bytes(4 * 4 * 6))
        for name in ("1.png", "1.ppm"):
            with self.assertRaisesRegex(ValueError, f"{name}' has 16 bits a channel. Convert it to .* 8 bits"):
                self.seen(name)

    def test_what_is_no_image_is_told_in_the_same_words_each_time(self):
        self.touch("1.png", b"text")
        with self.assertRaisesRegex(
            ValueError, "1.png' is not an image that Pillow can read: cannot identify image file. M"
        ):
            self.seen()


class BackgroundTest(parameterized.TestCase):
    @parameterized.parameters(
        (None, (255,) * 3), ("white", (255,) * 3), ("black", (0,) * 3), ("#0A80ff", (10, 128, 255))
    )
    def test_is_a_colour(self, text, colour):
        self.assertEqual(parse_background(text), colour)

    @parameterized.parameters("", "red", "#fff", "#12345g", "0a80ff", 3)
    def test_refuses_others(self, text):
        with self.assertRaisesRegex(ValueError, "white, black or a colour #rrggbb"):
            parse_background(text)


if __name__ == "__main__":
    absltest.main()
