"""What lies beside a report."""

import pathlib

import numpy as np
import PIL.Image
from absl.testing import absltest

from trainers import beside, rundir
from trainers.settings import Settings
from ugm_tf import grids


class BesideTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        path = pathlib.Path(self.create_tempdir().full_path) / "run"
        self.directory = rundir.RunDirectory(path, Settings("vae", "digits"))

    def draw(self, *steps):
        for step in steps:
            image = np.full([1, 8, 8, 1], step / 1000.0, np.float32)
            grids.save_png(self.directory.samples / f"samples_{step:06}.png", image)

    def test_pictures_of_training_become_one_in_motion_that_ends_with_the_last(self):
        self.draw(*range(0, 1000, 10))
        drawn = beside.progress(self.directory)
        self.assertEqual([step for step, _ in drawn], list(range(0, 1000, 10)))
        self.assertEqual(beside.animation(self.directory, drawn), "training.gif")
        with PIL.Image.open(self.directory.path / "training.gif") as gif:
            self.assertEqual(gif.n_frames, 50)
            gif.seek(49)
            self.assertAlmostEqual(np.asarray(gif.convert("L"))[5, 5] / 255.0, 0.99, delta=0.005)

    def test_one_picture_is_no_motion(self):
        self.draw(10)
        self.assertIsNone(beside.animation(self.directory, beside.progress(self.directory)))
        self.assertNotIn("training.gif", beside.beside(self.directory))

    def test_names_what_is_there(self):
        self.draw(10)
        self.assertContainsSubset(["flags.txt", "samples/"], beside.beside(self.directory))
        self.assertNotIn("model.keras", beside.beside(self.directory))


if __name__ == "__main__":
    absltest.main()
