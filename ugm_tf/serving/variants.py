"""Further ways to ask the same: by files of pictures, by numbers of classes, by noise, for several draws."""

import functools
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from ugm_tf.inference.guards import classes
from ugm_tf.model import UnifiedModel
from ugm_tf.serving import draws, encoding
from ugm_tf.serving.questions import Image, Question, questions

__all__ = ["VARIANTS", "default_variants", "variants"]

Questions = Mapping[str, Question]
_TAKING = ("translate", "reconstruct", "classify", "encode")  # the first that a model has takes files by default


def default_variants(model: UnifiedModel) -> list[str]:
    """What is exported beside the signatures themselves if nothing is said: samples as files, and one that takes files.

    Each signature takes about a second to export, so they are no more.
    """
    found = [name for name, question in questions(model).items() if question.images]
    firsts = [next((name for name in names if name in found), None) for names in (("sample",), _TAKING)]
    return [f"{name}_bytes" for name in firsts if name is not None]


def variants(model: UnifiedModel, found: Questions, wanted: Iterable[str], max_batch: int) -> dict[str, Question]:
    """Further questions to a model.

    Args:
        model: The model.
        found: Its questions.
        wanted: Kinds of further ones, of `VARIANTS`, or single ones by name, such as "sample_bytes".
        max_batch: The most rows of a request.

    Raises:
        ValueError: If one is not known, or there is no such question to this model.
    """
    names, out = list(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted)), dict[str, Question]()
    if not names:
        return out
    known = {kind: make(model, found, max_batch) for kind, make in VARIANTS.items()}
    single = {name: {name: question} for made in known.values() for name, question in made.items()}
    for name in names:
        made = known.get(name) or single.get(name)
        if not made:
            there = ", ".join(kind for kind, made in known.items() if made) or "none"
            raise ValueError(
                f"The variants of these signatures are {there}, or single ones of {', '.join(single) or 'none'}. "
                f"Received: {', '.join(names)}."
            )
        out |= made
    return {name: question for name, question in out.items() if name not in found}


def _in_form(kind: str, model: UnifiedModel, found: Questions, max_batch: int) -> dict[str, Question]:
    """The questions whose pictures or classes have another form."""
    out = {}
    for name, question in found.items():
        numbered = [v for v, s in question.inputs.items() if s.shape.rank == 2 and classes(model.joint, v)]
        if numbered if kind == "indices" else question.images:
            out[f"{name}_{kind}"] = _formed(kind, question, numbered, max_batch)
    return out


def _formed(kind: str, question: Question, numbered: list[str], max_batch: int) -> Question:
    images = {} if kind == "indices" else question.images
    keys = {name: f"{name}_bytes" if kind == "bytes" else name for name in images}
    inputs, values = {}, {}
    for name, spec in question.inputs.items():
        key, shape, dtype = keys.get(name, name), tf.TensorShape([None]), tf.int32
        if name in numbered:
            values[key] = f"numbers of classes, 0 to {spec.shape[1] - 1}"
        elif name in images:
            shape = shape if kind == "bytes" else shape + images[name].shape
            dtype = tf.string if kind == "bytes" else tf.uint8
            values |= {key: _files(images[name])} if kind == "bytes" else {}
        else:
            shape, dtype = spec.shape, spec.dtype
            values |= {key: question.values[name]} if name in question.values else {}
        inputs[key] = tf.TensorSpec(shape, dtype, name=key)

    def read(name: str, value: tf.Tensor) -> tf.Tensor:
        if name in numbered:
            return _one_hot(value, question.inputs[name].shape[1])
        if name not in images:
            return value
        image = images[name]
        return encoding.from_bytes(value, image, max_batch) if kind == "bytes" else encoding.from_uint8(value, image)

    def written(name: str, value: tf.Tensor, ok: tf.Tensor) -> tf.Tensor:
        if name not in images:
            return value
        image = images[name]
        return encoding.to_bytes(value, ok, image) if kind == "bytes" else encoding.to_uint8(value, image)

    def function(**given: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = question.function(**{name: read(name, given[keys.get(name, name)]) for name in question.inputs})
        return {keys.get(name, name): written(name, value, outputs["ok"]) for name, value in outputs.items()}

    files = "PNG or JPEG" if images.keys() & question.inputs.keys() else "PNG"  # what goes is PNG
    words = {"bytes": f"pictures as {files} files", "uint8": "pictures as whole numbers", "indices": ""}[kind]
    how = [*([words] if words else []), *(["classes by number"] if numbered else [])]
    return Question(function, inputs, values, f"{question.answers}; {', '.join(how)}", {}, question.endpoint)


def _files(image: Image) -> str:
    height, width, channels = image.shape
    return f"PNG or JPEG of {width} x {height}, {'grey' if channels == 1 else 'RGB'}"


def _one_hot(numbers: tf.Tensor, depth: int) -> tf.Tensor:
    """Rows of classes, [B, C]; of NaN for a number that is none."""
    known = (numbers >= 0) & (numbers < depth)
    return tf.where(known[:, tf.newaxis], tf.one_hot(numbers, depth), float("nan"))


# By name: from a model, its questions and the most rows of a request to further questions.
VARIANTS: dict[str, Callable[[UnifiedModel, Questions, int], dict[str, Question]]] = {
    **{kind: functools.partial(_in_form, kind) for kind in ("bytes", "uint8", "indices")},
    "noise": draws.noise,
    "draws": draws.several,
    "interpolate": draws.interpolate,
}
