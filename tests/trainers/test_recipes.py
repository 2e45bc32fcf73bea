"""Every recipe, from data to report, and its evaluation; in moments."""

import functools
import pathlib
from unittest import mock

import numpy as np
import pytest
from absl.testing import absltest, parameterized

import ugm_tf
from tests.conformance import table
from trainers import finished, run
from trainers.settings import Settings
from ugm_tf.evaluation import features


@functools.cache
def _classifier():
    """One for all recipes, which judge the same data."""
    digits = ugm_tf.data.load("digits", "train")
    return ugm_tf.evaluation.train_classifier(digits.x / np.float32(255), digits.c, 10, epochs=1)


_FIRST = (*(row[1] for row in table.FOUR), "cyclegan", "iaf_vae", "semi_supervised_vae")


class RecipesTest(parameterized.TestCase):
    @parameterized.parameters(*_FIRST)
    @pytest.mark.slow
    def test_ends_whole_on_60_images_by_its_name_alone(self, name):
        self.check(name)

    @parameterized.parameters(*(name for name in ugm_tf.recipes.names() if name not in _FIRST))
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_every_other_ends_whole(self, name):
        self.check(name)

    @parameterized.parameters("vamp(3)", "flow(2)")
    @pytest.mark.slow
    def test_so_it_does_with_a_prior_that_learns(self, prior):
        self.check("vae", prior=prior)

    @parameterized.parameters("mixture(3)", "gaussian")
    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_so_it_does_with_one_of_a_family(self, prior):
        self.check("vae", prior=prior)

    def check(self, name, **more):
        path, digits = pathlib.Path(self.create_tempdir().full_path), ugm_tf.data.load("digits", "train")
        np.savez(path / "few.npz", x=digits.x[:60], c=digits.c[:60])
        settings = Settings(name, f"npz:{path / 'few.npz'}", epochs=1, hidden=(8,), xla="off", **more)
        classifier = _classifier()
        with mock.patch.object(features, "train_classifier", lambda *_, **__: classifier):
            done = run.train(settings, path / "run", show=False)
        self.assertEqual(done.end.failures, [])
        self.assertTrue((path / "run" / "report.html").exists())
        drawn = done.model.can("sample") or name == "cyclegan"
        self.assertEqual((path / "run" / "samples.png").exists(), drawn)
        self.assertEqual(finished.load(path / "run").settings, done.settings)


if __name__ == "__main__":
    absltest.main()
