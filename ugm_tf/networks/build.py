"""Densities for a recipe, from shapes alone."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from ugm_tf.algebra import Recipe
from ugm_tf.densities import Density, Family, Prior, families
from ugm_tf.networks.dcgan import dcgan
from ugm_tf.networks.mlp import mlp

__all__ = ["build", "default_families", "is_adversarial", "names"]

Shape = tuple[int, ...]
_BUILDERS: dict[str, Callable[..., keras.Model]] = {"mlp": mlp, "dcgan": dcgan}


def names() -> list[str]:
    """The kinds of networks that can be built by name."""
    return sorted(_BUILDERS)


def is_adversarial(recipe: Recipe, density: str | None = None) -> bool:
    """Whether the recipe has a discriminator, or, of one density, whether it is judged or judges."""
    judges = {e.of.by for phase in recipe.phases for e in phase.minimise if hasattr(e.of, "by")}
    if density is None:
        return bool(judges)
    return density in judges or not _is_scored(recipe, density)


def _is_scored(recipe: Recipe, name: str) -> bool:
    return any(
        name in (*getattr(e.of, "scored", ()), *getattr(e.of, "conditioned", ()))
        for phase in recipe.phases
        for e in phase.minimise
    )


def default_families(recipe: Recipe, likelihood: str | Family = "bernoulli") -> dict[str, str | Family]:
    """A family for each density.

    "logit" for what judges, `likelihood` for a scored density of data, "point" for what is only sampled, and a
    Gaussian for codes.

    Args:
        recipe: The recipe.
        likelihood: Family of the densities that score data.
    """
    judges = {e.of.by for phase in recipe.phases for e in phase.minimise if hasattr(e.of, "by")}
    out: dict[str, str | Family] = {}
    for name, role in recipe.roles.items():
        if name in judges:
            out[name] = "logit"
        elif role.of in recipe.data:
            out[name] = likelihood if _is_scored(recipe, name) else "point"
        elif role.given:
            out[name] = "gaussian" if _is_scored(recipe, name) else "point"
        else:
            out[name] = "gaussian"
    return out


def build(
    recipe: Recipe,
    shapes: Mapping[str, Shape],
    network: str = "mlp",
    likelihood: str | Family = "bernoulli",
    families_by_name: Mapping[str, str | Family] | None = None,
    **options: Any,
) -> dict[str, Density | Prior]:
    """Untrained densities for a recipe.

    Args:
        recipe: The recipe.
        shapes: Shape of one value of each variable: {"x": (28, 28, 1), "z": (20,)}.
        network: "mlp" or "dcgan".
        likelihood: Family of the densities that score data, such as "bernoulli"; its support must be that of the data.
        families_by_name: Families of single densities, by name, where `default_families` is not what you want.
        **options: Those of the network's builder, such as hidden=(500, 500) for "mlp".

    Returns:
        A density for each name in the recipe, to give to `UnifiedModel`.

    Raises:
        ValueError: If a shape is missing, or a name or an option is not known.

    Example:

    >>> densities = build(ugm_tf.recipes.gan(), {"x": (28, 28, 1), "z": (100,)}, network="dcgan")
    >>> {name: str(density.family) for name, density in densities.items()}
    {'prior': 'Gaussian(scale=None)', 'decoder': 'Point()', 'discriminator': 'Logit()'}
    """
    if network not in _BUILDERS:
        raise ValueError(f"There are networks of kind {', '.join(names())}. Received: '{network}'.")
    builder = _BUILDERS[network]
    own = set(inspect.signature(builder).parameters) - {"inputs", "output", "bounded", "name"}
    if unknown := sorted(set(options) - own):
        raise ValueError(f"'{network}' networks take {', '.join(sorted(own))}. Received: {', '.join(unknown)}.")
    if unknown := sorted(set(families_by_name or {}) - set(recipe.densities)):
        raise ValueError(f"This recipe has no density {', '.join(unknown)}. It has: {', '.join(recipe.densities)}.")
    chosen = {**default_families(recipe, likelihood), **(families_by_name or {})}
    out: dict[str, Density | Prior] = {}
    for name, role in recipe.roles.items():
        family = families.get(chosen[name])
        judged = chosen[name] == "logit"
        needed = (*role.given, *(() if judged else (role.of,)))
        if missing := [variable for variable in needed if variable not in shapes]:
            raise ValueError(
                f"'{name}' is {role}: give the shape of {', '.join(missing)}. Received shapes of: {', '.join(shapes)}."
            )
        event = () if judged else tuple(shapes[role.of])
        if not role.given:
            out[name] = Prior(event, family, name=name)
            continue
        bounded = not family.has_log_prob and len(event) == 3  # an image that is only sampled lies in [0, 1]
        more = dict(options)
        if network == "mlp" and is_adversarial(recipe, name):
            more.setdefault("activation", "leaky_relu")
        body = builder(
            [shapes[v] for v in role.given],
            family.parameter_shape(event),
            bounded=bounded,
            name=f"{name}_network",
            **more,
        )
        out[name] = Density(body, family, name=name)
    return out
