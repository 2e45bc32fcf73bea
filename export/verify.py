"""Verifies an export: its files, its graph, what its signatures answer and what they refuse.

  python -m export.verify models/digits/1
  python -m export.verify models/digits/1 --run=runs/vae_digits
  python -m export.verify models

The second compares its answers with those of the run's model, too; the third looks at every version of a base path, and
at what the server is told to serve.  Exit status 0 says that all is well, 1 that it is not fit to be served, with a
line for each finding, and 2 that the model of the run cannot be read.
"""

import contextlib
import json
import pathlib
import sys
from typing import Any

from absl import flags

import ugm_tf
from ugm_tf.serving import CARD, VerificationError, configs, publishing, verify
from ugm_tf.serving.bundle import base_faults

from . import command_line

_RUN = flags.DEFINE_string("run", None, "The run that it was exported from: compare it with that model.")


def main(argv: list[str]) -> None:
    if len(argv) != 2:
        raise ValueError(f"Give one version directory, or a base path. Received: {argv[1:]}.")
    path = pathlib.Path(argv[1])
    if not (path / configs.MODELS).exists():
        sys.exit(0 if _fit(path, _RUN.value) else 1)
    if _RUN.value is not None:
        raise ValueError(f"{path} is a base path, whose models are of several runs: --run goes with one version.")
    faults = base_faults(path)
    for fault in faults:
        print(f"{path}: {fault}")
    folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    fit = [_fit(folder / str(number), None) for folder in folders for number in publishing.versions(folder)]
    sys.exit(0 if all(fit) and not faults else 1)


def _fit(version: pathlib.Path, run: str | None) -> bool:
    """Whether a version is fit to be served; prints why not."""
    model: Any = None
    averaged: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if run is not None:
        model = ugm_tf.load_model(pathlib.Path(run, "model.keras"))
        averaged = model.averaged() if _averages(version) else averaged
    try:
        with averaged:
            verify(version, model)
    except VerificationError as error:
        for finding in error.findings:
            print(f"{version}: {finding}")
        return False
    print(f"{version}: verified")
    return True


def _averages(version: pathlib.Path) -> bool:
    """Whether the averages of the weights were exported; a card that cannot be read is a finding, later."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return json.loads((version / CARD).read_text()).get("weights") == "averages over training"
    return False


if __name__ == "__main__":
    command_line.start(main, arguments=True)
