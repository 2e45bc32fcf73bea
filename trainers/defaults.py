"""What a run does where no flag says otherwise: sensible settings for a recipe and a data set."""

import dataclasses
import math
from typing import Any, TypedDict

import ugm_tf

from . import best, own_networks, precision
from .facts import LARGE, Facts
from .optimizers import PhaseOptimizers
from .rates import PhaseRates
from .rules import RULES
from .settings import Resolved, Settings

__all__ = ["choose", "resolve"]

_CYCLE = "cyclegan"
_WITHOUT_HIDDEN = {*ugm_tf.networks.names()} - {"mlp"}
_ALWAYS = "what this recipe does best with on the validation split of digits"


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

# Where the rules do not fit, as found on the validation split of digits.
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


def resolve(settings: Settings, shape: tuple[int, ...], examples: int, rarest: int = 10) -> Resolved:
    """Decides what was not said, by `rules.RULES`; see `choose`."""
    return choose(settings, shape, examples, rarest)[0]


def choose(
    settings: Settings, shape: tuple[int, ...], examples: int, rarest: int = 10
) -> tuple[Resolved, dict[str, str]]:
    """Decides what was not said, by `rules.RULES`.

    Args:
        settings: What was asked for.
        shape: Shape of one example.
        examples: Number of training examples.
        rarest: Number of training examples of the rarest class.

    Returns:
        What a run is trained with; and why, by name of what was decided.

    Raises:
        ValueError: If a setting is given that the recipe has no use for, or is out of range.
    """
    settings.make_recipe()  # refuses what it cannot be made with
    _check_pairs(settings)
    of_data = shape, examples, rarest
    _check_use(settings, Facts(settings.make_plain_recipe(), *of_data, frozenset(dict(settings.families))))
    tuned: dict[str, Any] = {**_tuned(settings.recipe, shape)}
    hyperparameters = {**tuned.get("hyperparameters", {}), **dict(settings.hyperparameters)}
    families = {**tuned.get("families", {}), **dict(settings.families)}
    recipe = dataclasses.replace(settings, hyperparameters=tuple(hyperparameters.items())).make_plain_recipe()
    facts = Facts(recipe, *of_data, frozenset(families))
    why: dict[str, str] = {}
    chosen: dict[str, Any] = {
        "hyperparameters": tuple(sorted(hyperparameters.items())),
        "families": tuple(sorted(families.items())),
    }
    why |= {name: _ALWAYS for name, value in chosen.items() if value != tuple(sorted(getattr(settings, name)))}
    if "families" in why and settings.recipe == _CYCLE and min(shape[:2]) >= LARGE:
        why["families"] = "its published weight of the cycle, by the mean over values"
    for name, rule in RULES.items():
        asked, (value, reason) = getattr(settings, name), rule.choose(facts, settings, chosen)
        if name in tuned and value is not None and not (name == "network" and settings.hidden):
            value, reason = tuned[name], _ALWAYS
        if name == "learning_rate" or asked is None:  # a rate of some phases leaves others to be chosen
            chosen[name] = value
            if value is not None and value != asked and reason:
                why[name] = reason
        else:
            chosen[name] = asked
    _check_batch_size(settings, examples)
    if settings.precision == "auto":
        chosen["precision"], why["precision"] = precision.choose(own_networks.kind(chosen["network"]))
    return Resolved(**{**_values(settings), **chosen}), why


def _values(settings: Settings) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(Settings)}


def _check_batch_size(settings: Settings, examples: int) -> None:
    """Refuses a batch of more than all examples, or of no equal parts."""
    size, parts = settings.batch_size, settings.accumulate
    if parts > examples:
        raise ValueError(f"--accumulate={parts} is more parts than there are examples to train on, {examples:,}.")
    if size is not None and size > examples:
        raise ValueError(f"--batch_size={size} is more than the {examples:,} examples to train on.")
    if size is not None and size % parts:
        raise ValueError(
            f"--accumulate={parts} takes batches in as many equal parts. Received: --batch_size={size}; "
            f"--batch_size={max(1, round(size / parts)) * parts} is one."
        )


def _tuned(recipe: str, shape: tuple[int, ...]) -> _Tuned:
    """The recipe's own settings, on images; of large ones without what was tuned for small ones only."""
    if len(shape) != 3:
        return {}
    tuned = _TUNED.get(recipe, _Tuned()).copy()
    large = min(shape[:2]) >= LARGE
    if large:
        tuned.pop("epochs", None)
        tuned.pop("hidden", None)
        tuned.pop("code_size", None)
        tuned.pop("hyperparameters", None)
        tuned.pop("network", None)
    if recipe == _CYCLE:  # of large images Zhu et al.'s weight, of a mean over values; at 64 of them more does better
        scale = f"laplace(scale={float(math.prod(shape)) if large else 10.0})"
        tuned["families"] = {"forward": scale, "decoder": scale}
    return tuned


def _check_pairs(settings: Settings) -> None:
    """Refuses two flags of which one leaves the other nothing to say."""
    if settings.hidden and own_networks.kind(settings.network or "mlp") in _WITHOUT_HIDDEN:
        raise ValueError(
            f"--hidden={','.join(map(str, settings.hidden))} is of dense networks, and --network={settings.network} "
            "has no such sizes. Leave one of them out."
        )
    if settings.prior not in (None, "none") and "prior" in dict(settings.families):
        raise ValueError(
            f"--prior={settings.prior} and --families=prior={dict(settings.families)['prior']} both say what the prior "
            "is. Leave one of them out: --prior is of one that learns, --families of the recipe's own."
        )


def _check_use(settings: Settings, facts: Facts) -> None:
    """Refuses what this recipe would not look at."""
    recipe = facts.recipe
    for name, variable, what in (("labels", "labelled", "labelled examples"), ("target", "target", "second domain")):
        if getattr(settings, name) is not None and variable not in recipe.data:
            able = [r for r in ugm_tf.recipes.names() if variable in ugm_tf.recipes.get(r).data]
            raise ValueError(
                f"Recipe '{settings.recipe}' takes no {what}, so --{name}={getattr(settings, name)} says nothing. "
                f"Leave it out, or choose one of {', '.join(able)}."
            )
    if settings.conditioning is not None and not (
        facts.conditioned and (facts.image or settings.conditioning == "concat")
    ):
        raise ValueError(
            f"Recipe '{settings.recipe}' has no discriminator of an image and a vector, so "
            f"--conditioning={settings.conditioning} says nothing. Leave it out."
        )
    if settings.likelihood is not None and not facts.free:
        why = "--families says it of all that score data" if facts.scores else "no density scores data"
        raise ValueError(
            f"--likelihood={settings.likelihood} says nothing of recipe '{settings.recipe}': {why}. Leave it out."
        )
    if settings.code_size is not None and not facts.coded:
        raise ValueError(
            f"Recipe '{settings.recipe}' has no code, so --code_size={settings.code_size} says nothing. Leave it out."
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
    for flag, asked in (("learning_rate", settings.learning_rate), ("optimizer", settings.optimizer)):
        named = asked.by_phase if isinstance(asked, PhaseRates | PhaseOptimizers) else ()
        if unknown := [name for name, _ in named if name not in phases]:
            raise ValueError(
                f"--{flag}={asked}: recipe '{settings.recipe}' has no phase {', '.join(unknown)}. "
                f"It has: {', '.join(dict.fromkeys(phases))}."
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
