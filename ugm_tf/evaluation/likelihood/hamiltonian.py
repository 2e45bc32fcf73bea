"""Annealed chains of Hamiltonian Monte Carlo, forward and in reverse."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ugm_tf.densities import fold, standard_noise
from ugm_tf.evaluation.likelihood.path import Codes, Path
from ugm_tf.traced import traced

__all__ = ["TARGET", "chain", "schedule"]

TARGET, _RATE, _JITTER = 0.7, 0.2, 0.2
_STEEPNESS = 4.0


def schedule(temperatures: int) -> np.ndarray:
    """Inverse temperatures from 0 to 1 by a sigmoid, which is slow at both ends, float64 [temperatures + 1].

    References:
        Yuhuai Wu et al. On the Quantitative Analysis of Decoder-Based Generative Models.
        ICLR 2017. https://arxiv.org/abs/1611.04273, section 3.
    """
    raw = 1.0 / (1.0 + np.exp(-np.linspace(-_STEEPNESS, _STEEPNESS, temperatures + 1)))
    return (raw - raw[0]) / (raw[-1] - raw[0])


def chain(path: Path, temperatures: int, leapfrog: int, reverse: bool, jit: bool) -> Callable[..., Any]:
    """A function that runs chains along the path, or back.

    It takes data, codes [chains, B, ...], the scale of the observation model, a seed, step sizes [temperatures, B] and
    whether to adapt them; it returns log-weights, float64 [chains, B], the step sizes that it used, the acceptance,
    [temperatures, B], and the last codes.  Forward, a weight takes log f_b - log f_b' at the state before the move at
    b; in reverse, after it.  A pilot run adapts each row's step by its chains' acceptance; with fixed steps every move
    leaves f_b as it is, and the weights are exact.
    """
    betas = schedule(temperatures)
    order = np.arange(1, temperatures + 1)[:: -1 if reverse else 1]
    change, at = betas[order] - betas[order - 1], betas[order].astype(np.float32)

    @traced(jit_compile=jit)
    def run(
        values: Mapping[str, tf.Tensor],
        codes: Codes,
        scale: tf.Tensor,
        seed: tf.Tensor,
        steps: tf.Tensor,
        adapt: tf.Tensor,
    ) -> tuple[Any, ...]:
        shape = tf.shape(codes[0])[:2]
        used, accepted = (
            tf.TensorArray(tf.float32, temperatures, element_shape=steps.shape[1:], clear_after_read=False)
            for _ in range(2)
        )

        def body(t, codes, log_w, step, used, accepted):
            here = order[0] - 1 - t if reverse else t
            step = tf.where(adapt, step, steps[here])
            folded = fold(seed, t)
            before, after, codes, acceptance = _move(
                path, values, codes, scale, tf.constant(at)[t], step, leapfrog, folded
            )
            added = tf.cast(after if reverse else before, tf.float64)
            used, accepted = used.write(here, step), accepted.write(here, acceptance)
            step = step * tf.exp(_RATE * (acceptance - TARGET))
            return t + 1, codes, log_w + tf.constant(change)[t] * added, step, used, accepted

        first = (tf.constant(0), codes, tf.zeros(shape, tf.float64), steps[0], used, accepted)
        _, codes, log_w, _, used, accepted = tf.while_loop(
            lambda t, *_: t < temperatures, body, first, parallel_iterations=1
        )
        return log_w, used.stack(), accepted.stack(), codes

    return run


def _move(
    path: Path,
    values: Mapping[str, tf.Tensor],
    codes: Codes,
    scale: tf.Tensor,
    beta: tf.Tensor,
    step: tf.Tensor,
    leapfrog: int,
    seed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, Codes, tf.Tensor]:
    """One Hamiltonian move at one temperature: the path's difference before and after it, [chains, B], the codes, and
    the share of accepted chains, [B]."""
    seeds = [fold(seed, i) for i in range(2 + len(codes))]
    shape = tf.shape(codes[0])[:2]
    jitter = 1.0 + _JITTER * (2.0 * _noise("uniform", shape, seeds[0]) - 1.0)  # or steps could chime with a period
    sizes = [_over(step * jitter, code) for code in codes]
    momenta = [_noise("normal", tf.shape(c), s) for c, s in zip(codes, seeds[2:], strict=True)]

    def slopes(codes: Codes) -> tuple[tf.Tensor, tf.Tensor, Codes]:
        with tf.GradientTape() as tape:
            tape.watch(codes)
            base, difference = path.ends(values, codes, scale)
            total = base + beta * difference
        return base, difference, tuple(tape.gradient(total, codes))

    def body(i, codes, momenta, gradients, base, difference):
        half = [p + 0.5 * e * g for p, e, g in zip(momenta, sizes, gradients, strict=True)]
        codes = tuple(c + e * p for c, e, p in zip(codes, sizes, half, strict=True))
        base, difference, gradients = slopes(codes)
        momenta = tuple(p + 0.5 * e * g for p, e, g in zip(half, sizes, gradients, strict=True))
        return i + 1, codes, momenta, gradients, base, difference

    base, before, gradients = slopes(codes)
    first = (tf.constant(0), codes, tuple(momenta), gradients, base, before)
    _, there, moved, _, base_there, after = tf.while_loop(
        lambda i, *_: i < leapfrog, body, first, parallel_iterations=1
    )
    gain = (base_there - base) + beta * (after - before) + _kinetic(momenta) - _kinetic(moved)
    gain = tf.where(tf.math.is_finite(gain), gain, -np.inf)  # out of the support, or a step that blew up
    accept = tf.math.log(_noise("uniform", shape, seeds[1])) < gain
    codes = tuple(tf.where(_over(accept, c), new, c) for new, c in zip(there, codes, strict=True))
    return before, tf.where(accept, after, before), codes, tf.reduce_mean(tf.exp(tf.minimum(gain, 0.0)), 0)


def _noise(distribution: str, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    noise = standard_noise(distribution, shape, seed, axes=2)  # [chains, B, ...]
    if noise is None:  # a distribution has noise
        raise ValueError(f"There is no noise of distribution {distribution!r}.")
    return noise


def _over(value: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
    """[chains, B], with as many axes as the code."""
    return tf.reshape(value, tf.concat([tf.shape(value), tf.ones([code.shape.rank - 2], tf.int32)], 0))


def _kinetic(momenta: Any) -> tf.Tensor:
    return sum(0.5 * tf.reduce_sum(p * p, list(range(2, p.shape.rank))) for p in momenta)
