"""The experiments that there are, by the names of their files."""

import functools
import importlib
import pkgutil

from . import experiments
from .declarations import Experiment

__all__ = ["get", "names"]


def names() -> list[str]:
    """The names of the experiments, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))


@functools.cache
def get(name: str) -> Experiment:
    """An experiment.

    Args:
        name: One of `names()`.

    Raises:
        ValueError: If there is no such experiment, or its file declares none.
    """
    if name not in names():
        raise ValueError(f"There is no experiment '{name}'. There are: {', '.join(names())}.")
    found = getattr(importlib.import_module(f"{experiments.__name__}.{name}"), "EXPERIMENT", None)
    if not isinstance(found, Experiment):
        raise ValueError(f"The file of experiment '{name}' declares no EXPERIMENT. It is an `Experiment`.")
    return found
