"""The doors by which values enter: functions of a model of one variable and of x, by name."""

import functools

import tensorflow as tf

import ugm_tf
from tests.conformance import table

GOOD = table.arrays(ugm_tf.recipes.vae(), 16)["x"]


def dataset(x):
    return tf.data.Dataset.from_tensor_slices(x).batch(8)


LOOPS = {
    "fit": lambda m, x: m.fit(x, verbose=0),
    "fit(dataset)": lambda m, x: m.fit(dataset(x), verbose=0),
    "fit(generator)": lambda m, x: m.fit(((x[i : i + 8],) for i in (0, 8)), verbose=0),
    "fit(validation_data)": lambda m, x: m.fit(GOOD, validation_data=x, verbose=0),
    "evaluate": lambda m, x: m.evaluate(x, verbose=0),
    "evaluate(dataset)": lambda m, x: m.evaluate(dataset(x), verbose=0),
    "train_on_batch": lambda m, x: m.train_on_batch(x),
    "test_on_batch": lambda m, x: m.test_on_batch(x),
}
PREDICTIONS = {
    "predict": lambda m, x: m.predict(x, verbose=0),
    "predict(dataset)": lambda m, x: m.predict(dataset(x), verbose=0),
    "predict_on_batch": lambda m, x: m.predict_on_batch(x),
}
VERBS = {
    "model(x)": lambda m, x: m(x),
    "encode": lambda m, x: m.encode(x),
    "reconstruct": lambda m, x: m.reconstruct(x),
    "discriminate": lambda m, x: m.discriminate(x),
    "log_prob_bound": lambda m, x: m.log_prob_bound(x, k=2),
}
ROW = {row[0]: row[1:] for row in table.ROWS}


@functools.cache
def model(name):
    """A compiled model of a row, for all tests."""
    return table.model(*ROW[name])
