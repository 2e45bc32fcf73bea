"""What a run does where no flag says otherwise: sensible settings for a recipe and a data set."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras

import ugm_tf

from .parsing import parse_families, parse_hidden, parse_hyperparameters

__all__ = [
    "Settings",
    "load",
    "optimizers",
    "parse_families",
    "parse_hidden",
    "parse_hyperparameters",
    "resolve",
    "shapes",
]

_DCGAN_FROM = 16  # sides from which images are worth convolving
_CODES = 2  # numbers of InfoGAN's u
_SIZES = ("epochs", "hidden", "code_size", "hyperparameters")  # what is tuned for small images only


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a run depends on; a field is None until it is resolved, or where the recipe has no use for it.

    Each is the flag of its name; see `python -m trainers.train --help`.
    """

    recipe: str
    dataset: str
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    labels: int | None = None
    target: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    ema: float | None = None
    network: str | None = None
    hidden: tuple[int, ...] | None = None
    conditioning: str | None = None
    code_size: int | None = None
    image_size: int | None = None
    observation: str | None = None
    likelihood: str | None = None
    families: tuple[tuple[str, str], ...] = ()
    schedule: str = "alternating"
    xla: str = "auto"
    precision: str = "float32"
    seed: int = 0

    def make_recipe(self) -> ugm_tf.Recipe:
        """The recipe with its hyperparameters."""
        return ugm_tf.recipes.get(self.recipe, **dict(self.hyperparameters))


# Where the general rules of `resolve` do not fit, as found on the validation split of digits.
_TUNED: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        ("semi_supervised_vae", "stacked_semi_supervised_vae", "aasvae"),
        {"observation": "grey", "likelihood": "gaussian(scale=0.3)", "hidden": (128, 128), "code_size": 8},
    ),
    **dict.fromkeys(
        ("aae", "iwaae"),  # an encoder without noise would learn the noise of binarised images by heart
        {"observation": "grey", "likelihood": "gaussian(scale=0.3)", "code_size": 8},
    ),
    **dict.fromkeys(("alpha_gan", "avb", "vae_gan"), {"code_size": 8}),
    "alice": {
        "code_size": 8,
        "likelihood": "continuous_bernoulli",  # whose mean stays in [0, 1]
        "hyperparameters": (("cycle", 0.02), ("r1", 0.3)),
    },
    "as_vae": {"code_size": 8, "hyperparameters": (("cycle", 0.03), ("r1", 0.3))},
    **dict.fromkeys(("bigan", "iwbigan", "veegan"), {"code_size": 8, "hyperparameters": (("r1", 1.0),)}),
    "cyclegan": {
        "epochs": 150,
        "network": "dcgan",  # whose translations are local: dense networks make another digit of each as gladly
        "families": (("forward", "laplace(scale=10.0)"), ("decoder", "laplace(scale=10.0)")),
    },
    **dict.fromkeys(
        ("infogan", "iwinfogan"),  # a learned scale of q(u | x) would outweigh all else
        {"hyperparameters": (("r1", 1.0),), "families": (("code_encoder", "unit_gaussian"),)},
    ),
    "adversarial_domain_adaptation": {"target": "background"},
    "predictability_minimization": {
        "hyperparameters": (("predictor_steps", 5), ("weight", 0.1))
    },  # at 1 units saturate
}


def resolve(settings: Settings, shape: tuple[int, ...], examples: int) -> Settings:
    """Fills in what is None.

    Recipes that score data learn binarised images by a Bernoulli likelihood with Adam(1e-3); those that only
    judge samples learn grey images with DCGAN's Adam(2e-4, beta_1=0.5), and on images of 16 pixels or more with
    DCGAN's networks.  Those whose mean of scored data is judged as well learn grey images by a Gaussian one.

    Args:
        settings: What was asked for.
        shape: Shape of one example.
        examples: Number of training examples.

    Raises:
        ValueError: If a setting is given that the recipe has no use for, or is out of range.
    """
    recipe = settings.make_recipe()
    _check_use(settings, recipe)
    image, colour = len(shape) == 3, len(shape) == 3 and shape[-1] != 1
    large, small = image and min(shape[:2]) >= _DCGAN_FROM, examples < 10_000
    tuned = {n: v for n, v in _TUNED.get(settings.recipe, {}).items() if image and (n not in _SIZES or not large)}
    for name in ("hyperparameters", "families"):
        merged = {**dict(tuned.pop(name, ())), **dict(getattr(settings, name))}
        settings = dataclasses.replace(settings, **{name: tuple(sorted(merged.items()))})
    recipe = settings.make_recipe()
    scores = [n for n, r in recipe.roles.items() if r.of in _of_data(recipe) and not _only_sampled(recipe, n)]
    scored, free = bool(scores), not set(scores) <= set(recipe.families)
    means = {step.density for step in recipe.steps if isinstance(step, ugm_tf.Mean)}
    both = scored and any(recipe.roles[name].of in _of_data(recipe) for name in means)
    network = tuned.pop("network", "dcgan" if large and not scored else "mlp")
    network = settings.network or ("mlp" if settings.hidden else network)
    wide = (500, 500) if large else (256, 256)
    likelihood = ("discretized_logistic" if colour else "bernoulli") if image else "gaussian"
    values = {
        "labels": 10 if "labelled" in recipe.data else None,
        "target": "negative" if "target" in recipe.data else None,
        "epochs": (150 if scored and not _is_capped(recipe, scores) else 400) if small else 30,
        "batch_size": 128 if not small and scored else 64,
        "learning_rate": 1e-3 if scored or not image else 2e-4,
        # Of a classifier that else changes its mind from epoch to epoch; as long as a small set's whole run.
        "ema": 0.999 if "labelled" in recipe.data and not small else None,
        "network": network,
        "hidden": wide if image else (128, 128),
        "conditioning": "concat" if _is_conditioned(recipe) else None,
        "code_size": (20 if scored else 100 if network == "dcgan" else 32) if image else 2,
        "observation": ("grey" if colour or both or not scored else "binarised") if image else "raw",
        "likelihood": ("gaussian(scale=0.3)" if both else likelihood) if free else None,
    }
    values |= tuned
    if network != "mlp":
        values["hidden"] = None
    return dataclasses.replace(settings, **{k: v for k, v in values.items() if getattr(settings, k) is None})


def load(settings: Settings, split: str, sources: Mapping[str, str]) -> ugm_tf.data.Examples:
    """A split of the settings' data set.

    Args:
        settings: What to train on.
        split: "train", "validation" or "test".
        sources: `data_dir` and `manual_dir`, where they are given.
    """
    size = {} if settings.image_size is None else {"image_size": settings.image_size}
    return ugm_tf.data.load(settings.dataset, split, **sources, **size)


def shapes(settings: Settings, examples: ugm_tf.data.Examples) -> dict[str, tuple[int, ...]]:
    """Shape of one value of each variable that a registered recipe may have.

    Args:
        settings: A run's, resolved.
        examples: Its data.
    """
    size = settings.code_size or 1
    out = {
        "x": examples.shape,
        "labelled": examples.shape,
        "target": examples.shape,
        "z": (size,),
        "e": (size,),  # the noise of AVB's encoder
        "h": (size,),  # the second layer of codes
        "u": (_CODES,),
    }
    if examples.num_classes is not None:
        out["c"] = (examples.num_classes,)
    return out


def optimizers(
    recipe: ugm_tf.Recipe, learning_rate: float, ema: float | None = None
) -> dict[str, keras.optimizers.Optimizer]:
    """Adam for each phase; in phases against a discriminator with the settings of the literature.

    Those are DCGAN's, beta_1 = 0.5 and a step of at most 2e-4; and in a recipe with a Wasserstein contest WGAN-GP's,
    beta_1 = 0, beta_2 = 0.9 and a step of at most 1e-4.

    Args:
        recipe: The recipe.
        learning_rate: Adam's step size.
        ema: Decay of the average of the weights over the steps; 0 or None keeps none.
    """
    average = {} if not ema else {"use_ema": True, "ema_momentum": ema}
    terms = [e.of for phase in recipe.phases for e in phase.minimise]
    wasserstein = any(getattr(term, "contest", None) == "wasserstein" for term in terms)
    out = {}
    for phase in recipe.phases:
        if not _against_a_judge(phase):
            out[phase.name] = keras.optimizers.Adam(learning_rate, **average)
        elif wasserstein:
            out[phase.name] = keras.optimizers.Adam(min(learning_rate, 1e-4), beta_1=0.0, beta_2=0.9, **average)
        else:
            out[phase.name] = keras.optimizers.Adam(min(learning_rate, 2e-4), beta_1=0.5, **average)
    return out


def _of_data(recipe: ugm_tf.Recipe) -> set[str]:
    return {"x", *recipe.data} - {"c"}


def _against_a_judge(phase: ugm_tf.Phase) -> bool:
    return any(isinstance(e.of, ugm_tf.DiscriminatorLoss | ugm_tf.ClippedRatio) for e in phase.minimise)


def _is_capped(recipe: ugm_tf.Recipe, scores: list[str]) -> bool:
    """Whether what scores data learns by the small steps of a phase against a discriminator."""
    return any(set(scores) & set(phase.updates) and _against_a_judge(phase) for phase in recipe.phases)


def _only_sampled(recipe: ugm_tf.Recipe, name: str) -> bool:
    return ugm_tf.networks.default_families(recipe)[name] in ("point", "logit")


def _is_conditioned(recipe: ugm_tf.Recipe) -> bool:
    """Whether some discriminator judges an example beside a vector."""
    data = _of_data(recipe)
    given = [recipe.roles[name].given for name in recipe.judges]
    return any(len(names) == 2 and len(data & set(names)) == 1 for names in given)


def _check_use(settings: Settings, recipe: ugm_tf.Recipe) -> None:
    """Refuses what this recipe would not look at."""
    for name, variable, what in (("labels", "labelled", "labelled examples"), ("target", "target", "second domain")):
        if getattr(settings, name) is not None and variable not in recipe.data:
            able = [r for r in ugm_tf.recipes.names() if variable in ugm_tf.recipes.get(r).data]
            raise ValueError(
                f"Recipe '{settings.recipe}' takes no {what}, so --{name}={getattr(settings, name)} says nothing. "
                f"Leave it out, or choose one of {', '.join(able)}."
            )
    if settings.conditioning is not None and not _is_conditioned(recipe):
        raise ValueError(
            f"Recipe '{settings.recipe}' has no discriminator of an image and a vector, so "
            f"--conditioning={settings.conditioning} says nothing. Leave it out."
        )
    if settings.ema is not None and not 0.0 <= settings.ema < 1.0:
        raise ValueError(
            f"--ema is a decay between 0 and 1, such as 0.999, or 0 for no average. Received: {settings.ema}."
        )
    if unknown := [name for name, _ in settings.families if name not in recipe.densities]:
        raise ValueError(
            f"Recipe '{settings.recipe}' has no density {', '.join(unknown)}. It has: {', '.join(recipe.densities)}."
        )
