"""What a run does where no flag says otherwise: sensible settings for a recipe and a data set."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import keras

import ugm_tf

__all__ = ["Settings", "load", "optimizers", "parse_hidden", "parse_hyperparameters", "resolve"]

_DCGAN_FROM = 16  # sides from which images are worth convolving


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run depends on; a field is None until it is resolved.

    Each is the flag of its name; see `python -m trainers.train --help`.
    """

    recipe: str
    dataset: str
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    network: str | None = None
    hidden: tuple[int, ...] | None = None
    code_size: int | None = None
    image_size: int | None = None
    observation: str | None = None
    likelihood: str | None = None
    schedule: str = "alternating"
    xla: str = "auto"
    precision: str = "float32"
    seed: int = 0

    def make_recipe(self) -> ugm_tf.Recipe:
        """The recipe with its hyperparameters."""
        return ugm_tf.recipes.get(self.recipe, **dict(self.hyperparameters))


def resolve(settings: Settings, shape: tuple[int, ...], examples: int) -> Settings:
    """Fills in what is None.

    Recipes that score data learn binarised images by a Bernoulli likelihood with Adam(1e-3); those that only
    judge samples learn grey images with DCGAN's Adam(2e-4, beta_1=0.5), and on images of 16 pixels or more with
    DCGAN's networks.

    Args:
        settings: What was asked for.
        shape: Shape of one example.
        examples: Number of training examples.
    """
    recipe = settings.make_recipe()
    image, colour = len(shape) == 3, len(shape) == 3 and shape[-1] != 1
    scored = any(role.of in recipe.data and not _only_sampled(recipe, name) for name, role in recipe.roles.items())
    small = examples < 10_000
    likelihood = ("discretized_logistic" if colour else "bernoulli") if image else "gaussian"
    network = "dcgan" if image and not scored and min(shape[:2]) >= _DCGAN_FROM else "mlp"
    network = settings.network or network
    wide = (500, 500) if image and min(shape[:2]) >= _DCGAN_FROM else (256, 256)
    values = {
        "epochs": (150 if scored else 400) if small else 30,
        "batch_size": 128 if not small and scored else 64,
        "learning_rate": 1e-3 if scored or not image else 2e-4,
        "network": network,
        "hidden": (wide if image else (128, 128)) if network == "mlp" else None,
        "code_size": (20 if scored else 100 if network == "dcgan" else 32) if image else 2,
        "observation": ("grey" if colour or not scored else "binarised") if image else "raw",
        "likelihood": likelihood if scored else None,
    }
    return dataclasses.replace(settings, **{k: v for k, v in values.items() if getattr(settings, k) is None})


def load(settings: Settings, split: str, sources: Mapping[str, str]) -> ugm_tf.data.Examples:
    """A split of the settings' data.

    Args:
        settings: What to train on.
        split: "train", "validation" or "test".
        sources: `data_dir` and `manual_dir`, where they are given.
    """
    size = {} if settings.image_size is None else {"image_size": settings.image_size}
    return ugm_tf.data.load(settings.dataset, split, **sources, **size)


def _only_sampled(recipe: ugm_tf.Recipe, name: str) -> bool:
    return ugm_tf.networks.default_families(recipe)[name] == "point"


def optimizers(recipe: ugm_tf.Recipe, learning_rate: float) -> dict[str, keras.optimizers.Optimizer]:
    """Adam for each phase; where it plays against a discriminator, DCGAN's: beta_1 = 0.5 and a step of at most 2e-4."""
    out = {}
    for phase in recipe.phases:
        judged = any(isinstance(e.of, ugm_tf.DiscriminatorLoss) for e in phase.minimise)
        out[phase.name] = (
            keras.optimizers.Adam(min(learning_rate, 2e-4), beta_1=0.5)
            if judged
            else keras.optimizers.Adam(learning_rate)
        )
    return out


def parse_hyperparameters(pairs: list[str]) -> tuple[tuple[str, Any], ...]:
    """["beta=4", "kl=sampled"] -> (("beta", 4), ("kl", "sampled")).

    Raises:
        ValueError: If a pair has no name or value, or a name comes twice.
    """
    out: dict[str, Any] = {}
    for pair in (part for text in pairs for part in text.split(",")):
        name, _, text = pair.partition("=")
        if not name or not text or name in out:
            raise ValueError(
                f"--hyperparameter takes name=value, each name once, such as beta=4.0. Received: '{pair}'."
            )
        try:
            out[name] = json.loads(text.lower() if text in ("True", "False") else text)
        except json.JSONDecodeError:
            out[name] = text
    return tuple(sorted(out.items()))


def parse_hidden(sizes: list[str]) -> tuple[int, ...]:
    """["500", "500"] -> (500, 500).

    Raises:
        ValueError: If one is not a positive integer.
    """
    if not all(size.strip().isdecimal() and int(size) >= 1 for size in sizes):
        raise ValueError(f"--hidden lists sizes of at least 1, such as --hidden=500,500. Received: {','.join(sizes)}.")
    return tuple(int(size) for size in sizes)
