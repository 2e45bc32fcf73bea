"""Whether parts of one's own do what they say: found out before there are data."""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import Draws, Expectation, JointSample, Recipe, Sampler
from ugm_tf.algebra.guarded import Misdeclared

__all__ = ["rehearse"]

_EXAMPLES = 7  # a number that no axis of a variable is likely to have


def rehearse(recipe: Recipe, densities: Mapping[str, Any]) -> None:
    """Takes each expectation that has a part of one's own once, in a graph that is thrown away and never runs.

    Networks whose shapes are not known, and parts that cannot be traced, are looked at when they run.

    Args:
        recipe: The recipe.
        densities: Its densities.

    Raises:
        ValueError: If a term or a weight is not a number for each example, if a step sets something else than it
            says, or if a part asks what it does not declare.
    """
    own = [e for e in recipe.expectations if any(not _is_ours(part) for part in _parts(e))]
    shapes: dict[str, Any] = {}
    for name, role in recipe.roles.items():
        shapes[role.of] = shapes.get(role.of) or densities[name].event_shape
        shapes |= {v: shapes.get(v) or s for v, s in zip(role.given, densities[name].given_shapes or (), strict=False)}
    for step in recipe.steps if own else ():  # data that a network takes under another name
        if renamed := [v for v in step.needs(recipe.roles) if v in recipe.data and not shapes.get(v)]:
            shapes |= {v: shapes.get(str(step.sets(recipe.roles))) for v in renamed}
    if not own or not all(shapes.get(variable) for variable in recipe.data):
        return

    def run(**values: tf.Tensor) -> None:
        draws = Draws(JointSample(densities, recipe.roles, values, training=False))
        for i, e in enumerate(own):
            e(draws(e.under, tf.constant([0, i])))

    try:
        with tf.init_scope():
            tf.function(run, autograph=False).get_concrete_function(
                **{v: tf.TensorSpec([_EXAMPLES, *shapes[v]], tf.float32, name=v) for v in recipe.data}
            )
    except Misdeclared:
        raise
    except Exception:  # noqa: BLE001 - whatever else fails says so in its own words when it runs
        return


def _parts(e: Expectation) -> Iterator[Any]:
    yield from (*e.parts, *e.under.steps, *_samplers(e.under))


def _samplers(sampler: Sampler) -> Iterator[Sampler]:
    yield sampler
    for inner in vars(sampler).values():
        if isinstance(inner, Sampler):
            yield from _samplers(inner)


def _is_ours(part: Any) -> bool:
    return type(part).__module__.startswith("ugm_tf.")
