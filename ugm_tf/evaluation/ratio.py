"""A small network that is fitted to the log-ratio of two samples."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn import linear_model

from ugm_tf.densities import fold
from ugm_tf.traced import traced

__all__ = ["LogRatio", "pooled"]

_MOST_PIXELS = 1024
_AVERAGE = 0.99
_RIDGE = 1e4  # keeps weights finite where the sides lie apart


class LogRatio:
    """log p(v | real) / p(v | generated), by logistic regression with a small network on pooled values.

    Each `fit` goes on from the last one, with weights averaged over its steps, or after `reset` from the beginning.  It
    has noise and weights of its own, and leaves Keras's global seed alone.

    Args:
        shapes: Shape of one value of each variable; images are pooled by 2 until they have at most 1,024 numbers.
        size: Units of the hidden layers.
        learning_rate: Of Adam.
        batch_size: Examples of each side in a step.
        seed: Fixes the initial weights and the batches.

    References:
        Masashi Sugiyama, Taiji Suzuki, Takafumi Kanamori. Density Ratio Estimation in Machine Learning. Cambridge
        University Press 2012, chapter 4.
    """

    def __init__(
        self,
        shapes: Sequence[tuple[int, ...]],
        size: Sequence[int] = (64, 64, 64),
        learning_rate: float = 3e-3,
        batch_size: int = 256,
        seed: int = 0,
    ):
        self.shapes, self.batch_size, self.seed, self.steps = tuple(map(tuple, shapes)), batch_size, seed, 0
        self.width = sum(map(_width, self.shapes))
        initial = (keras.initializers.GlorotUniform(seed=seed + i) for i in range(len(size) + 1))
        layers = [keras.layers.Dense(n, "silu", kernel_initializer=next(initial), dtype="float32") for n in size]
        last = keras.layers.Dense(1, kernel_initializer=next(initial), dtype="float32")
        self._network = keras.Sequential([keras.Input((self.width,)), *layers, last])
        self._averages = [tf.Variable(v, trainable=False) for v in self._network.trainable_variables]
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._network.trainable_variables)
        self._mean, self._scale = tf.Variable(tf.zeros([self.width])), tf.Variable(tf.ones([self.width]))
        self._weights = tf.Variable([1.0, 0.0, 0.0])  # of the network, of a discriminator, and an offset
        self._initial = [variable.numpy() for variable in self._state]
        self._run = traced(jit_compile=True, reduce_retracing=True)(self._train)

    def features(self, values: Sequence[Any]) -> tf.Tensor:
        """What the network looks at: each variable pooled and flattened, in one row, [N, D]."""
        return pooled(values)

    @property
    def _state(self) -> list[Any]:
        return [*self._network.variables, *self._averages, *self._optimizer.variables, self._weights]

    def reset(self) -> None:
        """Forgets what was fitted."""
        for variable, value in zip(self._state, self._initial, strict=True):
            variable.assign(value)
        self.steps = 0

    def fit(self, real: tf.Tensor, fake: tf.Tensor, steps: int) -> None:
        """Goes on with some steps on two sets of features, [N, D] and [M, D]."""
        if self.steps == 0:
            both = tf.concat([real, fake], 0)
            self._mean.assign(tf.reduce_mean(both, 0))
            self._scale.assign(1.0 / (tf.math.reduce_std(both, 0) + 1e-2 * tf.math.reduce_std(both) + 1e-6))
        self._run(real, fake, tf.constant(steps), tf.constant(self.steps))
        self.steps += steps

    def calibrate(self, real: tf.Tensor, fake: tf.Tensor, real_logits: Any = None, fake_logits: Any = None) -> None:
        """Weighs the network's output, and a discriminator's beside it, as these examples bear out.

        By logistic regression, so the ratio says no less of these examples than the discriminator alone does.

        Args:
            real: Features that the network was not fitted to, [N, D].
            fake: The same of the other side, [M, D].
            real_logits: A discriminator's l there, [N]; of the network alone if not given.
            fake_logits: The same at `fake`, [M].
        """
        sides = [
            np.stack([np.asarray(self._output(rows)), np.zeros(len(rows)) if given is None else np.asarray(given)], 1)
            for rows, given in ((real, real_logits), (fake, fake_logits))
        ]
        both, labels = np.concatenate(sides).astype(np.float64), np.repeat([1, 0], [len(real), len(fake)])
        scale = np.maximum(both.std(0), 1e-12)
        each = np.repeat([1.0 / len(real), 1.0 / len(fake)], [len(real), len(fake)])
        fitted = linear_model.LogisticRegression(C=_RIDGE, max_iter=1000).fit(both / scale, labels, each)
        weights = np.where(both.std(0) > 1e-12, fitted.coef_[0] / scale, 0.0)
        self._weights.assign([*weights, float(fitted.intercept_[0])])

    def __call__(self, features: tf.Tensor, logits: Any = None) -> tf.Tensor:
        """The log-ratio, in nats, [N]; differentiable.

        Args:
            features: As `features` gives them, [N, D].
            logits: The discriminator's l there, [N], where `calibrate` was given one.
        """
        network, discriminator, offset = tf.unstack(self._weights)
        found = network * self._output(features) + offset
        return found if logits is None else found + discriminator * tf.cast(logits, tf.float32)

    def _output(self, features: tf.Tensor) -> tf.Tensor:
        value = (features - self._mean) * self._scale
        weights = [tf.convert_to_tensor(v) for v in self._averages]
        for i in range(0, len(weights) - 2, 2):
            value = tf.nn.silu(value @ weights[i] + weights[i + 1])
        return (value @ weights[-2] + weights[-1])[:, 0]

    def _train(self, real, fake, steps, done):
        variables = self._network.trainable_variables

        def body(i):
            seed = fold([self.seed, 0], done + i)
            picked = [
                tf.gather(
                    rows,
                    tf.random.stateless_uniform([self.batch_size], fold(seed, side), 0, tf.shape(rows)[0], tf.int32),
                )
                for side, rows in enumerate((real, fake))
            ]
            with tf.GradientTape() as tape:
                logits = self._network((tf.concat(picked, 0) - self._mean) * self._scale)[:, 0]
                one, other = logits[: self.batch_size], logits[self.batch_size :]
                loss = tf.reduce_mean(tf.nn.softplus(-one)) + tf.reduce_mean(tf.nn.softplus(other))
            self._optimizer.apply(tape.gradient(loss, variables), variables)
            t = tf.cast(done + i, tf.float32)
            decay = tf.minimum(_AVERAGE, (1.0 + t) / (10.0 + t))
            for average, variable in zip(self._averages, variables, strict=True):
                average.assign(decay * average + (1.0 - decay) * variable)
            return (i + 1,)

        tf.while_loop(lambda i: i < steps, body, (tf.constant(0),), parallel_iterations=1)


def pooled(values: Sequence[Any]) -> tf.Tensor:
    """Values side by side in rows, [N, D]: images pooled by 2 until they have at most 1,024 numbers.

    Args:
        values: One value of each variable, each [N, ...].
    """
    parts = []
    for value in values:
        value, shape = tf.cast(value, tf.float32), tuple(value.shape[1:])
        while (window := _window(shape)) is not None:
            value, shape = tf.nn.avg_pool2d(value, window, window, "VALID"), _halved(shape, window)
        parts.append(tf.reshape(value, [tf.shape(value)[0], -1]))
    return tf.concat(parts, 1)


def _window(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """By what values of this shape are pooled next; None where they are no images, or small."""
    if len(shape) != 3 or math.prod(shape) <= _MOST_PIXELS or max(shape[:2]) == 1:
        return None
    return min(2, shape[0]), min(2, shape[1])


def _halved(shape: tuple[int, ...], window: tuple[int, int]) -> tuple[int, ...]:
    return shape[0] // window[0], shape[1] // window[1], shape[2]


def _width(shape: tuple[int, ...]) -> int:
    """How many numbers `pooled` makes of a value."""
    while (window := _window(shape)) is not None:
        shape = _halved(shape, window)
    return math.prod(shape)
