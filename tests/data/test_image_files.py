"""Tests of images that are read from their files batch by batch."""

import dataclasses

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from absl.testing import absltest, parameterized

import ugm_tf
from tests.data.folder_case import FolderCase
from ugm_tf import data
from ugm_tf.data.image_files import ImageFiles, Unread


def noise(seed, size, channels=3):
    shape = size if channels == 1 else (*size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


class ImageFilesTest(FolderCase):
    def setUp(self):
        super().setUp()
        for i in range(12):
            self.write(f"a/{i}.png", noise(i, (6, 6)))
            self.write(f"b/{i}.png", noise(100 + i, (6, 6), 4))  # with an alpha channel

    def files(self, split="train", **options):
        return self.load(split, storage="files", **options)

    @parameterized.parameters(({},), ({"background": "#3070ff"},), ({"image_size": 9},))
    def test_batches_are_those_in_memory_bit_for_bit(self, options):
        one, other = self.load(**options), self.files(**options)
        self.assertEqual(other.storage, "files")
        np.testing.assert_array_equal(one.c, other.c)
        self.assertEqual(one.fingerprint, other.fingerprint)
        arguments = {"variables": ("x", "c"), "seed": 3, "start_step": 5}
        for a, b in self.both(one, other, 6, observation="dequantised", **arguments):
            np.testing.assert_array_equal(a["x"], b["x"])
            np.testing.assert_array_equal(a["c"], b["c"])

    def both(self, one, other, size, number=8, **options):
        pair = [data.batches(e, size, **options).take(number).as_numpy_iterator() for e in (one, other)]
        return zip(*pair, strict=True)

    def test_images_of_several_sizes_turned_and_of_other_kinds_too(self):
        for i in range(12):
            self.write(f"c/{i}.png", noise(i, (5 + i, 9)))
            exif = PIL.Image.Exif()
            exif[0x0112] = 1 + i % 8
            self.write(f"c/{i}.jpg", noise(i, (7, 11 + i)), exif=exif)
            self.write(f"c/{i}.gif", PIL.Image.fromarray(noise(i, (8, 8))).convert("P"))
        one, other = self.load(image_size=6), self.files(image_size=6)
        for a, b in self.both(one, other, 10, observation="grey"):
            np.testing.assert_array_equal(a["x"], b["x"])

    def test_the_last_smaller_batch_and_static_bits_too(self):
        one, other = self.load("train"), self.files("train")
        options = {"shuffle": False, "epochs": 1, "drop_remainder": False}
        number = data.steps_per_epoch(one, 5, drop_remainder=False)
        for a, b in self.both(one, other, 5, number, observation="static", **options):
            np.testing.assert_array_equal(a["x"], b["x"])

    def test_it_is_indexed_as_the_array_of_its_images(self):
        whole, files = self.load().x, self.files().x
        self.assertEqual((files.shape, files.dtype, files.nbytes), (whole.shape, whole.dtype, whole.nbytes))
        np.testing.assert_array_equal(files, whole)
        np.testing.assert_array_equal(files[3], whole[3])
        np.testing.assert_array_equal(files[2:9:2], whole[2:9:2])
        np.testing.assert_array_equal(files[np.array([5, 1])][1:], whole[[1]])
        np.testing.assert_array_equal(np.asarray(files[:2], np.float32), whole[:2].astype(np.float32))

    def test_a_labelled_subset_stays_in_the_files(self):
        one, other = self.load(), self.files()
        few = other.labelled_subset(per_class=2)
        self.assertEqual(few.storage, "files")
        np.testing.assert_array_equal(few.x, one.labelled_subset(per_class=2).x)
        np.testing.assert_array_equal(data.shifted(few, "mirrored").x, np.asarray(few.x)[:, :, ::-1])

    def test_nothing_is_read_until_it_is_asked_for(self):
        examples = self.files()
        for file in self.root.rglob("*.png"):
            file.unlink()
        self.assertLen(dataclasses.replace(examples, name="renamed"), len(examples))
        self.assertIsInstance(examples.x[:3], ImageFiles)


class TakenAwayTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.classes(a=40)
        self.batches = data.batches(self.load(storage="files"), 8, observation="binarised")

    def spoil(self, how):
        file = self.root / "a" / "007.png"
        if how == "gone":
            file.unlink()
        elif how == "damaged":
            file.write_bytes(file.read_bytes()[:-20])
        else:
            self.write("a/007.png", np.zeros([4, 4], np.uint8))
        why = "cannot be read any more: No such file or directory" if how == "gone" else "was changed since"
        return f"^'{file}' {why}[^\\n]*Put it back as it was, and the same command goes on[^\\n]*$"

    @parameterized.parameters("gone", "damaged", "another")
    def test_one_line_names_the_file(self, how):
        advice = self.spoil(how)
        with self.assertRaisesRegex(Unread, advice), data.naming_files():
            list(self.batches.take(9))

    @pytest.mark.slow
    def test_fit_and_evaluate_name_it_too(self):
        recipe = ugm_tf.recipes.get("vae")
        densities = ugm_tf.networks.build(recipe, {"x": (4, 4, 1), "z": (2,)}, hidden=(4,))
        model, advice = ugm_tf.UnifiedModel(recipe, densities), []
        model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
        spoil = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: advice or advice.append(self.spoil("gone"))
        )
        with self.assertRaises(Unread) as caught:
            model.fit(self.batches, epochs=9, steps_per_epoch=10, verbose=0, callbacks=[spoil])
        self.assertRegex(str(caught.exception), advice[0])
        with self.assertRaisesRegex(Unread, advice[0]):
            model.evaluate(self.batches, steps=10, verbose=0)

    def test_other_errors_of_tensorflow_stay_as_they_are(self):
        with self.assertRaises(tf.errors.InvalidArgumentError), data.naming_files():
            tf.debugging.assert_equal(1, 2)


if __name__ == "__main__":
    absltest.main()
