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


def default_variants(model: UnifiedModel) -> tuple[str, ...]:
    """What is exported beside the signatures themselves if nothing is said: pictures as files, where there are such."""
    return ("bytes",) if any(question.images for question in questions(model).values()) else ()


def variants(model: UnifiedModel, found: Questions, kinds: Iterable[str], max_batch: int) -> dict[str, Question]:
    """Further questions to a model.

    Args:
        model: The model.
        found: Its questions.
        kinds: Which kinds of further ones, of `VARIANTS`.
        max_batch: The most rows of a request.

    Raises:
        ValueError: If a kind is not known, or there is no such question to this model.
    """
    kinds, out = list(dict.fromkeys([kinds] if isinstance(kinds, str) else kinds)), dict[str, Question]()
    for kind in kinds:
        made = VARIANTS[kind](model, found, max_batch) if kind in VARIANTS else {}
        if not made:
            there = [name for name, make in VARIANTS.items() if make(model, found, max_batch)]
            raise ValueError(
                f"The variants of these signatures are {', '.join(there) or 'none'}. Received: {', '.join(kinds)}."
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

    words = {"bytes": "pictures as PNG files", "uint8": "pictures as whole numbers", "indices": ""}[kind]
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
