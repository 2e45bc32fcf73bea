"""Recipes by the name of a flag: the package's own, or a function in a file or a module of the user's."""

import functools
import importlib
import importlib.util
import inspect
import os
import pathlib
import sys
import types
from collections.abc import Mapping
from typing import Any

import ugm_tf
from ugm_tf.recipes import registry

__all__ = ["absolute", "is_own", "make", "short"]

_EXAMPLE = "Give --recipe=path/to/file.py:function or --recipe=module:function"


def is_own(recipe: str) -> bool:
    """Whether a recipe is the user's, and not one of the package's."""
    return ":" in recipe or recipe.endswith(".py")


def absolute(recipe: str) -> str:
    """The same recipe, whatever the working directory: a file's path is made absolute."""
    path, colon, name = recipe.rpartition(":")
    return f"{os.path.abspath(path)}:{name}" if colon and path.endswith(".py") else recipe


def short(recipe: str) -> str:
    """A recipe's name without where it is from: "my_gan" of "path/to/file.py:my_gan"."""
    return recipe.rpartition(":")[2]


def make(recipe: str, hyperparameters: Mapping[str, Any]) -> ugm_tf.Recipe:
    """The recipe.

    Args:
        recipe: One of `ugm_tf.recipes.names()`, "path/to/file.py:function" or "module:function".
        hyperparameters: Its own.

    Raises:
        ValueError: If there is no such recipe, its file cannot be run, it returns something else, or a hyperparameter
            is not known or not of its kind.
    """
    name = _register(recipe) if is_own(recipe) else recipe
    made = ugm_tf.recipes.get(name, **hyperparameters)
    if not isinstance(made, ugm_tf.Recipe):
        raise ValueError(f"{name}() of {recipe} returns a Recipe. It returned a {type(made).__name__}.")
    return made


@functools.cache
def _register(recipe: str) -> str:
    """Reads the function and registers it as recipes of the package are; returns its name."""
    place, colon, name = recipe.rpartition(":")
    if not colon or not place or not name:
        raise ValueError(f"{_EXAMPLE}. Received: --recipe={recipe}.")
    module = _run_file(pathlib.Path(place)) if place.endswith(".py") else _import(place)
    function = getattr(module, name, None)
    if not inspect.isfunction(function):
        own = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        raise ValueError(f"{place} has no function '{name}'. It has: {', '.join(own) or 'none'}.")
    if function.__name__ != name:
        raise ValueError(f"{place} calls '{function.__name__}' by another name, '{name}'. {_EXAMPLE} of its own name.")
    registry.recipe(function)
    return name


def _run_file(path: pathlib.Path) -> types.ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise ValueError(f"There is no file {path}. {_EXAMPLE}.")
    spec = importlib.util.spec_from_file_location(f"recipes_of_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file. {_EXAMPLE}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's own file raises
        raise ValueError(f"{path} could not be run: {type(error).__name__}: {error}.") from error
    return module


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever the user's own module raises
        raise ValueError(f"Module '{name}' could not be imported: {type(error).__name__}: {error}.") from error
