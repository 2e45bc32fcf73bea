"""The rules by which a run decides what no flag says: for each setting a value and the reason."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import ugm_tf
from ugm_tf.networks import builders

from .building import is_adversarial, is_wasserstein
from .facts import LARGE, MANY, Facts
from .own_networks import kind
from .rates import AnyRate, PhaseRates, rate_of
from .settings import Settings

__all__ = ["RULES", "Choice", "Rule"]

_LABELS = 10  # labelled examples of each class
_UPDATES = 6_000  # of few large images against a discriminator
_WIDE = "gaussian(scale=0.3)"
_FILTERS, _FEWEST, _SIDE = 64, 16, 32  # DCGAN's; the fewest of larger images; the longest side that has them all
Choice = tuple[Any, str]  # a value, None where the recipe has no use for the setting; and why


@dataclasses.dataclass(frozen=True)
class Rule:
    """How a setting is chosen.

    Attributes:
        words: The rule, for --help.
        choose: From facts, what was asked for, and what was chosen before it, to the value and why.
    """

    words: str
    choose: Callable[[Facts, Settings, Mapping[str, Any]], Choice]


def _labels(facts: Facts, *_: Any) -> Choice:
    if "labelled" not in facts.recipe.data:
        return None, ""
    number = max(1, min(_LABELS, facts.rarest))
    return number, "few labels" if number == _LABELS else f"the rarest class has {facts.rarest}"


def _target(facts: Facts, *_: Any) -> Choice:
    return ("negative", "the simplest other domain") if "target" in facts.recipe.data else (None, "")


def _epochs(facts: Facts, _: Settings, chosen: Mapping[str, Any]) -> Choice:
    if facts.many:
        return 30, f"{MANY:,} examples or more"
    fewer = f"fewer than {MANY:,} examples"
    if not facts.contested:
        return 150, fewer
    if not facts.large:
        return 400, f"{fewer}, learned in small steps against a discriminator"
    each = max(1, facts.examples // chosen["batch_size"])
    return math.ceil(_UPDATES / each), f"{_UPDATES:,} updates, as of {fewer} that are learned against a discriminator"


def _batch_size(facts: Facts, asked: Settings, _: Any) -> Choice:
    usual, parts = 128 if facts.many and facts.scores else 64, asked.accumulate
    size = min(facts.examples, usual)
    why = "few examples" if facts.scores else "examples are only judged: half of DCGAN's 128, and twice the steps"
    if size == 128:
        why = "many examples, which are scored"
    elif size < usual:
        why = "all examples"
    return max(size - size % parts, parts), why if parts == 1 else f"{why}, in {parts} equal parts"


def _learning_rate(facts: Facts, asked: Settings, _: Any) -> tuple[AnyRate, str]:
    """What was asked for; where nothing was, the literature's in phases against a discriminator."""
    otherwise = 1e-3 if facts.scores or not facts.image else 2e-4
    wasserstein = is_wasserstein(facts.recipe)
    literature = min(otherwise, 1e-4 if wasserstein else 2e-4)
    chosen: dict[str, Any] = {}
    for phase in facts.recipe.phases:
        rate = None if asked.learning_rate is None else rate_of(asked.learning_rate, phase.name)
        chosen[phase.name] = (literature if _in_small_steps(phase, facts) else otherwise) if rate is None else rate
    first = next(iter(chosen.values()))
    whole = first if all(rate == first for rate in chosen.values()) else PhaseRates(tuple(chosen.items()))
    against = f"{'WGAN-GP' if wasserstein else 'DCGAN'}'s against a discriminator"
    usual = "Adam's usual" if otherwise == 1e-3 else "DCGAN's"
    other = "" if asked.optimizer is None else "; another optimizer may want another"
    left = [
        p for p in facts.recipe.phases if asked.learning_rate is None or rate_of(asked.learning_rate, p.name) is None
    ]
    kinds = {_in_small_steps(phase, facts) for phase in left}
    return whole, ", else ".join([against] * (True in kinds) + [usual] * (False in kinds)) + other


def _in_small_steps(phase: ugm_tf.Phase, facts: Facts) -> bool:
    """Whether a phase plays against a discriminator, without a bound of large images, which is hundreds of nats."""
    terms, roles = [e.of for e in phase.minimise], facts.recipe.roles
    scored = any(isinstance(term, ugm_tf.NegativeLogProb) and roles[term.density].of == "x" for term in terms)
    bound = scored and any(isinstance(term, ugm_tf.KL) for term in terms)
    return is_adversarial(phase) and not (facts.large and bound)


def _ema(facts: Facts, *_: Any) -> Choice:
    if "labelled" in facts.recipe.data and facts.many:
        return 0.999, "a classifier from few labels changes its mind from epoch to epoch"
    return None, ""


def _network(facts: Facts, asked: Settings, _: Any) -> Choice:
    if asked.hidden:
        return "mlp", "--hidden is of dense networks"
    if facts.large and facts.enumerates and not facts.colour:
        return "mlp", "grey images that are scored for every class, which takes that many times as long"
    if facts.large:
        filters = max(_FEWEST, min(_FILTERS, _FILTERS * _SIDE // facts.longest))
        if not facts.many and filters > _FILTERS // 2:
            return f"dcgan(filters={_FILTERS // 2})", "few images, which more filters learn no better"
        if filters < _FILTERS:
            return f"dcgan(filters={filters})", f"images of more than {_SIDE} pixels, whose steps take long"
        return "dcgan", f"images of {LARGE} pixels or more"
    return "mlp", "small images" if facts.image else "no images"


def _augment(facts: Facts, *_: Any) -> Choice:
    if facts.many or not facts.large or not facts.recipe.judges:
        return None, ""
    try:
        ugm_tf.diffaugmented(facts.recipe)
    except ValueError:  # it would bias a likelihood, or there are no images that are generated
        return None, ""
    policy = ",".join(ugm_tf.DiffAugment("x", "x").policy)
    return (f"diffaugment({policy})",), "few images, which discriminators would learn by heart"


def _prior(facts: Facts, asked: Settings, _: Any) -> Choice:
    if not (facts.large and facts.colour and facts.scores) or facts.learns_factors or "prior" in facts.families:
        return None, ""
    if asked.code_size == 1:  # which a flow cannot bend
        return None, ""
    try:
        ugm_tf.learned_prior(facts.recipe, "flow")
    except ValueError:  # it is not scored, or something asks for a closed form
        return None, ""
    return "flow", "images in colour, of whose codes a fixed prior reaches few"


def _hidden(facts: Facts, _: Settings, chosen: Mapping[str, Any]) -> Choice:
    if kind(chosen["network"]) != "mlp":
        return None, ""
    if not facts.image:
        return (128, 128), "no images"
    return ((500, 500), f"images of {LARGE} pixels or more") if facts.large else ((256, 256), "small images")


def _conditioning(facts: Facts, _: Settings, chosen: Mapping[str, Any]) -> Choice:
    if not facts.conditioned:
        return None, ""
    if facts.judges_codes and kind(chosen["network"]) in builders.CONVOLVED:
        return "joint", "a code beside convolved images has layers of its own, as ALI's"
    return "concat", "a discriminator takes a vector as a further input; projection and joint are other ways"


def _code_size(facts: Facts, _: Settings, chosen: Mapping[str, Any]) -> Choice:
    if not facts.coded:
        return None, ""
    if not facts.image:
        return 2, "no images"
    if facts.scores:
        return 20, "images that are scored, whose prior is to be filled by codes"
    return (32, "dense networks") if kind(chosen["network"]) == "mlp" else (100, "DCGAN's")


def _likelihood(facts: Facts, *_: Any) -> Choice:
    if not facts.free:
        return None, ""
    if facts.judges_means:
        return _WIDE, "its mean is judged as well"
    if not facts.image:
        return "gaussian", "no images"
    if facts.colour:
        return (
            _WIDE,
            "images in colour: a smaller scale fits finer detail, by codes that samples of the prior do not reach",
        )
    return "bernoulli", "grey images"


def _observation(facts: Facts, *_: Any) -> Choice:
    if not facts.image:
        return "raw", "no images"
    if facts.scores and not facts.colour and not facts.judges_means:
        return "binarised", "grey images that are scored"
    return "grey", "values as they are: " + ("only judged" if not facts.scores else "in colour, or judged as well")


# In an order in which each finds what it needs.
RULES: dict[str, Rule] = {
    "labels": Rule(f"{_LABELS}, fewer where the rarest class has fewer", _labels),
    "target": Rule("negative", _target),
    "batch_size": Rule(f"64, or 128 where {MANY:,} examples or more are scored", _batch_size),
    "epochs": Rule(
        f"30; of fewer than {MANY:,} examples 150, or 400 where they are learned against a discriminator; of images of "
        f"{LARGE} pixels or more then as many as have {_UPDATES:,} updates",
        _epochs,
    ),
    "learning_rate": Rule(
        f"2e-4 against a discriminator, 1e-4 in a Wasserstein contest, and else 1e-3, as where a bound of images of "
        f"{LARGE} pixels or more is in the same phase, or 2e-4 where images are only judged",
        _learning_rate,
    ),
    "ema": Rule(f"0.999 where a classifier learns from few labels among {MANY:,} examples or more, else none", _ema),
    "network": Rule(
        f"dcgan for images of {LARGE} pixels or more, of fewer filters beyond {_SIDE} and for fewer than {MANY:,}, "
        "else mlp, as for grey ones that are scored for every class",
        _network,
    ),
    "augment": Rule(
        f"diffaugment for fewer than {MANY:,} images of {LARGE} pixels or more, where a discriminator may judge "
        "changed ones",
        _augment,
    ),
    "prior": Rule(
        f"flow where images in colour of {LARGE} pixels or more are scored and it can learn, else the recipe's", _prior
    ),
    "hidden": Rule(f"500,500 for images of {LARGE} pixels or more, 256,256 for smaller ones, else 128,128", _hidden),
    "conditioning": Rule("concat, or joint where images are convolved and judged beside a code", _conditioning),
    "code_size": Rule(
        "20 where images are scored, else 32 of dense networks and 100 of others; 2 of points", _code_size
    ),
    "likelihood": Rule(
        f"bernoulli for grey images, {_WIDE} in colour and where its mean is judged as well, gaussian for what is no "
        "image",
        _likelihood,
    ),
    "observation": Rule("binarised for grey images that are scored, grey for other images, else raw", _observation),
}
