"""Full MNIST, prepared by TFDS from the files in the folder that UGM_MANUAL_DIR names."""

import os
import shutil
import tempfile

import numpy as np
import pytest
from absl.testing import absltest

from ugm_tf import data

MANUAL_DIR = os.environ.get("UGM_MANUAL_DIR")


@pytest.mark.slow
@absltest.skipUnless(MANUAL_DIR, "UGM_MANUAL_DIR names no folder with MNIST's four .gz files")
class MnistTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        data_dir = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, data_dir)
        cls.splits = {
            split: data.load("mnist", split, data_dir=data_dir, manual_dir=MANUAL_DIR, download=False)
            for split in data.SPLITS
        }

    def test_has_all_its_images(self):
        shapes = {split: examples.x.shape for split, examples in self.splits.items()}
        rest = (28, 28, 1)
        self.assertEqual(shapes, {"train": (55_000, *rest), "validation": (5_000, *rest), "test": (10_000, *rest)})

    def test_has_the_mean_and_deviation_that_everybody_knows(self):
        # 0.1307 and 0.3081 over the original 60,000 training images, in every tutorial.
        x = np.concatenate([self.splits["train"].x, self.splits["validation"].x]) / 255.0
        self.assertAlmostEqual(x.mean(), 0.1307, places=4)
        self.assertAlmostEqual(x.std(), 0.3081, places=4)

    def test_keeps_images_and_labels_together(self):
        # A one takes the least ink and a zero the most.
        test = self.splits["test"]
        ink = [test.x[test.c == digit].mean() for digit in range(10)]
        self.assertEqual((np.argmin(ink), np.argmax(ink)), (1, 0))

    def test_has_the_published_number_of_each_digit(self):
        counts = np.bincount(self.splits["test"].c)
        np.testing.assert_array_equal(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])


if __name__ == "__main__":
    absltest.main()
