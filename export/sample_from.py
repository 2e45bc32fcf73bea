"""Samples of a served model as one picture.

  python -m export.sample_from --server=localhost:8500 --model=digits --number=64 --output=samples.png

A server "http://localhost:8501" is asked by REST.  A model of classes gets them all in turn, or that of --class.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import app, flags

from ugm_tf import grids
from ugm_tf.serving import MAX_BATCH, Client, ServingError

_SERVER = flags.DEFINE_string("server", "localhost:8500", "Host and port of gRPC, or http://HOST:PORT of REST.")
_MODEL = flags.DEFINE_string("model", None, "The model's name.", required=True)
_LABEL = flags.DEFINE_string("label", None, "The version with this label, such as stable; the highest by default.")
_NUMBER = flags.DEFINE_integer("number", 64, "How many samples.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Fixes the samples.")
_CLASS = flags.DEFINE_integer("class", None, "The class of all samples, from 0.", lower_bound=0)
_MAX_BATCH = flags.DEFINE_integer("max_batch", MAX_BATCH, "The most rows of a request, as exported.", lower_bound=1)
_TIMEOUT = flags.DEFINE_float("timeout", 10.0, "Seconds that a request may take.", lower_bound=0.001)
_OUTPUT = flags.DEFINE_string("output", "samples.png", "Where the picture goes.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Flags only. Received: {argv[1:]}.")
    try:
        options = {"label": _LABEL.value, "timeout": _TIMEOUT.value, "max_batch": _MAX_BATCH.value}
        with Client(_SERVER.value, _MODEL.value, **options) as client:
            images = client.sample(_NUMBER.value, _SEED.value, **_conditions(client))
        grids.save_png(_OUTPUT.value, images)
    except (ServingError, ValueError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{_OUTPUT.value}: {_NUMBER.value} samples of {_MODEL.value}")


def _conditions(client: Client) -> dict[str, np.ndarray]:
    """One-hot rows for each input of `sample` but the seeds."""
    if "sample" not in client.signatures():
        return {}
    inputs = client.signatures()["sample"].inputs
    shapes = {key: [dim.size for dim in info.tensor_shape.dim] for key, info in inputs.items() if key != "seed"}
    if any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"This model is sampled given {', '.join(shapes)}: use ugm_tf.serving.Client.")
    if not shapes and _CLASS.value is not None:
        raise ValueError("This model is sampled without a class. Leave --class out.")
    out = {}
    for key, (_, classes) in shapes.items():
        if _CLASS.value is not None and _CLASS.value >= classes:
            raise ValueError(f"The classes are 0 to {classes - 1}. Received: --class={_CLASS.value}.")
        of = np.arange(_NUMBER.value) % classes if _CLASS.value is None else np.full(_NUMBER.value, _CLASS.value)
        out[key] = np.eye(classes, dtype=np.float32)[of]
    return out


if __name__ == "__main__":
    app.run(main)
