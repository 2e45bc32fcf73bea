"""Annealed importance sampling: the log-likelihood of any decoder that has an observation model."""

import dataclasses
from typing import Any

import numpy as np
import scipy.special

from ugm_tf.evaluation.estimate import Estimate
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.evaluation.likelihood.runs import Runs, Settings, over_examples, summed

__all__ = ["Annealed", "annealed", "observation_scale"]

_SCALES, _TOLERANCE = 20, 0.02


@dataclasses.dataclass(frozen=True)
class Annealed:
    """Estimates of log p(x), in nats; each is below the truth in expectation.

    Attributes:
        log_prob: Their mean over examples.
        by_example: That of each example, the logarithm of the mean weight of its chains, float64 [N].
        errors: Its standard error under the chains, [N]: too small where few chains count.
        effective_chains: (sum w)^2 / sum w^2, [N].
        log_weights: log w of each chain, [chains, N].
        acceptance: Share of moves that were accepted, by temperature and example, [temperatures, N]; about 0.7.
        codes: Where the chains ended, by variable, [chains, N, ...]: draws from about p(z | x), weighted by w.
    """

    log_prob: Estimate
    by_example: np.ndarray = dataclasses.field(repr=False)
    errors: np.ndarray = dataclasses.field(repr=False)
    effective_chains: np.ndarray = dataclasses.field(repr=False)
    log_weights: np.ndarray = dataclasses.field(repr=False)
    acceptance: np.ndarray = dataclasses.field(repr=False)
    codes: dict[str, np.ndarray] = dataclasses.field(repr=False)


def annealed(
    model: inputs.Jointly,
    x: Any,
    chains: int = 16,
    temperatures: int = 1000,
    leapfrog: int = 10,
    seed: int = 0,
    observation: float | None = None,
    start: str = "prior",
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> Annealed:
    """log p(x) by annealed importance sampling: no encoder, no density of the decoder's own is needed.

    Chains go from the prior, or q(z | x), to p(z | x) by Hamiltonian moves at rising inverse temperatures.  A pilot run
    finds the step of each temperature and example by its acceptance; the run that counts keeps those steps, so that its
    weights are exact in expectation.

    Args:
        model: A `UnifiedModel` with a decoder of continuous codes: a GAN as well as a VAE.
        x: Examples, [N, ...].
        chains: Chains of each example.
        temperatures: Moves of each chain.
        leapfrog: Gradient steps of each move.
        seed: Fixes the chains.
        observation: Standard deviation of Gaussian noise around the decoder's output, in place of the decoder's family;
            see `observation_scale`.
        start: "prior", or "encoder" for q(z | x).
        jit_compile: Whether to compile with XLA; "auto" decides by device and layers.
        **given: Further data by name, such as c, for log p(x | c).

    Raises:
        ValueError: If a code is discrete and not given, or a point decoder has no observation model.

    References:
        Radford Neal. Annealed Importance Sampling. Statistics and Computing 11, 2001.
        Yuhuai Wu, Yuri Burda, Ruslan Salakhutdinov, Roger Grosse. On the Quantitative Analysis of
        Decoder-Based Generative Models. ICLR 2017. https://arxiv.org/abs/1611.04273
    """
    settings = Settings(chains, temperatures, leapfrog, seed, observation, start, jit_compile)
    runs = Runs(model, settings, tuple(given))
    values = inputs.collect(model, "annealed", runs.path.asked, x, given)
    return _annealed(runs, values, observation)


def _annealed(runs: Runs, values: dict[str, np.ndarray], scale: float | None) -> Annealed:
    first = values[runs.path.asked[0]]
    n, rows, parts = len(first), runs.rows(first), []
    for i in range(0, n, rows):
        index = np.minimum(np.arange(i, i + rows), n - 1)  # the last part is as long as the others: one trace
        log_w, _, accepted, codes = runs.forward({v: a[index] for v, a in values.items()}, scale, i)
        parts.append([np.asarray(a)[:, : n - i] for a in (log_w, accepted, *codes)])
    log_w, acceptance, *ends = (np.concatenate(column, 1) for column in zip(*parts, strict=True))
    by_example, errors, effective = summed(log_w)
    how = {**runs.settings.how(), "observation": scale, "acceptance": float(np.mean(acceptance))}
    return Annealed(
        over_examples(by_example, errors, **how, effective_chains=float(np.median(effective)), bias="below log p(x)"),
        by_example,
        errors,
        effective,
        log_w,
        acceptance,
        dict(zip(runs.path.codes, ends, strict=True)),
    )


def observation_scale(
    model: inputs.Jointly,
    validation_x: Any,
    chains: int = 8,
    temperatures: int = 200,
    leapfrog: int = 10,
    seed: int = 0,
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> float:
    """The standard deviation of Gaussian noise around the decoder's output that validation data find most likely.

    At that scale the variance is the mean square of what the decoder's output leaves of x, over p(z | x): the fixed
    point of EM, found by the secant method in the variance.

    Args:
        model: As in `annealed`; its decoder's family is left aside.
        validation_x: Examples that are not those to be evaluated, [N, ...].
        chains: Chains of each example.
        temperatures: Moves of each chain.
        leapfrog: Gradient steps of each move.
        seed: Fixes the chains, the same ones at every scale.
        jit_compile: As in `annealed`.
        **given: Further data by name, [N, ...].

    Returns:
        The scale, within about 2 % of the best one, between a thousandth of the data's deviation and twice that.

    References:
        Yuhuai Wu et al. On the Quantitative Analysis of Decoder-Based Generative Models.
        ICLR 2017. https://arxiv.org/abs/1611.04273, section 4.
    """
    settings = Settings(chains, temperatures, leapfrog, seed, 1.0, "prior", jit_compile)
    runs = Runs(model, settings, tuple(given))
    values = inputs.collect(model, "observation_scale", runs.path.asked, validation_x, given)
    spread = float(np.std(values[runs.path.asked[0]]))
    if not spread > 0.0:
        raise ValueError("Validation data that are all one number have no scale to find. Give real examples.")
    least, most = (1e-3 * spread) ** 2, (2.0 * spread) ** 2
    tried: list[tuple[float, float]] = []  # a variance, and where EM would move it
    variance = (0.5 * spread) ** 2
    for _ in range(_SCALES):
        scale = variance**0.5
        tried.append((variance, _mean_square(runs, values, _annealed(runs, values, scale), scale)))
        before, variance = variance, float(np.clip(_next(tried), least, most))
        if abs(np.log(variance / before)) < 2.0 * _TOLERANCE:
            break
    return float(variance**0.5)


def _next(tried: list[tuple[float, float]]) -> float:
    """Where a straight line through the last two steps of EM stands still; EM's own step where that is no better.

    Of a linear decoder EM's step is such a line as soon as noise is small: what no code explains, and of the noise the
    part that a code takes up, as many of its directions as the code has.
    """
    (at, moved), *earlier = tried[::-1]
    if earlier and at != earlier[0][0]:
        slope = (moved - earlier[0][1]) / (at - earlier[0][0])
        if -1.0 < slope < 0.95 and moved > slope * at:  # EM's steps shrink, to 0.95 of the last one at the slowest
            return (moved - slope * at) / (1.0 - slope)
    return moved


def _mean_square(runs: Runs, values: dict[str, np.ndarray], found: Annealed, scale: float) -> float:
    """Of what the decoder's output leaves of x, over chains by their weights, numbers of x and examples."""
    weights = scipy.special.softmax(found.log_weights, axis=0)
    codes = [found.codes[variable] for variable in runs.path.codes]
    return float(np.mean(np.sum(weights * runs.mean_squares(values, codes, scale), 0)))
