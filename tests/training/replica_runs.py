"""Runs of rows of the table on one device and on several logical ones, in a process of its own, as devices are fixed
when TensorFlow starts:

  python -m tests.training.replica_runs 2 vae gan --break=share

prints how far apart they end, as JSON.  `--break` does wrongly what must be done right, for controls.
"""

import contextlib
import json
import sys

import keras
import numpy as np
import tensorflow as tf

BREAKS = ("noise", "weights", "batch_norm")


def strategy_of(replicas):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    return tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(replicas)])


def main(arguments):
    replicas, names = int(arguments[0]), [name for name in arguments[1:] if not name.startswith("--")]
    broken = [argument.partition("=")[2] for argument in arguments if argument.startswith("--break")]
    strategy = strategy_of(replicas)

    from tests.conformance import table  # after the devices are set
    from ugm_tf import replicas as replicas_module

    if "noise" in broken:
        replicas_module.share_of = lambda size: replicas_module.Share(0, size * replicas)
    if "weights" in broken:
        replicas_module.softmax = lambda logits: tf.nn.softmax(logits, 0) / replicas_module.count()
    rows = {row[0]: row[1:] for row in table.ROWS}
    out = {}
    for name in names:
        one = _run(table, rows[name], contextlib.nullcontext())
        several = _run(table, rows[name], strategy.scope(), "batch_norm" in broken)
        out[name] = {kind: _distance(one[kind], several[kind]) for kind in one}
    print(json.dumps(out))


def _run(table, row, scope, unsynchronised=False):
    with scope:
        model = table.model(*row)
    if unsynchronised:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = False
    held_out = tf.data.Dataset.from_tensor_slices(table.arrays(model.recipe, 21)).batch(16)  # the last batch is of 5
    history = model.fit(table.dataset(model.recipe), epochs=4, validation_data=held_out, verbose=0).history
    assert int(model.steps.numpy()) == 12
    state = table.state(model)
    weights = {name: value for name, value in state.items() if name.startswith("weights/")}
    answers = {"sample": model.sample(5, seed=1).numpy()} if model.can("sample") else {}
    return {
        "weights": weights,
        "slots": {name: value for name, value in state.items() if name not in weights},
        "logs": {name: np.array(values) for name, values in history.items()},
        "answers": answers,
    }


def _distance(left, right):
    assert left.keys() == right.keys(), (sorted(left), sorted(right))
    apart = [np.abs(np.float64(left[name]) - np.float64(right[name])).max() for name in left if left[name].size]
    return float(max(apart, default=0.0))


if __name__ == "__main__":
    main(sys.argv[1:])
