"""Data in memory or mapped into it, and named batches of it.

    examples = ugm_tf.data.load("digits", "train")
    dataset = ugm_tf.data.batches(examples, 64, seed=0, observation="binarised")

`load` gives `Examples`: uint8 images or float32 vectors; labels and names of classes where the set has
them; what was read of it and what was passed over; and what identifies it.  `batches` gives an endless
`tf.data.Dataset` of `{"x": [B, ...]}` in which batch t is a pure function of (seed, t), so that a run that
was stopped goes on bit for bit.
"""

from ugm_tf.data.augmentation import AUGMENTATIONS
from ugm_tf.data.batching import batches, steps_per_epoch
from ugm_tf.data.examples import Examples
from ugm_tf.data.fingerprints import Fingerprint
from ugm_tf.data.image_files import naming_files
from ugm_tf.data.loading import SPLITS, load, names, storages
from ugm_tf.data.observations import OBSERVATIONS, support
from ugm_tf.data.readings import Reading
from ugm_tf.data.shifts import SHIFTS, shifted
from ugm_tf.data.stacked import unstacked
from ugm_tf.data.storage import STORAGES
from ugm_tf.data.toys import centers, grid, ring, scale

__all__ = [
    "AUGMENTATIONS",
    "OBSERVATIONS",
    "SHIFTS",
    "SPLITS",
    "STORAGES",
    "Examples",
    "Fingerprint",
    "Reading",
    "batches",
    "centers",
    "grid",
    "load",
    "names",
    "naming_files",
    "ring",
    "scale",
    "shifted",
    "steps_per_epoch",
    "storages",
    "support",
    "unstacked",
]
