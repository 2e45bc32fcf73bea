"""Values that no density takes: they make their own row's answer NaN, and change no other row's."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from ugm_tf.densities import families
from ugm_tf.inference.endpoints import Endpoint
from ugm_tf.joint import Joint

__all__ = ["Rule", "masked", "rules"]

_TOLERANCE = 1e-3  # for the rounding of whoever sends the values
_MOST = 2.0**24  # whole numbers up to here are exact in float32


@dataclasses.dataclass(frozen=True)
class Rule:
    """What the values of an input have to be.

    Attributes:
        text: In words, to follow "values that are".
        holds: From values [B, ...] to whether each row's are, bool [B].  A NaN never is.
    """

    text: str
    holds: Callable[[tf.Tensor], tf.Tensor]


def rules(joint: Joint, variables: Iterable[str]) -> dict[str, Rule]:
    """What the values of each input have to be, for there to be an answer.

    A variable of the data lies where its likelihoods and the recipe's `families` say: an image of a Bernoulli decoder
    in [0, 1], a class on a one-hot row.  A code lies where the mean of its density can: what `encode` answers is what
    `decode` takes.

    Args:
        joint: The densities and the recipe.
        variables: Names of inputs; "seed" has no rule.
    """
    out = {}
    for variable in variables:
        if variable == "seed":
            continue
        supports = _supports(joint, variable)
        found = next((support for support in _RULES if support in supports), "real")
        out[variable] = _RULES["simplex" if found == "one_hot" and variable not in joint.recipe.data else found]
    return out


def masked(joint: Joint, endpoint: Endpoint) -> Endpoint:
    """The endpoint with an output more, `ok`, bool [B]; where it is false, the row's other outputs are NaN.

    (Networks do not do so by themselves: oneDNN's dense layers make a plausible number of NaN.  And a server joins the
    requests of several clients, so a bad row must not refuse the batch.)

    Args:
        joint: The densities and the recipe.
        endpoint: One of its endpoints.
    """
    checks = rules(joint, endpoint.inputs)

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        every = [rule.holds(values[variable]) for variable, rule in checks.items()]
        ok = functools.reduce(tf.logical_and, every) if every else tf.ones(tf.shape(values["seed"])[:1], tf.bool)
        outputs = endpoint.function(**values)
        return {**(_masked(outputs, ok) if every else outputs), "ok": ok}

    return dataclasses.replace(endpoint, function=function)


def _masked(outputs: Mapping[str, tf.Tensor], ok: tf.Tensor) -> dict[str, tf.Tensor]:
    nothing = tf.where(ok, 0.0, float("nan"))  # to add: a select that broadcasts takes several times longer
    shapes = {name: tf.concat([[-1], tf.ones_like(_axes(value))], 0) for name, value in outputs.items()}
    return {name: value + tf.reshape(nothing, shapes[name]) for name, value in outputs.items()}


def _supports(joint: Joint, variable: str) -> set[str]:
    """Where the families say that a variable lies."""
    recipe, densities = joint.recipe, joint.densities
    found = [densities[name].family for name, role in recipe.roles.items() if role.of == variable]
    if variable in recipe.families and variable not in recipe.densities:
        found.append(families.get(recipe.families[variable]))
    return {family.support for family in found if family.has_log_prob}


def _axes(values: tf.Tensor) -> tf.Tensor:
    """All axes but the first; a constant where the rank is known, so that the graph need not count."""
    rank = values.shape.rank
    return tf.range(1, tf.rank(values)) if rank is None else tf.constant(list(range(1, rank)), tf.int32)


def _every(holds: tf.Tensor) -> tf.Tensor:
    """Whether all that belongs to a row holds, [B]."""
    return tf.reduce_all(holds, _axes(holds))


def _finite(values: tf.Tensor) -> tf.Tensor:
    """Whether a row has neither NaN nor infinity, [B], by its sum: of what a network takes, none overflows."""
    return tf.math.is_finite(tf.reduce_sum(values, _axes(values)))


def _sums_to_one(values: tf.Tensor) -> tf.Tensor:
    return tf.abs(tf.reduce_sum(values, -1) - 1.0) < _TOLERANCE


# By support, the narrowest first.
_RULES = {
    "one_hot": Rule("one-hot rows", lambda v: _every(tf.abs(v * (1.0 - v)) < _TOLERANCE) & _every(_sums_to_one(v))),
    "simplex": Rule("probabilities that sum to 1", lambda v: _every(v > -_TOLERANCE) & _every(_sums_to_one(v))),
    "label": Rule("labels, whole numbers from 0", lambda v: _every((v >= 0) & (v < _MOST) & (v == tf.round(v)))),
    "binary": (_UNIT := Rule("in [0, 1]", lambda v: _every(tf.abs(v - 0.5) < 0.5 + _TOLERANCE))),
    "unit": _UNIT,
    "levels": _UNIT,
    "real": Rule("finite", _finite),
}
