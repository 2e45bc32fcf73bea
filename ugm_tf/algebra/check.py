"""What `Recipe.check` refuses."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ugm_tf.algebra.phases import Expectation, Phase
from ugm_tf.algebra.role import Role
from ugm_tf.algebra.samplers import Ancestral, Draw, Rename

if TYPE_CHECKING:
    from ugm_tf.algebra.recipe import Recipe

__all__ = ["check"]


def check(recipe: "Recipe") -> None:
    """Raises a `ValueError` for the first thing in `recipe` that makes no sense."""
    roles = recipe.roles
    if not recipe.phases:
        raise ValueError("A recipe has at least one phase. Received: phases=().")
    _unique("phases", [phase.name for phase in recipe.phases])
    asked: set[str] = set()
    for phase in recipe.phases:
        asked |= _check_phase(recipe, phase, roles)
    unused = [name for name in roles if name not in asked]
    if unused:
        raise ValueError(
            f"The recipe has {_quoted(unused)} but no phase draws from, scores or updates "
            f"{'it' if len(unused) == 1 else 'them'}. Use {'it' if len(unused) == 1 else 'them'} in a phase, or leave "
            f"{'it' if len(unused) == 1 else 'them'} out of `densities`."
        )


def _check_phase(recipe: "Recipe", phase: Phase, roles: dict[str, Role]) -> set[str]:
    if not phase.minimise or not phase.updates:
        raise ValueError(f"Phase '{phase.name}' must minimise something and update something. Received: {phase}.")
    if phase.repeats < 1:
        raise ValueError(f"Phase '{phase.name}' runs at least once in a step. Received: repeats={phase.repeats}.")
    _unique(f"metrics of phase '{phase.name}'", [e.label for e in phase.minimise])
    if any(e.label == "loss" for e in phase.minimise):
        raise ValueError(f"In phase '{phase.name}', 'loss' is the name of the sum: give the expectation another `name`.")
    asked: set[str] = set()
    for expectation in phase.minimise:
        asked |= _check_expectation(recipe, phase, expectation, roles)
    for name in phase.updates:
        _known(name, roles, f"Phase '{phase.name}' updates")
    return asked | set(phase.updates)


def _check_expectation(recipe: "Recipe", phase: Phase, e: Expectation, roles: dict[str, Role]) -> set[str]:
    where = f"Phase '{phase.name}'"
    known, asked = set(recipe.data), set()
    for step in e.under.steps if isinstance(e.under, Ancestral) else ():
        if isinstance(step, Rename):
            _drawn((step.old,), known, roles, f"{where} renames '{step.old}' to '{step.new}'")
            known.add(step.new)
        elif step.density is not None:
            _known(step.density, roles, f"{where} draws from")
            role = roles[step.density]
            verb = "draws from" if isinstance(step, Draw) else "enumerates"
            _drawn(role.given, known, roles, f"{where} {verb} '{step.density}', which is {role}")
            known.add(role.of)
            asked.add(step.density)
    if not isinstance(e.under, Ancestral):
        return asked  # a sampler of the user's own: it says itself what it draws
    for name in getattr(e.of, "scored", ()):
        _known(name, roles, f"{where} scores")
        role = roles[name]
        _drawn((role.of, *role.given), known, roles, f"{where} scores '{name}', which is {role}, under E[{e.under.describe(roles, recipe.data)}]")
        asked.add(name)
    judges = (*getattr(e.of, "conditioned", ()), *([e.weight.by] if hasattr(e.weight, "by") else []))
    for name in judges:
        _known(name, roles, f"{where} asks")
        role = roles[name]
        _drawn(role.given, known, roles, f"{where} asks '{name}', which is {role}, to judge E[{e.under.describe(roles, recipe.data)}]")
        asked.add(name)
    return asked


def _known(name: str, roles: dict[str, Role], what: str) -> None:
    if name not in roles:
        raise ValueError(f"{what} the density '{name}', which this recipe lacks. It has: {', '.join(roles)}.")


def _drawn(needed: Collection[str], known: set[str], roles: dict[str, Role], what: str) -> None:
    lacking = [variable for variable in needed if variable not in known]
    if not lacking:
        return
    variable = lacking[0]
    makers = [f"'{name}': {role}" for name, role in roles.items() if role.of == variable]
    advice = f"draw it with a density of {variable} (this recipe has {', '.join(makers)})" if makers else "add a density of it"
    raise ValueError(
        f"{what}; but {variable} is never drawn there: only {', '.join(sorted(known))} "
        f"{'is' if len(known) == 1 else 'are'} known. Either {advice}, or add '{variable}' to the recipe's `data`, "
        f"or leave {variable} out of the role."
    )


def _unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Two {what} are called {_quoted(twice)}. Give each its own `name`.")


def _quoted(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)
