"""The kernel distance: an unbiased squared maximum mean discrepancy."""

import numpy as np

from ugm_tf.evaluation.checks import check_count, check_features
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["kernel_distance"]

_DEGREE, _CHUNK = 3, 1024


def kernel_distance(real: np.ndarray, fake: np.ndarray, subsets: int | None = None, seed: int = 0) -> Estimate:
    """E k(x, x') + E k(y, y') - 2 E k(x, y) with k(x, y) = (x y / D + 1)^3: KID, if the features are Inception's.

    It is unbiased at any number of rows, and so may fall below 0 where the sets are alike.

    Args:
        real: Features of real examples, [N, D].
        fake: Features of samples, [M, D].
        subsets: None for all pairs at once, with the error of a U-statistic; or the number of disjoint subsets of each
            set, the mean over which is returned with its standard error.
        seed: Fixes the subsets.

    Raises:
        ValueError: If the sets do not compare, or a subset would have fewer than two rows.

    Example:

    >>> kernel_distance(np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]])).value
    7.0

    References:
        Mikolaj Binkowski et al. Demystifying MMD GANs. ICLR 2018. https://arxiv.org/abs/1801.01401, section 3 and
        equation 4.
        Arthur Gretton et al. A Kernel Two-Sample Test. JMLR 13, 2012, lemma 6.
    """
    real, fake = check_features(real=real, fake=fake)
    how = {"n_real": len(real), "n_fake": len(fake), "features": real.shape[1], "bias": "none"}
    if subsets is None:
        value, variance = _distance(real, fake)
        return Estimate(value, np.sqrt(variance), len(fake), {**how, "error": "of a U-statistic"})
    check_count("subsets", subsets, least=2, most=min(len(real), len(fake)) // 2)
    rng = np.random.default_rng(seed)
    parts = zip(*(np.array_split(rng.permutation(len(a)), subsets) for a in (real, fake)), strict=True)
    values = [_distance(real[i], fake[j])[0] for i, j in parts]
    error = np.std(values, ddof=1) / np.sqrt(subsets)
    how |= {"subsets": subsets, "size": len(fake) // subsets, "seed": seed, "error": "over disjoint subsets"}
    return Estimate(float(np.mean(values)), error, len(fake), how)


def _distance(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """The unbiased distance, and its variance up to the second order of Hoeffding's decomposition."""
    n, m = len(real), len(fake)
    own, own_squares = _row_sums(real, real)
    others, others_squares = _row_sums(fake, fake)
    across, across_squares = _row_sums(real, fake)
    back, _ = _row_sums(fake, real)
    diagonal, other_diagonal = _kernel_of(np.sum(real**2, 1), real), _kernel_of(np.sum(fake**2, 1), fake)
    a, c = (own - diagonal) / (n - 1), (others - other_diagonal) / (m - 1)
    b, d = across / m, back / n
    value = a.mean() + c.mean() - 2.0 * b.mean()
    first = 4.0 * (np.var(a - b, ddof=1) / n + np.var(c - d, ddof=1) / m)
    within = np.sum(own_squares - diagonal**2) / (n * (n - 1)) - a.mean() ** 2 - 2.0 * np.var(a)
    within_fake = np.sum(others_squares - other_diagonal**2) / (m * (m - 1)) - c.mean() ** 2 - 2.0 * np.var(c)
    between = np.sum(across_squares) / (n * m) - b.mean() ** 2 - np.var(b) - np.var(d)
    second = 2.0 * max(within, 0.0) / n**2 + 2.0 * max(within_fake, 0.0) / m**2 + 4.0 * max(between, 0.0) / (n * m)
    return float(value), float(first + second)


def _kernel_of(products: np.ndarray, features: np.ndarray) -> np.ndarray:
    return (products / features.shape[1] + 1.0) ** _DEGREE


def _row_sums(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of k and of its squares over the right rows, for each left row, a part at a time."""
    sums, squares = [], []
    for i in range(0, len(left), _CHUNK):
        kernel = _kernel_of(left[i : i + _CHUNK] @ right.T, left)
        sums.append(kernel.sum(1))
        squares.append(np.einsum("ij,ij->i", kernel, kernel))
    return np.concatenate(sums), np.concatenate(squares)
