"""Bounds on log p(x) from one set of draws, for as many draws as one likes."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.algebra import Ancestral
from ugm_tf.densities import fold
from ugm_tf.evaluation.checks import check_count
from ugm_tf.evaluation.estimate import Estimate
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.traced import traced

__all__ = ["Bounds", "bounds", "bounds_by_example"]

_KS = (1, 5, 50, 500, 5000)


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Bounds on log p(x) of each example, in nats.

    Attributes:
        values: By k, the mean over disjoint blocks of k draws of the importance-weighted bound, float64 [N].
        errors: By k, its standard error under the draws, [N]; NaN where one draw alone does not tell.
        effective_draws: (sum w)^2 / sum w^2 of all draws of an example, [N]: of few, the bound is loose and its
            error too small.
        chunk: Draws that were decoded at once.
    """

    values: dict[int, np.ndarray]
    errors: dict[int, np.ndarray]
    effective_draws: np.ndarray
    chunk: int


def bounds(
    model: inputs.Jointly,
    x: Any,
    ks: Sequence[int] = _KS,
    seed: int = 0,
    chunk: int = 100,
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> dict[int, Estimate]:
    """The importance-weighted bound on log p(x) for several k: means over examples, in nats.

    All come from one set of max(ks) draws an example, in disjoint blocks of k: so they never fall as k grows, on any
    data and any draws.  k=1 is the ELBO.  Draws come in chunks behind one pass of the encoder, so memory does not
    depend on k.  In expectation each is below log p(x).

    Args:
        model: A `UnifiedModel` whose recipe has a bound: hierarchical, conditional and with flows as well.
        x: Examples, [N, ...].
        ks: Numbers of draws, each of which divides the next.
        seed: Fixes the draws.
        chunk: The most draws of an example that are decoded at once.
        jit_compile: Whether to compile with XLA; "auto" decides by device and layers.
        **given: Further data by name, such as c, [N, ...].

    Returns:
        An `Estimate` for each k.  Its error is that of a mean over examples drawn from a population;
        `how["error_of_draws"]` is that of the draws alone, for these very examples; that of the largest k has
        `how["median_effective_draws"]`, of all draws.

    Raises:
        ValueError: If the model bounds nothing, the data do not fit, or a k does not divide the next.

    Example:

    >>> recipe = ugm_tf.recipes.vae()
    >>> model = ugm_tf.UnifiedModel(recipe, ugm_tf.networks.build(recipe, {"x": (4,), "z": (2,)}, hidden=(8,)))
    >>> found = bounds(model, np.eye(4), ks=(1, 10, 1000))
    >>> found[1].value < found[10].value < found[1000].value
    True

    References:
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, equation 8 and theorem 1.
    """
    found = bounds_by_example(model, x, ks, seed, chunk, jit_compile=jit_compile, **given)
    most, out = max(found.values), {}
    for k, values in found.values.items():
        n, known = len(values), bool(np.isfinite(found.errors[k]).all())
        of_draws = float(np.sqrt(np.sum(found.errors[k] ** 2)) / n) if known else None
        how = {
            "k": k,
            "blocks": most // k,
            "chunk": found.chunk,
            "seed": seed,
            "error_over": "examples and draws" if n > 1 else "draws",
            "error_of_draws": of_draws,
            "bias": "below log p(x), less so as k grows",
        }
        how |= {"median_effective_draws": float(np.median(found.effective_draws))} if k == most else {}
        error = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else of_draws
        out[k] = Estimate(np.mean(values), error, n, how)
    return out


def bounds_by_example(
    model: inputs.Jointly,
    x: Any,
    ks: Sequence[int] = _KS,
    seed: int = 0,
    chunk: int = 100,
    *,
    jit_compile: bool | str = "auto",
    **given: Any,
) -> Bounds:
    """The bounds of each example; see `bounds`, whose arguments these are."""
    generative, inferring = inputs.bounding(model)
    ks, chunk = _checked(ks), check_count("chunk of bounds()", chunk)
    check_count("seed of bounds()", seed, least=0, most=2**31 - 1)
    inferred = [model.recipe.roles[name].of for name in inferring]
    asked = inputs.variables(model, (*generative, *inferring), inferred)
    values = inputs.collect(model, "bounds", asked, x, given)
    chunk = _chunk(ks, chunk)
    n = len(values[asked[0]])
    rows = max(1, min(n, inputs.codes_at_once(values[asked[0]]) // chunk))
    jit = inputs.compiles(model, jit_compile, on_cpu=False)  # nearly all is the decoder's products: oneDNN's are faster
    function = _function(model, generative, inferring, ks, chunk, jit)
    parts = []
    for i in range(0, n, rows):
        index = np.minimum(np.arange(i, i + rows), n - 1)  # the last part is as long as the others: one trace
        part = {variable: array[index] for variable, array in values.items()}
        parts.append([np.asarray(a)[..., : n - i] for a in function(part, tf.constant([seed, i], tf.int32))])
    sums, squares, all_sum, all_squares = (np.concatenate(column, -1) for column in zip(*parts, strict=True))
    relative = np.exp(all_squares - 2.0 * all_sum)  # sum w^2 / (sum w)^2, at least 1 / K
    found, errors = {}, {}
    for i, k in enumerate(ks):
        blocks = ks[-1] // k
        found[k] = sums[i] / blocks
        if blocks > 1:
            variance = np.maximum(squares[i] / blocks - found[k] ** 2, 0.0) * blocks / (blocks - 1)
            errors[k] = np.sqrt(variance / blocks)
        else:
            errors[k] = np.sqrt(np.maximum(relative - 1.0 / k, 0.0)) if k > 1 else np.full(n, np.nan)
    return Bounds(found, errors, 1.0 / relative, chunk)


def _checked(ks: Sequence[int]) -> tuple[int, ...]:
    if not len(ks):
        raise ValueError("bounds() takes at least one k. Received: none.")
    ks = tuple(sorted({check_count("A k of bounds()", k) for k in ks}))
    for k, following in zip(ks[:-1], ks[1:], strict=True):
        if following % k:
            raise ValueError(
                f"Each k divides the next, so that all come from the same draws in blocks. Received: {ks}, of which "
                f"{k} does not divide {following}: give {k * (following // k)} in its place."
            )
    return ks


def _chunk(ks: tuple[int, ...], most: int) -> int:
    """The largest number of draws, at most `most`, of which each k is a multiple or a divisor."""
    below = max((k for k in ks if k <= most), default=1)
    above = min((k for k in ks if k > most), default=below)
    return below * max(d for d in range(1, most // below + 1) if (above // below) % d == 0)


def _function(
    model: Any, generative: tuple[str, ...], inferring: tuple[str, ...], ks: tuple[int, ...], chunk: int, jit: bool
) -> Any:
    """From data and a seed to, [len(ks), B] and [B]: sums over blocks of the bounds and of their squares, and the
    logarithms of the sum of all weights and of their squares."""
    roles = model.recipe.roles
    sampler = Ancestral(inferring, k=chunk)
    small, large = [k for k in ks if k <= chunk], [k for k in ks if k > chunk]

    @traced(jit_compile=jit)
    def run(values: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        start = inputs.start(model, values)
        for name in inferring:
            if set(roles[name].given) <= set(values):
                start.distribution(name)  # before the loop: one pass of the encoder
        batch = [next(iter(values.values())).shape[0]]
        empty, zeros = tf.fill(batch, tf.constant(-np.inf, tf.float64)), tf.zeros(batch, tf.float64)

        def body(t, sums, squares, running, all_sum, all_squares):
            folded = fold(seed, t)
            log_w = sampler(start, folded).log_weights(generative, inferring)
            log_w = tf.cast(tf.broadcast_to(log_w, [chunk, *batch]), tf.float64)
            together = tf.reduce_logsumexp(log_w, 0)
            blocks = [tf.reduce_logsumexp(tf.reshape(log_w, [chunk // k, k, *batch]), 1) - np.log(k) for k in small]
            added = [(tf.reduce_sum(b, 0), tf.reduce_sum(b * b, 0)) for b in blocks]
            grown = []
            for k, sofar in zip(large, running, strict=True):
                sofar = tf.reduce_logsumexp(tf.stack([sofar, together]), 0)
                full = (t + 1) % (k // chunk) == 0
                block = tf.where(full, sofar - np.log(k), 0.0)
                added.append((block, block * block))
                grown.append(tf.where(full, empty, sofar))
            return (
                t + 1,
                tuple(s + a for s, (a, _) in zip(sums, added, strict=True)),
                tuple(s + a for s, (_, a) in zip(squares, added, strict=True)),
                tuple(grown),
                tf.reduce_logsumexp(tf.stack([all_sum, together]), 0),
                tf.reduce_logsumexp(tf.stack([all_squares, tf.reduce_logsumexp(2.0 * log_w, 0)]), 0),
            )

        first = (tf.constant(0), (zeros,) * len(ks), (zeros,) * len(ks), (empty,) * len(large), empty, empty)
        times = ks[-1] // chunk
        _, sums, squares, _, all_sum, all_squares = tf.while_loop(
            lambda t, *_: t < times, body, first, parallel_iterations=1
        )
        return tf.stack(sums), tf.stack(squares), all_sum, all_squares

    return run
