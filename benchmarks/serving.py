"""What a served model costs: its signatures against functions written by hand on the same networks.

  python -m benchmarks.serving --out=serving.json

Three contenders take turns, a few calls each, on signatures of a VAE of 28 x 28 images: "hand", a `tf.function` that
does the same and no more, with one seed for a batch; "bare", the exported endpoint without the checks of its inputs;
and "served", what `export_model` writes.  Of each round the fastest calls count; the figure is the median over rounds
of the ratio to "hand".

The part "server" is what comes beside: the gain of joining 64 requests of one row, latency and rows a second of the
local server by gRPC and REST, the time to load and to answer first with and without warm-up, and the size on disk.
"""

import json
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import ugm_tf
from benchmarks import server

_ROUNDS = flags.DEFINE_integer("rounds", 7, "How often each contender has its turns.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 0.3, "How long a contender has in a round.", lower_bound=0.01)
_PARTS = flags.DEFINE_list("parts", ["signatures", "server"], "Which parts.")
_NETWORKS = flags.DEFINE_list("networks", ["mlp", "dcgan"], "Which networks.")
_OUT = flags.DEFINE_string("out", None, "Where the figures go, as JSON.")
_BATCHES = (1, 8, 64)
_CALLS = 4  # in a row, before the next contender's turn

Calls = Mapping[str, Callable[..., Any]]


def a_model(network: str) -> ugm_tf.UnifiedModel:
    """A VAE of 28 x 28 bits and 20 numbers: 784-500-500-20 if it is of dense layers."""
    keras.utils.set_random_seed(0)
    recipe = ugm_tf.recipes.vae()
    options: dict[str, Any] = {"hidden": (500, 500)} if network == "mlp" else {}
    shapes = {"x": (28, 28, 1), "z": (20,)}
    return ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, shapes, network, **options))


def by_hand(model: ugm_tf.UnifiedModel) -> dict[str, Callable[..., Any]]:
    """The same answers, in as few lines as one would write."""
    encoder, decoder = model.densities["encoder"].network, model.densities["decoder"].network

    def code(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, raw = tf.split(encoder(x, training=False), 2, -1)
        return mean, tf.nn.softplus(raw) + 1e-4

    def score(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        mean, scale = code(x)
        noise = tf.random.stateless_normal(tf.shape(mean), seed[0])
        z = mean + scale * noise
        logits = decoder(z, training=False)
        likelihood = -tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), (1, 2, 3))
        return likelihood + tf.reduce_sum((noise**2 - z**2) / 2 + tf.math.log(scale), -1)

    def decode(z: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(decoder(z, training=False))

    def sample(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z = tf.random.stateless_normal([tf.shape(seed)[0], 20], seed[0])
        return decode(z), z

    specs = {
        "seed": tf.TensorSpec([None, 2], tf.int32),
        "x": tf.TensorSpec([None, 28, 28, 1], tf.float32),
        "z": tf.TensorSpec([None, 20], tf.float32),
    }
    plain: dict[str, tuple[Callable[..., Any], list[str]]] = {
        "decode": (decode, ["z"]),
        "encode": (code, ["x"]),
        "sample": (sample, ["seed"]),
        "score": (score, ["x", "seed"]),
    }
    return {
        name: tf.function(function, input_signature=[specs[key] for key in inputs], autograph=False)
        for name, (function, inputs) in plain.items()
    }


def loaded(path: str) -> dict[str, Callable[..., Any]]:
    """The signatures of a SavedModel, as TensorFlow's loader of Python gives them."""
    saved = tf.saved_model.load(path)
    return {name: _keeping(signature, saved) for name, signature in saved.signatures.items()}


def _keeping(signature: Callable[..., Any], saved: Any) -> Callable[..., Any]:
    return lambda saved=saved, **values: signature(**values)  # whose variables live as long as what was loaded


def bare(model: ugm_tf.UnifiedModel, folder: pathlib.Path) -> dict[str, Callable[..., Any]]:
    """The model's endpoints, exported as they are."""
    archive = keras.export.ExportArchive()
    for name, endpoint in model.endpoints().items():
        if name != "reconstruct":
            archive.add_endpoint(name, _positional(endpoint), input_signature=list(endpoint.inputs.values()))
    archive.write_out(str(folder), verbose=False)
    return loaded(str(folder))


def _positional(endpoint: Any) -> Callable[..., Any]:
    return lambda *tensors: endpoint.function(**dict(zip(endpoint.inputs, tensors, strict=True)))


def requests(rows: int) -> dict[str, dict[str, tf.Tensor]]:
    """What each signature is asked."""
    rng = np.random.default_rng(0)
    x = tf.constant(rng.integers(0, 2, [rows, 28, 28, 1]), tf.float32)
    seed = tf.constant(rng.integers(0, 2**31, [rows, 2]), tf.int32)
    z = tf.constant(rng.normal(size=[rows, 20]), tf.float32)
    return {"decode": {"z": z}, "encode": {"x": x}, "sample": {"seed": seed}, "score": {"x": x, "seed": seed}}


def measure(contenders: Mapping[str, Calls], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Seconds of a call by contender and round, for every signature and number of rows."""
    found = []
    for rows in _BATCHES:
        for name, values in requests(rows).items():
            calls = {who: functions[name] for who, functions in contenders.items()}
            for call in (*calls.values(), *calls.values()):
                call(**values)
            times: dict[str, list[float]] = {who: [] for who in calls}
            for _ in range(rounds):
                for who, best in _round(calls, values, seconds * len(calls)).items():
                    times[who].append(best)
            found.append({"signature": name, "rows": rows, "seconds": times})
    return found


def _round(calls: Calls, values: Mapping[str, tf.Tensor], seconds: float) -> dict[str, float]:
    best = dict.fromkeys(calls, float("inf"))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for who, call in calls.items():
            begin = time.perf_counter()
            for _ in range(_CALLS):
                call(**values)
            best[who] = min(best[who], (time.perf_counter() - begin) / _CALLS)
    return best


def line(row: Mapping[str, Any]) -> str:
    """A row of the table: milliseconds by hand, and how many times as long the others take, least to most."""
    hand = row["seconds"]["hand"]
    out = f"{row['network']:6} {row['signature']:7} {row['rows']:3} rows  hand {1e3 * statistics.median(hand):.2f} ms"
    for who, times in row["seconds"].items():
        if who != "hand":
            ratios = [mine / other for mine, other in zip(times, hand, strict=True)]
            out += f"  {who} {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return out


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Flags only. Received: {argv[1:]}.")
    if not _PARTS.value or not set(_PARTS.value) <= {"signatures", "server"}:
        raise app.UsageError(f"--parts are of signatures and server. Received: {_PARTS.value}.")
    rows: list[dict[str, Any]] = []
    servers: dict[str, Any] = {}
    for network in _NETWORKS.value:
        model = a_model(network)
        with tempfile.TemporaryDirectory() as folder:
            version = ugm_tf.serving.export_bundle(model, f"{folder}/models", network)
            if "signatures" in _PARTS.value:
                contenders = {"hand": by_hand(model), "bare": bare(model, pathlib.Path(folder, "bare"))}
                found = measure({**contenders, "served": loaded(str(version))}, _ROUNDS.value, _SECONDS.value)
                rows += [{"network": network, **row} for row in found]
                print("\n".join(map(line, rows[-len(found) :])), flush=True)
            if "server" in _PARTS.value:
                asked = {name: {k: v.numpy() for k, v in batch.items()} for name, batch in requests(64).items()}
                base = version.parent.parent
                servers[network] = server.figures(base, network, asked, _ROUNDS.value, _SECONDS.value)
                print(f"{network}\n{server.line(servers[network])}", flush=True)
    if _OUT.value:
        pathlib.Path(_OUT.value).write_text(json.dumps({"signatures": rows, "server": servers}, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
