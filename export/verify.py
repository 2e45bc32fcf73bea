"""Verifies an export: its files, its graph, what its signatures answer and what they refuse.

  python -m export.verify models/digits/1
  python -m export.verify models/digits/1 --run=runs/vae_digits

The second compares its answers with those of the run's model, too.  Exit status 0 says that all is well, 1 that it is
not fit to be served, with a line for each finding, and 2 that the model of the run cannot be read.
"""

import contextlib
import json
import pathlib
import sys

from absl import app, flags

import ugm_tf
from ugm_tf.serving import CARD, VerificationError, verify

_RUN = flags.DEFINE_string("run", None, "The run that it was exported from: compare it with that model.")


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        raise app.UsageError(f"Give one version directory. Received: {argv[1:]}.")
    version, model = pathlib.Path(argv[1]), None
    averaged: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if _RUN.value is not None:
        try:
            model = ugm_tf.load_model(pathlib.Path(_RUN.value, "model.keras"))
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        if _averages(version):
            averaged = model.averaged()
    try:
        with averaged:
            verify(version, model)
    except VerificationError as error:
        for finding in error.findings:
            print(f"{version}: {finding}")
        sys.exit(1)
    print(f"{version}: verified")


def _averages(version: pathlib.Path) -> bool:
    """Whether the averages of the weights were exported; a card that cannot be read is a finding, later."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return json.loads((version / CARD).read_text()).get("weights") == "averages over training"
    return False


if __name__ == "__main__":
    app.run(main)
