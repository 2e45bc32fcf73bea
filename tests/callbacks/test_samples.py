"""Pictures while a model trains: when, which, and of what."""

import pathlib

import numpy as np
import PIL.Image
import pytest
from absl.testing import absltest

from tests.conformance import table
from ugm_tf.callbacks import SampleGrids


class SampleGridsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.create_tempdir().full_path) / "samples"

    def names(self):
        return sorted(path.name for path in self.directory.iterdir())

    @pytest.mark.slow
    def test_each_picture_is_drawn_every_so_many_epochs(self):
        model = table.model(*table.VAE[1:])
        pictures = {"samples": lambda model: model.sample(4), "points": lambda model: model.sample(4)[:, 0, :2, 0]}
        draw = SampleGrids(self.directory, pictures, every=2)
        model.fit(table.dataset(model.recipe), epochs=5, callbacks=[draw], verbose=0)
        expected = [f"{name}_{step:08d}.png" for name in ("points", "samples") for step in (6, 12)]
        self.assertEqual(self.names(), expected)

    def test_images_lie_side_by_side(self):
        model = table.model(*table.GAN[1:])
        draw = SampleGrids(self.directory, {"samples": lambda model: np.ones((6, 8, 8, 1))}, columns=3)
        draw.set_model(model)
        draw.draw()
        with PIL.Image.open(self.directory / self.names()[0]) as picture:
            self.assertAlmostEqual(picture.width / picture.height, 3 / 2, delta=0.05)

    def test_each_picture_may_have_columns_of_its_own(self):
        model = table.model(*table.GAN[1:])
        pictures = {name: lambda model: np.ones((6, 8, 8, 1)) for name in ("a", "b")}
        draw = SampleGrids(self.directory, pictures, columns={"a": 6})
        draw.set_model(model)
        draw.draw()
        widths = []
        for name in self.names():
            with PIL.Image.open(self.directory / name) as picture:
                widths.append(picture.width)
        self.assertGreater(widths[0], 1.9 * widths[1])  # 6 beside 3, the most square

    def test_tells_what_it_drew_of_the_latest_epoch(self):
        model = table.model(*table.GAN[1:])
        draw = SampleGrids(self.directory, {"samples": lambda model: np.ones((4, 8, 8, 1))}, every=2)
        draw.set_model(model)
        found = []
        for epoch in range(3):
            draw.on_epoch_end(epoch)
            found.append([path.name for path in draw.drawn])
        self.assertEqual(found, [[], ["samples_00000000.png"], []])

    def test_rows_have_their_names_in_a_margin(self):
        model = table.model(*table.GAN[1:])
        pictures = {name: lambda model: np.zeros((6, 8, 8, 1)) for name in ("a", "b")}
        draw = SampleGrids(self.directory, pictures, columns=3, rows={"b": ["cats", "dogs"]})
        draw.set_model(model)
        sizes = [PIL.Image.open(path).size for path in draw.draw()]
        self.assertEqual(sizes[0][1], sizes[1][1])
        self.assertGreater(sizes[1][0], sizes[0][0] + 10)

    def test_refuses_no_epochs(self):
        with self.assertRaisesRegex(ValueError, "at least one epoch apart. Received: every=0"):
            SampleGrids(self.directory, {}, every=0)


if __name__ == "__main__":
    absltest.main()
