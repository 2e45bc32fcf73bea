"""Tests of the way to TFDS, with data sets of a few images made here."""

import hashlib
import pathlib
import time
from unittest import mock

import numpy as np
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized

from ugm_tf import data
from ugm_tf.data import reachable, storage

URL = "http://nowhere.invalid/shades.bin"
CONTENT = bytes(range(200))  # example n is an image of one level, n


class Base(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Splits of which each example is an image of its own level."""

    VERSION = tfds.core.Version("1.0.0")
    SIZES = {"train": 100, "test": 20}
    SHAPE = (6, 4, 1)
    LABEL = tfds.features.ClassLabel(num_classes=7)

    def _info(self):
        features = {"image": tfds.features.Image(shape=self.SHAPE), "other": tfds.features.Text()}
        if self.LABEL is not None:
            features["label"] = self.LABEL
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {split: self._generate_examples(size, CONTENT) for split, size in self.SIZES.items()}

    def _generate_examples(self, size, content):
        shape = tuple(side or 5 for side in self.SHAPE)
        for key in range(size):
            example = {"image": np.full(shape, content[key], np.uint8), "other": "unused"}
            yield key, example if self.LABEL is None else {**example, "label": key % 7}


class UgmShades(Base):
    """Grey images with labels, of one file that must be downloaded."""

    url_infos = {URL: tfds.download.checksums.UrlInfo(len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "shades.bin")}

    def _split_generators(self, dl_manager):
        content = pathlib.Path(dl_manager.download(URL)).read_bytes()
        return {split: self._generate_examples(size, content) for split, size in self.SIZES.items()}


class UgmUnlabelled(Base):
    """RGB images without labels, undivided."""

    SIZES = {"train": 50}
    SHAPE = (None, None, 3)
    LABEL = None


class UgmGaps(Base):
    """A set of which some classes have no example, and the held-out splits have few of the others."""

    SIZES = {"train": 60, "test": 2}
    LABEL = tfds.features.ClassLabel(names=["none", *"abcdefg", "nobody"])

    def _generate_examples(self, size, content):
        for key, example in super()._generate_examples(size, content):
            yield key, {**example, "label": 1 + example["label"]}


class UgmByHand(Base):
    """A set that TFDS does not download itself."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Ask the authors."


class UgmManyLabels(Base):
    """A set without one label for an image."""

    LABEL = tfds.features.Sequence(tfds.features.ClassLabel(num_classes=7))


class TfdsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.trouble = self.enter_context(mock.patch.object(reachable, "trouble", return_value="no network"))

    def load(self, name="ugm_shades", split="train", **options):
        return data.load(name, split, data_dir=str(self.root / "data"), **options)

    def manual(self, path, content=CONTENT):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(self.root / "manual")

    def test_files_in_manual_dir_need_no_network(self):
        manual_dir = self.manual("manual/shades.bin")
        splits = {split: self.load(split=split, manual_dir=manual_dir) for split in data.SPLITS}
        self.trouble.assert_not_called()
        for split, levels in {"train": range(90), "validation": range(90, 100), "test": range(20)}.items():
            np.testing.assert_array_equal(splits[split].x[:, 0, 0, 0], levels)
            np.testing.assert_array_equal(splits[split].c, np.array(levels) % 7)
            self.assertEqual((splits[split].shape, splits[split].num_classes), ((6, 4, 1), 7))

    def test_classes_without_an_example_are_none_and_the_others_keep_their_names(self):
        self.trouble.return_value = None
        train, test = (self.load("ugm_gaps", split) for split in ("train", "test"))
        self.assertEqual((train.class_names, test.class_names), (tuple("abcdefg"),) * 2)
        np.testing.assert_array_equal(train.c, np.arange(54) % 7)
        np.testing.assert_array_equal(test.c, [0, 1])

    def test_all_splits_have_the_reading_and_the_fingerprint_of_the_set(self):
        train = self.load(manual_dir=self.manual("manual/shades.bin"))
        test = self.load(split="test")
        self.assertEqual((train.reading, train.fingerprint), (test.reading, test.fingerprint))
        self.assertEqual(
            str(train.reading), "ugm_shades: 120 examples read (train 90, validation 10, test 20) in 7 classes."
        )
        expected = {
            "TFDS name": "ugm_shades/1.0.0",
            "download shades.bin": hashlib.sha256(CONTENT).hexdigest()[:16],
            "image_size": "as stored",
        }
        self.assertEqual(train.fingerprint.facts, expected)
        self.assertEqual(train.fingerprint.parts, {"split train": "100 examples", "split test": "20 examples"})

    def test_manual_dir_may_hold_a_folder_for_each_data_set(self):
        self.assertLen(self.load(manual_dir=self.manual("manual/ugm_shades/shades.bin"), download=False), 90)

    def test_prepared_data_need_neither(self):
        self.load(manual_dir=self.manual("manual/shades.bin"))
        self.assertLen(self.load(download=False), 90)

    def test_images_are_resized(self):
        found = self.load(manual_dir=self.manual("manual/shades.bin"), image_size=3)
        np.testing.assert_array_equal(found.x[5], np.full([3, 3, 1], 5))

    def test_images_of_any_size_without_labels_are_read(self):
        self.trouble.return_value = None
        found = self.load("ugm_unlabelled", image_size=4)
        self.assertEqual((len(found), found.shape, found.c), (40, (4, 4, 3), None))
        with self.assertRaisesRegex(ValueError, "differ in size.*image_size=64"):
            self.load("ugm_unlabelled")

    @parameterized.parameters((None, "no network"), (True, "no network"), (False, "download=False"))
    def test_without_network_the_error_comes_at_once_and_says_what_to_do(self, download, reason):
        start = time.monotonic()
        with self.assertRaisesRegex(ValueError, f"not prepared under .*{reason}") as caught:
            self.load(download=download)
        self.assertLess(time.monotonic() - start, 5.0)
        message = str(caught.exception)
        command = f"tfds.builder('ugm_shades', data_dir='{self.root / 'data'}').download_and_prepare()"
        for advice in (command, "put shades.bin", "--manual_dir=DIR", "'digits', which needs no download"):
            self.assertIn(advice, message)

    def test_asks_the_server_of_the_files(self):
        with self.assertRaises(ValueError):
            self.load()
        self.trouble.assert_called_once_with(URL)

    def test_mnist_is_refused_at_once_too(self):
        with self.assertRaisesRegex(ValueError, "put t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz, train-"):
            self.load("mnist")

    def test_a_file_of_another_set_is_refused(self):
        with self.assertRaisesRegex(ValueError, "has 5 bytes.*which has 200.*MNIST and Fashion-MNIST.*folder of its"):
            self.load(manual_dir=self.manual("manual/shades.bin", b"other"))

    def test_a_file_of_another_content_is_refused(self):
        with self.assertRaisesRegex(ValueError, "(?s)cannot be prepared.*files in manual_dir are the original ones"):
            self.load(manual_dir=self.manual("manual/shades.bin", bytes(200)))

    def test_a_missing_manual_dir_is_refused(self):
        with self.assertRaisesRegex(ValueError, "There is no folder manual_dir='nowhere'"):
            self.load(manual_dir="nowhere")

    def test_an_unwritable_data_dir_is_refused(self):
        (self.root / "data").write_text("a file where a folder is wanted")
        with self.assertRaisesRegex(ValueError, "cannot be prepared under .*--data_dir=DIR"):
            self.load("digits")

    def test_a_set_to_be_fetched_by_hand_says_so(self):
        with self.assertRaisesRegex(ValueError, "by hand into a folder DIR.*--manual_dir=DIR.*Ask the authors"):
            self.load("ugm_by_hand")

    def test_a_set_that_would_not_fit_in_memory_is_refused(self):
        self.trouble.return_value = None
        with mock.patch.object(storage, "_memory", return_value=40 * 4 * 4 * 3 - 1):
            with self.assertRaisesRegex(ValueError, "GiB of memory.*image_size=64"):
                self.load("ugm_unlabelled", image_size=4, storage="memory")

    def test_sets_of_anything_but_labelled_images_are_refused(self):
        with self.assertRaisesRegex(ValueError, "'imdb_reviews' is not a set of grey or RGB images"):
            self.load("imdb_reviews")
        with self.assertRaisesRegex(ValueError, "has no single class for an image"):
            self.load("ugm_many_labels")


if __name__ == "__main__":
    absltest.main()
