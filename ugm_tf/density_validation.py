"""What a model refuses of densities: those that do not fit its recipe."""

from collections.abc import Mapping
from typing import Any

from ugm_tf.algebra import Ancestral, Draw, Enumerate, Phase, Recipe
from ugm_tf.densities import Density, Logit, OneHot, Prior, VampPrior

__all__ = ["check_densities"]


def check_densities(recipe: Recipe, densities: Mapping[str, Any]) -> None:
    """Refuses densities that are missing, left over, of the wrong shape or of a family that a phase cannot use.

    Raises:
        ValueError: For the first that does not fit, saying what was expected.
    """
    if not isinstance(densities, Mapping):
        raise ValueError(
            "A model takes its densities by their names, such as ugm_tf.networks.build(recipe, shapes). "
            f"Received: {densities!r}."
        )
    missing = [name for name in recipe.densities if name not in densities]
    unused = [name for name in densities if name not in recipe.densities]
    if missing or unused:
        roles = ", ".join(f"'{name}': {role}" for name, role in recipe.roles.items())
        raise ValueError(
            f"The recipe is made of {roles}. Missing: {', '.join(missing) or 'none'}. Not used: "
            f"{', '.join(unused) or 'none'}."
        )
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    for name, role in recipe.roles.items():
        density = densities[name]
        if not isinstance(density, Density | Prior):
            raise ValueError(f"'{name}' must be a ugm_tf.Density or a ugm_tf.Prior. Received: {density!r}.")
        if bool(role.given) == isinstance(density, Prior):
            raise ValueError(
                f"'{name}' is {role}, so it must be a "
                f"{'Density(network, family)' if role.given else 'Prior(shape, family)'}. "
                f"Received: {density!r}."
            )
        given = density.given_shapes
        if given is not None and len(given) != len(role.given):
            raise ValueError(
                f"'{name}' is {role}, so its network takes {len(role.given)} inputs, in that order. "
                f"Received a network of {len(given)}: {given}."
            )
        found = [(role.of, density.event_shape), *zip(role.given, given or (), strict=False)]
        for variable, shape in found:
            if shape is None:
                continue
            known, other = shapes.setdefault(variable, (tuple(shape), name))
            if known != tuple(shape):
                raise ValueError(
                    f"{variable} has shape {known} in '{other}', which is {recipe.roles[other]}, and shape "
                    f"{tuple(shape)} in "
                    f"'{name}', which is {role}. Make their networks agree."
                )
    _check_priors(recipe, densities)
    _check_shared({name: densities[name] for name in recipe.densities})
    _check_steps(recipe, shapes)
    for by in recipe.judges:
        if not isinstance(densities[by].family, Logit):
            raise ValueError(
                f"The recipe asks '{by}' for a discriminator's logit. Give it the family 'logit'. "
                f"Received: {densities[by].family}."
            )
    for phase in dict.fromkeys(recipe.phases):
        _check_families(recipe, phase, densities)


def _check_priors(recipe: Recipe, densities: Mapping[str, Any]) -> None:
    """A prior that a phase updates has something to learn; one that is made of others finds them."""
    for phase in recipe.phases:
        for name in phase.updates:
            if isinstance(densities[name], Prior) and not densities[name].variables:
                raise ValueError(
                    f"Phase '{phase.name}' updates '{name}', which is {recipe.roles[name]} of family "
                    f"{densities[name].family} and has nothing to learn. Make it a Prior(..., learned=True), or leave "
                    "it out of `updates`."
                )
    for name, density in densities.items():
        if isinstance(density, VampPrior):
            (encoder,) = density.through
            density.check(recipe.roles[name].of, densities.get(encoder), recipe.roles.get(encoder))


def _check_shared(densities: Mapping[str, Any]) -> None:
    """Weights belong to one density, or a saved model could not be loaded; one density may have several roles."""
    owners: dict[int, str] = {}
    for name, density in densities.items():
        for variable in density.variables:
            other = owners.setdefault(id(variable), name)
            if densities[other] is not density:
                raise ValueError(
                    f"'{other}' and '{name}' share the weights '{variable.path}', and a model of both could not be "
                    "loaded once it is saved. Give each layers of its own; or make what they share a density of its "
                    "own, of a variable that both are given."
                )


def _check_steps(recipe: Recipe, shapes: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """What a sampler makes of a variable, such as a pack of examples, must have the shape that a density takes."""
    known = {variable: shape for variable, (shape, _) in shapes.items()}
    for step in recipe.steps:
        for variable, shape in step.shape(known).items():
            known.setdefault(variable, shape)
            other, name = shapes.get(variable, (shape, ""))
            if other == shape:
                continue
            origins = (f"{v} has shape {known[v]} in '{shapes[v][1]}'" for v in step.needs(recipe.roles) if v in shapes)
            raise ValueError(
                f"A sampler sets {variable} {step.source(recipe.roles)}, of shape {shape}, as {', '.join(origins)}. "
                f"Received '{name}', which is {recipe.roles[name]}, of shape {other} of {variable}. Build "
                f"'{name}' for {variable} of shape {shape}."
            )


def _check_families(recipe: Recipe, phase: Phase, densities: Mapping[str, Any]) -> None:
    for e in phase.minimise:
        for name in e.scored:
            if not densities[name].family.has_log_prob:
                raise ValueError(
                    f"Phase '{phase.name}' minimises {e.of}, but '{name}' is a point density, which has no "
                    "log-probability. "
                    "Give it a family with a spread, such as 'laplace' or 'unit_gaussian', or judge its draws by a "
                    "discriminator."
                )
        for side in e.under.sides:
            _check_gradients(recipe, phase, side, densities)


def _check_gradients(recipe: Recipe, phase: Phase, sampler: Ancestral, densities: Mapping[str, Any]) -> None:
    """Every density that learns from what it draws must have draws that carry its gradient."""
    live: list[str] = []
    learning = {id(densities[name]) for name in phase.updates}  # in every role that it has
    for step in sampler.steps:
        if step.holds:
            live = []
        elif isinstance(step, Enumerate):
            if not isinstance(densities[step.density].family, OneHot):
                raise ValueError(
                    f"Phase '{phase.name}' enumerates '{step.density}', which must be of family 'one_hot'. "
                    f"Received: {densities[step.density].family}."
                )
        elif isinstance(step, Draw) and id(densities[step.density]) in learning:
            live.append(step.density)
    for name in live:
        if not densities[name].family.reparameterised:
            role = recipe.roles[name]
            raise ValueError(
                f"Phase '{phase.name}' updates '{name}', which is {role}, through its draws of {role.of}, but the "
                "family "
                f"{densities[name].family} has no reparameterised draws: no gradient can reach it. Use 'point' or "
                "'laplace' for "
                "images, 'relaxed_one_hot' for classes, an Enumerate step for an exact sum, or score it instead of "
                "drawing from it."
            )
