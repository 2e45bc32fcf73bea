"""Flips and shifts as images are read: what they do, and that each row is a function of seed, step and place."""

import numpy as np
import pytest
from absl.testing import absltest, parameterized

from tests.data.test_batching import assert_same
from ugm_tf import data

RNG = np.random.default_rng(0)
IMAGES = data.Examples(RNG.integers(0, 256, (24, 6, 5, 3), np.uint8), np.arange(24) % 3, 3, "noise")


def listed(steps, augment, examples=IMAGES, batch_size=8, **options):
    options = {"observation": "grey", "shuffle": False, **options}
    dataset = data.batches(examples, batch_size, augment=augment, **options)
    return list(dataset.take(steps).as_numpy_iterator())


def rows(batches):
    return np.rint(255 * np.concatenate([batch["x"] for batch in batches])).astype(np.uint8)


def moved(image, down, right):
    """By hand, pixel by pixel."""
    height, width, _ = image.shape
    at = [
        [(min(max(i - down, 0), height - 1), min(max(j - right, 0), width - 1)) for j in range(width)]
        for i in range(height)
    ]
    return np.array([[image[i, j] for i, j in row] for row in at])


class AugmentationTest(parameterized.TestCase):
    def test_a_flip_exchanges_left_and_right_of_half_of_the_images(self):
        found = rows(listed(60, "flip"))
        originals = np.tile(IMAGES.x, (20, 1, 1, 1))
        same = (found == originals).all((1, 2, 3))
        flipped = (found == originals[:, :, ::-1]).all((1, 2, 3))
        self.assertTrue((same ^ flipped).all())
        self.assertBetween(flipped.mean(), 0.4, 0.6)  # of 480: 5 standard deviations are 0.11

    @pytest.mark.slow
    def test_a_shift_moves_by_each_number_of_pixels_and_repeats_the_border(self):
        found, counts = rows(listed(60, "shift(2)")), np.zeros([5, 5], int)
        for image, original in zip(found, np.tile(IMAGES.x, (20, 1, 1, 1)), strict=True):
            fits = [
                (down, right)
                for down in range(-2, 3)
                for right in range(-2, 3)
                if (moved(original, down, right) == image).all()
            ]
            self.assertLen(fits, 1)
            counts[fits[0][0] + 2, fits[0][1] + 2] += 1
        for along in (counts.sum(0), counts.sum(1)):  # 96 each are expected, with a standard deviation of 9
            self.assertBetween(along.min(), 55, 96)
            self.assertBetween(along.max(), 96, 137)
        self.assertTrue((counts > 0).all())

    def test_both_are_made_in_their_order(self):
        flips, shifts = (rows(listed(3, change)) for change in ("flip", "shift(1)"))
        both = rows(listed(3, ("flip", "shift(1)")))
        self.assertFalse((both == flips).all() or (both == shifts).all())
        for image, flipped in zip(both, flips, strict=True):
            fits = [(moved(flipped, i, j) == image).all() for i in (-1, 0, 1) for j in (-1, 0, 1)]
            self.assertTrue(any(fits))

    @parameterized.product(observation=["grey", "dequantised", "binarised", "static"])
    @pytest.mark.slow
    def test_batches_from_a_step_on_are_those_of_a_run_that_went_on(self, observation):
        options = {"augment": ("flip", "shift(2)"), "observation": observation, "shuffle": True, "seed": 3}
        assert_same(listed(7, **options)[4:], listed(3, start_step=4, **options))

    @pytest.mark.slow
    def test_a_row_does_not_depend_on_how_many_there_are(self):
        few, many = (listed(1, ("flip", "shift(2)"), batch_size=size)[0]["x"] for size in (5, 20))
        np.testing.assert_array_equal(few, many[:5])

    @pytest.mark.slow
    def test_seeds_and_steps_differ(self):
        found = [
            rows(listed(1, ("flip", "shift(2)"), seed=seed, start_step=3 * step)) for seed in (0, 1) for step in (0, 1)
        ]
        self.assertLen({image.tobytes() for image in found}, 4)

    def test_data_of_any_storage_have_the_same_bits(self):
        path = self.create_tempdir().full_path + "/x.npz"
        np.savez(path, x_train=IMAGES.x, c_train=IMAGES.c, x_validation=IMAGES.x, c_validation=IMAGES.c)
        found = []
        for storage in ("memory", "mapped"):
            cache = {} if storage == "memory" else {"cache_dir": self.create_tempdir().full_path}
            examples = data.load(f"npz:{path}", "train", storage=storage, **cache)
            found.append(listed(3, ("flip", "shift(2)"), examples))
        assert_same(*found)

    @pytest.mark.slow
    def test_sources_are_changed_each_on_its_own(self):
        options = {"variables": ("x", "target"), "target": IMAGES}
        batch = listed(1, ("flip", "shift(2)"), **options)[0]
        self.assertFalse(np.array_equal(batch["x"], batch["target"]))
        np.testing.assert_array_equal(batch["x"], listed(1, ("flip", "shift(2)"))[0]["x"])

    def test_nothing_is_changed_unless_it_is_asked_for(self):
        np.testing.assert_array_equal(rows(listed(3, ())), IMAGES.x)

    @parameterized.parameters(
        ("mirror", "augment takes 'flip' and 'shift.n.'.* Received: augment=.'mirror',."),
        ("shift", "such as 'shift.2.'.* Received: augment=.'shift',."),
        (("flip", "flip"), "each at most once"),
        ("shift(5)", "by less than a side: .* of 6x5. Received: shift.5."),
        ("shift(0)", "by 1 pixel at least"),
    )
    def test_refuses(self, augment, advice):
        with self.assertRaisesRegex(ValueError, advice):
            listed(1, augment)

    def test_refuses_vectors(self):
        with self.assertRaisesRegex(ValueError, "holds vectors, and augment=.'flip',. is of images"):
            data.batches(data.ring(), 5, observation="raw", augment="flip")


if __name__ == "__main__":
    absltest.main()
