"""Recipes by the name of a flag: the package's own, or a function in a file or a module of the user's."""

import functools
from collections.abc import Mapping
from typing import Any

import ugm_tf
from ugm_tf.recipes import registry

from . import own_code

__all__ = ["make"]


def make(recipe: str, hyperparameters: Mapping[str, Any]) -> ugm_tf.Recipe:
    """The recipe.

    Args:
        recipe: One of `ugm_tf.recipes.names()`, "path/to/file.py:function" or "module:function".
        hyperparameters: Its own.

    Raises:
        ValueError: If there is no such recipe, its file cannot be run, it returns something else, or a hyperparameter
            is not known or not of its kind.
    """
    name = _register(recipe) if own_code.is_own(recipe) else recipe
    made = ugm_tf.recipes.get(name, **hyperparameters)
    if not isinstance(made, ugm_tf.Recipe):
        raise ValueError(f"{name}() of {recipe} returns a Recipe. It returned a {type(made).__name__}.")
    return made


@functools.cache
def _register(recipe: str) -> str:
    """Reads the function and registers it as recipes of the package are; returns its name."""
    return registry.recipe(own_code.function("recipe", recipe)).__name__
