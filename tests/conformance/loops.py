"""The doors by which Keras takes values: functions of a model of one variable and of x, by name."""

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
