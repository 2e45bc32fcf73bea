"""Recipes: a model as densities and phases."""

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ugm_tf import arguments
from ugm_tf.algebra import notation
from ugm_tf.algebra.check import check
from ugm_tf.algebra.phases import Expectation, Phase
from ugm_tf.algebra.role import Role, Roles
from ugm_tf.algebra.step import Step
from ugm_tf.serialization import record

__all__ = ["Recipe", "check_is_recipe"]


@record
class Recipe:
    """A model: the densities that it is made of, and the phases of one training step.

    Args:
        densities: Role of each density by its name, such as {"decoder": "p(x | z)"}.
        phases: The phases, in the order in which a step runs them.
        data: Names of the variables that a batch of data holds: "x"; "c", the class of x, or of `labelled` where
            there is one; "labelled", examples whose class is known; "target", examples of a second domain.
        families: Family of a density by its name, where `ugm_tf.networks.build` is not to choose for itself; and of a
            variable of the data by its, where no density tells which values it has: {"c": "one_hot"}, a class.

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
    families: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, of in (("densities", self.densities), ("families", self.families)):
            if not isinstance(of, Mapping) or not all(isinstance(word, str) for pair in of.items() for word in pair):
                example = '{"decoder": "p(x | z)"}' if what == "densities" else '{"decoder": "gaussian"}'
                raise ValueError(f"A recipe's {what} are texts by names, such as {example}. Received: {of!r}.")
        phases, names = "A recipe has phases, ugm_tf.Phase(name, minimise, updates)", "A recipe's data have names"
        object.__setattr__(self, "phases", arguments.several(phases, Phase, self.phases))
        object.__setattr__(self, "data", arguments.several(names, str, self.data))
        self.check()

    def __hash__(self) -> int:
        return hash((frozenset(self.densities.items()), self.phases, self.data, frozenset(self.families.items())))

    @functools.cached_property
    def roles(self) -> Roles:
        """The parsed role of each density."""
        return Roles({name: Role.parse(text) for name, text in self.densities.items()}, self.judges)

    @functools.cached_property
    def judges(self) -> tuple[str, ...]:
        """Names of the densities that some term or weight asks for a logit."""
        asked = {name for e in self.expectations for name in e.judges}
        return tuple(name for name in self.densities if name in asked)

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Those of all phases, each once."""
        return tuple(dict.fromkeys(e for phase in self.phases for e in phase.minimise))

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics of all phases, such as "wake/distortion"; one may run several times in a step."""
        return tuple(name for phase in dict.fromkeys(self.phases) for name in phase.metrics)

    @functools.cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of every sampler, each once."""
        return tuple(dict.fromkeys(step for e in self.expectations for step in e.under.steps))

    def scores(self, density: str) -> bool:
        """Whether some expectation takes this density's log-probability, or asks for its distribution."""
        return any(density in (*e.scored, *e.conditioned) for e in self.expectations)

    def each(self, change: Callable[[Expectation], Expectation]) -> "Recipe":
        """The recipe with every expectation changed."""
        phases = tuple(dataclasses.replace(p, minimise=tuple(map(change, p.minimise))) for p in self.phases)
        return dataclasses.replace(self, phases=phases)

    def phase(self, name: str) -> Phase:
        """The phase of this name.

        Raises:
            ValueError: If there is none.
        """
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise ValueError(f"There is no phase '{name}'. This recipe has: {', '.join(p.name for p in self.phases)}.")

    def ancestors(self, density: str, known: Collection[str] | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """How the parents of a density come about: what is drawn, in order, and what must be given.

        A variable is drawn if it is not known and the recipe has a p(. | .) of it, whose parents are drawn or known.

        Args:
            density: Name of the density, such as "decoder".
            known: Names of variables that are given; by default the data.

        Returns:
            Names of densities to draw from, and names of variables.
        """
        roles = self.roles
        data = set(self.data if known is None else known)
        reached, order = set(data), list[str]()
        while ready := [
            name
            for name, role in roles.items()
            if role.letter == "p"
            and role.of not in reached
            and role.of != roles[density].of
            and all(v in reached or not self._is_drawn(v) for v in role.given)
        ]:
            order.append(ready[0])
            reached.add(roles[ready[0]].of)
        needed, drawn = list(roles[density].given), list[str]()
        for name in reversed(order):
            if roles[name].of in needed:
                needed.remove(roles[name].of)
                needed += [variable for variable in roles[name].given if variable not in needed]
                drawn.insert(0, name)
        return tuple(drawn), tuple(needed)

    def _is_drawn(self, variable: str) -> bool:
        return any(role.letter == "p" and role.of == variable for role in self.roles.values())

    def bound(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The densities whose ratio bounds log p(x) from below, given data alone.

        Returns:
            Names of those of p(x, z), the decoder first, and of those of q(z | x) in the order of drawing; None if
            there is no decoder or something that it needs is neither data nor inferred.
        """
        roles = self.roles
        if "decoder" not in roles:
            return None
        drawn, given = self.ancestors("decoder", known=())
        latent = [roles[name].of for name in drawn]
        known, inference = {*self.data, roles["decoder"].of} - set(latent), list[str]()
        inferring = {n: r for n, r in roles.items() if r.letter == "q" and r.given and r.of in latent}
        while ready := [n for n, r in inferring.items() if r.of not in known and set(r.given) <= known]:
            inference.append(ready[0])
            known.add(roles[ready[0]].of)
        return (("decoder", *drawn), tuple(inference)) if latent and {*latent, *given} <= known else None

    def check(self) -> None:
        """Refuses what makes no sense, before a tensor exists.

        Raises:
            ValueError: If a density is asked for that is not there, or is there and never asked for; if a variable
                is used before it is drawn; if two metrics or two phases share a name; if a phase updates nothing.
        """
        check(self.roles, self.phases, self.data, self.families)

    def describe(self) -> str:
        """The recipe in the paper's notation, a line for each expectation."""
        lines = []
        for phase in dict.fromkeys(self.phases):
            lines += [self._heading(phase), *phase.describe(self.roles, self.data)]
        return "\n".join(lines)

    def _heading(self, phase: Phase) -> str:
        runs = self.phases.count(phase)
        times = "" if phase.repeats == 1 else f", {phase.repeats} times"
        times += "" if runs == 1 else f", {runs} times in turn"
        return f"{phase.name}: minimise over {', '.join(phase.updates)}{times}"

    def __str__(self) -> str:
        return self.describe()

    def _repr_latex_(self) -> str:
        """The recipe as LaTeX, which notebooks show."""
        return notation.latex(self.describe())


def check_is_recipe(function: str, recipe: Any) -> None:
    """Refuses what a function from recipe to recipe cannot take, such as a recipe's name.

    Raises:
        TypeError: With how to write it.
    """
    if not isinstance(recipe, Recipe):
        made = f"ugm_tf.recipes.get({recipe!r})" if isinstance(recipe, str) else "ugm_tf.recipes.vae()"
        raise TypeError(f"{function}() takes a recipe, such as {made}. Received: {recipe!r}.")
