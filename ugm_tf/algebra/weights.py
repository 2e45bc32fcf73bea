"""Weights of an expectation: the paper's two transfers, and the posterior's over several draws."""

import tensorflow as tf

from ugm_tf import replicas
from ugm_tf.algebra.part import Part
from ugm_tf.serialization import number, record

__all__ = ["DiscriminatorProbability", "ImportanceWeight", "PosteriorWeight", "Weight"]


class Weight(Part):
    """A function from a joint sample to factors of a term, [B]; no gradient flows through it.

    See `Part` for what a weight of your own declares.
    """

    kind = "weight"


@record
class ImportanceWeight(Weight):
    """q^r(y | .) / q(y | .), self-normalised over the batch to a mean of 1, [B]: exp(logit) for y = 0.

    The mean of weight times term is then sum{ w~[i] * term[i] } with w~ = softmax of the logits; of their negatives for
    y = 1, which has an effect where what learns draws the real side, as in a BiGAN.

    Args:
        by: Name of the discriminator.
        within: Name of a one-hot variable, [B, C]: normalise over the examples of each class instead of the whole
            batch, so that the classes keep their shares.  The paper does not say which it does.
        y: The side: 0 for generated, 1 for data.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 16.
    """

    by: str = "discriminator"
    within: str | None = None
    y: int = 0

    @property
    def judges(self):
        return (self.by,)

    @property
    def pooled(self):
        return True

    @property
    def takes(self):
        return () if self.within is None else (self.within,)

    def __call__(self, sample):
        logits = sample.distribution(self.by).logits
        logits = -logits if self.y else logits
        if self.within is None:
            size = tf.size(logits)
            if replicas.count() > 1:
                size = tf.reduce_prod(tf.shape(logits)[:-1]) * sample.share.size
            shares = tf.reshape(replicas.softmax(tf.reshape(logits, [-1])), tf.shape(logits))
            return shares * tf.cast(size, logits.dtype)
        member = sample[self.within] > 0.5  # [B, C]
        ones = tf.cast(member, logits.dtype)
        masked = tf.where(member, logits[:, None], logits.dtype.min)
        shares = replicas.softmax(masked) * ones * replicas.total(tf.reduce_sum(ones, 0, keepdims=True))
        return tf.reduce_sum(shares, 1)

    def describe(self, roles):
        within = "" if self.within is None else f" within {self.within}"
        return f"w[{roles.text(self.by, self.y, letter='q^r')} / {roles.text(self.by, self.y)}{within}]"


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

    @property
    def judges(self):
        return (self.by,)

    @property
    def by_draw(self):
        return True

    def __call__(self, sample):
        return tf.sigmoid(sample.distribution(self.by).logits / self.temperature)

    def describe(self, roles):
        power = "" if self.temperature == 1.0 else f"^(1/{number(self.temperature)})"
        return roles.text(self.by, 1, letter=f"q{power}")


@record
class PosteriorWeight(Weight):
    """p(x, z[i]) / q(z[i] | x) of k draws, self-normalised over the draws of an example to a mean of 1, [k, B].

    The mean over draws of weight times term estimates the term's expectation under p(z | x); with k = 1 the
    weight is 1, and the expectation is under q.

    Args:
        generative: Names of the densities whose product is p(x, z).
        inference: Names of the densities whose product is q(z | x).

    References:
        Jorg Bornschein, Yoshua Bengio. Reweighted Wake-Sleep. ICLR 2015. https://arxiv.org/abs/1406.2751, equation 5.
    """

    generative: tuple[str, ...] = ("decoder", "prior")
    inference: tuple[str, ...] = ("encoder",)

    @property
    def scored(self):
        return (*self.generative, *self.inference)

    def __call__(self, sample):
        log_w = sample.log_weights(self.generative, self.inference)
        return tf.nn.softmax(log_w, axis=0) * tf.cast(tf.shape(log_w)[0], log_w.dtype)

    def log_mass(self, sample, value):
        return tf.reduce_logsumexp(sample.log_weights(self.generative, self.inference), axis=0)

    def describe(self, roles):
        above, below = (" ".join(map(roles.text, names)) for names in (self.generative, self.inference))
        return f"w[{above} / {below}]"
