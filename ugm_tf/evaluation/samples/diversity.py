"""Diversity without a reference: the Vendi score."""

import numpy as np
from scipy.special import xlogy

from ugm_tf.evaluation.checks import check_features, check_rows
from ugm_tf.evaluation.estimate import Estimate

__all__ = ["vendi_score"]

_TINY = 1e-12


def vendi_score(features: np.ndarray, similarity: np.ndarray | None = None) -> Estimate:
    """How many entirely different samples would be as diverse: exp of the entropy of a similarity matrix's spectrum.

    It knows no data: noise is diverse.  It grows with the number of samples, so compare it at equal numbers.

    Args:
        features: Features of samples, [N, D]: their similarity is the cosine between them.
        similarity: Another similarity, positive semi-definite with ones on the diagonal, [N, N].

    Raises:
        ValueError: If a row of features is 0, or the similarity is none.

    Example:

    >>> round(vendi_score(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 3.0], [1.0, 0.0]])).value, 12)
    2.0

    References:
        Dan Friedman, Adji Bousso Dieng. The Vendi Score: A Diversity Evaluation Metric for Machine Learning.
        TMLR 2023. https://arxiv.org/abs/2210.02410, definition 3.1.
    """
    (features,) = check_features(features=features)
    n = len(features)
    if similarity is not None:
        values, squares = _of_similarity(similarity, n)
    else:
        norms = np.linalg.norm(features, axis=1)
        if not norms.all():
            raise ValueError(
                f"Row {int(np.argmin(norms))} of the features is 0, and has a cosine with none. Leave it out."
            )
        unit = features / norms[:, None]
        values, squares = _of_features(unit)
    entropy = -np.sum(xlogy(values, values))
    # To first order sample i moves the entropy by -phi_i' log(rho) phi_i: rho is the mean of phi phi'.
    each = -squares @ np.log(np.maximum(values, _TINY))
    score = float(np.exp(entropy))
    how = {"similarity": "cosine" if similarity is None else "given", "bias": "grows with the number of samples"}
    return Estimate(score, score * np.std(each, ddof=1) / np.sqrt(n), n, {**how, "error": "of the first order"})


def _of_features(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the mean of phi phi', [R], and the squared coordinates of each phi there, [N, R]."""
    _, singular, right = np.linalg.svd(unit / np.sqrt(len(unit)), full_matrices=False)
    return singular**2, (unit @ right.T) ** 2


def _of_similarity(similarity: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    similarity = check_rows("The similarity", similarity, rank=2).astype(np.float64)
    if similarity.shape != (n, n) or not np.allclose(similarity, similarity.T):
        raise ValueError(f"A similarity of {n} samples is symmetric, [{n}, {n}]. Received shape {similarity.shape}.")
    values, vectors = np.linalg.eigh(similarity / n)
    if not np.allclose(np.diag(similarity), 1.0) or values[0] < -1e-6:
        raise ValueError(
            "A similarity is positive semi-definite with ones on its diagonal. Received a diagonal between "
            f"{np.diag(similarity).min():g} and {np.diag(similarity).max():g}, least eigenvalue {values[0]:g}."
        )
    values = np.maximum(values, 0.0)
    return values, n * values * vectors**2
