"""What a model is asked over the wire: its endpoints, under the names that a server gives them."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

from ugm_tf.algebra import DiffAugment
from ugm_tf.inference import VERBS, Endpoint
from ugm_tf.inference.endpoints import specs
from ugm_tf.inference.guards import masked, rules
from ugm_tf.model import UnifiedModel

__all__ = ["Image", "Question", "questions"]


@dataclasses.dataclass(frozen=True)
class Question:
    """A question to a served model, by names.

    Attributes:
        function: From inputs by name, each [B, ...], to outputs by name, each [B, ...]; `ok` is among them, bool [B],
            false where a row's values were none that the model knows an answer to, and its other outputs NaN.
        inputs: Specifications by name, with the batch axis free.
        values: What the values of an input have to be, in words.
        answers: What it is, in a line.
        images: Which inputs and outputs are pictures, by name.
        endpoint: What it asks in the end.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    values: dict[str, str]
    answers: str
    images: dict[str, "Image"]
    endpoint: Endpoint


@dataclasses.dataclass(frozen=True)
class Image:
    """Pictures: their shape, and the numbers that black and white are."""

    shape: tuple[int, int, int]
    least: float = 0.0
    most: float = 1.0


def questions(model: UnifiedModel) -> dict[str, Question]:
    """The questions to a model by name.

    They are the endpoints of `model.endpoints()`, but for four things.  No output has the name of an input:
    `reconstruct` answers `reconstruction`.  `classify` takes x, also where the classifier takes features of it.  Of two
    densities that translate between two kinds of data one is `translate`, the other `translate_back`.  And each has
    the output `ok`.

    Args:
        model: The model.
    """
    found = model.endpoints()
    if "reconstruct" in found:
        found["reconstruct"] = _renamed(found["reconstruct"])
    if "classify" in found:
        found["classify"] = _from_data(model, found["classify"], found)
    there, back = _translators(model, found)
    names = {there: "translate", back: "translate_back"} if there and back else {}
    return {names.get(name, name): _question(model, endpoint) for name, endpoint in found.items()}


def _question(model: UnifiedModel, endpoint: Endpoint) -> Question:
    values = {variable: rule.text for variable, rule in rules(model.joint, endpoint.inputs).items()}
    return Question(
        masked(model.joint, endpoint).function,
        endpoint.inputs,
        values,
        endpoint.answers,
        _images(model, endpoint),
        endpoint,
    )


def _images(model: UnifiedModel, endpoint: Endpoint) -> dict[str, Image]:
    """Which inputs and outputs are pictures: those of variables of data with axes of height, width and colours.

    And what a `DiffAugment` makes of one, which a discriminator of changed pictures takes: as pictures as they are.
    """
    roles, out = model.recipe.roles, dict[str, Image]()
    changed = {step.new: step.old for step in model.recipe.steps if isinstance(step, DiffAugment)}
    shown = roles["decoder"].of if "decoder" in roles else None
    for name in (*endpoint.inputs, *endpoint.variables):
        variable = shown if name == "reconstruction" else changed.get(name, name)
        if variable in model.recipe.data:
            shape, rule = specs(model.joint, [variable])[variable].shape, rules(model.joint, [variable])[variable]
            if shape.rank == 4 and shape[-1] in (1, 3):
                out[name] = Image(tuple(shape[1:]), *(rule.ends or (0.0, 1.0)))
    return out


def _renamed(endpoint: Endpoint) -> Endpoint:
    def name_of(output: str) -> str:
        return "reconstruction" if output in endpoint.inputs else output

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name_of(name): value for name, value in endpoint.function(**values).items()}

    return dataclasses.replace(endpoint, function=function, variables=tuple(map(name_of, endpoint.variables)))


def _from_data(model: UnifiedModel, classify: Endpoint, found: Mapping[str, Endpoint]) -> Endpoint:
    """`classify` from data: through the density that makes the features, if it takes those."""
    features, *others = classify.inputs
    roles, data = model.recipe.roles, set(model.recipe.data)
    makers = [n for n, r in roles.items() if r.letter == "q" and r.of == features and r.given and set(r.given) <= data]
    if others or features in data or not makers:
        return classify
    maker = found[VERBS.get(makers[0], makers[0])]

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        return classify.function(**{features: maker.function(**values)[features]})

    answers = f"{classify.answers}, at the mean of {roles[makers[0]]}"
    return Endpoint(function, maker.inputs, answers, classify.variables)


def _translators(model: UnifiedModel, found: Mapping[str, Endpoint]) -> tuple[str | None, str | None]:
    """The names of the endpoints from the first kind of data to another, and back."""
    roles, data = model.recipe.roles, model.recipe.data
    pairs: dict[tuple[tuple[str, ...], ...], str]
    pairs = {(r.given, (r.of,)): VERBS.get(n, n) for n, r in roles.items() if r.letter == "p"}
    there = next((pair for pair in pairs if pair[0] == data[:1] and set(pair[1]) <= set(data)), None)
    return (pairs[there], pairs.get(there[::-1])) if there else (None, None)
