"""A base path that a stock server is pointed at: models in versions, and all that runs and asks them."""

import os
import pathlib
import re

from typing_extensions import Unpack

from ugm_tf import files
from ugm_tf.model import UnifiedModel
from ugm_tf.serving import configs, deployment, guide, publishing
from ugm_tf.serving.page import page
from ugm_tf.serving.saved_model import Options, export_model

__all__ = ["base_faults", "export_bundle"]

_TEXTS = ("README.md", *deployment.FILES, "page.html")
_FILES = (*configs.FILES, *_TEXTS)


def export_bundle(
    model: UnifiedModel,
    base_dir: str | os.PathLike[str],
    name: str,
    keep: int | None = None,
    **options: Unpack[Options],
) -> pathlib.Path:
    """Writes `base_dir/<name>/<version>/`, and at `base_dir` the server's configuration and a README to copy from.

    The version is that of `export_model`.  In `models.config` it gets the label "canary", and "stable" too where no
    version has it; a version with a label is never removed.  Several models may share a base path.

    Args:
        model: The model.
        base_dir: The base path.
        name: The model's name, of letters of the alphabet, digits, "_", "-" and ".", as it stands in addresses.
        keep: How many versions of this model to keep.
        **options: What `export_model` takes: version, endpoints, metadata, max_batch and variants.

    Returns:
        The version directory.

    Raises:
        ValueError: As `export_model`; if the name is none; or if `models.config` holds what cannot be read.

    Example:

    >>> ugm_tf.serving.export_bundle(ugm_tf.load_model("run/model.keras"), "models", "digits")
    PosixPath('models/digits/1')
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) or name in _FILES:
        raise ValueError(
            f"A model's name is of letters, digits, '_', '-' and '.', and not of {', '.join(_FILES)}. "
            f"Received: {name!r}. Give another name, --name=NAME of the script."
        )
    base = pathlib.Path(base_dir)
    publishing.check_version(base / name, options.get("version"), keep)
    configs.labelled(base, name)  # refuses a configuration that it cannot read, before work starts
    path = export_model(model, base / name, **options)
    try:
        with publishing.locked(base):  # exporters of all models write the same files
            files.remove_drafts(base)
            there = publishing.versions(base / name)  # another exporter may have retired it
            newest = int(path.name) if options.get("version") and int(path.name) in there else there[-1]
            configs.write(base, name, newest)
            _write(base)
            if keep is not None:
                publishing.retire(base / name, keep, {newest, *configs.labelled(base, name).values()})
    except OSError as error:
        raise ValueError(f"{path} is there, but {base} cannot be written to: {error.strerror}.") from error
    return path


def base_faults(base: pathlib.Path) -> list[str]:
    """What is amiss at a base path beside its versions: what a server is told to serve and is not there."""
    try:
        served = configs.served(base) or {}
    except ValueError as error:
        return [str(error)]
    out = []
    for name, of in served.items():
        there = publishing.versions(base / name)
        labels = {number: f" ({label})" for label, number in of.labels.items()}
        missing = [f"version {n}{labels.get(n, '')} of '{name}'" for n in sorted(of.versions - set(there))]
        out += [f"{configs.MODELS} has {which}, which is not there." for which in missing]
    out += [f"{file} is missing." for file in _FILES if not (base / file).is_file()]
    if (base / "page.html").is_file() and (base / "page.html").read_bytes() != page():
        out.append("page.html is not the page of this version of ugm_tf. The next export writes it.")
    return out


def _write(base: pathlib.Path) -> None:
    """What lies at a base path beside the configuration, for all models there."""
    cards = configs.cards_of(base)
    first = next(iter(cards))
    contents = [text.encode() for text in (guide.guide(cards), deployment.compose(first), deployment.kubernetes(first))]
    for file, content in zip(_TEXTS, [*contents, page()], strict=True):
        files.write(base / file, content)
