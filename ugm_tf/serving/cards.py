"""The model card of an export: what it is, what it takes and answers, and of which files it consists."""

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from ugm_tf.model import UnifiedModel
from ugm_tf.serving import sums
from ugm_tf.serving.signatures import MOST_ROWS, Signature
from ugm_tf.training.averages import averages
from ugm_tf.version import __version__

__all__ = ["CARD", "WEIGHTS", "card", "described", "faults", "read", "write"]

CARD = "assets.extra/model.json"  # runtimes leave that folder alone
_IN_WORDS = "assets.extra/MODEL_CARD.md"
WEIGHTS = "variables/variables.data-00000-of-00001"

_TABLES = (("fingerprint", "Data"), ("flags", "Training"), ("figures", "Figures"), ("trained_with", "Trained with"))


def card(
    model: UnifiedModel, chosen: Mapping[str, Signature], metadata: Mapping[str, Any] | None, max_batch: int
) -> dict[str, Any]:
    """What is known of an export before it is written.

    Raises:
        ValueError: If `metadata` is nothing that JSON can hold, or nothing that a card can show.
    """
    try:
        written = json.loads(json.dumps(dict(metadata or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"metadata is a dict that JSON can hold: {error}. Received: {metadata!r}.") from error
    _check_shown(written)
    densities = model.densities.items()
    return {
        "densities": {name: f"{model.recipe.roles[name]} {density.title}" for name, density in densities},
        "data": list(model.recipe.data),
        "equations": model.describe().split("\n"),
        "serving_default": next(iter(chosen)),
        "max_batch": max_batch,
        "weights": "averages over training" if averages(model.joint, model.optimizers) else "as of the last step",
        "metadata": written,
        "versions": {"ugm_tf": __version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _check_shown(metadata: Mapping[str, Any]) -> None:
    """Refuses metadata of names that the card shows, and cannot."""
    for part, _ in _TABLES:
        if not isinstance(metadata.get(part) or {}, dict):
            raise ValueError(f"metadata['{part}'] is a dict of names with values. Received: {metadata[part]!r}.")
    names = metadata.get("class_names") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"metadata['class_names'] is a list of strings. Received: {names!r}.")
    try:
        json.dumps(metadata, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"metadata is text that UTF-8 can hold: {error}. Received: {metadata!r}.") from error


def described(graph: meta_graph_pb2.MetaGraphDef, chosen: Mapping[str, Signature]) -> dict[str, Any]:
    """The signatures as a server will read them, with what the values of each input have to be."""
    return {
        name: {
            "answers": signature.answers,
            "inputs": _tensors(graph.signature_def[name].inputs, signature.values),
            "outputs": _tensors(graph.signature_def[name].outputs, {}),
        }
        for name, signature in chosen.items()
    }


def _tensors(infos: Any, values: Mapping[str, str]) -> dict[str, Any]:
    out = {}
    for key, info in sorted(infos.items()):
        shape = [dim.size if dim.size >= 0 else None for dim in info.tensor_shape.dim]
        out[key] = {"dtype": tf.as_dtype(info.dtype).name, "shape": shape}
        out[key] |= {"values": values[key]} if key in values else {}
    return out


def read(version: pathlib.Path) -> dict[str, Any]:
    """The card of a version.

    Raises:
        ValueError: If there is none, or what is there is none of an export.
    """
    try:
        found = json.loads((version / CARD).read_text())
        for key, kind in {"max_batch": int, "metadata": dict, "densities": dict, "signatures": dict}.items():
            if type(found[key]) is not kind:
                raise TypeError(f"{key} is no {kind.__name__}")
        if not 1 <= found["max_batch"] <= MOST_ROWS or found["serving_default"] not in found["signatures"]:
            raise ValueError("max_batch is no number of rows, or serving_default no signature")
        for signature in found["signatures"].values():
            for spec in (*signature["inputs"].values(), *signature["outputs"].values()):
                if set(spec) - {"values"} != {"dtype", "shape"} or not isinstance(signature["answers"], str):
                    raise ValueError("a signature is described otherwise")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{CARD} is not the card of an export: {error!r}.") from error
    return found


def faults(version: pathlib.Path, card: Mapping[str, Any], graph: meta_graph_pb2.MetaGraphDef) -> Iterator[str]:
    """What a card says otherwise than the graph, the weights and the card in words."""
    there = {name: s for name, s in graph.signature_def.items() if not name.startswith("__")}
    written = {**card["signatures"], "serving_default": card["signatures"][card["serving_default"]]}
    if set(written) != set(there):
        yield f"The graph has the signatures {sorted(there)}, and the card {sorted(written)}."
    for name in sorted(set(written) & set(there)):
        for part in ("inputs", "outputs"):
            plain = {k: {"dtype": s["dtype"], "shape": s["shape"]} for k, s in written[name][part].items()}
            if plain != (true := _tensors(getattr(there[name], part), {})):
                yield f"'{name}' has the {part} {true} in the graph, and {plain} in the card."
        if "ok" not in there[name].outputs:
            yield f"'{name}' has no output ok."
    total = card.get("weights_sha256")
    if (version / WEIGHTS).is_file() and total != sums.sha256(version / WEIGHTS):
        yield f"The card is of other weights: their checksum there is {total}."
    if not (version / _IN_WORDS).is_file() or str(total) not in (version / _IN_WORDS).read_text(errors="replace"):
        yield f"{_IN_WORDS} is missing, or of other weights."


def write(version: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Writes the card of a version, for programs and for people."""
    path = version / CARD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
    (version / _IN_WORDS).write_text(_in_words(content))


def _in_words(content: Mapping[str, Any]) -> str:
    metadata = content["metadata"]
    roles = "\n".join(f"- {name}: {what}" for name, what in content["densities"].items())
    asked = "\n".join(f"- `{name}`: {signature['answers']}" for name, signature in content["signatures"].items())
    limits = [
        f"A request has at most {content['max_batch']} rows.",
        *dict.fromkeys(
            f"The values of `{key}`, {spec['dtype']}, are {spec['values']}."
            for signature in content["signatures"].values()
            for key, spec in signature["inputs"].items()
            if "values" in spec
        ),
        "It knows what it was trained on, and nothing else.",
    ]
    tables = "".join(
        f"\n## {title}\n\n" + "".join(f"- {key}: {value}\n" for key, value in metadata[part].items())
        for part, title in _TABLES
        if metadata.get(part)
    )
    classes = "".join(f"- {number}: {name}\n" for number, name in enumerate(metadata.get("class_names") or ()))
    tables = (f"\n## Classes\n\n{classes}" if classes else "") + tables
    equations = "\n".join(content["equations"])
    versions = "".join(f"- {key}: {value}\n" for key, value in content["versions"].items())
    return (
        f"# {metadata.get('recipe', 'A model of ugm_tf')}\n\n{roles}\n\nTrained by\n\n```\n{equations}\n```\n\n"
        f"Weights: {content['weights']}, sha256 {content['weights_sha256']}.\n\n## What it is asked\n\n{asked}\n\n"
        "## Limits\n\n" + "".join(f"- {limit}\n" for limit in limits) + f"{tables}\n## Exported with\n\n{versions}"
    )
