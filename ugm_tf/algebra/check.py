"""What `Recipe.check` refuses."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ugm_tf.algebra.ancestral_steps import Enumerate, Pack
from ugm_tf.algebra.bounds import ImportanceWeightedBound
from ugm_tf.algebra.phases import Expectation, Phase
from ugm_tf.algebra.role import Role
from ugm_tf.algebra.samplers import Ancestral, Interpolated
from ugm_tf.algebra.terms import Term
from ugm_tf.algebra.weights import Weight

if TYPE_CHECKING:
    from ugm_tf.algebra.recipe import Recipe

__all__ = ["check"]


def check(recipe: "Recipe") -> None:
    """Raises a `ValueError` for the first thing in `recipe` that makes no sense."""
    roles = recipe.roles
    if not recipe.phases:
        raise ValueError("A recipe has at least one phase. Received: phases=().")
    _unique("phases", [phase.name for phase in dict.fromkeys(recipe.phases)])  # one may run several times in a step
    asked: set[str] = set()
    for phase in dict.fromkeys(recipe.phases):
        asked |= _check_phase(recipe, phase, roles)
    for name in recipe.families:
        if name not in recipe.data:
            _known(name, roles, "The recipe names a family for")
    unused = [name for name in roles if name not in asked]
    if unused and not any(_is_opaque(e) for phase in recipe.phases for e in phase.minimise):
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
        raise ValueError(
            f"In phase '{phase.name}', 'loss' is the name of the sum: give the expectation another `name`."
        )
    asked: set[str] = set()
    for expectation in phase.minimise:
        asked |= _check_expectation(recipe, phase, expectation, roles)
    for name in phase.updates:
        _known(name, roles, f"Phase '{phase.name}' updates")
    return asked | set(phase.updates)


def _check_expectation(recipe: "Recipe", phase: Phase, e: Expectation, roles: dict[str, Role]) -> set[str]:
    where = f"Phase '{phase.name}'"
    sides = (e.under.left, e.under.right) if isinstance(e.under, Interpolated) else (e.under,)
    asked: set[str] = set()
    for side in sides:
        known = set(recipe.data)
        own = not isinstance(side, Ancestral)  # a sampler of the user's own: it says itself what it draws
        for step in () if own else side.steps:
            if step.density is not None:
                _known(step.density, roles, f"{where} {step.verb}")
                asked.add(step.density)
            what = f"'{step.density}', which is {roles[step.density]}" if step.density else f"{step}"
            _drawn(step.needs(roles), known, roles, f"{where} {step.verb if step.density else 'takes'} {what}")
            known |= {variable for variable in (step.sets(roles),) if variable}
        under = "" if own else f" E[{side.describe(roles, recipe.data)}]"
        for part in (e.of, e.weight):
            for name in getattr(part, "scored", ()):
                _known(name, roles, f"{where} scores")
                role = roles[name]
                if not own:
                    _drawn(
                        (role.of, *role.given), known, roles, f"{where} scores '{name}', which is {role}, under{under}"
                    )
                asked.add(name)
            for name in getattr(part, "conditioned", ()):
                _known(name, roles, f"{where} asks")
                role = roles[name]
                if not own:
                    _drawn(role.given, known, roles, f"{where} asks '{name}', which is {role}, to judge{under}")
                asked.add(name)
        if not own:
            _check_packs(where, e, side, roles)
        if isinstance(e.of, ImportanceWeightedBound) and not own:
            _check_draws(where, e.of, side, roles)
    return asked


def _is_opaque(e: Expectation) -> bool:
    """Whether a part of the expectation is a function of the user's own, which may ask any density."""
    under = isinstance(e.under, Ancestral | Interpolated)
    return not (under and isinstance(e.of, Term) and isinstance(e.weight, Weight | None))


def _check_draws(where: str, bound: ImportanceWeightedBound, under: Ancestral, roles: dict[str, Role]) -> None:
    """The bound's mean is over the leading axis, which must be that of the draws."""
    axes = [step for step in under.steps if isinstance(step, Enumerate) or getattr(step, "k", None) is not None]
    first = bound.inference[0]
    if not axes:
        raise ValueError(
            f"{where} minimises {bound.describe(roles)}, which takes a leading axis of draws, [k, B]: "
            f"draw with Ancestral(('{first}',), k=50)."
        )
    if isinstance(axes[-1], Enumerate):
        raise ValueError(
            f"{where} minimises {bound.describe(roles)}, a mean over the leading axis, which is that of the exact "
            "sum over "
            f"'{axes[-1].density}': draw k values from '{first}' after it."
        )


def _check_packs(where: str, e: Expectation, under: Ancestral, roles: dict[str, Role]) -> None:
    """A weight is of what the term is of: of packs of examples or of single ones."""
    packs = {step.new for step in under.steps if isinstance(step, Pack)}

    def of_packs(part: Any) -> bool:
        asked = (*getattr(part, "scored", ()), *getattr(part, "conditioned", ()))
        return any(packs & {roles[name].of, *roles[name].given} for name in asked)

    if isinstance(e.weight, Weight) and of_packs(e.of) != of_packs(e.weight):
        kinds = ["packs" if of_packs(part) else "single examples" for part in (e.of, e.weight)]
        raise ValueError(
            f"{where} weights '{e.label}', a term of {kinds[0]}, by a weight of {kinds[1]}. Use pack=1, or a recipe "
            "without the weights."
        )
    if getattr(e.weight, "within", None) is not None and of_packs(e.weight):
        raise ValueError(
            f"{where} normalises the weights of '{e.label}' within the classes of examples, and a pack of several has "
            "no one class. Use normalise='batch', or pack=1."
        )


def _known(name: str, roles: dict[str, Role], what: str) -> None:
    if name not in roles:
        raise ValueError(f"{what} the density '{name}', which this recipe lacks. It has: {', '.join(roles)}.")


def _drawn(needed: Collection[str], known: set[str], roles: dict[str, Role], what: str) -> None:
    lacking = [variable for variable in needed if variable not in known]
    if not lacking:
        return
    variable = lacking[0]
    makers = [f"'{name}': {role}" for name, role in roles.items() if role.of == variable]
    advice = (
        f"draw it with a density of {variable} (this recipe has {', '.join(makers)})"
        if makers
        else "add a density of it"
    )
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
