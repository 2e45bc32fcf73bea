"""Whether parts of one's own do what they say: found out before there are data."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf import foreign_noise
from ugm_tf.algebra import Draws, Expectation, JointSample, Recipe, Sampler
from ugm_tf.algebra.guarded import Misdeclared

__all__ = ["rehearse"]

_EXAMPLES = 7  # a number that no axis of a variable is likely to have


def rehearse(recipe: Recipe, densities: Mapping[str, Any]) -> None:
    """Takes each expectation that has a part of one's own once, in a graph that is thrown away and never runs; every
    one, where a network does not tell its shapes.

    What cannot be traced, and data whose shapes follow from no network, are looked at when they run.

    Args:
        recipe: The recipe.
        densities: Its densities.

    Raises:
        ValueError: If a term or a weight is not a number for each example, if a step sets something else than it
            says, if a part asks what it does not declare or draws from a generator of TensorFlow's own, or if a network
            is of another width than its variable.
    """
    silent = any(densities[name].given_shapes is None for name in recipe.densities)
    looked = [e for e in recipe.expectations if silent or any(not _is_ours(part) for part in _parts(e))]
    shapes = _shapes(recipe, densities) if looked else {}
    if not looked or not all(shapes.get(variable) for variable in recipe.data):
        return

    def run(**values: tf.Tensor) -> None:
        draws = Draws(JointSample(densities, recipe.roles, values, training=False))
        for i, e in enumerate(looked):
            with _others_wait():
                sample = draws(e.under, tf.constant([0, i]))
                e(sample)
                e.beside(sample)
        foreign_noise.refuse("The recipe")

    _trace(run, {v: shapes[v] for v in recipe.data})


def _trace(function: Any, shapes: Mapping[str, Any]) -> None:
    """Runs a function of values by variable, of these shapes each, in a graph that is thrown away."""
    specs = {v: tf.TensorSpec([_EXAMPLES, *shape], tf.float32, name=v) for v, shape in shapes.items()}
    with _others_wait(), tf.init_scope():
        tf.function(function, autograph=False).get_concrete_function(**specs)


@contextlib.contextmanager
def _others_wait() -> Iterator[None]:
    """Lets a `Misdeclared` out alone: whatever else fails says so in its own words when it runs."""
    try:
        yield
    except Misdeclared:
        raise
    except Exception:  # noqa: BLE001
        return


def _shapes(recipe: Recipe, densities: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of each variable: as networks tell it; or as they put it out, where they do not."""
    shapes: dict[str, Any] = {}
    for name, role in recipe.roles.items():
        shapes[role.of] = shapes.get(role.of) or densities[name].event_shape
        shapes |= {v: shapes.get(v) or s for v, s in zip(role.given, densities[name].given_shapes or (), strict=False)}
    for step in recipe.steps:  # data that a network takes under another name
        copied = step.needs(recipe.roles) if step.density is None else ()
        if renamed := [v for v in copied if v in recipe.data and not shapes.get(v)]:
            shapes |= {v: shapes.get(str(step.sets(recipe.roles))) for v in renamed}
    for name in (*recipe.densities, *recipe.densities):  # twice: a parent may come later
        role = recipe.roles[name]
        if shapes[role.of] is None and all(shapes.get(variable) for variable in role.given):

            def ask(name: str = name, of: str = role.of, **given: tf.Tensor) -> None:
                shapes[of] = tuple(densities[name].distribution(*given.values(), training=False).event_shape)

            _trace(ask, {variable: shapes[variable] for variable in role.given})
    return shapes


def _parts(e: Expectation) -> Iterator[Any]:
    yield from (*e.parts, *e.under.steps, *_samplers(e.under))


def _samplers(sampler: Sampler) -> Iterator[Sampler]:
    yield sampler
    for inner in vars(sampler).values():
        if isinstance(inner, Sampler):
            yield from _samplers(inner)


def _is_ours(part: Any) -> bool:
    return type(part).__module__.startswith("ugm_tf.")
