"""The divergences that an adversarial phase descends, from the discriminator's logits and an estimated log-ratio."""

import dataclasses
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logsumexp

from ugm_tf.evaluation.checks import check_rows
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["Divergences", "divergences"]

_LOG_2 = np.log(2.0)


@dataclasses.dataclass(frozen=True)
class Divergences:
    """What Lemma 1 says that a generator descends, in nats, with delta-method standard errors.

    With the two sides p(x | y=1), real, and p(x | y=0), generated, p(y) = 1/2, their mean m(x), and a discriminator
    q(y=1 | x) = sigmoid(l), reversed to q^r(y | x) = q(1 - y | x), the posterior is q^r(x | y) = q^r(y | x) m(x) / Z_y.

    Attributes:
        jsd: The Jensen-Shannon divergence between the sides, at most log 2; the probe's estimate is a lower bound
            but for sampling.
        kl_generated: KL(p(x | y=0) || q^r(x | y=0)): what pulls the generator towards the data.  None where the
            contest's l is no log-ratio, as the next three.
        kl_real: KL(p(x | y=1) || q^r(x | y=1)): large where the discriminator is sure, then of heavy tails.
        discriminator_gap: How far the discriminator's loss lies above that of the best one, log 2 - JSD.
        objective: E_p(y) KL(p(x | y) || q^r(x | y)) - JSD, the right side of Lemma 1: needs no probe.
    """

    jsd: Estimate
    kl_generated: Estimate | None
    kl_real: Estimate | None
    discriminator_gap: Estimate | None
    objective: Estimate | None


def divergences(
    real_ratio: Any, fake_ratio: Any, real_logit: Any = None, fake_logit: Any = None, **how: Any
) -> Divergences:
    """The divergences from log-ratios and logits at examples that neither was fitted to.

    Args:
        real_ratio: log p(x | y=1) / p(x | y=0) at real examples, estimated by a probe, [N].
        fake_ratio: The same at generated ones, [M].
        real_logit: The discriminator's l at the same real examples, [N]; None if it is no log-ratio.
        fake_logit: The same at the generated ones, [M].
        **how: More of the protocol.

    Raises:
        ValueError: If there are less than 2 of a kind, they are not finite, or numbers differ.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018. https://arxiv.org/abs/1706.00550, Lemma 1.
    """
    real_ratio, fake_ratio = _numbers("real_ratio", real_ratio), _numbers("fake_ratio", fake_ratio)
    how = {**how, "n_real": len(real_ratio), "n_fake": len(fake_ratio)}

    def estimate(value: float, real: np.ndarray, fake: np.ndarray) -> Estimate:
        """A sum of a mean over real and one over generated examples; the arrays are what each example adds."""
        error = np.sqrt(np.var(real, ddof=1) / len(real) + np.var(fake, ddof=1) / len(fake))
        return Estimate(value, float(error), len(real) + len(fake), how)

    # log p(x | y) / m(x) on its own side
    of_real, of_fake = _LOG_2 + log_expit(real_ratio), _LOG_2 + log_expit(-fake_ratio)
    value = 0.5 * (of_real.mean() + of_fake.mean())
    jsd = estimate(value, 0.5 * of_real, 0.5 * of_fake)
    if real_logit is None or fake_logit is None:
        return Divergences(jsd, None, None, None, None)
    real_logit, fake_logit = _numbers("real_logit", real_logit), _numbers("fake_logit", fake_logit)
    for name, ratios, logits in (("real", real_ratio, real_logit), ("fake", fake_ratio, fake_logit)):
        if len(ratios) != len(logits):
            raise ValueError(
                f"{name}_ratio and {name}_logit are of the same examples. Received {len(ratios)} and {len(logits)}."
            )

    def kl(own: np.ndarray, real_log: np.ndarray, fake_log: np.ndarray, of_generated: bool) -> Estimate:
        """E_own log p / m - log q^r(y | x) + log Z, where log Z = log E_m q^r(y | x)."""
        log_z = logsumexp([_log_mean(real_log), _log_mean(fake_log)]) - _LOG_2
        value = np.mean(own) + log_z
        add_real, add_fake = 0.5 * np.exp(real_log - log_z), 0.5 * np.exp(fake_log - log_z)
        return estimate(value, *((add_real, add_fake + own) if of_generated else (add_real + own, add_fake)))

    # q^r(y=0 | x) = sigmoid(l), q^r(y=1 | x) = sigmoid(-l)
    generated = kl(of_fake - log_expit(fake_logit), log_expit(real_logit), log_expit(fake_logit), True)
    real = kl(of_real - log_expit(-real_logit), log_expit(-real_logit), log_expit(-fake_logit), False)
    losses = -0.5 * log_expit(real_logit), -0.5 * log_expit(-fake_logit)
    gap_value = losses[0].mean() + losses[1].mean() - (_LOG_2 - jsd.value)
    gap = estimate(gap_value, losses[0] + 0.5 * of_real, losses[1] + 0.5 * of_fake)
    weight_1, weight_0 = ((expit(sign * real_logit), expit(sign * fake_logit)) for sign in (1.0, -1.0))
    z_1, z_0 = (0.5 * (np.mean(a) + np.mean(b)) for a, b in (weight_1, weight_0))
    net_real = -0.5 * log_expit(-real_logit) + 0.25 * (weight_1[0] / z_1 + weight_0[0] / z_0)
    net_fake = -0.5 * log_expit(fake_logit) + 0.25 * (weight_1[1] / z_1 + weight_0[1] / z_0)
    objective = estimate(0.5 * (generated.value + real.value) - jsd.value, net_real, net_fake)
    return Divergences(jsd, generated, real, gap, objective)


def _numbers(name: str, values: Any) -> np.ndarray:
    return check_rows(name, values, rank=1).astype(np.float64)


def _log_mean(log_values: np.ndarray) -> float:
    return float(logsumexp(log_values) - np.log(len(log_values)))
