"""The figures that compare samples with data, each beside that of real data in the samples' place."""

import dataclasses
import itertools
import logging
from collections.abc import Callable
from typing import Any

import numpy as np

import ugm_tf
from ugm_tf.evaluation import Estimate, samples

from .figure import Figure
from .figures import first, scaled
from .subject import Effort, Subject

__all__ = ["accuracy_score", "conditional", "distances", "diversity", "manifold", "memorisation", "modes"]

_LOG = logging.getLogger("ugm_tf.trainers")
_LEAST = 20  # examples on each side of a half of held-out data
_FEW = 2_000  # examples of each kind that a likelihood divergence is over: it is of their product


def distances(subject: Subject, effort: Effort) -> list[Figure]:
    """Of samples from held-out data; of training examples from the same, as real data's own."""
    real, fake, train = (subject.seen(what, effort) for what in ("held_out", "fake", "train"))
    made: dict[str, Callable[[np.ndarray, np.ndarray], Estimate]] = {
        "Frechet distance": samples.frechet_distance,
        "kernel distance": samples.kernel_distance,
        "sliced Wasserstein distance": samples.sliced_wasserstein_distance,
    }
    if len(fake) >= 100:
        made["Frechet distance at infinity"] = samples.frechet_distance_at_infinity
    out = []
    for name, function in made.items():
        own = function(real, train) if name != "Frechet distance at infinity" or len(train) >= 100 else None
        out.append(_figure(subject, name, function(real, fake), own))
    return out


def manifold(subject: Subject, effort: Effort) -> list[Figure]:
    """Precision, recall, density and coverage of samples against held-out data."""
    real, fake, train = (subject.seen(what, effort) for what in ("held_out", "fake", "train"))
    k = min(5, len(real) - 1, len(fake) - 1)
    found, own = (samples.precision_recall_density_coverage(real, other, k) for other in (fake, train))
    return [_figure(subject, f.name, getattr(found, f.name), getattr(own, f.name)) for f in dataclasses.fields(found)]


def memorisation(subject: Subject, effort: Effort) -> list[Figure]:
    """Whether samples are copies of training examples; a half of the held-out data stands for real data's own."""
    train, held_out, fake = (subject.seen(what, effort) for what in ("train", "held_out", "fake"))
    half, other = held_out[::2], held_out[1::2]
    # a unit that is the same for all held-out examples tells nothing
    scored = (held_out[:_FEW], *((other[:_FEW],) if len(other) >= _LEAST else ()))
    moving = np.all([part.std(0) > 1e-9 * np.abs(part).max(0) for part in scored], axis=0)
    few, unseen, made = (part[:_FEW, moving] for part in (train, held_out, fake))
    likelihood = samples.feature_likelihood_divergence(few, unseen, made)
    own_likelihood = None
    if len(other) >= _LEAST:
        own_likelihood = samples.feature_likelihood_divergence(few, other[:_FEW, moving], half[:_FEW, moving])
    return [
        _figure(subject, "authenticity", samples.authenticity(train, fake), samples.authenticity(train, held_out)),
        _figure(
            subject,
            "data-copying statistic",
            samples.data_copying(train, held_out, fake),
            samples.data_copying(train, half, other) if len(other) >= _LEAST else None,
        ),
        _figure(
            subject,
            "nearest neighbour in training data, above chance",
            _above_chance(samples.training_neighbours(train, held_out, fake).share),
            _above_chance(samples.training_neighbours(train, half, other).share),
        ),
        _figure(subject, "feature likelihood divergence", likelihood, own_likelihood),
    ]


def _above_chance(share: Estimate) -> Estimate:
    """A share less what it is where nothing is copied, which depends on how many examples there are of each kind."""
    return dataclasses.replace(share, value=share.value - share.how["expected"])


def diversity(subject: Subject, effort: Effort) -> list[Figure]:
    """The Vendi score of samples, and of as many training examples."""
    fake, train = (subject.seen(what, effort) for what in ("fake", "train"))
    n = min(len(fake), len(train))
    return [
        _figure(subject, "Vendi score", *(samples.vendi_score(part[:n][part[:n].any(1)]) for part in (fake, train)))
    ]


def modes(subject: Subject, effort: Effort) -> list[Figure]:
    """Of a stacked set or a toy density, by the literature's rules: a mode is found that one sample is given to."""
    x, _ = subject.drawn(effort)
    if not subject.training.examples.is_image:
        return _mixture_modes(subject, x)
    classes, out = subject.training.examples.num_classes, []
    found, own = (_modes(subject, images) for images in (x, scaled(subject.training.examples, slice(len(x)))))
    for name, unit in (("modes found", f"of {classes}"), ("reverse KL of modes", "nats")):
        out.append(Figure(name, found[name], unit, own[name]))
    return out


def _mixture_modes(subject: Subject, points: np.ndarray) -> list[Figure]:
    """Of a toy density, whose modes are known: a mode is found by a sample within three standard deviations."""
    examples = subject.training.examples
    centers, scale = ugm_tf.data.centers(examples.name), ugm_tf.data.scale(examples.name)
    found, own = (ugm_tf.evaluation.count_modes(part, centers, scale) for part in (points, examples.x[: len(points)]))
    how = {"least": "one sample", "within": "three standard deviations of a mode"}

    def figure(name: str, field: str, unit: str) -> Figure:
        mine, real = (Estimate(getattr(modes, field), None, len(points), how) for modes in (found, own))
        return Figure(name, mine, unit, real)

    return [
        figure("modes found", "found", f"of {len(centers)}"),
        figure("samples of high quality", "high_quality", ""),
        figure("reverse KL of modes", "reverse_kl", "nats"),
    ]


def _modes(subject: Subject, images: np.ndarray) -> dict[str, Estimate]:
    network, reference = subject.classes, np.asarray(subject.training.examples.c)
    parts = [np.argmax(network.probabilities(images[i : i + 500]), -1) for i in range(0, len(images), 500)]
    found, classes = np.concatenate(parts), subject.training.examples.num_classes or 0
    counts, real = np.bincount(found, minlength=classes), np.bincount(reference, minlength=classes)
    shares, of_real = counts / counts.sum(), real / real.sum()
    there = counts > 0
    kl = float(np.sum(shares[there] * np.log(shares[there] / np.maximum(of_real[there], 1e-300))))
    how = {"least": "one sample", "n_real": len(subject.training.examples), **network.how}
    return {
        "modes found": Estimate(int(there.sum()), None, len(images), how),
        "reverse KL of modes": Estimate(kl, None, len(images), {**how, "bias": "upwards, by about classes / (2 n)"}),
    }


def accuracy_score(subject: Subject, effort: Effort) -> list[Figure]:
    """The classification accuracy score, and that of as many training examples.

    Samples that cannot be asked for by class are labelled by the classifier of the training data, and so are the
    training examples beside them.
    """
    x, c = subject.drawn(effort)
    asked = conditional(subject.model)
    training, held_out = subject.training.examples, subject.held_out.examples
    seen = first(held_out)
    test_x, test_c = scaled(held_out, seen), np.asarray(held_out.c)[seen]
    how = {"split": held_out.split, "labels": "asked for"}
    if not asked:
        how |= {"labels": "by a classifier of the training data", **subject.classes.how}

    counted = itertools.count(1)

    def train(*learned: Any) -> Any:
        _LOG.info("Training classifier %d of %d, on samples or on as many examples.", next(counted), 2 * effort.seeds)
        return ugm_tf.evaluation.train_classifier(*learned)

    def score(images: np.ndarray, labels: Any) -> Estimate:
        seeds, classes = tuple(range(effort.seeds)), training.num_classes or 0
        labels = np.asarray(labels) if asked else np.argmax(subject.classes.probabilities(images), -1)
        found = samples.classification_accuracy_score(images, labels, test_x, test_c, classes, seeds, train=train)
        return _with(found, how)

    # In the order of a shuffle: real examples of a set may come sorted, as samples do.
    chosen = np.random.default_rng(0).permutation(len(training))[: len(x)]
    own = score(scaled(training, chosen), np.asarray(training.c)[chosen])
    name = "classification accuracy score" if asked else "classification accuracy score, labelled by a classifier"
    return [Figure(name, score(x, c), real=own)]


def _figure(subject: Subject, name: str, found: Estimate, real: Estimate | None = None) -> Figure:
    how = {"split": subject.held_out.examples.split, **subject.how}
    return Figure(name, _with(found, how), real=None if real is None else _with(real, how))


def _with(estimate: Estimate, how: dict[str, Any]) -> Estimate:
    return dataclasses.replace(estimate, how={**estimate.how, **how})


def conditional(model: ugm_tf.UnifiedModel) -> bool:
    """Whether samples can be asked for of the classes of the data."""
    return "c" in model.recipe.data and "c" in getattr(model.endpoints().get("sample"), "inputs", ())
