"""Exports a trained model for TensorFlow Serving and other runtimes of SavedModels.

  python -m export.export --run=runs/vae_digits --base=/models

writes /models/vae_digits/1, or the next number that is free, and at /models the server's configuration and a README
with the lines that start it and ask it.  A model file alone, as a version of its own:

  python -m export.export --model=runs/vae_digits/model.keras --output=/models/digits --endpoints=decode,encode

The first of --endpoints is what a request gets that names no signature.
"""

import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from absl import flags, logging

import ugm_tf

from . import command_line, runs

_RUN = flags.DEFINE_string("run", None, "A run's directory, whose flags and figures the model card gets, too.")
_BASE = flags.DEFINE_string("base", None, "With --run: the server's base path, below which each model has a folder.")
_NAME = flags.DEFINE_string("name", None, "With --run: the model's name; that of the run's directory by default.")
_MODEL = flags.DEFINE_string("model", None, "The model.keras of a run.")
_OUTPUT = flags.DEFINE_string("output", None, "With --model: where the versions lie.")
_VERSION = flags.DEFINE_integer(
    "version", None, "Number of the version; the next that is free by default.", lower_bound=1
)
_ENDPOINTS = flags.DEFINE_list(
    "endpoints", None, "What to export, the default first, such as sample,decode; all by default."
)
_VARIANTS = flags.DEFINE_list(
    "variants",
    None,
    "Further signatures: bytes, uint8, indices, noise, draws, interpolate, or single ones such as sample_bytes. By "
    "default sample_bytes and one that takes files, such as reconstruct_bytes, where there are pictures.",
)
_MAX_BATCH = flags.DEFINE_integer(
    "max_batch", ugm_tf.serving.MAX_BATCH, "The most rows of requests that a server joins, or of one.", lower_bound=1
)
_KEEP = flags.DEFINE_integer(
    "keep", None, "How many versions to keep, the lowest being removed; all by default.", lower_bound=1
)


def main(argv: list[str]) -> None:
    del argv
    logging.set_verbosity(logging.WARNING)  # TensorFlow's lines about its files
    options: dict[str, Any] = {
        "version": _VERSION.value,
        "endpoints": _ENDPOINTS.value,
        "max_batch": _MAX_BATCH.value,
        "keep": _KEEP.value,
    }
    run, base, file, output = _RUN.value, _BASE.value, _MODEL.value, _OUTPUT.value
    if run and base and not (file or output):
        model = ugm_tf.load_model(pathlib.Path(run, "model.keras"))
        path = _bundle(model, pathlib.Path(run), base, options)
    elif file and output and not (run or base or _NAME.value):
        model = ugm_tf.load_model(file)
        path = ugm_tf.serving.export_model(model, output, **options | _variants(model))
    else:
        raise ValueError("Give --run and --base, maybe with --name; or --model and --output.")
    if not path.stat().st_mode & 0o004:
        print(
            f"warning: others than you cannot read {path}, and the servers of compose.yaml and kubernetes.yaml run as "
            f"others: chmod -R o+rX {base or output}",
            file=sys.stderr,
        )
    print(f"{path}: {', '.join(json.loads((path / ugm_tf.serving.CARD).read_text())['signatures'])}")


def _bundle(model: ugm_tf.UnifiedModel, run: pathlib.Path, base: str, options: Mapping[str, Any]) -> pathlib.Path:
    name = _NAME.value or run.absolute().name
    return ugm_tf.serving.export_bundle(model, base, name, metadata=runs.facts(run), **options, **_variants(model))


def _variants(model: ugm_tf.UnifiedModel) -> dict[str, Any]:
    """The variants asked for; of some endpoints alone, none unless it is said."""
    if _VARIANTS.value is not None or _ENDPOINTS.value is not None:
        return {"variants": _VARIANTS.value or []}
    return {"variants": ugm_tf.serving.default_variants(model)}


if __name__ == "__main__":
    command_line.start(main)
