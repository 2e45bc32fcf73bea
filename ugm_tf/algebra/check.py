"""What `Recipe.check` refuses."""

from collections.abc import Collection, Mapping
from typing import Any

from ugm_tf.algebra.ancestral_steps import Pack
from ugm_tf.algebra.bounds import ImportanceWeightedBound
from ugm_tf.algebra.part import Part
from ugm_tf.algebra.phases import Expectation, Phase
from ugm_tf.algebra.role import Roles
from ugm_tf.algebra.samplers import Ancestral
from ugm_tf.algebra.step import Step
from ugm_tf.algebra.weights import ImportanceWeight

__all__ = ["check"]


def check(roles: Roles, phases: tuple[Phase, ...], data: tuple[str, ...], families: Mapping[str, str]) -> None:
    """Raises a `ValueError` for the first thing in a recipe that makes no sense.

    Args:
        roles: Role of each density by its name.
        phases: The phases of a training step.
        data: Names of the variables that a batch of data holds.
        families: Families by the name of a density or of a variable of the data.
    """
    if not phases:
        raise ValueError("A recipe has at least one phase. Received: phases=().")
    _unique("phases", [phase.name for phase in dict.fromkeys(phases)])  # one may run several times in a step
    asked: set[str] = set()
    for phase in dict.fromkeys(phases):
        asked |= _check_phase(phase, roles, data)
    for name in families:
        if name not in data:
            _known(name, roles, "The recipe names a family for")
    unused = [name for name in roles if name not in asked]
    if unused:
        it = "it" if len(unused) == 1 else "them"
        raise ValueError(
            f"The recipe has {_quoted(unused)} but no phase draws from, scores or updates {it}. Use {it} in a phase, "
            f"or leave {it} out of `densities`."
        )


def _check_phase(phase: Phase, roles: Roles, data: tuple[str, ...]) -> set[str]:
    if not phase.minimise or not phase.updates:
        raise ValueError(f"Phase '{phase.name}' must minimise something and update something. Received: {phase}.")
    if any(e.label == "loss" for e in phase.minimise):
        raise ValueError(
            f"In phase '{phase.name}', 'loss' is the name of the sum: give the expectation another `name`."
        )
    _unique(f"metrics of phase '{phase.name}'", [name.removeprefix(f"{phase.name}/") for name in phase.metrics])
    asked: set[str] = set()
    for expectation in phase.minimise:
        asked |= _check_expectation(phase, expectation, roles, data)
    for name in phase.updates:
        _known(name, roles, f"Phase '{phase.name}' updates")
    return asked | set(phase.updates)


def _check_expectation(phase: Phase, e: Expectation, roles: Roles, data: tuple[str, ...]) -> set[str]:
    where = f"Phase '{phase.name}'"
    asked = set(e.asked)
    _check_chunks(where, e, roles)
    for side in e.under.sides:
        known, drawn_from = _check_steps(where, side, roles, data)
        asked |= drawn_from
        shown = [v for v in data if any(v in step.needs(roles) for step in side.steps)] or data
        under = f"E[{side.describe(roles, shown)}]"
        for part in e.parts:
            _check_part(where, part, known, roles, under)
        _check_altered(where, e, side, roles)
        _check_packs(where, e, side, roles)
        if isinstance(e.of, ImportanceWeightedBound):
            _check_draws(where, e.of, side, roles)
    return asked


def _check_steps(where: str, side: Ancestral, roles: Roles, data: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The variables that are known after a sampler's steps, and the densities that these ask."""
    known, asked = set(data), set[str]()
    for step in side.steps:
        if step.density is not None:
            _known(step.density, roles, f"{where} {step.verb}")
            asked.add(step.density)
        what = f"'{step.density}', which is {roles[step.density]}" if step.density else f"{step}"
        _drawn(step.needs(roles), known, roles, f"{where} {step.verb if step.density else 'takes'} {what}")
        known |= {variable for variable in (step.sets(roles),) if variable}
    return known, asked


def _check_part(where: str, part: Part, known: set[str], roles: Roles, under: str) -> None:
    for name in part.scored:
        _known(name, roles, f"{where} scores")
        role = roles[name]
        what = f"{where} scores '{name}', which is {role}, under {under}"
        _drawn((role.of, *role.given), known, roles, what)
    for name in (*part.conditioned, *part.judges):
        _known(name, roles, f"{where} asks")
        role = roles[name]
        _drawn(role.given, known, roles, f"{where} asks '{name}', which is {role}, to judge {under}")
    _drawn(part.takes, known, roles, f"{where} takes {', '.join(part.takes)} under {under}")


def _check_altered(where: str, e: Expectation, side: Ancestral, roles: Roles) -> None:
    """What a likelihood scores is as it was drawn."""
    altered: dict[str, Step] = {}
    for step in side.steps:
        if variable := step.sets(roles):
            altered.pop(variable, None)
            altered |= {variable: step} if step.alters else {}
    for name in e.scored:
        if step := altered.get(roles[name].of):
            raise ValueError(
                f"{where} scores '{name}', which is {roles[name]}, at a {roles[name].of} that {step} has changed: this "
                "would be the likelihood of changed data. Score it before the change, or give what is changed another "
                "name."
            )


def _check_draws(where: str, bound: ImportanceWeightedBound, under: Ancestral, roles: Roles) -> None:
    """The bound's mean is over the leading axis, which must be that of the draws."""
    axes = [step for step in under.steps if step.adds_axis]
    first = bound.inference[0]
    if not axes:
        raise ValueError(
            f"{where} minimises {bound.describe(roles)}, which takes a leading axis of draws, [k, B]: draw with "
            f"Ancestral(('{first}',), k=50)."
        )
    if axes[-1].k is None:
        over = f"over '{axes[-1].density}'" if axes[-1].density else f"by {axes[-1]}"
        raise ValueError(
            f"{where} minimises {bound.describe(roles)}, a mean over the leading axis, which is that of the exact sum "
            f"{over}: draw k values from '{first}' after it."
        )


def _check_packs(where: str, e: Expectation, under: Ancestral, roles: Roles) -> None:
    """A weight is of what the term is of: of packs of examples or of single ones."""
    if e.weight is None:
        return
    packs = {step.new for step in under.steps if isinstance(step, Pack)}
    of_packs = [bool(packs & set(part.variables(roles))) for part in (e.of, e.weight)]
    if of_packs[0] != of_packs[1]:
        kinds = ["packs" if packed else "single examples" for packed in of_packs]
        raise ValueError(
            f"{where} weights '{e.label}', a term of {kinds[0]}, by a weight of {kinds[1]}. Use pack=1, or a recipe "
            "without the weights."
        )
    if isinstance(e.weight, ImportanceWeight) and e.weight.within is not None and of_packs[1]:
        raise ValueError(
            f"{where} normalises the weights of '{e.label}' within the classes of examples, and a pack of several has "
            "no one class. Use normalise='batch', or pack=1."
        )


def _check_chunks(where: str, e: Expectation, roles: Roles) -> None:
    """What comes in chunks of draws is a function of each draw, or of what the draws of an example count together."""
    steps = e.under.steps
    first = next((i for i, step in enumerate(steps) if step.chunk is not None), None)
    if first is None:
        return
    many = steps[first]
    who = f"{where} takes '{e.label}' over {many.k} draws in chunks of {many.chunk}"
    if e.under.sides != (e.under,):
        raise ValueError(
            f"{who}, and {type(e.under).__name__} needs all of them at once. Leave out `chunk`, or use Ancestral."
        )
    after = steps[first + 1 :]
    if wrong := next((step for step in after if step.adds_axis or not step.by_draw), None):
        raise ValueError(
            f"{who}, and the step {wrong} comes after them"
            + (", with an axis of its own. " if wrong.adds_axis else " and does not say by_draw = True. ")
            + "Leave out `chunk`."
        )
    drawn = {step.sets(roles) for step in steps[first:]}
    for part in e.parts:
        if not part.by_draw and type(part).log_mass is Part.log_mass:
            raise ValueError(
                f"{who}, and its {part.kind}, {type(part).__name__}, is not of each draw by itself: it may depend on "
                "all draws of the batch together. Leave out `chunk`; or, of one of your own that is of each draw, say "
                "by_draw = True."
            )
    if isinstance(e.of, ImportanceWeightedBound):
        if e.weight is not None and drawn & set(e.weight.variables(roles)):
            raise ValueError(f"{who}, a bound of all of them, and weights it by each draw. Leave out `chunk`.")
        (groups,) = e.of.own_axes(int(many.k or 1)) or (1,)
        if groups > 1 and not _has_groups(int(many.chunk or 1), groups):
            fitting = [c for c in range(1, int(many.k or 1)) if int(many.k or 1) % c == 0 and _has_groups(c, groups)]
            raise ValueError(
                f"{who}, which are in {groups} groups, and not as many of each in a chunk. There "
                + (f"fit: {', '.join(map(str, fitting))}." if fitting else "is none that fits: leave out `chunk`.")
            )


def _has_groups(chunk: int, groups: int) -> bool:
    """Whether a chunk has as many draws of each group; one of a multiple of 4 is a part of each quarter of all."""
    return chunk % (groups if chunk % 4 else 4 * groups) == 0


def _known(name: str, roles: Roles, what: str) -> None:
    if name not in roles:
        raise ValueError(f"{what} the density '{name}', which this recipe lacks. It has: {', '.join(roles)}.")


def _drawn(needed: Collection[str], known: set[str], roles: Roles, what: str) -> None:
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
