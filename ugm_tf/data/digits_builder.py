"""`digits` for TensorFlow Datasets.  Importing this module registers it with `tfds.load`."""

import tensorflow_datasets as tfds

from ugm_tf.data import digits

__all__ = ["Digits"]


class Digits(tfds.core.GeneratorBasedBuilder):
    """scikit-learn's 1,797 digits of 8x8 pixels as a TFDS data set; it downloads nothing.

    The same examples in the same order as `ugm_tf.data.load("digits")`, for everything
    else that reads TFDS.

    Example:

    >>> import ugm_tf.data.digits_builder
    >>> tfds.builder("digits", data_dir="data").info.features["image"].shape  # and tfds.load("digits") finds it
    (8, 8, 1)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "255 levels; 1,297 training, 250 validation and 250 test digits."}

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Handwritten digits of 8x8 pixels, from the test part of UCI's optdigits, by scikit-learn.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1)),
                    "label": tfds.features.ClassLabel(num_classes=digits.CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            citation=digits.CITATION,
            disable_shuffling=True,  # scikit-learn's order is kept
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # nothing to download
        return {split: self._generate_examples(split) for split in digits.SIZES}

    def _generate_examples(self, split: str):
        for key, (image, label) in enumerate(zip(*digits.arrays(split), strict=True)):
            yield key, {"image": image, "label": int(label)}
