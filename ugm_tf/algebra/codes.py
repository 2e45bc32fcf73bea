"""Terms of the codes of a whole batch: how they depend on one another, and how far they are from the prior's."""

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf import replicas
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.terms import Term
from ugm_tf.serialization import number, record

__all__ = ["MMD", "TotalCorrelation"]

tfd = tfp.distributions
_KERNELS = ("inverse_multiquadric", "gaussian")


class _OfBatch(Term):
    """A term of which each example's value depends on the batch."""

    @property
    def pooled(self):
        return True

    def _vectors(self, sample: JointSample, variable: str) -> tf.Tensor:
        """Values of a variable, [B, n]."""
        value = sample[variable]
        if sample.axes or value.shape.rank != 2:
            raise ValueError(
                f"{type(self).__name__} takes one vector of {variable} for each example, [B, n]. Received shape "
                f"{list(value.shape)}{f', with axes {list(sample.axes)} before it' if sample.axes else ''}. Draw one "
                "vector, without k and without Enumerate."
            )
        return value

    def _weights(self, sample: JointSample) -> tf.Tensor:
        """What each example of the global batch counts, [G], of mean 1; alike where there are none, or all are 0."""
        if sample.weight is None:
            return tf.ones([sample.share.size])
        every = replicas.rows(tf.stop_gradient(sample.weight), 0)
        total = tf.reduce_mean(every)
        return tf.where(total > 0.0, tf.math.divide_no_nan(every, total), tf.ones_like(every))


@record
class TotalCorrelation(_OfBatch):
    """log q(z) - sum{ log q(z[j]) : j }, whose mean under q(z) is the total correlation of codes, in nats, [B].

    The aggregate q(z) is the mean of q(z | x) over the batch.  That of minibatch-weighted sampling, which divides by
    the number of examples of the data as well, is larger by (n - 1) log of that number, and has the same gradient.

    Args:
        density: Name of q(z | x), of a family that factorises over the dimensions of a vector.

    Raises:
        ValueError: If it does not factorise, or if there is more than one code of an example.

    References:
        Ricky Chen, Xuechen Li, Roger Grosse, David Duvenaud. Isolating Sources of Disentanglement in Variational
        Autoencoders. NeurIPS 2018. https://arxiv.org/abs/1802.04942, equations 2 and 5.
    """

    density: str = "encoder"

    @property
    def scored(self):
        return (self.density,)

    def __call__(self, sample):
        z, distribution = self._vectors(sample, sample.roles[self.density].of), sample.distribution(self.density)
        if not isinstance(distribution, tfd.Independent):
            raise ValueError(
                f"TotalCorrelation takes a density that factorises over the dimensions of its variable. Received: "
                f"'{self.density}' of {sample.densities[self.density].title}. Use a 'gaussian' or 'laplace' one."
            )
        parts = tf.nest.flatten(distribution.distribution, expand_composites=True)
        if replicas.count() > 1 and any(isinstance(part, tfd.Distribution) for part in parts):
            raise ValueError(
                f"On several devices TotalCorrelation takes posteriors whose parameters can be gathered. Received: "
                f"{type(distribution.distribution).__name__} of '{self.density}'. Train on one device, or use a "
                "'gaussian' or 'laplace' encoder."
            )
        every = tf.nest.map_structure(_rows, distribution.distribution, expand_composites=True)
        each = every.log_prob(z[:, tf.newaxis])  # [B, G, n]: of each code by the posterior of each example
        counts = tf.math.log(self._weights(sample) / tf.cast(sample.share.size, tf.float32))
        joint = tf.reduce_logsumexp(counts + tf.reduce_sum(each, -1), 1)
        return joint - tf.reduce_sum(tf.reduce_logsumexp(counts[:, tf.newaxis] + each, 1), -1)

    def describe(self, roles):
        role = roles[self.density]
        return f"[log {role.letter}({role.of}) - sum_j log {role.letter}({role.of}_j)]"

    @property
    def label(self):
        return "total_correlation"


@record
class MMD(_OfBatch):
    """The squared maximum mean discrepancy of a kernel between two variables, by all pairs of the batch, [B].

    Its mean over the batch is, of the B values a and the B values b,

        1/(B (B - 1)) sum{ k(a[i], a[j]) + k(b[i], b[j]) : i != j } - 2/B^2 sum{ k(a[i], b[j]) }

    an unbiased estimate where a and b of one example are independent, as draws of a prior are of an encoder's.  It has
    the kernel's unit, and not nats.

    Args:
        left: Name of the one variable, of shape [B, n].
        right: Name of the other one.
        kernel: "inverse_multiquadric", C / (C + |a - b|^2); or "gaussian", exp(-|a - b|^2 / C).
        size: C; None for 2 n in the first, the mean squared distance of two standard normals, and n in the second.

    Raises:
        ValueError: If a variable is no vector, or has several values for an example.

    References:
        Ilya Tolstikhin et al. Wasserstein Auto-Encoders. ICLR 2018. https://arxiv.org/abs/1711.01558, algorithm 2.
        Arthur Gretton et al. A Kernel Two-Sample Test. JMLR 13, 2012, equation 3.
    """

    left: str
    right: str
    kernel: str = "inverse_multiquadric"
    size: float | None = None

    def __post_init__(self) -> None:
        if self.kernel not in _KERNELS:
            raise ValueError(f"The kernel of an MMD is one of {', '.join(_KERNELS)}. Received: {self.kernel!r}.")
        if self.size is not None and not self.size > 0.0:
            raise ValueError(f"The size of a kernel is positive, or None. Received: size={self.size}.")

    @property
    def takes(self):
        return (self.left, self.right)

    def __call__(self, sample):
        a, b = self._vectors(sample, self.left), self._vectors(sample, self.right)
        every_a, every_b, counts = _rows(a), _rows(b), self._weights(sample)
        total = tf.cast(sample.share.size, tf.float32)
        mine = sample.share.first + tf.range(sample.batch_size)
        others = counts * (1.0 - tf.one_hot(mine, sample.share.size))  # [B, G]
        among = tf.reduce_sum(others * (self._of(a, every_a) + self._of(b, every_b)), 1)
        between = tf.reduce_sum(counts * (self._of(a, every_b) + self._of(b, every_a)), 1)
        return tf.math.divide_no_nan(among, total - 1.0) - between / total

    def _of(self, left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        """The kernel of all pairs, [B, G]."""
        square = tf.reduce_sum(tf.math.squared_difference(left[:, tf.newaxis], right), -1)
        if self.kernel == "gaussian":
            return tf.exp(-square / (self.size or float(left.shape[-1])))
        size = self.size or 2.0 * left.shape[-1]
        return size / (size + square)

    def describe(self, roles):
        size = "" if self.size is None else f"{number(self.size)}, "
        return f"MMD^2[{self.kernel}]({size}{self.left}, {self.right})"

    @property
    def label(self):
        return "mmd"


def _rows(value: tf.Tensor) -> tf.Tensor:
    """The rows of the global batch of a tensor with rows, [B, n]; any other as it is."""
    if not tf.is_tensor(value) or value.shape.rank != 2:
        return value
    return tf.ensure_shape(replicas.rows(value, 0), [None, value.shape[1]])  # gathered, it lost its shape
