"""Values that no density takes: refused in Python; in a graph they make their own row's answer NaN, and no other's."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from ugm_tf import foreign_noise
from ugm_tf.algebra import DiffAugment
from ugm_tf.inference.endpoints import Endpoint
from ugm_tf.joint import Joint
from ugm_tf.supports import TOLERANCE, Support, supports

__all__ = ["Rule", "check", "classes", "holds", "masked", "rules"]

_MOST = 2.0**24  # whole numbers up to here are exact in float32


@dataclasses.dataclass(frozen=True)
class Rule:
    """What the values of an input have to be.

    Attributes:
        text: In words, to follow "values that are".
        holds: From values [B, ...] to whether each row's are, bool [B].  A NaN never is.
        ends: The least and the most, where there are such.
    """

    text: str
    holds: Callable[[tf.Tensor], tf.Tensor]
    ends: tuple[float, float] | None = None


def rules(joint: Joint, variables: Iterable[str]) -> dict[str, Rule]:
    """What the values of each input have to be, for there to be an answer.

    A variable of the data lies where its likelihoods and the recipe's `families` say, and where a density that only
    draws it reaches: an image of a Bernoulli decoder in [0, 1], a class on a one-hot row.  A code lies where the mean
    of its density can: what `encode` answers is what `decode` takes.

    Args:
        joint: The densities and the recipe.
        variables: Names of inputs; "seed" has no rule.
    """
    out = {}
    for variable in variables:
        if variable == "seed":
            continue
        support = _narrowest(joint, variable)
        if support is not None and support.kind == "range":
            out[variable] = _within(support.least, support.most)
        else:
            found = "real" if support is None else support.kind
            out[variable] = _RULES["simplex" if found == "one_hot" and variable not in joint.recipe.data else found]
    return out


def masked(joint: Joint, endpoint: Endpoint) -> Endpoint:
    """The endpoint with an output more, `ok`, bool [B]; where it is false, the row's other outputs are NaN.

    (Networks do not do so by themselves: oneDNN's dense layers make a plausible number of NaN.  And a server joins the
    requests of several clients, so a bad row must not refuse the batch.)

    Args:
        joint: The densities and the recipe.
        endpoint: One of its endpoints.

    Raises:
        ValueError: When it is traced, if a network draws from a generator of TensorFlow's own.
    """

    def function(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        ok, outputs = holds(joint, values), endpoint.function(**values)
        foreign_noise.refuse("The network")
        return {**(_masked(outputs, ok) if set(values) != {"seed"} else outputs), "ok": ok}

    return dataclasses.replace(endpoint, function=function)


def holds(joint: Joint, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Which rows of inputs by name, each [B, ...], are what `rules` says, bool [B]."""
    every = [rule.holds(values[variable]) for variable, rule in rules(joint, values).items()]
    if not every:  # a seed alone, of which every one has an answer
        return tf.ones(tf.shape(next(iter(values.values())))[:1], tf.bool)
    return functools.reduce(tf.logical_and, every)


def _masked(outputs: Mapping[str, tf.Tensor], ok: tf.Tensor) -> dict[str, tf.Tensor]:
    nothing = tf.where(ok, 0.0, float("nan"))  # to add: a select that broadcasts takes several times longer
    shapes = {name: tf.concat([[-1], tf.ones_like(_axes(value))], 0) for name, value in outputs.items()}
    return {name: value + tf.reshape(nothing, shapes[name]) for name, value in outputs.items()}


def check(joint: Joint, door: str, values: Mapping[str, tf.Tensor], ok: tf.Tensor) -> None:
    """Refuses values that the model has no answer to, in Python; in a graph, where they are not known, it lets them by.

    Args:
        joint: The densities and the recipe.
        door: What was asked, as messages call it: "encode()".
        values: What it was asked with, by variable, each [B, ...].
        ok: Which rows have an answer, bool [B], as `masked` says.

    Raises:
        ValueError: With the first variable that does not fit, who takes other values, and how to mend it.
    """
    if tf.is_symbolic_tensor(ok) or np.all(ok):
        return
    for variable, rule in rules(joint, values).items():
        array = np.asarray(values[variable])
        bad = ~np.asarray(rule.holds(tf.constant(array)))
        if not bad.any():
            continue
        support, number = _narrowest(joint, variable), np.asarray(array[bad], np.float32)
        known = number[np.isfinite(number)]
        seen = [f"values between {known.min():g} and {known.max():g}"] if known.size else []
        seen += [f"{number.size - known.size:,} NaN or infinite"] if known.size < number.size else []
        scaled = rule.text.startswith("in [") and known.size == number.size
        raise ValueError(
            f"{door} takes {variable} of values that are {rule.text}"
            f"{f': {support.who} such' if support else ''}. Received {', '.join(seen)} in {int(bad.sum()):,} of "
            f"{len(bad):,} rows, first in row {int(np.argmax(bad))}. "
            f"{'Divide 8-bit images by 255, or rescale' if scaled else 'Remove or mend'} such rows."
        )


def classes(joint: Joint, variable: str) -> bool:
    """Whether a variable is a class, so that numbers of classes can stand for one-hot rows."""
    support = _narrowest(joint, variable)
    return support is not None and support.kind in ("one_hot", "simplex")


def _narrowest(joint: Joint, variable: str) -> Support | None:
    """Where a variable lies, by the narrowest that is said of it; None where nothing but numbers is."""
    changed = next((s for s in joint.recipe.steps if isinstance(s, DiffAugment) and s.new == variable), None)
    of = variable if changed is None else changed.old
    found = {s.kind: s for s in supports(joint.recipe, joint.densities, of, (of,))}
    support = next((found[kind] for kind in (*_RULES, "range") if kind in found and kind != "real"), None)
    if changed is None or support is None:
        return support
    least, most = changed.reach(support.least, support.most)
    who = f"DiffAugment changes images in [{support.least:g}, {support.most:g}] to"
    return dataclasses.replace(support, kind="range", who=who, least=least, most=most)


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
    return tf.abs(tf.reduce_sum(values, -1) - 1.0) < TOLERANCE


def _within(least: float, most: float) -> Rule:
    middle, half = (least + most) / 2, (most - least) / 2
    text = f"in [{least:g}, {most:g}]"
    return Rule(text, lambda v: _every(tf.abs(v - middle) < half + TOLERANCE), (least, most))


# By support, the narrowest first.
_RULES = {
    "one_hot": Rule("one-hot rows", lambda v: _every(tf.abs(v * (1.0 - v)) < TOLERANCE) & _every(_sums_to_one(v))),
    "simplex": Rule("probabilities that sum to 1", lambda v: _every(v > -TOLERANCE) & _every(_sums_to_one(v))),
    "label": Rule("labels, whole numbers from 0", lambda v: _every((v >= 0) & (v < _MOST) & (v == tf.round(v)))),
    "binary": (_UNIT := _within(0.0, 1.0)),
    "unit": _UNIT,
    "levels": _UNIT,
    "real": Rule("finite", _finite),
}
