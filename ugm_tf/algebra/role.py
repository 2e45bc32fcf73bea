"""Roles: which density of which variable given which others."""

import dataclasses
import re
from collections.abc import Iterable, Mapping

__all__ = ["Role", "Roles"]

_PATTERN = re.compile(r"([pq])\((\w+)(?: \| (\w+(?:, \w+)*))?\)")


@dataclasses.dataclass(frozen=True)
class Role:
    """What a density is a density of: "p(x | z, c)" is Role("p", "x", ("z", "c")).

    The letter p is for the generative direction and q for inference; both train alike.

    Attributes:
        letter: "p" or "q".
        of: The variable.
        given: Its parents, in the order in which the network takes them.
    """

    letter: str
    of: str
    given: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Role":
        """Reads a role.

        Raises:
            ValueError: If `text` is not of the form "p(x | z, c)", "q(z | x)" or "p(z)".
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(
                f"A density is written 'p(x | z, c)', 'q(z | x)' or 'p(z)': p or q, single spaces around the bar and "
                f"after commas. Received: '{text}'."
            )
        letter, of, given = match.groups()
        parents = tuple(given.split(", ")) if given else ()
        if len(set(parents)) < len(parents) or of in parents:
            raise ValueError(f"Each variable stands once in a density. Received: '{text}'.")
        return cls(letter, of, parents)

    def __str__(self) -> str:
        return f"{self.letter}({self.of}{' | ' + ', '.join(self.given) if self.given else ''})"


class Roles(dict[str, Role]):
    """The role of each density by its name, and how `describe` writes it: so that no two are written alike.

    Args:
        roles: Roles by name.
        judges: Names of those that are asked for a logit.
    """

    def __init__(self, roles: Mapping[str, Role], judges: Iterable[str] = ()):
        super().__init__(roles)
        self.judges = tuple(judges)

    def text(self, density: str, value: int | None = None, letter: str = "") -> str:
        """A density: "p(x | z)", or "p_decoder(x | z)" where another one has that role, too; at a value, "q(y=1 | x)".

        Args:
            density: Its name.
            value: Value of its variable.
            letter: Another letter in place of its own, such as "q^r" for the reversed one.
        """
        role = self[density]
        same = [name for name, other in self.items() if other == role]
        mark = f"_{density}" if len(same) > 1 else ""
        of = role.of if value is None else f"{role.of}={value}"
        return f"{letter or role.letter}{mark}({of}{' | ' + ', '.join(role.given) if role.given else ''})"

    def logit(self, judge: str, function: str = "l") -> str:
        """A discriminator's output: "l(x)", or "l_critic(x)" in a recipe of several discriminators.

        Args:
            judge: Its name.
            function: What is written for it, or for a function of it.
        """
        others = [name for name in self.judges if name != judge]
        name, bracket, rest = function.partition("[")
        return f"{name}{'_' + judge if others else ''}{bracket}{rest}({', '.join(self[judge].given)})"
