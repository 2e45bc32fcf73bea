"""A batch in parts, one after the other: the gradient of all of it, with the memory of a part."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from ugm_tf.algebra import Ancestral, Expectation, Pack, Recipe
from ugm_tf.joint import Joint

__all__ = ["check", "check_rows", "mean_over_parts", "parts_of"]

Found = tuple[dict[str, tf.Tensor], list[list[Any]]]


def check(recipe: Recipe, accumulate: int, schedule: str) -> None:
    """Refuses recipes of which a batch in parts is not the batch.

    Args:
        recipe: The recipe.
        accumulate: Number of parts.
        schedule: "alternating" or "simultaneous".

    Raises:
        ValueError: If an expectation depends on the batch as a whole; or if a phase uses draws that an earlier phase
            made with parameters that have changed since, which cannot be made again.
    """
    if accumulate == 1:
        return
    for phase in recipe.phases:
        for e in phase.minimise:
            who = f"accumulate={accumulate} is not for '{phase.metric(e)}'"
            for part in e.parts:
                if part.pooled:
                    raise ValueError(
                        f"{who}: its {part.kind}, {type(part).__name__}, is normalised over the whole batch. Leave out "
                        "accumulate, and take a smaller batch."
                    )
            if packs := [step for step in e.under.steps if isinstance(step, Pack)]:
                raise ValueError(f"{who}: {packs[0]} joins examples of the whole batch. Use pack=1.")
            if mixing := [step for step in e.under.steps if step.of_batch]:
                raise ValueError(f"{who}: {mixing[0]} is of the whole batch. Leave out accumulate.")
    if schedule == "alternating":
        _check_held(recipe, accumulate)


def _check_held(recipe: Recipe, accumulate: int) -> None:
    """Each phase makes again what earlier ones drew; with the same parameters, or it is other draws."""
    changed: dict[Ancestral, set[str]] = {}  # what has learned since something was drawn and is held fixed in it
    for phase in recipe.phases:
        for side in (side for repeat in range(phase.repeats) for e in phase.minimise for side in e.under.sides):
            for n in range(1, len(side.steps) + 1):
                prefix = Ancestral(side.steps[:n])
                if found := sorted(changed.setdefault(prefix, set())):
                    raise ValueError(
                        f"accumulate={accumulate} is not for phase '{phase.name}' in the alternating schedule: it uses "
                        f"draws of '{found[0]}' from before an update, which a part of a batch cannot make again. Use "
                        "schedule='simultaneous'."
                    )
        if phase.repeats > 1:
            changed = {prefix: set() for side in _sides(phase.minimise) for prefix in _prefixes(side)}
        for prefix in list(changed):
            if prefix.drawn_by() & set(phase.updates):
                del changed[prefix]
            else:
                changed[prefix] |= {str(step.density) for step in prefix.steps if step.density} & set(phase.updates)


def _sides(expectations: tuple[Expectation, ...]) -> list[Ancestral]:
    return [side for e in expectations for side in e.under.sides]


def _prefixes(side: Ancestral) -> list[Ancestral]:
    return [Ancestral(side.steps[:n]) for n in range(1, len(side.steps) + 1)]


def check_rows(number: int, rows: int, batch_size: int) -> None:
    """Refuses arrays of which some batch is no multiple of the number of parts.

    Raises:
        ValueError: If there is one.
    """
    sizes = {min(rows, batch_size), rows % batch_size or batch_size} if rows > batch_size else {rows}
    if uneven := [size for size in sorted(sizes) if size % number]:
        raise ValueError(
            f"accumulate={number} takes batches in as many equal parts. Received {rows} examples in batches of "
            f"{batch_size}, of which one has {uneven[0]}: choose a batch_size that is a multiple, without a rest, "
            "as by drop_remainder=True in ugm_tf.data.batches."
        )


def parts_of(values: Mapping[str, tf.Tensor], number: int) -> dict[str, tf.Tensor]:
    """A batch by variable, [B, ...], in equal parts: [number, B / number, ...].

    Raises:
        ValueError: If it cannot be.
    """
    out = {}
    for variable, value in values.items():
        rows = value.shape[0]
        if rows is not None and rows % number:
            raise ValueError(
                f"accumulate={number} takes batches in as many equal parts. Received one of {rows} examples: choose a "
                "batch_size that is a multiple, and drop_remainder=True."
            )
        size = tf.shape(value)[0] if rows is None else rows
        message = f"accumulate={number} takes batches in as many equal parts; use drop_remainder=True."
        checks = [tf.debugging.assert_equal(size % number, 0, message)] if rows is None else []
        with tf.control_dependencies([c for c in checks if c is not None]):
            out[variable] = tf.reshape(value, tf.concat([[number, size // number], tf.shape(value)[1:]], 0))
        static = None if rows is None else rows // number
        out[variable] = tf.ensure_shape(out[variable], [number, static, *value.shape[1:]])
    return out


def mean_over_parts(
    joint: Joint,
    values: Mapping[str, tf.Tensor],
    number: int,
    run: Callable[[Any], Found],
    names: list[str],
    variables: list[list[Any]],
) -> Found:
    """The means over the parts of a batch of what `run` finds of each, which is made of one at a time.

    Args:
        joint: The densities and the recipe.
        values: The batch, by variable.
        number: How many parts.
        run: From a part's joint sample to metrics by name and gradients of phases; noise is by the row in the batch.
        names: Names of the metrics.
        variables: The variables of each phase's gradients.
    """
    parts = parts_of(values, number)
    reached: list[list[bool]] = []

    def add(i: tf.Tensor, metrics: tf.Tensor, gradients: list[list[tf.Tensor]]) -> Any:
        part = {variable: value[i] for variable, value in parts.items()}
        start = joint.sample(part, training=True)
        if not start.sized:
            sizes = {variable: value.shape[0] for variable, value in part.items()}
            raise ValueError(
                f"accumulate={number} takes as many examples of each variable. Received in a part: {sizes}."
            )
        found, own = run(start.from_row(i * start.batch_size))
        reached[:] = [[g is not None for g in phase] for phase in own]
        sums = [
            [total if g is None else total + tf.convert_to_tensor(g) for total, g in zip(totals, phase, strict=True)]
            for totals, phase in zip(gradients, own, strict=True)
        ]
        return i + 1, metrics + tf.stack([tf.cast(found[name], tf.float32) for name in names]), sums

    zeros = [[tf.zeros_like(variable) for variable in phase] for phase in variables]
    start = (tf.constant(0), tf.zeros(len(names)), zeros)
    _, metrics, sums = tf.while_loop(lambda i, *_: i < number, add, start, parallel_iterations=1)
    found = dict(zip(names, tf.unstack(metrics / number), strict=True))
    means = [
        [total / number if there else None for total, there in zip(totals, flags, strict=True)]
        for totals, flags in zip(sums, reached, strict=True)
    ]
    return found, means
