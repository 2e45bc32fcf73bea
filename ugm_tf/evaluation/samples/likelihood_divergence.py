"""The feature likelihood divergence: how likely held-out data are under Gaussians around the samples."""

import numpy as np
from scipy.special import logsumexp

from ugm_tf.evaluation.checks import check_count, check_features
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["feature_likelihood_divergence"]

_LEAST_LOG, _MOST_LOG = -40.0, 40.0


def feature_likelihood_divergence(
    train: np.ndarray, held_out: np.ndarray, fake: np.ndarray, steps: int = 100, most: int = 10_000, seed: int = 0
) -> Estimate:
    """FLD: fidelity, diversity and novelty in one figure; 0 of fresh data, higher is worse.

    A Gaussian stands on each sample, as wide as makes the training data most likely.  Held-out data are then unlikely
    if samples are bad, if they are all alike, and if they are copies: a Gaussian on a copy shrinks to nothing.  The
    figure is 100 / D times what their -log-likelihood exceeds that under one half of the training data fitted to the
    other half.

    Args:
        train: Features of the training examples, [N, D].
        held_out: Features of examples that the model has not seen, [M, D].
        fake: Features of samples, [K, D].
        steps: Steps of expectation maximisation of the widths.
        most: The most samples that are used.
        seed: Fixes which samples are used and the halves.

    Returns:
        The figure, with the error of a paired mean over held-out examples.

    Raises:
        ValueError: If the sets do not compare, or a feature is constant over the held-out data.

    References:
        Marco Jiralerspong et al. Feature Likelihood Divergence: Evaluating the Generalization of Generative
        Models Using Samples. NeurIPS 2023. https://arxiv.org/abs/2302.04440, section 3.
    """
    train, held_out, fake = check_features(least=4, train=train, held_out=held_out, fake=fake)
    check_count("steps", steps)
    check_count("most", most, least=4)
    rng = np.random.default_rng(seed)
    fake = fake[rng.permutation(len(fake))[:most]]
    scale = held_out.std(0, ddof=1)
    constant = scale <= 1e-9 * np.abs(held_out).max(0)
    if constant.any():
        raise ValueError(
            f"{np.sum(constant)} of {len(scale)} features are the same for all held-out examples, and cannot be "
            "brought to one scale. Leave those columns out of all three sets."
        )
    train, held_out, fake = ((part - held_out.mean(0)) / scale for part in (train, held_out, fake))
    order = rng.permutation(len(train))
    half = min(len(fake), len(train) // 2)
    base = _negative_log_likelihood(train[order[:half]], train[order[half:]], held_out, steps)
    ours = _negative_log_likelihood(fake, train, held_out, steps)
    each = 100.0 / held_out.shape[1] * (ours - base)
    how = {
        "n_train": len(train),
        "n_held_out": len(held_out),
        "n_fake": len(fake),
        "features": held_out.shape[1],
        "steps": steps,
        "seed": seed,
        "error": "over held-out examples, the Gaussians being given",
    }
    return Estimate(np.mean(each), np.std(each, ddof=1) / np.sqrt(len(each)), len(held_out), how)


def _negative_log_likelihood(centres: np.ndarray, learn: np.ndarray, score: np.ndarray, steps: int) -> np.ndarray:
    """-log of the mean of isotropic Gaussians on the centres, in nats, at each row of `score`.

    Their variances are fitted to `learn` beside one broad Gaussian on its mean, of the weight of a centre, so that no
    example has to be explained by what is far from it.
    """
    size = centres.shape[1]
    squares = _squares(learn, np.concatenate([centres, learn.mean(0)[None]]))
    log_variance = np.log((squares.min(0) + 1e-3) / size)
    for _ in range(steps):
        log_p = _log_normal(squares, log_variance, size)
        share = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
        weight = share.sum(0)
        found = np.einsum("ij,ij->j", share, squares) / np.maximum(size * weight, 1e-300)
        moved = np.where(weight > 1e-12, np.log(np.maximum(found, 1e-300)), log_variance)
        log_variance = np.clip(moved, _LEAST_LOG, _MOST_LOG)
    log_p = _log_normal(_squares(score, centres), log_variance[:-1], size)
    return np.log(len(centres)) - logsumexp(log_p, axis=1)


def _squares(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    products = np.sum(left**2, 1)[:, None] + np.sum(right**2, 1)[None] - 2.0 * left @ right.T
    return np.maximum(products, 0.0)


def _log_normal(squares: np.ndarray, log_variance: np.ndarray, size: int) -> np.ndarray:
    return -0.5 * (squares * np.exp(-log_variance) + size * (log_variance + np.log(2.0 * np.pi)))
