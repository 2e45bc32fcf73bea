"""Weights of an expectation: the paper's two transfers, each a function of the discriminator's logit."""

from collections.abc import Mapping

import tensorflow as tf

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Role
from ugm_tf.serialization import record

__all__ = ["DiscriminatorProbability", "ImportanceWeight", "Weight"]


class Weight:
    """A function from a joint sample to factors of a term, [B]; no gradient flows through it.

    Attributes:
        by: Name of the discriminator that it asks.
    """

    by: str

    def __call__(self, sample: JointSample) -> tf.Tensor:
        raise NotImplementedError

    def describe(self, roles: Mapping[str, Role]) -> str:
        """The factor as the paper writes it."""
        return type(self).__name__


@record
class ImportanceWeight(Weight):
    """q^r(y=0 | .) / q(y=0 | .) = exp(logit), self-normalised over the batch to a mean of 1, [B].

    The mean of weight times term is then sum{ w~[i] * term[i] } with w~ = softmax of the logits.

    Args:
        by: Name of the discriminator.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 16.
    """

    by: str = "discriminator"

    def __call__(self, sample):
        logits = sample.distribution(self.by).logits
        size = tf.cast(tf.size(logits), logits.dtype)
        return tf.reshape(tf.nn.softmax(tf.reshape(logits, [-1])), tf.shape(logits)) * size

    def describe(self, roles):
        given = ", ".join(roles[self.by].given)
        return f"w[q^r(y=0 | {given}) / q(y=0 | {given})]"


@record
class DiscriminatorProbability(Weight):
    """q(y=1 | .) = sigmoid(logit / T): how far the discriminator takes an example for data, [B].

    Args:
        by: Name of the discriminator.
        temperature: T > 1 smooths it, so that generated examples count for more; only T = 1 is equation 17.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 17.
    """

    by: str = "discriminator"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"The temperature of the discriminator must be positive. Received: {self.temperature}.")

    def __call__(self, sample):
        return tf.sigmoid(sample.distribution(self.by).logits / self.temperature)

    def describe(self, roles):
        power = "" if self.temperature == 1.0 else f"^(1/{self.temperature:g})"
        return f"q{power}(y=1 | {', '.join(roles[self.by].given)})"
