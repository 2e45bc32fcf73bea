"""Terms: what an expectation is of.  Each maps a joint sample to nats per example."""

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf import replicas
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Roles
from ugm_tf.serialization import record

tfd = tfp.distributions

__all__ = ["KL", "NegativeLogProb", "Part", "Term"]


class Part:
    """A function of a joint sample that an expectation is made of: a `Term` or a `Weight`.

    It says what it asks of the sample, so that a recipe can be checked, printed and given networks before there is a
    tensor.  A part of your own says so in at least one of these attributes, with () if it asks nothing.

    Attributes:
        scored: Names of the densities whose log-probability it takes, at values of their variable.
        conditioned: Names of the densities that it asks for a distribution, given values of their parents.
        judges: Names of those among them that it asks for a logit.
        takes: Names of the variables that it looks at itself, beside what these densities take.
    """

    @property
    def scored(self) -> tuple[str, ...]:
        return ()

    @property
    def judges(self) -> tuple[str, ...]:
        return ()

    @property
    def conditioned(self) -> tuple[str, ...]:
        return self.judges

    @property
    def takes(self) -> tuple[str, ...]:
        return ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Every density that it asks, each once."""
        return tuple(dict.fromkeys((*self.scored, *self.conditioned, *self.judges)))

    def variables(self, roles: Roles) -> tuple[str, ...]:
        """Every variable that must be known, each once."""
        asked = [v for name in self.scored for v in (roles[name].of, *roles[name].given)]
        asked += [v for name in self.conditioned for v in roles[name].given]
        return tuple(dict.fromkeys((*asked, *self.takes)))

    def declares(self) -> bool:
        """Whether its class says what it asks."""
        own = type(self)
        return not (
            own.scored is Part.scored
            and own.conditioned is Part.conditioned
            and own.judges is Part.judges
            and own.takes is Part.takes
        )

    def __call__(self, sample: JointSample) -> tf.Tensor:
        raise NotImplementedError

    def value(self, sample: JointSample) -> tf.Tensor:
        """What it is of a sample, from which it gets the densities that it declares and no others."""
        return self(sample.declared(type(self).__name__, self.asked))

    def describe(self, roles: Roles) -> str:
        """The part as the paper writes it."""
        return type(self).__name__


class Term(Part):
    """A pure function from a joint sample to nats, of shape [B] or [k, B]; see `Part` for what it declares.

    >>> @ugm_tf.record
    ... class Distance(ugm_tf.Term):
    ...     takes = ("x", "r")
    ...
    ...     def __call__(self, sample):
    ...         return tf.reduce_sum(tf.square(sample["x"] - sample["r"]), [1, 2, 3])
    """

    @property
    def label(self) -> str:
        """Default name of its metric."""
        return type(self).__name__.lower()


@record
class NegativeLogProb(Term):
    """-log of a density at the sample's values, in nats, [B].

    Args:
        density: Name of the density; "decoder" makes it the distortion, -log p(x | z).

    Raises:
        ValueError: When the model is made, if the density's family has no log-probability.
    """

    density: str

    @property
    def scored(self):
        return (self.density,)

    def __call__(self, sample):
        return -sample.log_prob(self.density)

    def describe(self, roles):
        return f"-log {roles.text(self.density)}"

    @property
    def label(self):
        return self.density


@record
class KL(Term):
    """KL(left || right) between two densities of one variable, in nats, [B].

    Args:
        left: Name of the density that the expectation is under.
        right: Name of the other one.
        sampled: Estimate it at the sample's value, log left - log right, instead of in closed form.
        free: Free bits, in nats: as far as the divergence is below this, it costs nothing and has no gradient.
        per: What `free` is of: "example", max(free, KL) of each; or "dimension", the sum over the dimensions of the
            variable of max(free, KL_j), where KL_j is a mean over the batch (and so the same for each example).

    Raises:
        ValueError: If TFP has no closed form for the two families, and `sampled` is False; if free bits are asked of
            a sampled divergence, or by dimension where the densities do not factorise or a sum is exact.

    References:
        Diederik Kingma et al. Improving Variational Inference with Inverse Autoregressive Flow. NIPS 2016.
        https://arxiv.org/abs/1606.04934, equation 15 (free bits).
    """

    left: str
    right: str
    sampled: bool = False
    free: float = 0.0
    per: str = "example"

    def __post_init__(self) -> None:
        if self.per not in ("example", "dimension"):
            raise ValueError(f"Free bits are per 'example' or 'dimension'. Received: per={self.per!r}.")
        if not self.free >= 0.0:
            raise ValueError(f"Free bits are at least 0, in nats. Received: free={self.free}.")
        if self.free and self.sampled:
            raise ValueError(
                "Free bits are of a divergence in closed form: of one draw it is biased. Use sampled=False."
            )

    @property
    def scored(self):
        return (self.left, self.right) if self.sampled else ()

    @property
    def conditioned(self):
        return () if self.sampled else (self.left, self.right)

    def __call__(self, sample):
        if self.sampled:
            return sample.log_prob(self.left) - sample.log_prob(self.right)
        left, right = sample.distribution(self.left), sample.distribution(self.right)
        try:
            divergence = tfd.kl_divergence(left, right)
            if not self.free:
                return divergence
            return (
                tf.maximum(divergence, self.free) if self.per == "example" else self._per_dimension(left, right, sample)
            )
        except NotImplementedError:
            families = " and ".join(repr(sample.densities[name].family) for name in (self.left, self.right))
            raise ValueError(
                f"KL('{self.left}', '{self.right}') has no closed form for {families}. "
                f"Estimate it at the draws: KL('{self.left}', '{self.right}', sampled=True); in `vae`, kl='sampled'."
            ) from None

    def describe(self, roles):
        left, right = roles.text(self.left), roles.text(self.right)
        if self.sampled:
            return f"[log {left} - log {right}]"
        divergence = f"KL({left} || {right})"
        if not self.free:
            return divergence
        if self.per == "example":
            return f"max({self.free:g}, {divergence})"
        return f"sum_j max({self.free:g}, mean_batch {divergence}_j)"

    @property
    def label(self):
        return f"kl_{self.left}_{self.right}"

    def _per_dimension(self, left, right, sample):
        if not (isinstance(left, tfd.Independent) and isinstance(right, tfd.Independent)) or sample.weight is not None:
            found = " and ".join(repr(sample.densities[name].family) for name in (self.left, self.right))
            raise ValueError(
                f"Free bits by dimension take densities that factorise over the dimensions, under a sampler without an "
                f"exact sum. Received: KL('{self.left}', '{self.right}') of {found}. Use per='example'."
            )
        divergence = tfd.kl_divergence(left, right)
        dimensions = left.event_shape.rank
        each = tfd.kl_divergence(left.distribution, right.distribution)  # [..., *event]
        mean = tf.reduce_mean(each, axis=list(range(each.shape.rank - dimensions)))
        if replicas.count() > 1:
            share = tf.cast(sample.batch_size, mean.dtype) / tf.cast(sample.share.size, mean.dtype)
            mean = replicas.total(tf.math.multiply_no_nan(mean, share))  # the mean of no example is none
        return tf.broadcast_to(tf.reduce_sum(tf.maximum(mean, self.free)), tf.shape(divergence))
