"""Precision and recall, density and coverage: samples and data as unions of balls."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn import metrics

from ugm_tf.evaluation.checks import check_count, check_features
from ugm_tf.evaluation.estimate import Estimate, mean

__all__ = ["Manifold", "nearest", "nearest_of_all", "precision_recall_density_coverage"]

_CHUNK = 512


@dataclasses.dataclass(frozen=True)
class Manifold:
    """How samples and data lie in each other's balls, which reach to the k-th nearest neighbour of the same set.

    Attributes:
        precision: Share of samples in some real example's ball.
        recall: Share of real examples in some sample's ball.
        density: In how many real balls a sample lies, over k: 1 in expectation if both are of one distribution, and
            above 1 where samples crowd together.
        coverage: Share of real examples with a sample in their ball.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> Manifold:
    """Precision, recall, density and coverage, with errors over the rows that each is a mean of, the balls being given.

    Args:
        real: Features of real examples, [N, D].
        fake: Features of samples, [M, D].
        k: Which neighbour a ball reaches to; below N and M.

    Balls are open, as in the authors' code: around more than k equal rows they are empty, and hold not even copies.
    The protocol's `empty_balls` is the share of such.

    Raises:
        ValueError: If the sets do not compare, or k is too large.

    References:
        Tuomas Kynkaanniemi et al. Improved Precision and Recall Metric for Assessing Generative Models.
        NeurIPS 2019. https://arxiv.org/abs/1904.06991, equations 1 to 3.
        Muhammad Ferjad Naeem et al. Reliable Fidelity and Diversity Metrics for Generative Models.
        ICML 2020. https://arxiv.org/abs/2002.09797, equations 3 and 4.
    """
    real, fake = check_features(real=real, fake=fake)
    check_count("k", k, most=min(len(real), len(fake)) - 1)
    radii, fake_radii = (nearest(features, features, k)[0][:, -1] for features in (real, fake))
    inside, recalled, covered = np.zeros(len(fake)), [], []
    for rows, distances in _distances(real, fake):
        within = distances < radii[rows, None]
        inside += within.sum(0)
        covered.append(within.any(1))
        recalled.append((distances < fake_radii[None]).any(1))
    how: dict[str, Any] = {
        "n_real": len(real),
        "n_fake": len(fake),
        "features": real.shape[1],
        "k": k,
        "error": "the balls being given",
        "bias": "by the numbers of both: compare at equal n_real and n_fake",
    }
    if empty := float(np.mean(np.concatenate([radii, fake_radii]) == 0.0)):
        how["empty_balls"] = empty  # of k equal rows and more: nothing is inside
    return Manifold(
        precision=mean(inside > 0, **how),
        recall=mean(np.concatenate(recalled), **how),
        density=mean(inside / k, **how),
        coverage=mean(np.concatenate(covered), **how),
    )


def nearest(rows: np.ndarray, among: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the k nearest of some rows, and which they are, [N, k], the nearest first.

    Args:
        rows: [N, D].
        among: [M, D]; where it is `rows` itself, no row counts as near to itself.
        k: How many.
    """
    found, which = [], []
    for mine, distances in _distances(rows, among):
        if rows is among:
            distances[np.arange(len(mine)), mine] = np.inf
        if k == 1:  # a tenth of the time of a partition
            last = np.argmin(distances, axis=1)[:, None]
        else:
            last = np.argpartition(distances, k - 1, axis=1)[:, :k]
        part = np.take_along_axis(distances, last, 1)
        order = np.argsort(part, axis=1, kind="stable")
        found.append(np.take_along_axis(part, order, 1))
        which.append(np.take_along_axis(last, order, 1))
    return np.concatenate(found), np.concatenate(which)


def nearest_of_all(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """How often each row of `among`, [M, D], is nearest to one of some rows, [N, D], [M]; equally near ones share."""
    hits, rounding = np.zeros(len(among)), 1e-7 * np.sqrt(np.mean(np.sum((among - among.mean(0)) ** 2, 1)))
    for _, distances in _distances(rows, among):
        near = distances <= distances.min(1, keepdims=True) + rounding
        hits += (near / near.sum(1, keepdims=True)).sum(0)
    return hits


def _distances(left: np.ndarray, right: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Parts of the matrix of distances, with the rows that they are of; both are centred, to keep their digits."""
    middle = right.mean(0)
    right, left = right - middle, left - middle
    for i in range(0, len(left), _CHUNK):
        rows = np.arange(i, min(i + _CHUNK, len(left)))
        yield rows, metrics.pairwise_distances(left[rows], right)
