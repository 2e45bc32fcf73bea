"""The sliced Wasserstein distance."""

import numpy as np

from ugm_tf.evaluation.checks import check_count, check_features
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["sliced_wasserstein_distance"]


def sliced_wasserstein_distance(
    real: np.ndarray, fake: np.ndarray, directions: int = 500, order: int = 2, seed: int = 0
) -> Estimate:
    """(E W_p(real along u, fake along u)^p)^(1/p) over random directions u of unit length.

    Args:
        real: Features, or pixels, of real examples, [N, D].
        fake: Those of samples, [M, D].
        directions: How many directions.
        order: p, 1 or 2.
        seed: Fixes the directions.

    Returns:
        The distance, in the units of the features, with the error of the directions alone: upwards biased by the number
        of rows, as every distance between samples is.

    Raises:
        ValueError: If the sets do not compare.

    Example:

    >>> x = np.random.default_rng(0).normal(size=[50, 1])
    >>> round(sliced_wasserstein_distance(x, x + 3.0).value, 9)
    3.0

    References:
        Nicolas Bonneel et al. Sliced and Radon Wasserstein Barycenters of Measures. Journal of Mathematical
        Imaging and Vision 51, 2015.
    """
    real, fake = check_features(real=real, fake=fake)
    check_count("directions", directions, least=2)
    check_count("order", order, most=2)
    u = np.random.default_rng(seed).normal(size=[real.shape[1], directions])
    u /= np.linalg.norm(u, axis=0)
    # Quantile functions are steps: on the joint grid of both, the distance is a finite sum.
    grid = np.union1d(np.arange(1, len(real)) / len(real), np.arange(1, len(fake)) / len(fake))
    edges = np.concatenate([[0.0], grid, [1.0]])
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    powers = []
    for column in np.array_split(np.arange(directions), max(1, directions // 50)):
        left, right = (np.sort(a @ u[:, column], 0)[(middle * len(a)).astype(int)] for a in (real, fake))
        powers.append(width @ np.abs(left - right) ** order)
    each = np.concatenate(powers)
    value = float(np.mean(each) ** (1 / order))
    error = np.std(each, ddof=1) / np.sqrt(directions)
    error = error * value ** (1 - order) / order if value else 0.0
    how = {
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
        "directions": directions,
        "order": order,
        "seed": seed,
        "error": "over directions",
        "bias": "upwards, less so the more rows",
    }
    return Estimate(value, error, len(fake), how)
