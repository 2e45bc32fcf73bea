"""Recipes: a model as densities and phases."""

from collections.abc import Mapping
from typing import Any

from ugm_tf.algebra import check as checks
from ugm_tf.algebra.phases import Phase
from ugm_tf.algebra.role import Role
from ugm_tf.serialization import record

__all__ = ["Recipe"]


@record
class Recipe:
    """A model: the densities that it is made of, and the phases of one training step.

    Args:
        densities: Role of each density by its name, such as {"decoder": "p(x | z)"}.
        phases: The phases, in the order in which a step runs them.
        data: Names of the variables that a batch of data holds.

    Raises:
        ValueError: If it makes no sense; see `check`.

    Example:

    >>> print(ugm_tf.recipes.get("gan").describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder] -log q^r(y=0 | x)
    """

    densities: Mapping[str, str]
    phases: tuple[Phase, ...]
    data: tuple[str, ...] = ("x",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", tuple(self.phases))
        object.__setattr__(self, "data", (self.data,) if isinstance(self.data, str) else tuple(self.data))
        self.check()

    @property
    def roles(self) -> dict[str, Role]:
        """The parsed role of each density."""
        return {name: Role.parse(text) for name, text in self.densities.items()}

    def phase(self, name: str) -> Phase:
        """The phase of this name.

        Raises:
            ValueError: If there is none.
        """
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise ValueError(f"There is no phase '{name}'. This recipe has: {', '.join(p.name for p in self.phases)}.")

    def check(self) -> None:
        """Refuses what makes no sense, before a tensor exists.

        Raises:
            ValueError: If a density is asked for that is not there, or is there and never asked for; if a variable
                is used before it is drawn; if two metrics or two phases share a name; if a phase updates nothing.
        """
        checks.check(self)

    def describe(self) -> str:
        """The recipe in the paper's notation, a line for each expectation."""
        roles, lines = self.roles, []
        for phase in self.phases:
            times = "" if phase.repeats == 1 else f", {phase.repeats} times"
            lines.append(f"{phase.name}: minimise over {', '.join(phase.updates)}{times}")
            for i, e in enumerate(phase.minimise):
                sign = ("  " if e.scale >= 0 else "- ") if i == 0 else ("+ " if e.scale >= 0 else "- ")
                scale = "" if abs(e.scale) == 1.0 else f"{abs(e.scale):g} "
                under = _describe(e.under, roles, self.data)
                weight = "" if e.weight is None else f"{_describe(e.weight, roles)} * "
                lines.append(f"  {sign}{scale}E[{under}] {weight}{_describe(e.of, roles)}")
        return "\n".join(lines)


def _describe(part: Any, *context: Any) -> str:
    """A part in the paper's notation; a plain function by its name."""
    if hasattr(part, "describe"):
        return part.describe(*context)
    return getattr(part, "__name__", type(part).__name__)
