"""Frechet distances between Gaussians that are fitted to features."""

import numpy as np

from ugm_tf.evaluation.checks import check_count, check_features, check_rows
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["frechet_distance", "frechet_distance_at_infinity", "frechet_distance_of_moments"]

_TINY = 1e-10  # singular values below this share of the largest are rounding


def frechet_distance(real: np.ndarray, fake: np.ndarray) -> Estimate:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of means and covariances: FID, if the features are Inception's.

    It is biased upwards by about a constant over the number of rows: compare it at equal numbers only, or extrapolate
    by `frechet_distance_at_infinity`.  Its error is that of the first order in the rows, which vanishes as the two sets
    become one; the roots are taken of the centred features themselves, so covariances of any rank will do.

    Args:
        real: Features of real examples, [N, D].
        fake: Features of samples, [M, D].

    Raises:
        ValueError: If there are fewer than two rows, or they do not compare.

    Example:

    >>> x = np.random.default_rng(0).normal(size=[100, 3])
    >>> round(frechet_distance(x, x + 2.0).value, 9)
    12.0

    References:
        D. C. Dowson, B. V. Landau. The Frechet distance between multivariate normal distributions.
        Journal of Multivariate Analysis 12, 1982, equation 4.
        Martin Heusel et al. GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
        Equilibrium. NIPS 2017. https://arxiv.org/abs/1706.08500, equation 6.
        Thomas Rippl, Axel Munk, Anja Sturm. Limit laws of the empirical Wasserstein distance: Gaussian
        distributions. Journal of Multivariate Analysis 151, 2016: the error.
    """
    real, fake = check_features(real=real, fake=fake)
    value, variance = _distance(real, fake)
    how = {
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
        "error": "of the first order in both sets' rows",
        "bias": "upwards, by about a constant over the number of rows",
    }
    return Estimate(value, np.sqrt(variance), len(fake), how)


def frechet_distance_of_moments(
    real_mean: np.ndarray, real_covariance: np.ndarray, fake_mean: np.ndarray, fake_covariance: np.ndarray
) -> float:
    """The distance between Gaussians of known moments, such as a data set's published statistics.

    Args:
        real_mean: [D].
        real_covariance: [D, D], positive semi-definite.
        fake_mean: [D].
        fake_covariance: [D, D].

    Raises:
        ValueError: If shapes do not fit, or a covariance is none.
    """
    means = [check_rows(f"The {who} mean", m, least=1, rank=1) for who, m in (("real", real_mean), ("fake", fake_mean))]
    roots = []
    for who, covariance in (("real", real_covariance), ("fake", fake_covariance)):
        covariance = check_rows(f"The {who} covariance", covariance, least=1, rank=2).astype(np.float64)
        if covariance.shape != (len(means[0]),) * 2 or len(means[0]) != len(means[1]):
            raise ValueError(
                f"Means [D] and covariances [D, D] are of one D. Received means of {len(means[0])} and "
                f"{len(means[1])}, and a covariance of shape {covariance.shape}."
            )
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        if np.abs(covariance - covariance.T).max() > 1e-6 * np.abs(covariance).max() or values[0] < -1e-6 * values[-1]:
            raise ValueError(
                f"The {who} covariance is no symmetric positive semi-definite matrix: its least "
                f"eigenvalue is {values[0]:g}."
            )
        roots.append(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)
    return _of_roots(means[0], roots[0], means[1], roots[1])


def frechet_distance_at_infinity(real: np.ndarray, fake: np.ndarray, points: int = 15, seed: int = 0) -> Estimate:
    """The Frechet distance that infinitely many samples would have: the intercept of a line in 1 / M.

    Samples are cut to `points` sizes between a tenth and all of them.  What the number of real examples does to the
    distance stays.

    Args:
        real: Features of real examples, [N, D].
        fake: Features of samples, [M, D], at least 100 of them and, for a line to be right, more than D.
        points: How many sizes, at least 3.
        seed: Fixes which samples.

    Raises:
        ValueError: As `frechet_distance`, or if there are too few samples.

    References:
        Min Jin Chong, David Forsyth. Effectively Unbiased FID and Inception Score and where to find them.
        CVPR 2020. https://arxiv.org/abs/1911.07023, section 3.
    """
    real, fake = check_features(real=real, fake=fake)
    check_rows("The features `fake`", fake, least=100)
    check_count("points", points, least=3)
    rng = np.random.default_rng(seed)
    sizes = np.linspace(len(fake) // 10, len(fake), points).astype(int)
    real_mean, real_root = _moments(real)
    distances = []
    for size in sizes:
        chosen = fake[rng.permutation(len(fake))[:size]]
        distances.append(_of_roots(real_mean, real_root, *_moments(chosen)))
    design = np.stack([np.ones(points), 1.0 / sizes], 1)
    coefficients, *_ = np.linalg.lstsq(design, np.array(distances), rcond=None)
    left = distances - design @ coefficients
    of_line = np.linalg.inv(design.T @ design)[0, 0] * np.sum(left**2) / (points - 2)
    _, of_rows = _distance(real, fake)
    how = {
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
        "points": points,
        "least": int(sizes[0]),
        "slope": float(coefficients[1]),
        "seed": seed,
        "error": "of the line and, of the first order, of the rows",
    }
    return Estimate(coefficients[0], np.sqrt(of_line + of_rows), len(fake), how)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean, [D], and R with R^T R the unbiased covariance, [min(N, D), D]."""
    mean = features.mean(0)
    return mean, np.asarray(np.linalg.qr((features - mean) / np.sqrt(len(features) - 1), mode="r"))


def _of_roots(real_mean: np.ndarray, real_root: np.ndarray, fake_mean: np.ndarray, fake_root: np.ndarray) -> float:
    """tr (S1 S2)^(1/2) is the sum of the singular values of R1 R2^T: no root of a covariance is taken."""
    shared = np.linalg.svd(real_root @ fake_root.T, compute_uv=False).sum()
    return float(np.sum((real_mean - fake_mean) ** 2) + np.sum(real_root**2) + np.sum(fake_root**2) - 2.0 * shared)


def _distance(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """The distance, and the variance of its first-order part.

    A row x of one set changes the distance by 2 (m - m') x + x (I - T) x, x centred and T the optimal transport to the
    other Gaussian; with R1 R2^T = U s V^T it is T = R1^T U s^-1 U^T R1 for rows of the second set.
    """
    (mean, root), (other_mean, other_root) = _moments(real), _moments(fake)
    left, s, right = np.linalg.svd(root @ other_root.T, full_matrices=False)
    value = np.sum((mean - other_mean) ** 2) + np.sum(root**2) + np.sum(other_root**2) - 2.0 * s.sum()
    kept = s > _TINY * max(s[0], 1e-300)
    to_real = (left[:, kept] / np.sqrt(s[kept])).T @ root
    to_fake = (right[kept] / np.sqrt(s[kept])[:, None]) @ other_root
    variance = 0.0
    for x, centre, away, transport in ((real, mean, other_mean, to_fake), (fake, other_mean, mean, to_real)):
        x = x - centre
        change = 2.0 * x @ (centre - away) + np.sum(x**2, 1) - np.sum((x @ transport.T) ** 2, 1)
        variance += np.var(change, ddof=1) / len(x)
    return float(value), float(variance)
