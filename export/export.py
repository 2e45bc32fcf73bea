"""Exports a trained model for TensorFlow Serving and other runtimes of SavedModels.

  python -m export.export --model=runs/vae_digits/model.keras --output=/models/digits

writes /models/digits/1, or the next number that is free.  The first of --endpoints is what a request gets that names
no signature:

  python -m export.export --model=runs/vae_digits/model.keras --output=/models/digits --endpoints=decode,encode
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import app, flags, logging

import ugm_tf

_MODEL = flags.DEFINE_string("model", None, "The model.keras of a run.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Where the versions lie: the server's base path.", required=True)
_VERSION = flags.DEFINE_integer(
    "version", None, "Number of the version; the next that is free by default.", lower_bound=1
)
_ENDPOINTS = flags.DEFINE_list(
    "endpoints", None, "What to export, the default first, such as sample,decode; all by default."
)
_MAX_BATCH = flags.DEFINE_integer(
    "max_batch",
    ugm_tf.serving.MAX_BATCH,
    "The most rows of a request, or of requests that a server joins.",
    lower_bound=1,
)
_KEEP = flags.DEFINE_integer(
    "keep", None, "How many versions to keep, the lowest being removed; all by default.", lower_bound=1
)


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Flags only. Received: {argv[1:]}.")
    logging.set_verbosity(logging.WARNING)  # TensorFlow's lines about its files
    try:
        model = ugm_tf.load_model(_MODEL.value)
        path = ugm_tf.serving.export_model(
            model,
            _OUTPUT.value,
            version=_VERSION.value,
            endpoints=_ENDPOINTS.value,
            max_batch=_MAX_BATCH.value,
            keep=_KEEP.value,
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{path}: {', '.join(_ENDPOINTS.value or ugm_tf.serving.signatures(model))}")


if __name__ == "__main__":
    app.run(main)
