"""What a run depends on: as it was asked for, and as it was decided."""

import dataclasses
from typing import Any

import ugm_tf

from . import own_recipes
from .optimizers import PhaseOptimizers
from .rates import AnyRate

__all__ = ["Resolved", "Settings"]

_DIFFAUGMENT = "diffaugment("
_FIXED = "none"  # the prior that the recipe has


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is asked of a run.  None is not said, and left to `defaults.resolve`, or of no use to the recipe.

    Each is the flag of its name; see `python -m trainers.train --help`.
    """

    recipe: str
    dataset: str
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    prior: str | None = None
    fraction: float | None = None
    labels: int | None = None
    target: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: AnyRate | None = None
    optimizer: str | PhaseOptimizers | None = None
    ema: float | None = None
    network: str | None = None
    hidden: tuple[int, ...] | None = None
    conditioning: str | None = None
    code_size: int | None = None
    image_size: int | None = None
    background: str | None = None
    augment: tuple[str, ...] | None = None
    storage: str | None = None
    observation: str | None = None
    likelihood: str | None = None
    families: tuple[tuple[str, str], ...] = ()
    schedule: str = "alternating"
    xla: str = "auto"
    precision: str = "float32"
    on_nan: str = "stop"
    accumulate: int = 1
    remat: bool = False
    init_from: str | None = None
    keep_best: str | None = None
    patience: int | None = None
    seed: int = 0

    def make_recipe(self) -> ugm_tf.Recipe:
        """The recipe with its hyperparameters; with a prior that learns, and with augmented images before its
        discriminators, if that is asked for.

        Raises:
            ValueError: If there is no such recipe, hyperparameter or prior, or it has nothing to augment.
        """
        recipe = self.make_plain_recipe()
        if self.prior not in (None, _FIXED):
            if "prior" not in recipe.roles:
                raise ValueError(
                    f"--prior={self.prior} is of a density called 'prior', and recipe '{self.recipe}' has "
                    f"{', '.join(recipe.roles)}. Leave it out; in a recipe of your own call the prior so, or have "
                    "the function return ugm_tf.learned_prior(recipe, kind, name)."
                )
            try:
                recipe = ugm_tf.learned_prior(recipe, self.prior)
            except ValueError as error:
                raise ValueError(f"--prior={self.prior} of recipe '{self.recipe}': {error}") from error
        changes = (text for text in self.augment or () if text.startswith(_DIFFAUGMENT))
        policy = next((text[len(_DIFFAUGMENT) : -1] for text in changes), None)
        return recipe if policy is None else ugm_tf.diffaugmented(recipe, tuple(policy.split(",")))

    def make_plain_recipe(self) -> ugm_tf.Recipe:
        """The recipe with its hyperparameters alone.

        Raises:
            ValueError: If there is no such recipe or hyperparameter.
        """
        return own_recipes.make(self.recipe, dict(self.hyperparameters))

    @property
    def augment_data(self) -> tuple[str, ...]:
        """What of `augment` is done to the data."""
        return tuple(text for text in self.augment or () if not text.startswith(_DIFFAUGMENT))


@dataclasses.dataclass(frozen=True)
class Resolved(Settings):
    """What a run is trained with: everything is decided, and None only where the recipe has no use for it."""

    epochs: int = dataclasses.field(kw_only=True)
    batch_size: int = dataclasses.field(kw_only=True)
    learning_rate: AnyRate = dataclasses.field(kw_only=True)
    network: str = dataclasses.field(kw_only=True)
    observation: str = dataclasses.field(kw_only=True)
