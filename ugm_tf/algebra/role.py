"""Roles: which density of which variable given which others."""

import dataclasses
import re

__all__ = ["Role"]

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
