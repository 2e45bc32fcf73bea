"""The scripts: train, evaluate and sample."""

import ugm_tf  # noqa: F401  before Keras, whose import of TensorFlow would not be quiet
