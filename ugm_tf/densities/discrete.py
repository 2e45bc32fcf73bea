"""Families of bits and of classes, and the relaxation of classes."""

from typing import ClassVar

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.densities.bernoulli import LogitBernoulli, PatchBernoulli
from ugm_tf.densities.family import Family
from ugm_tf.serialization import record

tfd = tfp.distributions

__all__ = ["Bernoulli", "Categorical", "Logit", "OneHot", "PatchLogit", "RelaxedBernoulli", "RelaxedOneHot"]


@record
class Bernoulli(Family):
    """Independent Bernoulli variables, given by logits."""

    support: ClassVar[str] = "binary"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def distribution(self, parameters, event_rank):
        return tfd.Independent(LogitBernoulli(parameters, dtype=tf.float32), event_rank)

    def draw(self, distribution, noise):
        return tf.cast(noise < tf.sigmoid(distribution.distribution.logits), tf.float32)


@record
class Logit(Family):
    """One Bernoulli variable an example, given by a logit: the family of a discriminator q(y | .)."""

    support: ClassVar[str] = "binary"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def event_shape(self, parameter_shape):
        if tuple(parameter_shape) != (1,):
            raise ValueError(
                "A discriminator gives one logit an example: end its network in Dense(1) and no activation. "
                f"Received a network of output shape {tuple(parameter_shape)}."
            )
        return ()

    def parameter_shape(self, event_shape):
        return (1,)

    def distribution(self, parameters, event_rank):
        return LogitBernoulli(parameters[..., 0], dtype=tf.float32)

    def draw(self, distribution, noise):
        return tf.cast(noise < tf.sigmoid(distribution.logits), tf.float32)


@record
class PatchLogit(Logit):
    """One Bernoulli variable an example, given by a map of logits, [height, width, 1], of which each judges a patch.

    Its logit is their mean.  What a discriminator of patches minimises is the mean over patches of each one's loss.

    Args:
        height: Of the map.
        width: Of the map.

    References:
        Phillip Isola et al. Image-to-Image Translation with Conditional Adversarial Networks. CVPR 2017.
        https://arxiv.org/abs/1611.07004, section 3.2.2.
    """

    height: int = 1
    width: int = 1

    def event_shape(self, parameter_shape):
        if tuple(parameter_shape) != self.parameter_shape(()):
            raise ValueError(
                f"A discriminator of {self.height}x{self.width} patches gives a map of logits of shape "
                f"{self.parameter_shape(())}. Received a network of output shape {tuple(parameter_shape)}."
            )
        return ()

    def parameter_shape(self, event_shape):
        return (self.height, self.width, 1)

    def distribution(self, parameters, event_rank):
        lead, number = parameters.shape[:-3], self.height * self.width
        patches = tf.reshape(parameters, tf.concat([tf.shape(parameters)[:-3], [number]], 0))
        return PatchBernoulli.of(tf.ensure_shape(patches, [*lead, number]))


def _gumbel(uniform: tf.Tensor) -> tf.Tensor:
    tiny = 1e-20  # the logarithm of 0 is not a number to add
    return -tf.math.log(-tf.math.log(tf.maximum(uniform, tiny)) + tiny)


@record
class OneHot(Family):
    """One of C classes as a one-hot vector, given by C logits."""

    support: ClassVar[str] = "one_hot"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def distribution(self, parameters, event_rank):
        return tfd.OneHotCategorical(logits=parameters, dtype=tf.float32)

    def draw(self, distribution, noise):
        return tf.one_hot(tf.argmax(distribution.logits + _gumbel(noise), -1), distribution.event_shape[-1])


@record
class Categorical(Family):
    """Independent labels 0..C-1, given by logits over a last axis of size C.

    Args:
        classes: C.  As the family of a label's density, C is the network's last axis.
    """

    classes: int = 10
    support: ClassVar[str] = "label"
    noise: ClassVar[str | None] = "uniform"
    reparameterised: ClassVar[bool] = False

    def event_shape(self, parameter_shape):
        if parameter_shape[-1] != self.classes:
            raise ValueError(
                f"Categorical(classes={self.classes}) takes {self.classes} logits on the last axis. "
                f"Received a network of output shape {tuple(parameter_shape)}: give classes={parameter_shape[-1]}."
            )
        return tuple(parameter_shape[:-1])

    def parameter_shape(self, event_shape):
        return (*event_shape, self.classes)

    def noise_shape(self, event_shape):
        return (*event_shape, self.classes)

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.Categorical(logits=parameters, dtype=tf.float32), event_rank)

    def draw(self, distribution, noise):
        return tf.cast(tf.argmax(distribution.distribution.logits + _gumbel(noise), -1), tf.float32)

    def location(self, distribution):
        return distribution.mode()


@record
class RelaxedOneHot(Family):
    """A point of the simplex near a one-hot vector: the Concrete (Gumbel-softmax) distribution, given by C logits.

    Args:
        temperature: Towards 0, draws become one-hot vectors and gradients noisy.

    References:
        Chris Maddison, Andriy Mnih, Yee Whye Teh. The Concrete distribution. ICLR 2017.
        https://arxiv.org/abs/1611.00712
    """

    temperature: float = 0.5
    support: ClassVar[str] = "simplex"
    noise: ClassVar[str | None] = "uniform"

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"The temperature of a RelaxedOneHot must be positive. Received: {self.temperature}.")

    def distribution(self, parameters, event_rank):
        return tfd.RelaxedOneHotCategorical(self.temperature, logits=parameters)

    def draw(self, distribution, noise):
        return tf.nn.softmax((distribution.logits + _gumbel(noise)) / self.temperature)

    def location(self, distribution):
        return tf.nn.softmax(distribution.logits)


@record
class RelaxedBernoulli(Family):
    """Independent numbers in (0, 1) near 0 or 1: the binary Concrete distribution, given by logits.

    Args:
        temperature: Towards 0, draws become bits and gradients noisy.

    References:
        Chris Maddison, Andriy Mnih, Yee Whye Teh. The Concrete distribution. ICLR 2017.
        https://arxiv.org/abs/1611.00712, appendix B.
    """

    temperature: float = 0.5
    support: ClassVar[str] = "unit"
    noise: ClassVar[str | None] = "uniform"

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"The temperature of a RelaxedBernoulli must be positive. Received: {self.temperature}.")

    def distribution(self, parameters, event_rank):
        return tfd.Independent(tfd.RelaxedBernoulli(self.temperature, logits=parameters), event_rank)

    def draw(self, distribution, noise):
        logistic = tf.math.log(noise) - tf.math.log1p(-noise)
        x = tf.sigmoid((distribution.distribution.logits + logistic) / self.temperature)
        return tf.clip_by_value(x, 2.0**-24, 1.0 - 2.0**-24)  # at 0 or 1, where float32 ends, there is no density

    def location(self, distribution):
        return tf.sigmoid(distribution.distribution.logits)
