"""What a run does where no flag says otherwise: sensible settings for a recipe and a data set."""

import dataclasses
from typing import Any, TypedDict, TypeVar

import ugm_tf

from . import best, precision
from .building import is_adversarial, is_wasserstein
from .rates import AnyRate, PhaseRates, rate_of
from .settings import Resolved, Settings

__all__ = ["resolve"]

_LABELS = 10  # labelled examples of each class
_DCGAN_FROM = 16  # sides from which images are worth convolving
_T = TypeVar("_T")


class _Tuned(TypedDict, total=False):
    """Settings of a recipe that differ from the general rules."""

    target: str
    epochs: int
    network: str
    hidden: tuple[int, ...]
    code_size: int
    observation: str
    likelihood: str
    hyperparameters: dict[str, Any]
    families: dict[str, str]


_GREY: _Tuned = {"observation": "grey", "likelihood": "gaussian(scale=0.3)", "code_size": 8}

# Where the general rules of `resolve` do not fit, as found on the validation split of digits.
_TUNED: dict[str, _Tuned] = {
    **dict.fromkeys(
        ("semi_supervised_vae", "stacked_semi_supervised_vae", "aasvae"), _Tuned(**_GREY, hidden=(128, 128))
    ),
    # An encoder without noise would memorise the noise of binarised images.
    **dict.fromkeys(("aae", "iwaae", "wae"), _GREY),
    **dict.fromkeys(("alpha_gan", "avb", "vae_gan"), _Tuned(code_size=8)),
    "alice": {
        "code_size": 8,
        "likelihood": "continuous_bernoulli",  # whose mean stays in [0, 1]
        "hyperparameters": {"cycle": 0.02, "r1": 0.3},
    },
    "as_vae": {"code_size": 8, "hyperparameters": {"cycle": 0.03, "r1": 0.3}},
    **dict.fromkeys(("bigan", "iwbigan", "veegan"), _Tuned(code_size=8, hyperparameters={"r1": 1.0})),
    "cyclegan": {
        "epochs": 150,
        "network": "dcgan",  # whose translations are local: dense networks turn one digit into any other
        "families": {"forward": "laplace(scale=10.0)", "decoder": "laplace(scale=10.0)"},
    },
    **dict.fromkeys(
        ("infogan", "iwinfogan"),  # a learned scale of q(u | x) would outweigh all else
        _Tuned(hyperparameters={"r1": 1.0}, families={"code_encoder": "unit_gaussian"}),
    ),
    "adversarial_domain_adaptation": {"target": "background"},
    "predictability_minimization": {
        "hyperparameters": {"predictor_steps": 5, "weight": 0.1}  # at a weight of 1 units saturate
    },
}


def resolve(settings: Settings, shape: tuple[int, ...], examples: int, rarest: int = _LABELS) -> Resolved:
    """Decides what was not said.

    Recipes that score data learn binarised images by a Bernoulli likelihood with Adam(1e-3); those that only
    judge samples learn grey images with DCGAN's Adam(2e-4, beta_1=0.5), and on images of 16 pixels or more with
    DCGAN's networks.  Those whose mean of scored data is judged as well learn grey images by a Gaussian one.

    Args:
        settings: What was asked for.
        shape: Shape of one example.
        examples: Number of training examples.
        rarest: Number of training examples of the rarest class.

    Raises:
        ValueError: If a setting is given that the recipe has no use for, or is out of range.
    """
    _check_use(settings, settings.make_recipe())
    image, colour = len(shape) == 3, len(shape) == 3 and shape[-1] != 1
    large, small = image and min(shape[:2]) >= _DCGAN_FROM, examples < 10_000
    tuned = _tuned(settings.recipe, image, large)
    hyperparameters = {**tuned.get("hyperparameters", {}), **dict(settings.hyperparameters)}
    families = {**tuned.get("families", {}), **dict(settings.families)}
    recipe = dataclasses.replace(settings, hyperparameters=tuple(hyperparameters.items())).make_recipe()
    scores, both = _scores(recipe), _judges_means(recipe)
    scored, free = bool(scores), not set(scores) <= set(recipe.families)
    network = tuned.get("network", "dcgan" if large and not scored else "mlp")
    network = _said(settings.network, "mlp" if settings.hidden else network)
    wide = (500, 500) if large else (256, 256)
    hidden = tuned.get("hidden", wide if image else (128, 128)) if network == "mlp" else None
    likelihood = ("discretized_logistic" if colour else "bernoulli") if image else "gaussian"
    observation = ("grey" if colour or both or not scored else "binarised") if image else "raw"
    epochs = (150 if scored and not _is_capped(recipe, scores) else 400) if small else 30
    code_size = (20 if scored else 32 if network == "mlp" else 100) if image else 2
    # Of a classifier that else changes its mind from epoch to epoch; as long as a small set's whole run.
    ema = 0.999 if "labelled" in recipe.data and not small else None
    return Resolved(
        recipe=settings.recipe,
        dataset=settings.dataset,
        hyperparameters=tuple(sorted(hyperparameters.items())),
        prior=settings.prior,
        fraction=settings.fraction,
        labels=_said(settings.labels, max(1, min(_LABELS, rarest)) if "labelled" in recipe.data else None),
        target=_said(settings.target, tuned.get("target", "negative" if "target" in recipe.data else None)),
        epochs=_said(settings.epochs, tuned.get("epochs", epochs)),
        batch_size=_batch_size(settings, min(examples, 128 if not small and scored else 64), examples),
        learning_rate=_rates(recipe, settings.learning_rate, 1e-3 if scored or not image else 2e-4),
        ema=_said(settings.ema, ema),
        network=network,
        hidden=_said(settings.hidden, hidden),
        conditioning=_said(settings.conditioning, "concat" if _is_conditioned(recipe) else None),
        code_size=_said(settings.code_size, tuned.get("code_size", code_size)),
        image_size=settings.image_size,
        background=settings.background,
        augment=settings.augment,
        storage=settings.storage,
        observation=_said(settings.observation, tuned.get("observation", observation)),
        likelihood=_said(
            settings.likelihood,
            tuned.get("likelihood", ("gaussian(scale=0.3)" if both else likelihood) if free else None),
        ),
        families=tuple(sorted(families.items())),
        schedule=settings.schedule,
        xla=settings.xla,
        precision=precision.choose(network)[0] if settings.precision == "auto" else settings.precision,
        on_nan=settings.on_nan,
        accumulate=settings.accumulate,
        remat=settings.remat,
        init_from=settings.init_from,
        keep_best=settings.keep_best,
        patience=settings.patience,
        seed=settings.seed,
    )


def _batch_size(settings: Settings, otherwise: int, examples: int) -> int:
    """What was asked for, or the largest up to another number that goes in equal parts."""
    parts = settings.accumulate
    if settings.batch_size is not None and settings.batch_size > examples:
        raise ValueError(f"--batch_size={settings.batch_size} is more than the {examples:,} examples to train on.")
    size = _said(settings.batch_size, max(otherwise - otherwise % parts, parts))
    if size % parts:
        raise ValueError(
            f"--accumulate={parts} takes batches in as many equal parts. Received: --batch_size={size}; "
            f"--batch_size={max(1, round(size / parts)) * parts} is one."
        )
    return size


def _rates(recipe: ugm_tf.Recipe, asked: AnyRate | None, otherwise: float) -> AnyRate:
    """What was asked for; where nothing was, the literature's in phases against a discriminator."""
    literature = min(otherwise, 1e-4 if is_wasserstein(recipe) else 2e-4)
    said = {phase.name: None if asked is None else rate_of(asked, phase.name) for phase in recipe.phases}
    rule = {phase.name: literature if is_adversarial(phase) else otherwise for phase in recipe.phases}
    chosen = {name: rule[name] if rate is None else rate for name, rate in said.items()}
    first = next(iter(chosen.values()))
    return first if all(rate == first for rate in chosen.values()) else PhaseRates(tuple(chosen.items()))


def _said(asked: _T | None, otherwise: _T) -> _T:
    return otherwise if asked is None else asked


def _tuned(recipe: str, image: bool, large: bool) -> _Tuned:
    """The recipe's own settings, on images; of large ones without what was tuned for small ones only."""
    if not image:
        return {}
    tuned = _TUNED.get(recipe, _Tuned()).copy()
    if large:
        tuned.pop("epochs", None)
        tuned.pop("hidden", None)
        tuned.pop("code_size", None)
        tuned.pop("hyperparameters", None)
    return tuned


def _of_data(recipe: ugm_tf.Recipe) -> set[str]:
    return {"x", *recipe.data} - {"c"}


def _scores(recipe: ugm_tf.Recipe) -> list[str]:
    """The densities of data that score it, and are not only sampled."""
    families = ugm_tf.networks.default_families(recipe)
    of_data = [name for name, role in recipe.roles.items() if role.of in _of_data(recipe)]
    return [name for name in of_data if families[name] not in ("point", "logit")]


def _judges_means(recipe: ugm_tf.Recipe) -> bool:
    """Whether the mean of scored data is judged as well."""
    means = {step.density for step in recipe.steps if isinstance(step, ugm_tf.Mean)}
    return bool(_scores(recipe)) and any(recipe.roles[name].of in _of_data(recipe) for name in means)


def _is_capped(recipe: ugm_tf.Recipe, scores: list[str]) -> bool:
    """Whether what scores data learns by the small steps of a phase against a discriminator."""
    return any(set(scores) & set(phase.updates) and is_adversarial(phase) for phase in recipe.phases)


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
    if settings.patience is not None and settings.keep_best is None:
        raise ValueError(
            f"--patience={settings.patience} waits for a metric to improve: name it by --keep_best, such as "
            f"--keep_best=val_{recipe.metrics[0]}."
        )
    phases = [phase.name for phase in recipe.phases]
    if isinstance(settings.learning_rate, PhaseRates):
        if unknown := [name for name, _ in settings.learning_rate.by_phase if name not in phases]:
            raise ValueError(
                f"--learning_rate={settings.learning_rate}: recipe '{settings.recipe}' has no phase "
                f"{', '.join(unknown)}. It has: {', '.join(dict.fromkeys(phases))}."
            )
    compared = [name.removeprefix("val_") for name in best.columns(settings.keep_best)]
    if any(name not in recipe.metrics for name in compared):
        raise ValueError(
            f"--keep_best is a column of metrics.csv: {', '.join(recipe.metrics)}, or the same with val_ before it; or "
            f"several with + between them, whose sum is to be lowest. Received: '{settings.keep_best}'."
        )
    for phase in recipe.phases:
        if f"{phase.name}/loss" in compared and phase.unscheduled in phase.metrics:
            raise ValueError(
                f"--keep_best={settings.keep_best} compares epochs by a loss whose weights follow a schedule: a lower "
                f"one may be of a smaller weight. Use --keep_best={settings.keep_best}_unscheduled, the loss with each "
                "schedule at 1."
            )
    if unknown := [name for name, _ in settings.families if name not in recipe.densities]:
        raise ValueError(
            f"Recipe '{settings.recipe}' has no density {', '.join(unknown)}. It has: {', '.join(recipe.densities)}."
        )
