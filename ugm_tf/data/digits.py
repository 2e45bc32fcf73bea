"""The embedded default: 1,797 real handwritten digits of 8x8 pixels, which scikit-learn carries."""

import functools

import numpy as np

__all__ = ["CLASSES", "CITATION", "SIZES", "arrays"]

CLASSES = 10
SIZES = {"train": 1_297, "validation": 250, "test": 250}
CITATION = """@misc{misc_optical_recognition_of_handwritten_digits_80,
  author = {Alpaydin, E. and Kaynak, C.},
  title  = {{Optical Recognition of Handwritten Digits}},
  year   = {1998},
  howpublished = {UCI Machine Learning Repository},
  note   = {{DOI}: https://doi.org/10.24432/C50P49}
}"""
_HELD_OUT = 25  # examples of each class in validation, and as many in test


def arrays(split: str) -> tuple[np.ndarray, np.ndarray]:
    """One split of scikit-learn's `load_digits`, read from the installed package.

    The grey levels v = 0...16 become (255 * v + 8) // 16: 255 * v / 16 rounded, halves up, so 0 stays
    0 and 16 is 255.  Validation and test hold 25 digits of each class, chosen once by
    `RandomState(0)`, whose stream never changes; training has the other 1,297.

    Args:
        split: "train", "validation" or "test".

    Returns:
        x, uint8 [N, 8, 8, 1], and c, int64 [N], in scikit-learn's order.
    """
    levels, labels = _levels()
    order = np.random.RandomState(0).permutation(len(labels))
    rank = np.empty(len(labels), np.int64)  # of each example among its class, in that order
    for label in range(CLASSES):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    chosen = {"test": rank < _HELD_OUT, "validation": (rank >= _HELD_OUT) & (rank < 2 * _HELD_OUT)}
    chosen["train"] = rank >= 2 * _HELD_OUT
    x = (255 * levels.astype(np.int64) + 8) // 16
    return x.astype(np.uint8).reshape(-1, 8, 8, 1)[chosen[split]], labels.astype(np.int64)[chosen[split]]


@functools.cache
def _levels() -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets  # takes a moment to import, and only this data set needs it

    return datasets.load_digits(return_X_y=True)
