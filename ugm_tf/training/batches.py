"""Whether a batch may be trained on: looked at in the graph, and refused with the reason by a second look in Python."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf import validation
from ugm_tf.joint import Joint
from ugm_tf.supports import TOLERANCE, Support, aliases, supports

__all__ = ["fits", "good", "known", "refuse"]


def good(joint: Joint) -> Callable[[Any], tf.Tensor]:
    """A function from a batch to whether its values are what the densities take, a bool scalar.

    It says of each batch in a few passes over its values what `refuse` says slowly and in words.

    Args:
        joint: The densities and the recipe.
    """
    names = aliases(joint.recipe)
    found = {v: list(supports(joint.recipe, joint.densities, v, names[v])) for v in joint.recipe.data}
    shapes = {(v, shape) for _, v, shape in validation.known_shapes(joint.recipe, joint.densities)}
    groups = validation.together(joint.recipe)

    def function(data: Any) -> tf.Tensor:
        answers, values, raw = [], joint.values(data), joint.named(data)
        for variable, shape in shapes:
            if not values[variable].shape[1:].is_fully_defined():  # else it was looked at when this was traced
                answers.append(tf.reduce_all(tf.equal(tf.shape(values[variable])[1:], shape)))
        for first, *others in groups:
            sizes = [tf.shape(values[variable])[0] for variable in (first, *others)]
            answers += [tf.equal(size, sizes[0]) for size in sizes[1:]]
        for variable, value in values.items():
            answers.append(tf.shape(value)[0] > 0)
            value = tf.cast(value, tf.float32)
            known = {support.kind: support for support in found[variable] if support.kind != "real"}
            answers += [_HOLDS[kind](value, support) for kind, support in known.items()] or [_finite(value)]
            if validation.of_bytes(joint.recipe, joint.densities, variable, raw[variable]):
                answers.append((tf.reduce_max(value) <= 1.0) & (tf.reduce_min(value) >= 0.0))
        return tf.reduce_all(tf.stack(answers))

    return function


def known(joint: Joint, kinds: Mapping[str, str]) -> bool:
    """Whether all values of a variable are what the densities take because of how they were made.

    Args:
        joint: The densities and the recipe.
        kinds: By variable, "binary", "levels" (n / 255), "unit" or "one_hot", as `ugm_tf.data.support` says.
    """
    names = aliases(joint.recipe)
    return all(
        _implied(kinds.get(v, ""), support)
        for v in joint.recipe.data
        for support in (*supports(joint.recipe, joint.densities, v, names[v]), None)
    )


def _implied(kind: str, support: Support | None) -> bool:
    """Whether values of a kind are in a support; of None, any finite numbers."""
    if support is None or support.kind == "real":
        return kind in _IMPLIED
    if support.kind == "range" and "unit" in _IMPLIED.get(kind, ()):
        return support.least <= 0.0 and support.most >= 1.0
    return support.kind in _IMPLIED.get(kind, ()) and (support.kind != "levels" or support.levels == _LEVELS)


def fits(joint: Joint, spec: Any) -> None:
    """Refuses batches of another shape than the densities take, by what is known of their shapes.

    Args:
        joint: The densities and the recipe.
        spec: A batch, or the specification of batches.

    Raises:
        ValueError: For the first variable that does not fit.
    """
    named = joint.named(spec)
    validation.check_shapes(joint.recipe, joint.densities, named)
    validation.check_lengths(joint.recipe, named)


def refuse(joint: Joint, data: Any, when: str) -> None:
    """Raises the error of a batch that `good` has refused.

    Args:
        joint: The densities and the recipe.
        data: The batch.
        when: What was stopped and where, as the start of a sentence.

    Raises:
        ValueError: With what does not fit, and how to mend it.
    """
    try:
        values = {variable: np.asarray(value) for variable, value in joint.values(data).items()}
        validation.check_data(joint.recipe, joint.densities, values)
        validation.check_bytes(joint.recipe, joint.densities, joint.named(data))
    except ValueError as error:
        raise ValueError(f"{when}: {error}") from None
    spread = ", ".join(f"{v} between {a.min():g} and {a.max():g}" for v, a in values.items())
    raise ValueError(f"{when}: it holds values that the densities do not take. Received {spread}.")


def _finite(value: tf.Tensor, support: Support | None = None) -> tf.Tensor:
    return tf.math.is_finite(tf.reduce_sum(value * 1e-8))  # a sum, as one that is not finite stays so; scaled to fit


def _binary(value: tf.Tensor, support: Support) -> tf.Tensor:
    # (x - 1/2)^2 is 1/4 of bits alone, but for the rounding of |x| < 2e-8: by far the cheapest form of several.
    from_half = tf.math.squared_difference(value, 0.5)
    return tf.equal(tf.reduce_min(from_half), 0.25) & tf.equal(tf.reduce_max(from_half), 0.25)


def _within(value: tf.Tensor, support: Support) -> tf.Tensor:
    slack = TOLERANCE if support.kind == "range" else 0.0
    return (tf.reduce_min(value) >= support.least - slack) & (tf.reduce_max(value) <= support.most + slack)


def _levels(value: tf.Tensor, support: Support) -> tf.Tensor:
    steps = value * (support.levels - 1.0)
    return _within(value, support) & (tf.reduce_max(tf.abs(steps - tf.round(steps))) < TOLERANCE)


def _vectors(value: tf.Tensor, support: Support) -> tf.Tensor:
    sums = tf.reduce_sum(value, -1)
    one = (tf.reduce_max(tf.abs(sums - 1.0)) < TOLERANCE) & (tf.reduce_min(value) >= 0.0)
    return one & _binary(value, support) if support.kind == "one_hot" else one


def _label(value: tf.Tensor, support: Support) -> tf.Tensor:
    return _finite(value) & (tf.reduce_min(value) >= 0.0) & tf.reduce_all(tf.equal(value, tf.round(value)))


_LEVELS = 256  # of images of bytes
_IMPLIED: Mapping[str, tuple[str, ...]] = {
    "binary": ("binary", "levels", "unit"),
    "levels": ("levels", "unit"),
    "unit": ("unit",),
    "one_hot": ("one_hot", "simplex"),
}
_HOLDS: Mapping[str, Callable[[tf.Tensor, Support], tf.Tensor]] = {
    "binary": _binary,
    "unit": _within,
    "range": _within,
    "levels": _levels,
    "one_hot": _vectors,
    "simplex": _vectors,
    "label": _label,
}
