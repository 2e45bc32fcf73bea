"""Whether samples are copies: authenticity, the data-copying test, and nearest neighbours in the training set."""

import dataclasses

import numpy as np
import scipy.stats
from sklearn import cluster

from ugm_tf.evaluation.checks import check_count, check_features
from ugm_tf.evaluation.estimate import Estimate, mean
from ugm_tf.evaluation.samples.manifold import nearest, nearest_of_all

__all__ = ["Authenticity", "Neighbours", "authenticity", "data_copying", "training_neighbours"]

_LEAST = 20


def authenticity(train: np.ndarray, fake: np.ndarray) -> Estimate:
    """AuthPct as a share: how many samples are farther from their nearest training example than that is from its own.

    A share, not a test: about a half of fresh data is authentic, more or less by dimension and size, so report it
    beside that of held-out data.

    Args:
        train: Features of the training examples, [N, D].
        fake: Features of samples, [M, D].

    Raises:
        ValueError: If the sets do not compare.

    References:
        Ahmed Alaa et al. How Faithful is your Synthetic Data? ICML 2022. https://arxiv.org/abs/2102.08921, section 4.
        George Stein et al. Exposing flaws of generative model evaluation metrics and their unfair
        treatment of diffusion models. NeurIPS 2023. https://arxiv.org/abs/2306.04675: AuthPct.
    """
    return Authenticity(train)(fake)


class Authenticity:
    """`authenticity` of many sets of samples: how near training examples are to each other is found once.

    Args:
        train: Features of the training examples, [N, D].

    Raises:
        ValueError: If they are no rows of finite numbers.
    """

    def __init__(self, train: np.ndarray):
        (self.train,) = check_features(train=train)
        self._own = nearest(self.train, self.train)[0][:, 0]

    def __call__(self, fake: np.ndarray) -> Estimate:
        """Samples' share, of features [M, D]; see `authenticity`."""
        train, fake = check_features(train=self.train, fake=fake)
        distances, which = nearest(fake, train)
        return mean(
            distances[:, 0] > self._own[which[:, 0]],
            n_train=len(train),
            n_fake=len(fake),
            features=train.shape[1],
            error="the training set being given",
        )


def data_copying(train: np.ndarray, held_out: np.ndarray, fake: np.ndarray, cells: int = 1, seed: int = 0) -> Estimate:
    """The C_T statistic: below 0 where samples are closer to the training examples than held-out data are.

    In each cell of a partition of the training set, the Mann-Whitney statistic of samples' against held-out examples'
    distances to their nearest training example, as a z-score; its mean over cells by their share of held-out data.
    `how["p_copied"]` is the probability of so low a value without copying, to first order.

    Args:
        train: Features of the training examples, [N, D].
        held_out: Features of examples of the same distribution that the model has not seen, [M, D].
        fake: Features of samples, [K, D].
        cells: Cells of k-means; those with less than 20 samples or held-out examples are left out.
        seed: Fixes the cells.

    Returns:
        The statistic; its error is its deviation without copying, 1 of one cell.

    Raises:
        ValueError: If the sets do not compare, or no cell has enough of each.

    References:
        Casey Meehan, Kamalika Chaudhuri, Sanjoy Dasgupta. A Non-Parametric Test to Detect Data-Copying in
        Generative Models. AISTATS 2020. https://arxiv.org/abs/2004.05675, section 3.
    """
    train, held_out, fake = check_features(train=train, held_out=held_out, fake=fake)
    check_count("cells", cells, most=len(train))
    places = [np.zeros(len(part), int) for part in (train, held_out, fake)]
    if cells > 1:
        partition = cluster.KMeans(cells, n_init=4, random_state=seed).fit(train)
        places = [partition.predict(part) for part in (train, held_out, fake)]
    scores, weights = [], []
    for cell in range(cells):
        here, unseen, made = (part[at == cell] for part, at in zip((train, held_out, fake), places, strict=True))
        if min(len(unseen), len(made)) < _LEAST or not len(here):
            continue
        theirs, ours = nearest(unseen, here)[0][:, 0], nearest(made, here)[0][:, 0]
        scores.append(_z(ours, theirs))
        weights.append(len(unseen) / len(held_out))
    if not scores:
        raise ValueError(
            f"No cell holds {_LEAST} samples and {_LEAST} held-out examples. Received {len(fake)} and {len(held_out)} "
            f"in {cells} cells: give more of them, or fewer cells."
        )
    share = np.array(weights) / np.sum(weights)
    value, error = float(share @ scores), float(np.sqrt(np.sum(share**2)))
    how = {
        "n_train": len(train),
        "n_held_out": len(held_out),
        "n_fake": len(fake),
        "cells": cells,
        "cells_used": len(scores),
        "seed": seed,
        "p_copied": float(scipy.stats.norm.cdf(value / error)),
        "error": "its deviation without copying",
    }
    return Estimate(value, error, len(fake), how)


def _z(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The Mann-Whitney statistic as a z-score: below 0 where ours are the lesser; ties count a half."""
    n, m = len(ours), len(theirs)
    u = scipy.stats.mannwhitneyu(ours, theirs, method="asymptotic").statistic
    _, ties = np.unique(np.concatenate([ours, theirs]), return_counts=True)
    variance = n * m / 12 * (n + m + 1 - np.sum(ties**3 - ties) / ((n + m) * (n + m - 1)))
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The training examples that samples are nearest to.

    Attributes:
        share: Share of samples that have a training example, and no held-out one, as nearest neighbour.  Its error is
            its deviation if the two sets were one; `how["expected"]` is its mean then, `how["p_copied"]` the
            probability of so high a share.
        index: Which training example is nearest to each sample, [M].
        distance: How far it is, [M].
    """

    share: Estimate
    index: np.ndarray = dataclasses.field(repr=False)
    distance: np.ndarray = dataclasses.field(repr=False)


def training_neighbours(train: np.ndarray, held_out: np.ndarray, fake: np.ndarray) -> Neighbours:
    """The nearest training neighbours of samples, and whether samples prefer training examples to held-out ones.

    Without copying, training and held-out examples could change places: how often each is a sample's nearest neighbour
    is then a finite population from which the training set is a random draw, and the share's mean and deviation are
    exact.  Where several examples are equally near, each counts for a part.

    Args:
        train: Features of the training examples, [N, D].
        held_out: Features of examples of the same distribution that the model has not seen, [K, D].
        fake: Features of samples, [M, D].

    Raises:
        ValueError: If the sets do not compare.
    """
    train, held_out, fake = check_features(train=train, held_out=held_out, fake=fake)
    both = np.concatenate([train, held_out])
    hits = nearest_of_all(fake, both)
    n, total = len(train), len(both)
    variance = n * (total - n) / total * np.var(hits, ddof=1) / len(fake) ** 2
    value, expected, error = hits[:n].sum() / len(fake), n / total, float(np.sqrt(variance))
    z = (value - expected) / error if error else 0.0
    how = {
        "n_train": n,
        "n_held_out": len(held_out),
        "n_fake": len(fake),
        "expected": expected,
        "p_copied": float(scipy.stats.norm.sf(z)),
        "error": "its deviation without copying",
    }
    distance, index = nearest(fake, train)
    return Neighbours(Estimate(value, error, len(fake), how), index[:, 0], distance[:, 0])
