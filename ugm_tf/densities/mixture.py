"""Mixtures of a family's distributions, for priors that learn and for vectors of several modes."""

from typing import ClassVar

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from ugm_tf.densities.continuous import Gaussian
from ugm_tf.densities.family import Family
from ugm_tf.serialization import record

__all__ = ["Mixture"]

_ROOT_HALF = 0.5**0.5
_SPREAD = 0.5  # of the parameters of components around the standard ones, where learning starts


@record
class Mixture(Family):
    """Mixtures of vectors: parameters are k logits, and behind them those of each component.

    A draw is of the component that one number of its noise picks, so that no gradient flows through it.

    Args:
        components: Their number, k.
        of: Their family, of real vectors.
    """

    components: int = 10
    of: Family = Gaussian()
    reparameterised: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.components, bool) or not isinstance(self.components, int) or self.components < 1:
            raise ValueError(f"A mixture has at least 1 component. Received: components={self.components}.")
        if not isinstance(self.of, Family) or self.of.support != "real" or not self.of.has_log_prob:
            raise ValueError(
                f"A mixture is of a family of real values with a log-probability, such as Gaussian(). Received: "
                f"of={self.of!r}."
            )

    @property
    def noise(self) -> str | None:
        return self.of.noise

    def event_shape(self, parameter_shape):
        each, rest = divmod(parameter_shape[-1], self.components)
        if len(parameter_shape) != 1 or rest or each < 2:
            raise ValueError(
                f"A mixture of {self.components} components takes a vector of {self.components} logits and as many "
                f"times a component's parameters. Received a network of output shape {tuple(parameter_shape)}."
            )
        return self.of.event_shape((each - 1,))

    def parameter_shape(self, event_shape):
        if len(event_shape) != 1:
            raise ValueError(f"A mixture is of vectors, such as (20,). Received: {tuple(event_shape)}.")
        (size,) = self.of.parameter_shape(event_shape)
        return (self.components * (1 + size),)

    def noise_shape(self, event_shape):
        (size,) = self.of.noise_shape(event_shape)
        return (1 + size,)

    def distribution(self, parameters, event_rank):
        logits, rest = tf.split(parameters, [self.components, parameters.shape[-1] - self.components], axis=-1)
        shape = tf.concat([tf.shape(logits), [rest.shape[-1] // self.components]], 0)
        components = self.of.distribution(tf.reshape(rest, shape), event_rank)
        return tfd.MixtureSameFamily(tfd.Categorical(logits=logits), components)

    def draw(self, distribution, noise):
        uniform = noise[..., :1] if self.noise == "uniform" else 0.5 * tf.math.erfc(-_ROOT_HALF * noise[..., :1])
        below = tf.cumsum(distribution.mixture_distribution.probs_parameter(), axis=-1)[..., :-1]
        number = tf.reduce_sum(tf.cast(uniform >= below, tf.int32), -1)
        of_each = self.of.draw(distribution.components_distribution, noise[..., tf.newaxis, 1:])  # [..., k, n]
        chosen = tf.one_hot(number, self.components, dtype=of_each.dtype)
        return tf.stop_gradient(tf.reduce_sum(chosen[..., tf.newaxis] * of_each, -2))

    def standard(self, event_shape):
        (size,) = self.of.parameter_shape(event_shape)
        each = tf.broadcast_to(self.of.standard(event_shape), [self.components, size])
        return tf.concat([tf.zeros([self.components]), tf.reshape(each, [-1])], 0)

    def initial(self, event_shape):
        """Components apart from one another: alike they would stay alike."""
        standard = self.standard(event_shape)
        apart = keras.initializers.RandomNormal(stddev=_SPREAD)((standard.shape[0] - self.components,))
        return standard + tf.concat([tf.zeros([self.components]), apart], 0)
