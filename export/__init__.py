"""Exporters of trained models, and the script that runs them."""

import ugm_tf  # noqa: F401  before Keras, whose import of TensorFlow would not be quiet
