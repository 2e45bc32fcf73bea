"""What a served model is asked: a model's endpoints under the names of the wire, with a server's checks."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

from ugm_tf.inference import VERBS, Endpoint
from ugm_tf.inference.guards import masked, rules
from ugm_tf.model import UnifiedModel

__all__ = ["MAX_BATCH", "Signature", "signatures"]

MAX_BATCH = 64
_END = -1  # no size of an axis
_PURPOSES = ("sample", "translate", "classify", "encode", "decode")  # the first that a model has is its default


@dataclasses.dataclass(frozen=True)
class Signature:
    """A question to a served model.

    Attributes:
        function: From tensors in the order of `inputs`, each [B, ...], to outputs by name, each [B, ...]; `ok` is among
            them, bool [B], false where a row's values were none that the model knows an answer to.
        inputs: Specifications by name, with the batch axis free.
        values: What the values of an input have to be, in words.
        answers: What it is, in a line.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    values: dict[str, str]
    answers: str


def signatures(model: UnifiedModel, max_batch: int = MAX_BATCH) -> dict[str, Signature]:
    """The questions to a model as a server has them, the default first.

    They are the endpoints of `model.endpoints()`, but for four things.  No output has the name of an input:
    `reconstruct` answers `reconstruction`.  `classify` takes x, also where the classifier takes features of it.  Of two
    densities that translate between two kinds of data one is `translate`, the other `translate_back`.  And each has
    the output `ok`.

    Inputs of another shape, of unequal rows or of more than `max_batch` rows are refused, whole requests by
    INVALID_ARGUMENT.  Values that a model has no answer to, such as NaN, make their own row NaN and its `ok` false.

    Args:
        model: The model.
        max_batch: The most rows of a request, or of the requests that a server joined.

    Example:

    >>> for name, signature in signatures(ugm_tf.load_model("run/model.keras")).items():
    ...     print(f"{name}: {signature.answers}")
    sample: the mean of p(x | z) for each seed, and what was drawn for it
    reconstruct: the mean of p(x | z) at the mean of q(z | x)
    score: elbo, a one-draw bound on the log-probability in nats
    encode: the parameters of q(z | x)
    decode: the parameters of p(x | z)
    """
    if type(max_batch) is not int or max_batch < 1:
        raise ValueError(f"max_batch is a number of rows of at least 1. Received: {max_batch!r}.")
    questions = _questions(model)
    default = next((name for name in _PURPOSES if name in questions), next(iter(questions), None))
    order = sorted(questions, key=lambda name: name != default)
    return {name: _signature(model, name, questions[name], max_batch) for name in order}


def _questions(model: UnifiedModel) -> dict[str, Endpoint]:
    """The endpoints under the names of the wire."""
    found = model.endpoints()
    if "reconstruct" in found:
        found["reconstruct"] = _renamed(found["reconstruct"])
    if "classify" in found:
        found["classify"] = _from_data(model, found["classify"], found)
    there, back = _translators(model, found)
    names = {there: "translate", back: "translate_back"} if there and back else {}
    return {names.get(name, name): endpoint for name, endpoint in found.items()}


def _renamed(endpoint: Endpoint) -> Endpoint:
    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = endpoint.function(**values)
        return {("reconstruction" if name in endpoint.inputs else name): value for name, value in outputs.items()}

    return dataclasses.replace(endpoint, function=function)


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

    return Endpoint(function, maker.inputs, f"{classify.answers}, at the mean of {roles[makers[0]]}")


def _translators(model: UnifiedModel, found: Mapping[str, Endpoint]) -> tuple[str | None, str | None]:
    """The names of the endpoints from the first kind of data to another, and back."""
    roles, data = model.recipe.roles, model.recipe.data
    pairs: dict[tuple[tuple[str, ...], ...], str]
    pairs = {(r.given, (r.of,)): VERBS.get(n, n) for n, r in roles.items() if r.letter == "p"}
    there = next((pair for pair in pairs if pair[0] == data[:1] and set(pair[1]) <= set(data)), None)
    return (pairs[there], pairs.get(there[::-1])) if there else (None, None)


def _signature(model: UnifiedModel, name: str, endpoint: Endpoint, max_batch: int) -> Signature:
    answering, inputs = masked(model.joint, endpoint), endpoint.inputs

    def function(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_check(name, inputs, tensors, max_batch)]):
            values = {v: tf.identity(tensor) for v, tensor in zip(inputs, tensors, strict=True)}
        return answering.function(**values)

    return Signature(
        function,
        inputs,
        {variable: rule.text for variable, rule in rules(model.joint, inputs).items()},
        endpoint.answers,
    )


def _check(name: str, inputs: Mapping[str, tf.TensorSpec], tensors: tuple[tf.Tensor, ...], most: int) -> tf.Operation:
    """Refuses tensors of other shapes, of unequal rows and of too many: the graph itself must, as C++ servers do not.

    All shapes are compared at once, each with an end of its own, so that none passes for another.  TensorFlow's
    optimizer believes the shapes of the signature, and would drop a comparison that these make true: so the shapes are
    asked of placeholders that promise none.
    """
    sizes = {variable: [str(size) for size in spec.shape[1:]] for variable, spec in inputs.items()}
    takes = " and ".join(f"{variable} of shape [{', '.join(['B', *rest])}]" for variable, rest in sizes.items())
    shapes = [tf.shape(tf.raw_ops.PlaceholderWithDefault(input=t, shape=tf.TensorShape(None))) for t in tensors]
    rows = tf.reduce_min(tf.concat([shapes[0][:1], [most]], 0), keepdims=True)  # one number, even of a scalar
    received, expected = [], []
    for spec, shape in zip(inputs.values(), shapes, strict=True):
        received += [shape, tf.constant([_END])]
        expected += [rows, tf.constant([*spec.shape[1:], _END])]
    same = tf.raw_ops.Equal(x=tf.concat(received, 0), y=tf.concat(expected, 0), incompatible_shape_error=False)
    words = f"{name} takes {takes}, where B is the number of rows, at most {most}. Received the shapes:"
    return tf.debugging.Assert(tf.reduce_all(same), [words, *shapes], summarize=8)
