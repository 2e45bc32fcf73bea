"""A classifier of the real data: trained, scored, and asked what it makes of samples."""

import dataclasses
from typing import Any

import keras
import numpy as np
from scipy.special import xlogy

from ugm_tf.evaluation.checks import (
    check_count,
    check_examples,
    check_images,
    check_labels,
    check_probabilities,
    check_rows,
)

__all__ = ["Judgement", "accuracy", "judge", "judgement_of", "probabilities", "train_classifier"]

_BATCH = 500


def train_classifier(
    x: np.ndarray, c: np.ndarray, num_classes: int, epochs: int | None = None, seed: int = 0
) -> keras.Model:
    """A small convolutional classifier, trained on real examples.

    Args:
        x: Images in [0, 1], float [N, H, W, C].
        c: Labels, int [N].
        num_classes: Number of classes.
        epochs: Passes over the data; 20 over less than 10,000 examples and 3 over more, if it is not given.
        seed: Fixes the initial weights and the order.

    Returns:
        A Keras model from images to logits, [B, num_classes].

    Raises:
        ValueError: If these are no images in [0, 1], or no labels of theirs.
    """
    x = check_images("Images to learn from", x)
    check_count("num_classes", num_classes, least=2)
    c = check_labels("Labels to learn from", c, n=len(x), classes=num_classes)
    if epochs is not None:
        check_count("epochs", epochs)
    keras.utils.set_random_seed(seed)
    epochs = epochs or (20 if len(x) < 10_000 else 3)
    height = min(x.shape[1:3])
    layers: list[Any] = [keras.Input(x.shape[1:])]
    for filters in (32, 64):
        layers += [keras.layers.Conv2D(filters, 3, padding="same", activation="relu")]
        layers += [keras.layers.MaxPooling2D()] if height > 8 else []
        height //= 2
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.3), keras.layers.Dense(128, activation="relu")]
    layers += [keras.layers.Dropout(0.3), keras.layers.Dense(num_classes)]
    model = keras.Sequential(layers)
    steps = epochs * -(-len(x) // 128)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, c, batch_size=128, epochs=epochs, verbose=0)
    return model


def accuracy(classifier: keras.Model, x: np.ndarray, c: np.ndarray) -> float:
    """Share of examples whose label the classifier gives.

    Args:
        classifier: From examples to logits, [B, C].
        x: Images in [0, 1], [N, H, W, C], or vectors, [N, D].
        c: Labels, int [N].

    Raises:
        ValueError: If these are no images in [0, 1] nor vectors, or no labels of theirs.
    """
    x = check_examples("Examples to classify", x)
    c = check_labels("Labels", c, n=len(x))
    return float(np.mean(np.argmax(classifier.predict(x, batch_size=_BATCH, verbose=0), -1) == c))


def probabilities(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """p(c | x) by a classifier, float64 [N, C].

    Args:
        classifier: From images to logits, [B, C].
        images: In [0, 1], [N, H, W, C].

    Raises:
        ValueError: If these are no images in [0, 1].
    """
    images = check_images("Images to classify", images, least=1)
    logits = classifier.predict(images, batch_size=_BATCH, verbose=0).astype(np.float64)
    logits = check_rows("The classifier's logits", logits, least=1, rank=2)
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What a classifier makes of samples.

    Attributes:
        entropy: Mean entropy of p(c | x), in nats: near 0 if each sample is clearly of one class.
        confidence: Mean of max_c p(c | x), in [0, 1].
        coverage: Number of classes that at least one sample in 100 is given to.
        inception_score: exp(mean KL(p(c | x) || p(c))), from 1 to the number of classes, with this classifier.
        share: Share of the samples of each class, [C].
    """

    entropy: float
    confidence: float
    coverage: int
    inception_score: float
    share: tuple[float, ...]


def judge(classifier: keras.Model, samples: np.ndarray) -> Judgement:
    """How clearly and how evenly samples fall into the classes.

    Args:
        classifier: From images to logits, as `train_classifier` returns it.
        samples: Images in [0, 1], [N, H, W, C].

    Raises:
        ValueError: If there are fewer than 2 samples, or they are no images in [0, 1].

    References:
        Tim Salimans et al. Improved Techniques for Training GANs. NIPS 2016.
        https://arxiv.org/abs/1606.03498, section 4,
        with a classifier of the data in place of Inception.
    """
    return judgement_of(probabilities(classifier, check_images("Samples", samples)))


def judgement_of(p: np.ndarray) -> Judgement:
    """How clearly and how evenly rows of probabilities fall into the classes; see `judge`.

    Args:
        p: p(c | x) of samples, [N, C].

    Raises:
        ValueError: If there are fewer than 2, or they are no probabilities.
    """
    p = check_probabilities("Probabilities of samples", p)
    entropy, marginal = -np.sum(xlogy(p, p), -1), np.mean(p, 0)
    share = np.bincount(np.argmax(p, -1), minlength=p.shape[-1]) / len(p)
    return Judgement(
        entropy=float(np.mean(entropy)),
        confidence=float(np.mean(np.max(p, -1))),
        coverage=int(np.sum(share >= 0.01)),
        inception_score=float(np.exp(-np.sum(xlogy(marginal, marginal)) - np.mean(entropy))),
        share=tuple(float(s) for s in share),
    )
