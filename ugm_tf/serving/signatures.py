"""What a served model is asked: a model's questions with a server's checks."""

import dataclasses
import keyword
import re
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from ugm_tf.model import UnifiedModel
from ugm_tf.serving.questions import Question, questions
from ugm_tf.serving.variants import variants as further

__all__ = ["MAX_BATCH", "MOST_ROWS", "Signature", "signatures"]

MAX_BATCH, MOST_ROWS = 64, 4096  # of a request: by default, and at the most, which verification and warm-up ask for
_END = -1  # no size of an axis
_OWN = frozenset({"bound", "elbo", "k", "logit", "ok", "position", "probability", "reconstruction", "seed", "self"})
_ENDS = ("_bytes", "_end", "_noise", "_stddev")  # of names that signatures make of a variable's
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


def signatures(
    model: UnifiedModel,
    max_batch: int = MAX_BATCH,
    variants: Iterable[str] = (),
    endpoints: Iterable[str] | None = None,
) -> dict[str, Signature]:
    """The questions to a model as a server has them, the default first.

    They are the endpoints of `model.endpoints()`, but for four things.  No output has the name of an input:
    `reconstruct` answers `reconstruction`.  `classify` takes x, also where the classifier takes features of it.  Of two
    densities that translate between two kinds of data one is `translate`, the other `translate_back`.  And each has
    the output `ok`.

    Inputs of another shape, of unequal rows or of more than `max_batch` rows are refused, whole requests by
    INVALID_ARGUMENT.  Values that a model has no answer to, such as NaN, make their own row NaN and its `ok` false.

    There are variants of them:

    - "bytes": pictures come as PNG or JPEG files and go as PNG files: `sample_bytes`, `encode_bytes`, ...
    - "uint8": pictures as whole numbers from 0 to 255: `sample_uint8`, ...
    - "indices": classes by number, int32 [B], as they are in the two above: `sample_indices`, ...
    - "noise": standard noise of each draw in place of a seed: `sample_noise`, `score_noise`.
    - "draws": `sample_draws`, of 8 samples a row; `score_draws`, a bound by as many draws, k, as each row asks for.
    - "interpolate": `interpolate`, what lies between two codes.

    Args:
        model: The model.
        max_batch: The most rows of a request, or of the requests that a server joined.
        variants: Which of the variants to add, or single ones by name, such as "sample_bytes".
        endpoints: Names of the questions to take, with their variants, the default first; all by default.

    Raises:
        ValueError: If `max_batch` is no number of rows, this model has no such endpoint or variant, or one of its names
            is none that can be served.

    Example:

    >>> for name, signature in signatures(ugm_tf.load_model("run/model.keras")).items():
    ...     print(f"{name}: {signature.answers}")
    sample: the mean of p(x | z) for each seed, and what was drawn for it
    reconstruct: the mean of p(x | z) at the mean of q(z | x)
    score: elbo, a one-draw bound on the log-probability in nats
    encode: the parameters of q(z | x)
    decode: the parameters of p(x | z)
    """
    if type(max_batch) is not int or not 1 <= max_batch <= MOST_ROWS:
        raise ValueError(f"max_batch is a number of rows from 1 to {MOST_ROWS:,}. Received: {max_batch!r}.")
    _check_names(model)
    known = questions(model)
    default = next((name for name in _PURPOSES if name in known), next(iter(known), None))
    names = sorted(known, key=lambda name: name != default)
    chosen = names if endpoints is None else list(dict.fromkeys(endpoints))
    if not chosen or not set(chosen) <= set(names):
        raise ValueError(
            f"This model can be asked for {', '.join(names)}. Received endpoints: {', '.join(chosen) or 'none'}."
        )
    found = {name: known[name] for name in chosen}
    found |= further(model, found, variants, max_batch)
    return {name: _signature(name, question, max_batch) for name, question in found.items()}


def _check_names(model: UnifiedModel) -> None:
    """Refuses names that a graph, JSON or Python's keywords have not, and such as signatures have of their own.

    Raises:
        ValueError: With the first such variable or density.
    """
    roles = model.recipe.roles
    variables = {name for role in roles.values() for name in (role.of, *role.given)} | set(model.recipe.data)
    own = _OWN | {f"{name}{end}" for name in variables for end in _ENDS}
    names = [("variable", name, name in own) for name in sorted(variables)] + [
        ("density", name, False) for name in roles
    ]
    for kind, name, taken in names:
        if taken or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
            raise ValueError(
                f"This model has a {kind} '{name}', and a served one has names of letters from a to z, digits and '_', "
                f"none of Python's keywords. Taken for variables are {', '.join(sorted(_OWN))}, and those of another "
                f"variable with {', '.join(_ENDS)} at the end. Rename it in the recipe."
            )


def _signature(name: str, question: Question, max_batch: int) -> Signature:
    inputs = question.inputs

    def function(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_check(name, inputs, tensors, max_batch)]):
            values = {v: tf.identity(tensor) for v, tensor in zip(inputs, tensors, strict=True)}
        return question.function(**values)

    return Signature(function, inputs, question.values, question.answers)


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
