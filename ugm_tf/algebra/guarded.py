"""What a part of a recipe may look at in a joint sample: what it says that it needs."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["Declared", "Guarded", "Misdeclared"]

_T = TypeVar("_T")


class Misdeclared(ValueError):
    """A part or a density does something else than it says, or than one of its kind does."""

    __init__ = Exception.__init__  # by which AutoGraph knows that it can make another with where it came from


@dataclasses.dataclass(frozen=True)
class Declared:
    """What a term, a weight or a step says that it asks of a sample; all else is `Misdeclared`, in its name.

    Args:
        who: The part, as messages call it.
        densities: Names of the densities that it may ask.
        variables: Names of the variables that it may read.
        scored: Names of those densities whose log-probability it may take.
        name_density: How it says that it asks a density, "{name}" standing for its name.
        name_variable: How it says that it reads a variable, likewise.
        name_scored: How it says that it takes a log-probability, likewise.
    """

    who: str
    densities: frozenset[str]
    variables: frozenset[str]
    scored: frozenset[str]
    name_density: str
    name_variable: str
    name_scored: str

    def density(self, name: str) -> None:
        """Refuses a density that was not declared."""
        self._check("asks the density", name, self.densities, self.name_density)

    def variable(self, name: str) -> None:
        """Refuses a variable that was not declared."""
        self._check("reads the variable", name, self.variables, self.name_variable)

    def log_prob(self, name: str) -> None:
        """Refuses the log-probability of a density where that was not declared."""
        self.density(name)
        self._check("takes the log-probability of", name, self.scored, self.name_scored)

    def _check(self, does: str, name: str, declared: frozenset[str], advice: str) -> None:
        if name not in declared:
            raise Misdeclared(
                f"{self.who} {does} '{name}' and does not say so. Recipes are checked, shown and given networks by "
                f"what their parts say. {advice.format(name=name)}"
            )


class Guarded(Mapping[str, _T]):
    """A mapping that looks at each key before it gives its value.

    Args:
        values: The values.
        check: Raises an error for a key that is refused.
    """

    def __init__(self, values: Mapping[str, _T], check: Callable[[str], Any]):
        self._all, self._check = values, check

    def __getitem__(self, key: str) -> _T:
        self._check(key)
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
