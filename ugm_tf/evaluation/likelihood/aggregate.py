"""The aggregate posterior: the mean over examples of q(z | x), at the codes that the examples drew."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.special
import tensorflow as tf

from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.traced import traced

__all__ = ["log_aggregate"]

_MOST = 2**23  # numbers at once


def log_aggregate(
    model: Any,
    inferring: tuple[str, ...],
    values: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
    jit: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log q(z_i | x_i), and the logarithm of its mean over all x_j and over all but x_i, in nats, each float64 [N].

    Densities that are given codes alone are the same for every x_j, and left out of all three.

    Args:
        model: Densities that fill the roles of a recipe.
        inferring: Names of the densities of q(z | x).
        values: Data by variable, [N, ...].
        codes: What was drawn for each example, by variable, [N, ...].
        jit: Whether to compile with XLA.
    """
    roles = model.recipe.roles
    told = [name for name in inferring if set(roles[name].given) & set(values)]
    mixed = [name for name in told if not set(roles[name].given) <= set(values)]
    n = len(next(iter(values.values())))
    width = sum(int(np.prod(codes[roles[name].of].shape[1:])) for name in told)
    for name in mixed:
        width += sum(int(np.prod({**values, **codes}[v].shape[1:])) for v in roles[name].given)
    rows = int(np.clip(_MOST // (n * max(1, width)), 1, n))

    @traced(jit_compile=jit)
    def pairs(data: dict[str, tf.Tensor], drawn: dict[str, tf.Tensor]) -> tf.Tensor:
        """log q(z_i | x_j), [rows, N]."""
        total, start = tf.zeros([rows, n]), inputs.start(model, data)
        for name in told:
            z = _spread(drawn[roles[name].of][:, None], rows, n)
            if name in mixed:
                each = {
                    v: _spread(data[v][None] if v in data else drawn[v][:, None], rows, n) for v in roles[name].given
                }
                total += inputs.start(model, each).distribution(name).log_prob(z)
            else:
                total += start.distribution(name).log_prob(z)
        return total

    data = {variable: tf.constant(array) for variable, array in values.items()}
    own, every, others = [], [], []
    for i in range(0, n, rows):
        index = np.minimum(np.arange(i, i + rows), n - 1)
        part = {variable: tf.constant(array[index]) for variable, array in codes.items()}
        log_q = np.asarray(pairs(data, part), np.float64)[: n - i]
        here = np.arange(len(log_q)), np.arange(i, i + len(log_q))
        own.append(log_q[here])
        every.append(scipy.special.logsumexp(log_q, axis=1) - np.log(n))
        log_q[here] = -np.inf
        others.append(scipy.special.logsumexp(log_q, axis=1) - np.log(n - 1))
    return np.concatenate(own), np.concatenate(every), np.concatenate(others)


def _spread(value: tf.Tensor, rows: int, n: int) -> tf.Tensor:
    return tf.broadcast_to(value, tf.concat([[rows, n], tf.shape(value)[2:]], 0))
