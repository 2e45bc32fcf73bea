"""The same training by this package: `fit()` with its defaults, on its own batches; or with both phases at once."""

import keras
import numpy as np
import tensorflow as tf

import ugm_tf
from benchmarks import turns, works
from benchmarks.keras_fit import Clock

IMAGE = (28, 28, 1)


def densities(work: works.Work, recipe: ugm_tf.Recipe) -> dict[str, ugm_tf.Density | ugm_tf.Prior]:
    """The densities of the work, with the package's networks and the common initial weights."""
    shapes = {"x": IMAGE, "z": (work.code,)}
    if work.network == "dcgan":
        out = ugm_tf.networks.build(recipe, shapes, network="dcgan")
    elif work.network == "resnet":
        out = ugm_tf.networks.build(recipe, shapes, network="resnet", filters=works.FILTERS)
    elif work.recipe == "bigan":
        out = ugm_tf.networks.build(recipe, shapes, hidden=(512, 256))
        out["decoder"] = ugm_tf.networks.build(recipe, shapes, hidden=(256, 512))["decoder"]
    elif "encoder" in recipe.densities:
        out = ugm_tf.networks.build(recipe, shapes, hidden=(500, 500))
    else:
        out = ugm_tf.networks.build(recipe, shapes, hidden=(256, 512))
    if work.network == "mlp" and "discriminator" in out:
        out["discriminator"] = ugm_tf.networks.build(recipe, shapes, hidden=(512, 256))["discriminator"]
    for name, arrays in works.initial_weights(work).items():
        for weight, value in zip(out[name].trainable_weights, arrays, strict=True):
            weight.assign(value)
    return out


def train(setup: turns.Setup) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(setup.threads)
    work = setup.work
    recipe = ugm_tf.recipes.get(work.recipe, **({"k": work.draws} if work.recipe == "iwae" else {}))
    model = ugm_tf.UnifiedModel(recipe, densities(work, recipe))
    schedule = "simultaneous" if setup.contender == "simultaneous" else "alternating"
    model.compile(keras.optimizers.Adam(work.learning_rate, work.beta_1), schedule=schedule)
    examples = ugm_tf.data.Examples(setup.images, name="images")
    observation = "grey" if work.recipe in ("gan", "iwgan", "bigan") else "binarised"
    dataset = ugm_tf.data.batches(examples, work.batch, observation=observation)
    trained = {name: d.trainable_weights for name, d in model.densities.items() if d.trainable_weights}
    counts = {name: sum(int(np.prod(w.shape)) for w in weights) for name, weights in trained.items()}
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "ugm_tf": ugm_tf.__version__}
    clock = Clock(setup, model.steps, {"parameters": counts, "versions": versions}, suffix="/loss")
    steps = ugm_tf.data.steps_per_epoch(examples, work.batch)
    model.fit(dataset, epochs=10**6, steps_per_epoch=steps, verbose=0, callbacks=[clock])


if __name__ == "__main__":
    turns.start(train)
