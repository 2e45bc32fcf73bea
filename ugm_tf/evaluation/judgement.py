"""Samples judged by a classifier of the real data."""

import dataclasses
from typing import Any

import keras
import numpy as np

__all__ = ["Judgement", "accuracy", "judge", "train_classifier"]


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
    """
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
    """Share of examples whose label the classifier gives."""
    return float(np.mean(np.argmax(classifier.predict(x, batch_size=500, verbose=0), -1) == c))


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

    References:
        Tim Salimans et al. Improved Techniques for Training GANs. NIPS 2016.
        https://arxiv.org/abs/1606.03498, section 4,
        with a classifier of the data in place of Inception.
    """
    logits = classifier.predict(samples, batch_size=500, verbose=0).astype(np.float64)
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    p = np.exp(log_p)
    entropy = -np.sum(p * log_p, -1)
    marginal = np.mean(p, 0)
    marginal_entropy = -np.sum(marginal * np.log(np.maximum(marginal, 1e-300)))
    share = np.bincount(np.argmax(p, -1), minlength=p.shape[-1]) / len(p)
    return Judgement(
        entropy=float(np.mean(entropy)),
        confidence=float(np.mean(np.max(p, -1))),
        coverage=int(np.sum(share >= 0.01)),
        inception_score=float(np.exp(marginal_entropy - np.mean(entropy))),
        share=tuple(float(s) for s in share),
    )
