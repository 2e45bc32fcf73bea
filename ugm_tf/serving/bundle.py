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

__all__ = ["export_bundle"]


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
        name: The model's name, of letters, digits, "_", "-" and ".".
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
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
        raise ValueError(f"A model's name is of letters, digits, '_', '-' and '.'. Received: {name!r}.")
    base = pathlib.Path(base_dir)
    publishing.check_version(base / name, options.get("version"), keep)
    configs.labelled(base, name)  # refuses a configuration that it cannot read, before work starts
    path = export_model(model, base / name, **options)
    try:
        configs.write(base, name, int(path.name))
        cards = configs.cards_of(base)
        first = next(iter(cards))
        texts = (guide.guide(cards), deployment.compose(first), deployment.kubernetes(first))
        for file, text in zip(("README.md", *deployment.FILES), texts, strict=True):
            files.write(base / file, text.encode())
        files.write(base / "page.html", page())
    except OSError as error:
        raise ValueError(f"{path} is there, but {base} cannot be written to: {error.strerror}.") from error
    if keep is not None:
        publishing.retire(base / name, keep, {int(path.name), *configs.labelled(base, name).values()})
    return path
