import os
import pathlib

import numpy as np
import PIL.Image
from absl.testing import absltest, parameterized

from ugm_tf import files, grids


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def read(path):
    with PIL.Image.open(path) as picture:
        return np.asarray(picture)


class GridTest(parameterized.TestCase):
    @parameterized.product(scale=[1, 3], pad=[0, 2], channels=[1, 3])
    def test_each_cell_is_its_image(self, scale, pad, channels):
        x = images(7, 4, 5, channels)
        out = grids.grid(x, columns=3, pad=pad, scale=scale)
        for i in range(7):
            top, left = (i // 3) * (4 * scale + pad), (i % 3) * (5 * scale + pad)
            cell = out[top : top + 4 * scale, left : left + 5 * scale]
            expected = np.rint(x[i] * 255).astype(np.uint8)
            for row in range(4 * scale):
                for column in range(5 * scale):
                    np.testing.assert_array_equal(cell[row, column], expected[row // scale, column // scale])

    def test_shape_has_no_border(self):
        self.assertEqual(grids.grid(images(7, 4, 5, 3), columns=3, pad=2).shape, (3 * 4 + 2 * 2, 3 * 5 + 2 * 2, 3))

    def test_what_is_no_image_is_grey(self):
        out = grids.grid(np.zeros([3, 2, 2, 1]), columns=2, pad=1)
        self.assertEqual((out == 128).sum(), 25 - 3 * 4)

    @parameterized.parameters((1, 1), (4, 2), (5, 3), (64, 8))
    def test_is_as_square_as_it_can_be(self, number, columns):
        self.assertEqual(grids.grid(np.zeros([number, 1, 1, 1]), pad=0).shape[1], columns)

    def test_values_outside_are_cut(self):
        out = grids.grid(np.array([[[[-0.5], [1.5]]]]))
        self.assertEqual(out.ravel().tolist(), [0, 255])

    @parameterized.parameters(np.nan, np.inf, -np.inf)
    def test_an_image_that_is_not_finite_is_a_cross(self, value):
        x = np.full([2, 3, 3, 1], 0.2)
        x[1, 0, 1] = value
        out = grids.grid(x, columns=2, pad=0)[..., 0]
        self.assertEqual(out.tolist(), [[51, 51, 51, 255, 0, 255], [51, 51, 51, 0, 255, 0], [51, 51, 51, 255, 0, 255]])

    @parameterized.parameters(
        ((3, 8, 8), r"Received: \[3, 8, 8\].*images\[..., None\]"),
        ((3, 8, 8, 2), r"C of 1 or 3"),
        ((0, 8, 8, 1), r"Received: \[0, 8, 8, 1\]"),
    )
    def test_refuses_what_are_not_images(self, shape, advice):
        with self.assertRaisesRegex(ValueError, advice):
            grids.grid(np.zeros(shape))

    def test_refuses_bytes(self):
        with self.assertRaisesRegex(ValueError, "uint8. Divide them by 255"):
            grids.grid(np.zeros([1, 2, 2, 1], np.uint8))

    @parameterized.parameters({"columns": 0}, {"scale": 0}, {"pad": -1})
    def test_refuses_an_impossible_layout(self, **layout):
        with self.assertRaisesRegex(ValueError, "columns >= 1, scale >= 1, pad >= 0"):
            grids.grid(images(1, 2, 2, 1), **layout)

    def test_stacks_stand_one_above_the_other(self):
        layers = [images(3, 4, 5, 1, seed=seed) for seed in range(3)]
        out = grids.stacks(*layers)
        for i, layer in enumerate(layers):
            np.testing.assert_array_equal(out[:, 4 * i : 4 * i + 4], layer)

    def test_refuses_to_stack_different_shapes(self):
        with self.assertRaisesRegex(ValueError, r"\[2, 4, 4, 1\] and \[1, 4, 4, 1\]"):
            grids.stacks(images(2, 4, 4, 1), images(1, 4, 4, 1))

    @parameterized.parameters((64, 16, 16), (64, 10, 8), (100, 16, 10), (7, 5, 5), (3, 16, 3), (1, 1, 1))
    def test_columns_that_make_full_rows(self, number, most, columns):
        self.assertEqual(grids.columns_of(number, most), columns)


class FilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())

    @parameterized.parameters(1, 3)
    def test_the_picture_holds_the_grid(self, channels):
        x = images(6, 8, 8, channels)
        path = grids.save_png(self.folder / "new" / "x.png", x, columns=3, pad=2, scale=4)
        picture = read(path).reshape([2 * 32 + 2, 3 * 32 + 2 * 2, channels])
        np.testing.assert_array_equal(picture, grids.grid(x, columns=3, pad=2, scale=4))

    @parameterized.parameters((8, 48), (28, 56), (48, 48), (64, 64))
    def test_small_images_are_enlarged_to_be_seen(self, side, shown):
        path = grids.save_png(self.folder / "x.png", images(1, side, side, 1))
        self.assertEqual(read(path).shape, (shown, shown))

    def test_rows_have_their_names_in_a_margin_and_the_images_stay_as_they_are(self):
        x = images(6, 8, 8, 3)
        plain, named = (
            read(grids.save_png(self.folder / f"{len(rows)}.png", x, columns=3, rows=rows))
            for rows in ((), ("cats", "a very long name of a class of dogs"))
        )
        np.testing.assert_array_equal(named[:, -plain.shape[1] :], plain)
        for half in np.array_split(named[:, : -plain.shape[1]], 2):
            self.assertLess(half.min(), 128)  # something is written there
        for rows in (("cats",), ("a", "b", "c")):
            with self.assertRaisesRegex(ValueError, f"a name for each row. Received: {len(rows)} names for 2 rows"):
                grids.save_png(self.folder / "x.png", x, columns=3, rows=rows)

    def test_refuses_wrong_shapes_and_leaves_no_file(self):
        with self.assertRaisesRegex(ValueError, "shape"):
            grids.save_png(self.folder / "x.png", np.zeros([0, 0]))
        self.assertEmpty(os.listdir(self.folder))

    def test_a_failed_write_leaves_the_old_content_and_nothing_else(self):
        path = files.write(self.folder / "a", b"old")
        with self.assertRaises(TypeError):
            files.write(path, "not bytes")  # fails after the draft is open
        self.assertEqual(path.read_bytes(), b"old")
        self.assertEqual(os.listdir(self.folder), ["a"])

    def test_a_write_replaces_the_content(self):
        files.write(self.folder / "a", b"old")
        self.assertEqual(files.write(self.folder / "a", b"new").read_bytes(), b"new")

    def test_scatter_draws_points_over_the_reference(self):
        ring = np.stack([np.cos(np.arange(8)), np.sin(np.arange(8))], axis=1)
        alone = grids.scatter_png(self.folder / "alone.png", ring[:4])
        both = grids.scatter_png(self.folder / "both.png", ring[:4], ring)
        painted = [(read(path)[..., :3] == [154, 154, 154]).all(axis=-1).any() for path in (alone, both)]
        self.assertEqual(painted, [False, True])

    def test_an_animation_is_of_pictures_of_one_size(self):
        folder = pathlib.Path(self.create_tempdir())
        one, other = (grids.save_png(folder / f"{n}.png", images(n, 8, 8, 1)) for n in (4, 9))
        with self.assertRaisesRegex(ValueError, "of one size. Received: 98x98, 148x148"):
            grids.save_animation(folder / "moving.gif", [one, other])
        with self.assertRaisesRegex(ValueError, "Received: none"):
            grids.save_animation(folder / "moving.gif", [])
        self.assertFalse((folder / "moving.gif").exists())

    def test_an_animation_shows_each_picture_and_the_last_one_longer(self):
        folder = pathlib.Path(self.create_tempdir())
        pictures = [grids.save_png(folder / f"{i}.png", np.full([1, 8, 8, 3], i / 3.0, np.float32)) for i in range(4)]
        with PIL.Image.open(grids.save_animation(folder / "moving.gif", pictures, seconds=0.1, last=1.0)) as gif:
            shown = []
            for i in range(gif.n_frames):
                gif.seek(i)
                shown.append((round(np.asarray(gif.convert("L"))[3, 3] / 255.0, 1), gif.info["duration"]))
        self.assertEqual(shown, [(0.0, 100), (0.3, 100), (0.7, 100), (1.0, 1000)])

    def test_scatter_refuses_images(self):
        with self.assertRaisesRegex(ValueError, r"shape \[N, 2\]. Received: \[3, 8, 8, 1\]"):
            grids.scatter_png(self.folder / "x.png", images(3, 8, 8, 1))


class FrameTest(absltest.TestCase):
    def test_holds_the_reference_with_a_margin_whatever_the_points(self):
        reference = np.array([[0.0, 0.0], [4.0, 2.0]])
        self.assertEqual(grids.frame(np.array([[99.0, np.nan]]), reference), (2.0, 1.0, 2.4))

    def test_holds_the_finite_points_where_there_is_no_reference(self):
        points = np.array([[0.0, 0.0], [4.0, 2.0], [np.inf, 0.0]])
        self.assertEqual(grids.frame(points), (2.0, 1.0, 2.4))

    def test_one_point_has_room_around_it(self):
        self.assertEqual(grids.frame(np.array([[3.0, 4.0]])), (3.0, 4.0, 1.0))

    def test_nothing_finite_still_has_a_frame(self):
        self.assertEqual(grids.frame(np.full([2, 2], np.nan)), (0.0, 0.0, 1.0))


if __name__ == "__main__":
    absltest.main()
