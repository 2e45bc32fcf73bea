"""Every recipe, from data to report, and its evaluation; in moments."""

import pathlib

import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.trainers import test_run
from trainers import finished
from trainers.settings import Settings


@pytest.mark.slow
class RecipesTest(parameterized.TestCase):
    @parameterized.parameters(*ugm_tf.recipes.names())
    def test_needs_no_flag_but_its_name(self, name):
        path = pathlib.Path(self.create_tempdir().full_path)
        settings = Settings(name, "digits", epochs=1, hidden=(8,), batch_size=256, xla="off")
        done = test_run.train(settings, path)
        self.assertTrue((path / "report.html").exists())
        drawn = done.model.can("sample") or name == "cyclegan"
        self.assertEqual((path / "samples.png").exists(), drawn)
        self.assertEqual(finished.load(path).settings, done.settings)

    @parameterized.parameters(*ugm_tf.recipes.names())
    def test_ends_whole_on_60_images_by_its_name_alone(self, name):
        path, digits = pathlib.Path(self.create_tempdir().full_path), ugm_tf.data.load("digits", "train")
        np.savez(path / "few.npz", x=digits.x[:60], c=digits.c[:60])
        settings = Settings(name, f"npz:{path / 'few.npz'}", epochs=1, hidden=(8,), xla="off")
        done = test_run.train(settings, path / "run")
        self.assertEqual(done.end.failures, [])
        self.assertTrue((path / "run" / "report.html").exists())


if __name__ == "__main__":
    absltest.main()
