"""Samples of a served model as one picture.

  python -m export.sample_from --server=localhost:8500 --model=digits --number=64 --output=samples.png

A server "http://localhost:8501" is asked by REST.  A model of classes gets them all in turn, or that of --class.
"""

import argparse
import os
import sys
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from ugm_tf import grids
from ugm_tf.serving import MAX_BATCH, Client, ServingError


def main(argv: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(argv)
    options = {"label": asked.label, "timeout": asked.timeout, "max_batch": asked.max_batch}
    try:
        with Client(asked.server, asked.model, **options) as client:
            images = client.sample(asked.number, asked.seed, **_conditions(client, asked.number, asked.of_class))
        grids.save_png(asked.output, images)
    except (ServingError, ValueError, ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{asked.output}: {asked.number} samples of {asked.model}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="localhost:8500", help="Host and port of gRPC, or http://HOST:PORT.")
    parser.add_argument("--model", required=True, help="The model's name.")
    parser.add_argument("--label", help="The version with this label, such as stable; the highest by default.")
    parser.add_argument("--number", type=int, default=64, help="How many samples.")
    parser.add_argument("--seed", type=int, default=0, help="Fixes the samples.")
    parser.add_argument("--class", dest="of_class", type=int, help="The class of all samples, from 0.")
    parser.add_argument("--max_batch", type=int, default=MAX_BATCH, help="The most rows of a request, as exported.")
    parser.add_argument("--timeout", type=float, default=10.0, help="Seconds that a request may take.")
    parser.add_argument("--output", default="samples.png", help="Where the picture goes.")
    return parser


def _conditions(client: Client, number: int, of_class: int | None) -> dict[str, np.ndarray]:
    """One-hot rows for each input of `sample` but the seeds."""
    if number < 1:
        raise ValueError(f"--number is at least 1. Received: {number}.")
    if "sample" not in client.signatures():
        return {}
    inputs = client.signatures()["sample"].inputs
    shapes = {key: [dim.size for dim in info.tensor_shape.dim] for key, info in inputs.items() if key != "seed"}
    if any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"This model is sampled given {', '.join(shapes)}: use ugm_tf.serving.Client.")
    if not shapes and of_class is not None:
        raise ValueError("This model is sampled without a class. Leave --class out.")
    out = {}
    for key, (_, classes) in shapes.items():
        if of_class is not None and not 0 <= of_class < classes:
            raise ValueError(f"The classes are 0 to {classes - 1}. Received: --class={of_class}.")
        chosen = np.arange(number) % classes if of_class is None else np.full(number, of_class)
        out[key] = np.eye(classes, dtype=np.float32)[chosen]
    return out


if __name__ == "__main__":
    main()
