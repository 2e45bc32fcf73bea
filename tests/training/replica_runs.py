"""Runs of rows of the table on one device and on several logical ones, in a process of its own, as devices are fixed
when TensorFlow starts:

  python -m tests.training.replica_runs 2 vae ppo_gan:epsilon --break=noise

prints how far apart they end, as JSON.  `--break` does wrongly what must be done right, for controls.
"""

import contextlib
import json
import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf

BREAKS = ("noise", "weights", "batch_norm")
EPOCHS, STEPS = 17, 51


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
    if "--elastic" in arguments:
        print(json.dumps({name: _elastic(table, rows[name], strategy) for name in names}))
        return
    out = {}
    for name in names:
        row, _, optimizer = name.partition(":")
        options = {"optimizer": keras.optimizers.Adam(1e-3, epsilon=1e-3)} if optimizer else {}
        one = _run(table, rows[row], contextlib.nullcontext(), options)
        several = _run(table, rows[row], strategy.scope(), options, "batch_norm" in broken)
        out[name] = {kind: _distance(one[kind], several[kind]) for kind in one}
    print(json.dumps(out))


def _run(table, row, scope, options, unsynchronised=False):
    with scope:
        model = table.model(*row, **options)
    if unsynchronised:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = False
    held_out = tf.data.Dataset.from_tensor_slices(table.arrays(model.recipe, 21)).batch(16)  # the last batch is of 5
    history = model.fit(table.dataset(model.recipe), epochs=EPOCHS, validation_data=held_out, verbose=0).history
    assert int(np.asarray(model.steps)) == STEPS
    state = table.state(model)
    weights = {name: value for name, value in state.items() if name.startswith("weights/")}
    answers = {}
    if model.can("sample"):
        _, given = model.recipe.ancestors("decoder")
        classes = {name: table.arrays(model.recipe)[name][:5] for name in given}
        answers["sample"] = np.asarray(model.sample(5, seed=1, **classes))
    return {
        "weights": weights,
        "slots": {name: value for name, value in state.items() if name not in weights},
        "logs": {name: np.array(values) for name, values in history.items()},
        "answers": answers,
    }


def _elastic(table, row, strategy):
    """Half of a run on several devices, the other half on one, against all on one; and the other way round."""
    from ugm_tf.callbacks import Checkpoints

    def state(*scopes):
        with tempfile.TemporaryDirectory() as folder:
            for i, scope in enumerate(scopes):
                with scope:
                    model = table.model(*row)
                checkpoints = Checkpoints(folder, every=3)
                assert checkpoints.restore(model) == 6 * i
                data, epochs = table.dataset(model.recipe), {"initial_epoch": 2 * i, "epochs": 2 * (i + 1)}
                if len(scopes) == 1:
                    epochs = {"epochs": 4}
                model.fit(data, callbacks=[checkpoints], verbose=0, **epochs)
            assert int(model.steps.numpy()) == 12
            return {k: v for k, v in table.state(model).items() if k.startswith("weights/")}

    one = contextlib.nullcontext
    whole = state(one())
    ends = (state(strategy.scope(), one()), state(one(), strategy.scope()))
    return {"weights": max(_distance(whole, end) for end in ends)}


def _distance(left, right):
    assert left.keys() == right.keys(), (sorted(left), sorted(right))
    pairs = [(np.float64(left[name]), np.float64(right[name])) for name in left if left[name].size]
    apart = [(np.abs(a - b) / np.maximum(1.0, np.abs(a))).max() for a, b in pairs]
    return float(max(apart, default=0.0))


if __name__ == "__main__":
    main(sys.argv[1:])
