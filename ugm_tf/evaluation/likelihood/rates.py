"""Where a bound goes: what a code costs, what it leaves out, and what it tells of x."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.algebra import Ancestral
from ugm_tf.evaluation.checks import check_count
from ugm_tf.evaluation.estimate import Estimate, mean
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.evaluation.likelihood.aggregate import log_aggregate
from ugm_tf.traced import traced

__all__ = ["RateDistortion", "rate_distortion"]


@dataclasses.dataclass(frozen=True)
class RateDistortion:
    """The parts of the ELBO, in nats, means over examples.

    Attributes:
        rate: E KL(q(z | x) || p(z)) by draws: unbiased.
        distortion: E -log p(x | z): unbiased.  The ELBO is -(rate + distortion).
        mutual_information: I(x; z) under the encoder, between q(z | x) and its mean over all these examples: below the
            truth, and never above log N.  `how["upper"]` leaves each example out of the mean: above the truth.  None if
            the prior itself depends on data.
        marginal_kl: KL(q(z) || p(z)), the rate less the mutual information: so above the truth where that is below it;
            `how["lower"]` is the other end.  None likewise.
        active_units: How many units of the code vary with x: Var_x E[u | x] above `how["threshold"]`.
        unit_variances: Those variances, of every unit of every inferred variable in the order of drawing, [U].
    """

    rate: Estimate
    distortion: Estimate
    mutual_information: Estimate | None
    marginal_kl: Estimate | None
    active_units: Estimate
    unit_variances: np.ndarray


def rate_distortion(
    model: inputs.Jointly,
    x: Any,
    draws: int = 1,
    seed: int = 0,
    threshold: float = 0.01,
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> RateDistortion:
    """Rate, distortion, active units, and what the rate is made of: mutual information and marginal KL.

    Args:
        model: A `UnifiedModel` whose recipe has a bound.
        x: Examples, [N, ...]; N squared log-densities of the encoder are taken, and as many passes through a density
            that is given data beside a code, such as q(z | x, c) with c inferred.
        draws: Draws of the code for each example; the mutual information takes the first.
        seed: Fixes the draws.
        threshold: Least variance of an active unit.
        jit_compile: Whether to compile with XLA; "auto" decides by device and layers.
        **given: Further data by name, [N, ...].

    Raises:
        ValueError: If the model bounds nothing, or the data do not fit.

    References:
        Matthew Hoffman, Matthew Johnson. ELBO surgery. NIPS workshop on Advances in Approximate Bayesian
        Inference, 2016: rate = mutual information + marginal KL.
        Ben Poole et al. On Variational Bounds of Mutual Information. ICML 2019.
        https://arxiv.org/abs/1905.06922, section 2.4: both ends of the mutual information.
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, section 5.2: active units.
    """
    generative, inferring = inputs.bounding(model)
    check_count("draws of rate_distortion()", draws)
    check_count("seed of rate_distortion()", seed, least=0, most=2**31 - 1)
    roles = model.recipe.roles
    latents = [roles[name].of for name in inferring]
    asked = inputs.variables(model, (*generative, *inferring), latents)
    values = inputs.collect(model, "rate_distortion", asked, x, given)
    n, jit = len(values[asked[0]]), inputs.compiles(model, jit_compile)
    if n < 2:
        raise ValueError("rate_distortion() takes at least 2 examples, as a mean over them. Received: 1.")
    rows = max(1, min(n, inputs.codes_at_once(values[asked[0]]) // draws))
    function = _function(model, generative, inferring, draws, jit)
    parts = []
    for i in range(0, n, rows):
        index = np.minimum(np.arange(i, i + rows), n - 1)
        found = function({v: array[index] for v, array in values.items()}, tf.constant([seed, i], tf.int32))
        parts.append([np.asarray(a)[: n - i] for a in tf.nest.flatten(found)])
    rates, distortions, units, *codes = (np.concatenate(column) for column in zip(*parts, strict=True))
    how = {"draws": draws, "seed": seed}
    rate = mean(rates, **how, bias="none")
    unit_variances = np.var(units.astype(np.float64), axis=0, ddof=1)
    active = Estimate(np.sum(unit_variances > threshold), None, n, {"threshold": threshold, "of": len(unit_variances)})
    information = marginal = None
    if not any(set(roles[name].given) & set(values) for name in generative[1:]):
        own, lower, upper = log_aggregate(model, inferring, values, dict(zip(latents, codes, strict=True)), jit)
        information, other = mean(own - lower), float(np.mean(own - upper))
        information = dataclasses.replace(
            information, how={**how, "upper": other, "most": float(np.log(n)), "bias": "below the truth"}
        )
        marginal = mean(rates - (own - lower), **how, lower=rate.value - other, bias="above the truth")
    distortion = mean(distortions, **how, bias="none")
    return RateDistortion(rate, distortion, information, marginal, active, unit_variances)


def parts(model: Any, batches: Sequence[Mapping[str, Any]], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rate and distortion of one draw for each example, [N], in nats, and the expected units of its code, [N, U].

    The function behind it is traced once a model: for those who ask again and again.

    Args:
        model: A `UnifiedModel` whose recipe has a bound.
        batches: Data by variable.
        seed: Fixes the draws.
    """
    generative, inferring = inputs.bounding(model)
    if "rates" not in model.functions:
        model.functions["rates"] = _function(model, generative, inferring, 1, False)
    roles, run = model.recipe.roles, model.functions["rates"]
    asked = inputs.variables(model, (*generative, *inferring), [roles[name].of for name in inferring])
    found = [run({v: batch[v] for v in asked}, tf.constant([seed, i], tf.int32))[:3] for i, batch in enumerate(batches)]
    rates, distortions, units = (np.concatenate(column) for column in zip(*found, strict=True))
    return rates, distortions, units


def _function(model: Any, generative: tuple[str, ...], inferring: tuple[str, ...], draws: int, jit: bool) -> Any:
    """From data and a seed to rate and distortion, [B], expected units, [B, U], and the first draw of each code."""
    roles, sampler = model.recipe.roles, Ancestral(inferring, k=draws)

    @traced(jit_compile=jit)
    def run(values: dict[str, tf.Tensor], seed: tf.Tensor) -> Any:
        start = inputs.start(model, values)
        sample = sampler(start, seed)
        batch = [draws, next(iter(values.values())).shape[0]]

        def over_draws(log_prob: tf.Tensor) -> tf.Tensor:
            return tf.reduce_mean(tf.broadcast_to(log_prob, batch), 0)

        rate = over_draws(sample.log_weights(inferring, generative[1:]))
        distortion = -over_draws(sample.log_prob(generative[0]))
        units, codes = [], []
        for name in inferring:
            density = model.densities[name]
            code = sample[roles[name].of]
            place = tf.broadcast_to(density.location(sample.distribution(name)), tf.shape(code))
            units.append(tf.reshape(tf.reduce_mean(place, 0), [batch[1], -1]))
            codes.append(code[0])
        return rate, distortion, tf.concat(units, 1), codes

    return run
