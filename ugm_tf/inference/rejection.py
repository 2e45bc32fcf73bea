"""Discriminator rejection sampling: of what a model draws, what its discriminator takes for data."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from ugm_tf.algebra import DiffAugment, DiscriminatorLoss, Draw, Expectation, Mean, Recipe, contests
from ugm_tf.densities import noise_by_row
from ugm_tf.inference.endpoints import Endpoint
from ugm_tf.joint import Joint

__all__ = ["check", "sample"]

_BURN_IN = 1024  # draws whose largest logit stands for the largest of all
_BLOCK, _MOST = 16, 1024  # tries of an example at once, and in all


def check(joint: Joint) -> None:
    """Refuses a model whose discriminator does not tell p_data(x) / p(x).

    Raises:
        ValueError: With the reason.
    """
    roles = joint.roles
    if "discriminator" not in roles or "decoder" not in roles:
        raise ValueError(
            f"reject=True takes a model with a decoder and a discriminator. This one has: {', '.join(roles)}."
        )
    drawn, given = joint.recipe.ancestors("decoder")
    known = {roles["decoder"].of, *given, *(roles[name].of for name in drawn)}
    if roles["decoder"].of not in roles["discriminator"].given or not set(roles["discriminator"].given) <= known:
        changed = any(isinstance(step, DiffAugment) for step in joint.recipe.steps)
        why = ", which judges images that DiffAugment changed: train with --augment=none to reject" if changed else ""
        raise ValueError(
            f"reject=True takes a discriminator of what the decoder draws. This one's is {roles['discriminator']}{why}."
        )
    judged = [
        e
        for phase in dict.fromkeys(joint.recipe.phases)
        if "discriminator" in phase.updates
        for e in phase.minimise
        if isinstance(e.of, DiscriminatorLoss) and e.of.by == "discriminator" and not e.of.reverse
    ]
    played = {e.of.contest for e in judged if isinstance(e.of, DiscriminatorLoss)}
    if not all(contests.get(name).log_ratio for name in played):
        raise ValueError(
            "reject=True accepts a draw in proportion to exp(logit) = p_data(x) / p(x), which the critic of "
            f"contest='{next(iter(played))}' does not tell. Train with contest='logistic', or leave reject out."
        )
    _check_sides(joint.recipe, judged)


def _check_sides(recipe: Recipe, judged: list[Expectation]) -> None:
    """The discriminator learned from data on one side, and on the other from what the model generates, alone."""
    x = recipe.roles["decoder"].of
    drawn, most = ({*recipe.ancestors("decoder", known)[0], "decoder"} for known in (None, ()))
    real, fake = ([e for e in judged if isinstance(e.of, DiscriminatorLoss) and e.of.y == y] for y in (1, 0))

    def refuse(reason: str) -> None:
        raise ValueError(
            f"reject=True accepts a draw in proportion to exp(logit) = p_data({x}) / p({x}), where p is what sample() "
            f"draws from; {reason}. This model's discriminator tells {_text(recipe, real)} from "
            f"{_text(recipe, fake)}. Leave reject out, or use a model such as gan() or bigan()."
        )

    if not real or any(x in _drawn(recipe, e) for e in real):
        refuse(f"so the side of y=1 takes {x} from data")
    if len(fake) != 1 or not drawn <= set(_drawn(recipe, fake[0]).values()) <= most:
        refuse(f"so the side of y=0 is one expectation, of {x} that 'decoder' generates")
    if any(e.weight is not None for e in judged):
        refuse("so neither side is weighted")


def _text(recipe: Recipe, side: list[Expectation]) -> str:
    x = (recipe.roles["decoder"].of,)
    parts = [e.under.describe(recipe.roles, x) for e in side]
    return " + ".join(f"E[{part}]" for part in parts) or "nothing"


def _drawn(recipe: Recipe, e: Expectation) -> dict[str, str]:
    """By variable that the expectation's sampler sets: the density that draws it; what else sets it by its own text."""
    if len(e.under.sides) > 1:
        return dict.fromkeys([recipe.roles["decoder"].of], "several samplers")
    steps = [step for step in e.under.steps if not step.holds]
    names = [step.density if isinstance(step, Draw | Mean) else str(step) for step in steps]
    return {str(step.sets(recipe.roles)): str(name) for step, name in zip(steps, names, strict=True)}


def sample(
    joint: Joint, endpoint: Endpoint, n: int, seed: int, given: Mapping[str, tf.Tensor]
) -> tuple[dict[str, tf.Tensor], float]:
    """n accepted draws, each with probability exp(logit - M), where M is the largest logit of the first draws.

    Example i is tried until it is accepted, with draws that are functions of (seed, i, try) alone, so that sample(n)
    is the start of sample(m) for n < m.  Where logits are those of the best discriminator and M bounds them, what is
    accepted is a draw of p_data.

    Args:
        joint: The densities and the recipe, as `check` allows them.
        endpoint: How to draw: from seeds and conditions by name.
        n: Number of examples.
        seed: Fixes the draws.
        given: Conditions of the decoder, each [n, ...].

    Returns:
        What the endpoint returns, with n rows; and the share of draws that were accepted.

    Raises:
        ValueError: If an example is refused too often.

    References:
        Samaneh Azadi et al. Discriminator Rejection Sampling. ICLR 2019. https://arxiv.org/abs/1810.06758, section 3.
    """
    judged = joint.roles["discriminator"].given

    def draws(rows: np.ndarray, tries: np.ndarray) -> tuple[dict[str, tf.Tensor], np.ndarray, np.ndarray]:
        numbers = np.stack([_key(seed, tries), rows], 1).astype(np.int32)
        conditions = {name: tf.gather(value, rows % n) for name, value in given.items()}
        out = endpoint.function(seed=tf.constant(numbers), **conditions)
        parents = [out[v] if v in out else conditions[v] for v in judged]
        values = dict(zip(judged, parents, strict=True))
        logits = joint.sample(values, training=False).distribution("discriminator").logits.numpy()
        uniform = noise_by_row("uniform", (), tf.constant(numbers), stream=len(joint.recipe.densities))
        return out, logits, np.asarray(uniform)

    _, first, _ = draws(np.arange(_BURN_IN), np.zeros(_BURN_IN, int))
    largest = float(np.max(first))
    pending, found, tried = np.arange(n), {}, 0
    for start in range(0, _MOST, _BLOCK):
        rows, tries = np.repeat(pending, _BLOCK), np.tile(start + np.arange(_BLOCK), len(pending))
        out, logits, uniform = draws(rows, tries)
        accepted = (uniform < np.exp(np.minimum(logits - largest, 0.0))).reshape(-1, _BLOCK)
        hit, where = accepted.any(1), accepted.argmax(1)
        tried += int(np.sum(np.where(hit, where + 1, _BLOCK)))
        for i in np.flatnonzero(hit):
            found[pending[i]] = {name: value[i * _BLOCK + where[i]] for name, value in out.items()}
        pending = pending[~hit]
        if not len(pending):
            names = found[0]
            return {name: tf.stack([found[i][name] for i in range(n)]) for name in names}, n / tried
    raise ValueError(
        f"The discriminator refused {_MOST} draws for each of {len(pending)} of {n} examples, {n - len(pending)} of "
        f"{tried} draws being accepted: it tells draws from data too well to choose among them. Leave reject out, or "
        "train the model longer."
    )


def _key(seed: int, tries: np.ndarray) -> np.ndarray:
    """The first number of a seed: the seed itself at the first try, so that it is the draw of sample(reject=False)."""
    mixed = (np.asarray(tries, np.uint64) * 0x9E3779B1 + np.uint64(seed % 2**32)) % 2**32
    return mixed.astype(np.uint32).view(np.int32)
