"""What the probabilities of a classifier tell of samples."""

import dataclasses
from typing import Any

import numpy as np
from scipy.special import rel_entr, xlogy

from ugm_tf.evaluation.checks import check_count, check_images, check_labels, check_probabilities
from ugm_tf.evaluation.estimate import Estimate
from ugm_tf.evaluation.judgement import accuracy, train_classifier

__all__ = ["ClassCoverage", "class_coverage", "classification_accuracy_score", "inception_score"]


@dataclasses.dataclass(frozen=True)
class ClassCoverage:
    """Which classes samples fall into.

    Attributes:
        covered: Number of classes with at least `how["least"]` of the samples.
        entropy: Entropy of the classes' shares, in nats, by Miller and Madow: log C if they are even.
        shares: Share of the samples in each class, [C].
        kl: KL(shares || reference) in nats, where there is a reference; infinite if a class that it lacks has samples.
    """

    covered: Estimate
    entropy: Estimate
    shares: tuple[float, ...]
    kl: float | None


def inception_score(probabilities: np.ndarray, splits: int = 10, seed: int = 0) -> Estimate:
    """exp(E KL(p(c | x) || p(c))), the mean over disjoint splits of the samples: from 1 to the number of classes.

    Args:
        probabilities: p(c | x) of samples, [N, C].
        splits: Parts of the samples, each with its own p(c); the literature has 10.
        seed: Fixes the order in which samples are split: those of a conditional model come sorted.

    Returns:
        The mean, with its standard error over splits; the literature's deviation is `how["deviation"]`.

    Raises:
        ValueError: If the rows are no probabilities, or there are fewer than two a split.

    Example:

    >>> round(inception_score(np.eye(4), splits=1).value, 12)
    4.0

    References:
        Tim Salimans et al. Improved Techniques for Training GANs. NIPS 2016.
        https://arxiv.org/abs/1606.03498, section 4.
    """
    p = check_probabilities("Probabilities of samples", probabilities)
    check_count("splits", splits, most=len(p) // 2)
    order = np.random.default_rng(seed).permutation(len(p)) if splits > 1 else np.arange(len(p))
    scores = []
    for part in np.array_split(p[order], splits):
        marginal = part.mean(0)
        scores.append(np.exp(np.mean(np.sum(xlogy(part, part) - xlogy(part, marginal), 1))))
    deviation = float(np.std(scores, ddof=1)) if splits > 1 else None
    how = {
        "splits": splits,
        "deviation": deviation,
        "classes": p.shape[1],
        "seed": seed,
        "error": "over splits" if splits > 1 else "not known of one split",
        "bias": "downwards, by about (C - 1) / (2 N) of it a split of N",
    }
    return Estimate(np.mean(scores), None if deviation is None else deviation / np.sqrt(splits), len(p), how)


def class_coverage(
    probabilities: np.ndarray, reference: np.ndarray | None = None, least: float = 0.01
) -> ClassCoverage:
    """How many classes samples cover, and how evenly, each sample counted in its most probable class.

    Args:
        probabilities: p(c | x) of samples, [N, C].
        reference: Labels of real examples, int [M], whose shares are what is asked of the samples.
        least: Share of the samples from which a class counts as covered.

    Raises:
        ValueError: If the rows are no probabilities, or the labels no classes.
    """
    p = check_probabilities("Probabilities of samples", probabilities)
    if not 0.0 < least <= 1.0:
        raise ValueError(f"least is a share of the samples, above 0 and at most 1. Received: {least}.")
    n, classes = p.shape
    counts = np.bincount(np.argmax(p, 1), minlength=classes)
    shares = counts / n
    plain = -np.sum(xlogy(shares, shares))
    entropy = plain + (np.sum(counts > 0) - 1) / (2 * n)
    error = np.sqrt(max(np.sum(shares * np.log(np.where(shares > 0, shares, 1.0)) ** 2) - plain**2, 0.0) / n)
    how = {"classes": classes, "least": least}
    kl = None
    if reference is not None:
        labels = check_labels("Reference labels", reference, classes=classes)
        real = np.bincount(labels, minlength=classes) / len(labels)
        kl = float(np.sum(rel_entr(shares, real)))
        how["n_real"] = len(labels)
    return ClassCoverage(
        Estimate(np.sum(shares >= least), None, n, how),
        Estimate(entropy, error, n, {**how, "bias": "corrected by (classes found - 1) / (2 N)"}),
        tuple(float(s) for s in shares),
        kl,
    )


def classification_accuracy_score(
    samples: np.ndarray,
    labels: np.ndarray,
    test_x: np.ndarray,
    test_c: np.ndarray,
    num_classes: int,
    seeds: tuple[int, ...] = (0, 1, 2),
    epochs: int | None = None,
    train: Any = train_classifier,
) -> Estimate:
    """The accuracy on real examples of a classifier that has learned from samples and nothing else.

    Compare it with the same classifier's that has learned from as many real examples.

    Args:
        samples: Samples of a conditional model, in [0, 1], [N, H, W, C].
        labels: The class that each was asked for, int [N].
        test_x: Real examples, [M, H, W, C].
        test_c: Their classes, int [M].
        num_classes: Number of classes.
        seeds: Seeds of training.
        epochs: Passes over the samples; see `train_classifier`.
        train: As `train_classifier`, which it is.

    Returns:
        The mean over seeds; its error joins that of the test examples and that of training.

    Raises:
        ValueError: If examples and labels do not fit.

    References:
        Suman Ravuri, Oriol Vinyals. Classification Accuracy Score for Conditional Generative Models.
        NeurIPS 2019. https://arxiv.org/abs/1905.10887
    """
    samples, test_x = check_images("Samples", samples), check_images("Test examples", test_x)
    labels = check_labels("Labels of samples", labels, n=len(samples), classes=num_classes)
    test_c = check_labels("Labels of test examples", test_c, n=len(test_x), classes=num_classes)
    if not len(seeds):
        raise ValueError("classification_accuracy_score() takes at least one seed. Received: none.")
    rates = [accuracy(train(samples, labels, num_classes, epochs, seed), test_x, test_c) for seed in seeds]
    rate = float(np.mean(rates))
    of_training = np.var(rates, ddof=1) / len(rates) if len(rates) > 1 else 0.0
    how = {"n_train": len(samples), "n_test": len(test_x), "seeds": list(seeds), "epochs": epochs, "by_seed": rates}
    return Estimate(rate, np.sqrt(rate * (1.0 - rate) / len(test_x) + of_training), len(test_x), how)
