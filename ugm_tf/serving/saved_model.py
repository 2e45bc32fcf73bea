"""A trained model as a version directory that TensorFlow Serving and every other runtime of SavedModels can load."""

import contextlib
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import keras

from ugm_tf.model import UnifiedModel
from ugm_tf.serving import cards, configs, graphs, publishing, sums, warmup
from ugm_tf.serving.signatures import MAX_BATCH, Signature, signatures
from ugm_tf.serving.verification import verify
from ugm_tf.training.averages import averages

__all__ = ["Options", "export_model"]


class Options(TypedDict, total=False):
    """What an export may be told, as `export_model` takes it."""

    version: int | None
    endpoints: Iterable[str] | None
    metadata: Mapping[str, Any] | None
    max_batch: int
    variants: Iterable[str]


def export_model(
    model: UnifiedModel,
    base_dir: str | os.PathLike[str],
    version: int | None = None,
    endpoints: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    max_batch: int = MAX_BATCH,
    keep: int | None = None,
    variants: Iterable[str] = (),
) -> pathlib.Path:
    """Writes `base_dir/<version>/`, a SavedModel with the signatures of `ugm_tf.serving.signatures`.

    All inputs and outputs are batched, and row i of an output depends on row i of the inputs alone, so that a
    server may batch requests together; `sample` takes a seed a row, int32 [B, 2].  Outputs are float32 under every
    dtype policy.  The version is verified, as `ugm_tf.serving.verify` does with the model, and then appears at once
    and whole, as a server that watches `base_dir` needs it; none is ever written over.  `assets.extra/model.json` says
    what it is, and `MODEL_CARD.md` in words; warm-up requests are there, too.  Where the model's optimizers keep
    averages of the weights (`use_ema=True`), those are exported.

    A request that names no signature gets `serving_default`, the first of them: by the recipe's purpose "sample",
    "translate", "classify" or "encode".

    Args:
        model: The model, as trained, or as `ugm_tf.load_model` returns it.
        base_dir: Where the versions lie; made if need be.  What exporters that died left there is removed.
        version: A positive number; one more than the highest there if it is not given.
        endpoints: Names of the signatures to export, the default first; if not given, all that
            `ugm_tf.serving.signatures` lists.  Only the weights that these need are written.
        metadata: More to write down in `model.json`.
        max_batch: The most rows that a request may have, or the requests that a server joined.
        keep: How many versions to keep: lower ones are removed once this one is there.  None keeps all.
        variants: Further signatures, as `ugm_tf.serving.signatures` lists them, such as ["bytes"];
            `ugm_tf.serving.default_variants(model)` are those that the scripts export.

    Returns:
        The version directory.

    Raises:
        ValueError: If an endpoint is not known or its inputs have no known shape, if the version exists, if the
            directory cannot be written, or if a network holds what a server cannot run.
        VerificationError: A ValueError, if what was written does not answer as the model, or NaN: nothing is published.

    Example:

    >>> ugm_tf.serving.export_model(ugm_tf.load_model("run/model.keras"), "run/saved_model")
    PosixPath('run/saved_model/1')
    """
    variants = [variants] if isinstance(variants, str) else list(variants)
    chosen = _choose(model, endpoints, variants, max_batch)
    card = {**cards.card(model, chosen, metadata, max_batch), "variants": variants}
    base = pathlib.Path(base_dir)
    publishing.check_version(base, version, keep)
    with publishing.drafted(base) as draft:
        with model.averaged() if averages(model.joint, model.optimizers) else contextlib.nullcontext():
            _write(chosen, draft)
            graph = graphs.read(draft)
            if faults := graphs.faults(graph):
                raise ValueError(" ".join(faults))
            card |= {"signatures": cards.described(graph, chosen), "weights_sha256": sums.sha256(draft / cards.WEIGHTS)}
            _write_extra(draft, base.absolute().name, card)
            verify(draft, model)
        return publishing.publish(draft, base, version, keep)


def _choose(
    model: UnifiedModel, names: Iterable[str] | None, variants: Iterable[str], max_batch: int
) -> dict[str, Signature]:
    if not isinstance(model, UnifiedModel):
        raise ValueError(f"export_model takes a UnifiedModel, such as ugm_tf.load_model returns. Received: {model!r}.")
    found = signatures(model, max_batch, variants, names)
    for name, signature in found.items():
        for variable, spec in signature.inputs.items():
            if spec.shape.rank is None:
                raise ValueError(
                    f"'{name}' takes {variable}, of a shape that no network of this model tells. Make the networks "
                    f"that take {variable} functional or Sequential, or leave '{name}' out of `endpoints`."
                )
    return found


def _write(chosen: Mapping[str, Signature], path: pathlib.Path) -> None:
    archive = keras.export.ExportArchive()  # finds the variables that functions use; track() would write them twice
    for name, signature in chosen.items():
        archive.add_endpoint(name, signature.function, input_signature=list(signature.inputs.values()))
    archive.write_out(str(path), verbose=False)  # with the first of them as `serving_default`


def _write_extra(version: pathlib.Path, name: str, card: Mapping[str, Any]) -> None:
    """What lies beside the graph: the card, warm-up requests, batching parameters and checksums of all."""
    cards.write(version, card)
    warmup.write(version, name, card)
    (version / configs.BATCHING_PARAMETERS).write_text(configs.batching(card["max_batch"]))
    sums.write(version)
