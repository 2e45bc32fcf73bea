"""How far the units of a code depend on one another."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra import Ancestral
from ugm_tf.evaluation.checks import check_count
from ugm_tf.evaluation.estimate import Estimate, mean
from ugm_tf.evaluation.likelihood import inputs
from ugm_tf.traced import traced

__all__ = ["factorises", "total_correlation"]

_MOST = 2**24  # numbers at once


def total_correlation(model: inputs.Jointly, x: Any, seed: int = 0, **given: Any) -> Estimate:
    """KL(q(z) || prod{ q(z[j]) : j }) of the encoder's aggregate over these examples, in nats: 0 of independent units.

    q(z) is the mean of q(z | x) over all N examples, at one draw of each.  Where a code tells more of x than log N
    nats, each example fills a place of its own in q(z), and the figure is too large; it compares at equal N.

    Args:
        model: A `UnifiedModel` whose encoder is a density of one vector that factorises over its units.
        x: Examples, [N, ...]; N squared log-densities of each unit are taken.
        seed: Fixes the draws.
        **given: Other parents of the encoder by name, [N, ...].

    Raises:
        ValueError: If there is no such encoder, or the data do not fit.

    References:
        Ricky Chen, Xuechen Li, Roger Grosse, David Duvenaud. Isolating Sources of Disentanglement in Variational
        Autoencoders. NeurIPS 2018. https://arxiv.org/abs/1802.04942, equation 2, whose aggregate is over a batch.
    """
    if not factorises(model):
        parts = ", ".join(f"{role} ({model.densities[name].family})" for name, role in model.recipe.roles.items())
        raise ValueError(
            "A total correlation takes an 'encoder' of one vector, q(z | x), that has a log-probability and factorises "
            f"over its units. This model has: {parts}."
        )
    check_count("seed of total_correlation()", seed, least=0, most=2**31 - 1)
    role = model.recipe.roles["encoder"]
    values = inputs.collect(model, "total_correlation", role.given, x, given)
    n = len(values[role.given[0]])
    if n < 2:
        raise ValueError("total_correlation() takes at least 2 examples, as a mean over them. Received: 1.")

    @traced()
    def draw(data: dict[str, tf.Tensor]) -> tf.Tensor:
        return Ancestral(("encoder",))(inputs.start(model, data), tf.constant([seed, 0]))[role.of]

    @traced()
    def logs(data: dict[str, tf.Tensor], z: tf.Tensor) -> tf.Tensor:
        """log q(z_i) less the sum of log q(z_i[j]) over j, [rows]."""
        units = inputs.start(model, data).distribution("encoder").distribution
        each = units.log_prob(z[:, None])  # [rows, N, D]: of each code by the posterior of each example
        count = tf.math.log(tf.cast(n, tf.float32))
        joint = tf.reduce_logsumexp(tf.reduce_sum(each, -1), 1) - count
        return joint - tf.reduce_sum(tf.reduce_logsumexp(each, 1) - count, -1)

    data = {variable: tf.constant(array) for variable, array in values.items()}
    z = np.asarray(draw(data))
    rows = int(np.clip(_MOST // (n * z.shape[-1]), 1, n))
    found = [logs(data, tf.constant(z[np.minimum(np.arange(i, i + rows), n - 1)]))[: n - i] for i in range(0, n, rows)]
    how = {"seed": seed, "draws": 1, "bias": "upwards where the code tells more than log n nats"}
    return mean(np.concatenate(found), **how)


def factorises(model: Any) -> bool:
    """Whether the encoder is a density of one vector, given data, that factorises over its units."""
    role = model.recipe.roles.get("encoder")
    if role is None or not set(role.given) <= set(model.recipe.data) or not role.given:
        return False
    density = model.densities["encoder"]
    if not density.family.has_log_prob or len(density.event_shape or ()) != 1:
        return False
    data = {v: tf.zeros([1, *shape]) for v, shape in zip(role.given, density.given_shapes or (), strict=False)}
    if set(data) != set(role.given):
        return False
    distribution = inputs.start(model, data).distribution("encoder")
    return isinstance(distribution, tfp.distributions.Independent)
