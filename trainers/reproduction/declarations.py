"""What an experiment is: contenders as settings of runs, figures by name, and published values with their source."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from .. import figure_table
from ..settings import Settings
from ..subject import Effort

__all__ = ["SCALES", "Contender", "Experiment", "Measured", "Published", "Scale"]

SCALES = ("smoke", "cpu", "full")


@dataclasses.dataclass(frozen=True)
class Published:
    """A number that a paper has.

    Attributes:
        value: The number.
        spread: Its standard deviation, as published; None where there is none.
        dataset: The data that it is of; "" for the contender's own.
        figure: Which figure it is; "" for the experiment's first.
        note: What there is to say of it, such as that it is from memory.
    """

    value: float
    spread: float | None = None
    dataset: str = ""
    figure: str = ""
    note: str = ""

    def __str__(self) -> str:
        """
        >>> str(Published(-122.89)), str(Published(8.34, 0.03))
        ('−122.89', '8.34 ± 0.03')
        """
        text = f"{self.value:,.10g}" if self.spread is None else f"{self.value:,.10g} ± {self.spread:,.10g}"
        return text.replace("-", "−")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A figure of the one table of figures (`trainers.figure_table`).

    Attributes:
        name: Its name there, such as "ELBO"; or how that begins.
        row: The key of its row.
        higher: Whether more is better.
        of: The contenders that have it, by name; all if empty.
    """

    name: str
    row: str
    higher: bool = True
    of: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Contender:
    """What is trained, from each seed.

    Attributes:
        name: Such as "AAVAE".
        settings: Fields of `Settings`, on top of those of the experiment.
        under: The condition that it is compared under, such as "1 %".
        against: The contenders of the same condition that it is paired with, seed by seed.
        choices: Hyperparameters, each with the values to choose among by the first figure on the validation split.
        published: What papers have.
    """

    name: str
    settings: Mapping[str, Any]
    under: str = ""
    against: tuple[str, ...] = ()
    choices: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    published: tuple[Published, ...] = ()

    @property
    def title(self) -> str:
        """The name with the condition: "AAVAE, 1 %"."""
        return f"{self.name}, {self.under}" if self.under else self.name

    @property
    def keys(self) -> tuple[str, str, str]:
        """What a scale may call it by, the narrowest first: its title, its name, or its condition."""
        return self.title, self.name, self.under


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large an experiment is made.

    Attributes:
        settings: Fields of `Settings`, on top of the contender's.
        updates: Training steps, which become epochs by the size of the data: of all, or by `Contender.keys`.  None
            leaves the number of epochs to the settings.
        seeds: How many paired seeds, 0 and those after it.
        effort: Fields of `Effort` for the figures.
        only: The contenders that are run, by `Contender.keys`; all if empty.
        without: Those that are not, likewise.
        choices: In the place of the contenders', where they have any.
        choosing: From how many seeds, 0 and those after it, each choice is run; from the others the chosen one alone.
            None is all.
        note: What a reader must know of it.
    """

    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    updates: int | Mapping[str, int] | None = None
    seeds: int = 5
    effort: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    choices: Mapping[str, Sequence[Any]] | None = None
    choosing: int | None = None
    note: str = ""

    def steps(self, contender: Contender) -> int | None:
        """Training steps of a contender; None where settings say the epochs."""
        if not isinstance(self.updates, Mapping):
            return self.updates
        return next((self.updates[key] for key in contender.keys if key in self.updates), None)

    def runs(self, contender: Contender) -> bool:
        """Whether a contender is run at this scale."""
        keys = set(contender.keys)
        return (not self.only or bool(keys & {*self.only})) and not keys & {*self.without}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Contenders, what is measured of them, and how large.

    Attributes:
        title: What it asks.
        source: The paper and its table.
        figures: What is measured on the test split; by the first one choices are made, on the validation split.
        contenders: What is compared.
        scales: By name, each of `SCALES`.
        settings: Fields of `Settings` that all contenders share, their data among them.
        open: What the paper leaves open, or a reader must know, and what was chosen here, a line each.

    Raises:
        ValueError: If it does not hold together.
    """

    title: str
    source: str
    figures: tuple[Measured, ...]
    contenders: tuple[Contender, ...]
    scales: Mapping[str, Scale]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    open: tuple[str, ...] = ()

    def __post_init__(self):
        names = [(contender.under, contender.name) for contender in self.contenders]
        known = {key for contender in self.contenders for key in contender.keys}
        wrong = [f"{c.title} twice" for c in self.contenders if names.count((c.under, c.name)) > 1]
        wrong += [f"'{o}', against {c.title}" for c in self.contenders for o in c.against if (c.under, o) not in names]
        wrong += [f"the scale '{name}' (scales are {', '.join(SCALES)})" for name in {*SCALES} ^ {*self.scales}]
        for name, scale in self.scales.items():
            called = [*scale.only, *scale.without, *(scale.updates if isinstance(scale.updates, Mapping) else ())]
            wrong += [f"'{key}' of {name}" for key in called if key not in known]
            if isinstance(scale.updates, Mapping):
                missing = [c.title for c in self.contenders if scale.runs(c) and scale.steps(c) is None]
                wrong += [f"no updates of {title} at {name}" for title in missing]
        for figure in self.figures:
            wrong += [f"'{name}' of {figure.name}" for name in figure.of if name not in {n for _, n in names}]
        if wrong or not self.figures:
            raise ValueError(f"{self.title}: it has {', '.join(wrong) or 'no figure'}, which does not hold together.")
        figure_table.check_metrics([figure.row for figure in self.figures])
        for name in SCALES:  # unknown fields are refused here
            Effort(**self.scales[name].effort)
            for contender in self.at(name):
                self.variants(contender, name)

    def at(self, scale: str) -> list[Contender]:
        """The contenders of a scale."""
        return [contender for contender in self.contenders if self.scales[scale].runs(contender)]

    def variants(
        self, contender: Contender, scale: str, dataset: str | None = None
    ) -> list[tuple[dict[str, Any], Settings]]:
        """What is run of a contender: its choices, and with each the settings, but for the seed.

        Args:
            contender: One of `contenders`.
            scale: One of `SCALES`.
            dataset: Data in the place of its own.
        """
        found = self.scales[scale]
        settings = {**self.settings, **contender.settings, **found.settings} | ({"dataset": dataset} if dataset else {})
        choices = contender.choices if found.choices is None or not contender.choices else found.choices
        out = []
        for values in itertools.product(*choices.values()):
            chosen = dict(zip(choices, values, strict=True))
            of_recipe = {**settings.get("hyperparameters", {}), **chosen}
            out.append((chosen, Settings(**{**settings, "hyperparameters": tuple(sorted(of_recipe.items()))})))
        return out

    def measured(self, contender: Contender) -> list[Measured]:
        """The figures that a contender has."""
        return [figure for figure in self.figures if not figure.of or contender.name in figure.of]
