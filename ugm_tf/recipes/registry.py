"""Recipes by name."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ugm_tf.algebra import Recipe, contested, schedules
from ugm_tf.arguments import did_you_mean, of_their_kind, shown

__all__ = ["contestable", "function", "get", "names", "recipe"]

_RECIPES: dict[str, Callable[..., Recipe]] = {}


def recipe(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """Registers a function that returns a recipe, under its own name; its arguments are the hyperparameters.

    Returns:
        The function, which refuses values of another kind than its signature names.

    Raises:
        ValueError: If the name is taken by another function.
    """
    name = function.__name__
    if name in _RECIPES and _RECIPES[name].__module__ != function.__module__:
        raise ValueError(f"There is a recipe '{name}' already, from {_RECIPES[name].__module__}. Choose another name.")
    _RECIPES[name] = schedules.taken(of_their_kind(f"recipe '{name}'")(function))
    return _RECIPES[name]


def contestable(function: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """Gives a function that returns an adversarial recipe the options of `contested`, by keyword, as its own.

    >>> print(ugm_tf.recipes.gan(contest="least_squares", discriminator_steps=2).describe())
    discriminate: minimise over discriminator, 2 times
        E[x ~ data] 1/2 [l(x) - 1]^2
      + E[z ~ prior, x ~ decoder] 1/2 l(x)^2
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder] 1/2 [l(x) - 1]^2
    """
    own = inspect.signature(function)
    options = [
        p.replace(kind=p.KEYWORD_ONLY) for n, p in inspect.signature(contested).parameters.items() if n != "recipe"
    ]
    names = {option.name for option in options}

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Recipe:
        given = {name: kwargs.pop(name) for name in list(kwargs) if name in names}
        return contested(function(*args, **kwargs), **given) if given else function(*args, **kwargs)

    made.__signature__ = own.replace(parameters=[*own.parameters.values(), *options])  # type: ignore[attr-defined]
    return made


def names() -> list[str]:
    """The recipes that there are."""
    return sorted(_RECIPES)


def function(name: str) -> Callable[..., Recipe]:
    """The function that returns the recipe of this name.

    Raises:
        ValueError: If there is none.
    """
    if name not in _RECIPES:
        hint = did_you_mean(name, _RECIPES)
        raise ValueError(f"There is no recipe '{name}'. There are: {', '.join(names())}.{hint}")
    return _RECIPES[name]


def get(name: str, **hyperparameters: Any) -> Recipe:
    """The recipe of this name.

    Args:
        name: One of `names()`.
        **hyperparameters: The recipe's own, such as beta=4.0 for "vae".  A weight may follow a schedule of
            `ugm_tf.schedules`, also by name: beta="warmup(1000)".

    Raises:
        ValueError: If the name or a hyperparameter is not known, or a value is not of its kind.

    Example:

    >>> print(ugm_tf.recipes.get("vae", beta=4.0).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + 4 E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))
    """
    make = function(name)
    known = inspect.signature(make).parameters
    for key in hyperparameters:
        if key not in known:
            takes = ", ".join(map(shown, known.values())) or "none"
            hint = did_you_mean(key, known)
            raise ValueError(f"Recipe '{name}' has no hyperparameter '{key}'. It takes: {takes}.{hint}")
    return make(**hyperparameters)
