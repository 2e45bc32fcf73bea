"""The runs of an experiment: what each is asked, and where it and its result lie."""

import dataclasses
import hashlib
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from .. import options, own_code
from ..settings import Settings
from . import catalogue
from .declarations import Contender, Experiment

__all__ = ["Plan", "Unit"]

_RUNS = "runs"


@dataclasses.dataclass(frozen=True)
class Unit:
    """A contender with one of its choices, from one seed.

    Attributes:
        contender: Whose run it is.
        choice: The values of its choices.
        settings: What is asked of the run, but for the epochs where `updates` says them.
        updates: Its training steps; None where the settings say the epochs.
    """

    contender: Contender
    choice: Mapping[str, Any]
    settings: Settings
    updates: int | None

    @property
    def seed(self) -> int:
        """The run's."""
        return self.settings.seed

    @property
    def asked(self) -> dict[str, str]:
        """All that decides the run but the seed, as texts by name."""
        texts = options.as_flags(dataclasses.replace(self.settings, seed=0))
        texts.pop("seed")
        return texts | ({} if self.updates is None else {"updates": str(self.updates)})

    @property
    def run(self) -> pathlib.PurePath:
        """Where the run lies below the folder of all: experiments that ask the same share it."""
        digest = hashlib.sha256(json.dumps(self.asked, sort_keys=True).encode()).hexdigest()[:8]
        name = f"{own_code.short(self.settings.recipe)}_{self.settings.dataset}_{digest}"
        return pathlib.PurePath(_RUNS, _slug(name), f"seed_{self.seed}")

    @property
    def folder(self) -> pathlib.PurePath:
        """Where its result lies below the experiment's folder."""
        chosen = "".join(f"_{name}={value}" for name, value in self.choice.items())
        return pathlib.PurePath(_slug(self.contender.title + chosen), f"seed_{self.seed}")


@dataclasses.dataclass(frozen=True)
class Plan:
    """An experiment at a scale, on a data set.

    Attributes:
        name: The experiment's.
        scale: One of `declarations.SCALES`.
        dataset: Data in the place of its own; "" for its own.
        seeds: How many seeds; the scale's if None.
    """

    name: str
    scale: str
    dataset: str = ""
    seeds: int | None = None

    @property
    def experiment(self) -> Experiment:
        """The declaration."""
        return catalogue.get(self.name)

    @property
    def title(self) -> str:
        """What it is called where results are kept: "hu_aavae_cpu", "hu_aavae_cpu_fashion_mnist"."""
        return "_".join(part for part in (self.name, self.scale, _slug(self.dataset)) if part)

    @property
    def folder(self) -> pathlib.PurePath:
        """Where results and tables lie below the folder of all."""
        return pathlib.PurePath(self.name, self.title.removeprefix(f"{self.name}_"))

    @property
    def number_of_seeds(self) -> int:
        """How many seeds each contender has."""
        return self.experiment.scales[self.scale].seeds if self.seeds is None else self.seeds

    def units(self) -> list[Unit]:
        """Each choice of each contender from each seed: seed by seed, so that an interrupted one has whole seeds.

        Raises:
            ValueError: If another data set is asked for and the contenders differ in theirs.
        """
        experiment = self.experiment
        scale = experiment.scales[self.scale]
        if self.dataset and any("dataset" in contender.settings for contender in experiment.contenders):
            raise ValueError(
                f"The data of experiment '{self.name}' are what it compares, so --dataset={self.dataset} is none of "
                "it. Leave it out."
            )
        return [
            Unit(contender, choice, dataclasses.replace(settings, seed=seed), scale.steps(contender))
            for seed in range(self.number_of_seeds)
            for contender in experiment.at(self.scale)
            for choice, settings in experiment.variants(contender, self.scale, self.dataset)
        ]


def _slug(text: str) -> str:
    """A text as a file's name."""
    return re.sub(r"[^\w.=-]+", "_", text.replace("%", "percent")).strip("_")
