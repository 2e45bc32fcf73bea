"""A recipe's priors, fixed or learned, from shapes alone."""

from collections.abc import Mapping
from typing import Any

from ugm_tf.algebra import Recipe
from ugm_tf.densities import (
    Family,
    Flow,
    InverseAutoregressiveFlow,
    MaskedAutoregressiveFlow,
    Prior,
    Vamp,
    VampPrior,
    kinds,
)

__all__ = ["prior"]


def prior(name: str, recipe: Recipe, shapes: Mapping[str, tuple[int, ...]], chosen: Mapping[str, Any]) -> Prior:
    """A prior of a recipe, which learns where a phase updates it.

    Args:
        name: Its name.
        recipe: The recipe.
        shapes: Shape of one value of each variable.
        chosen: The family of each density; of this one maybe a kind of prior, such as "vamp(500)".

    Raises:
        ValueError: If it is of a kind that is there to learn and no phase updates it, or cannot be of that shape.
    """
    kind, event = kinds.kind(chosen[name]), tuple(shapes[recipe.roles[name].of])
    learned = any(name in phase.updates for phase in recipe.phases)
    if kinds.needs_draws(kind) and not learned:
        raise ValueError(
            f"'{name}' is to be '{chosen[name]}', which has to learn, and no phase updates it. Make the recipe "
            f"ugm_tf.learned_prior(recipe, '{chosen[name]}')."
        )
    if isinstance(kind, Flow):
        if len(event) != 1 or event[0] < 2:
            raise ValueError(f"A flow is of vectors of at least 2 numbers. Received: '{name}' of shape {event}.")
        made = InverseAutoregressiveFlow if kind.inverse else MaskedAutoregressiveFlow
        flow = made(event[0], kind.steps, kind.hidden, context=0, name=f"{name}_flow")
        return Prior(event, "gaussian", flow, name=name)
    if isinstance(kind, Vamp):
        role = recipe.roles.get(kind.encoder)
        of = recipe.roles[name].of
        if role is None or role.of != of or len(role.given) != 1 or role.given[0] not in shapes:
            raise ValueError(
                f"'{name}' is to be of posteriors of '{kind.encoder}', a density q({of} | .) of one parent. This "
                f"recipe has: {', '.join(map(str, recipe.roles.values()))}. Name another one, encoder='...', "
                "or use a mixture or a flow."
            )
        family = chosen[kind.encoder]
        if family == "iaf":
            raise ValueError(
                f"'{name}' is to be of posteriors of '{kind.encoder}', which is of the family 'iaf', whose posteriors "
                "have a flow: their density elsewhere takes a pass for each number. Use a mixture or a flow."
            )
        return VampPrior(event, shapes[role.given[0]], kind.pseudo_inputs, family, kind.encoder, name=name)
    _check_values(name, kind, recipe, chosen)
    return Prior(event, kind, learned=learned, name=name)


def _check_values(name: str, family: Family, recipe: Recipe, chosen: Mapping[str, Any]) -> None:
    """Refuses a prior whose values are not of the kind of those that others give the same variable."""
    of = recipe.roles[name].of
    if recipe.scores(name) and not family.has_log_prob:
        raise ValueError(
            f"'{name}' is scored, and the family '{chosen[name]}' has no log-probability. Give it one that has, such "
            "as 'gaussian'."
        )
    for other, role in recipe.roles.items():
        if other == name or role.of != of or chosen[other] == "iaf":
            continue
        its = kinds.kind(chosen[other])
        support = its.support if isinstance(its, Family) else "real"
        if (support == "real") != (family.support == "real") and recipe.scores(name):
            raise ValueError(
                f"'{name}' is to be of the family '{chosen[name]}', of {family.support} values, and '{other}', of the "
                f"same {of}, is of '{chosen[other]}', of {support} ones, to which '{name}' has no density. Give both a "
                "family of the same values."
            )
