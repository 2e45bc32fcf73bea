"""Terms: what an expectation is of.  Each maps a joint sample to nats per example."""

import math
import numbers
from typing import ClassVar

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra.guarded import Misdeclared
from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.part import Part
from ugm_tf.algebra.role import Roles
from ugm_tf.serialization import number, record

tfd = tfp.distributions

__all__ = ["KL", "NegativeLogProb", "Term"]


class Term(Part):
    """A pure function from a joint sample to nats, of shape [B] or [k, B]; see `Part` for what it declares.

    >>> @ugm_tf.record
    ... class Distance(ugm_tf.Term):
    ...     takes = ("x", "r")
    ...
    ...     def __call__(self, sample):
    ...         return tf.reduce_sum(tf.square(sample["x"] - sample["r"]), [1, 2, 3])
    """

    kind = "term"
    _names: ClassVar[tuple[str, ...]] = (*Part._names, "beside")

    @property
    def label(self) -> str:
        """Default name of its metric."""
        return type(self).__name__.lower()

    @property
    def power(self) -> int:
        """The power of what chunks of draws count that its gradient of them takes; 1 if it is of its value."""
        return 1

    def own_axes(self, k: int) -> tuple[int, ...]:
        """The axes of its value in place of that of k draws, where it is of all of them together."""
        return ()

    def merged(self, log_mass: tf.Tensor, chunks: int) -> tf.Tensor | None:
        """Its value of all draws, from the logarithm of the sum over chunks of what `log_mass` is of each; None if
        it has a value at each draw."""
        return None

    @property
    def beside(self) -> tuple[str, ...]:
        """What is logged beside it: the endings of its metrics' names."""
        return ()

    def values_beside(self, sample: JointSample) -> tuple[tf.Tensor, ...]:
        """What is logged beside it, each [B] or [k, B]; its average over the sample is not minimised."""
        return ()

    def logged(self, sample: JointSample) -> tuple[tf.Tensor, ...]:
        """What is logged beside it of a sample, from which it gets what it declares and nothing else.

        Raises:
            ValueError: If it asks for more, if there are not as many as names, or if one is of another shape.
        """
        if not self.beside:
            return ()
        values = self._asking(self.values_beside, sample)
        if not isinstance(values, tuple | list) or len(values) != len(self.beside):
            found = f"{len(values)} of them" if isinstance(values, tuple | list) else type(values).__name__
            raise Misdeclared(
                f"{type(self).__name__} logs {', '.join(self.beside)} beside it: its `values_beside` is to return a "
                f"tuple of as many tensors, {len(self.beside)}. Received: {found}."
            )
        return tuple(self._of_examples(value, sample) for value in values)

    def describe_weighted(self, roles: Roles) -> str:
        """As `describe`, where the expectation has a weight or an exact sum, which a `pooled` term takes in."""
        return self.describe(roles)


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

    @property
    def by_draw(self):
        return True

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
            variable of max(free, KL_j), where KL_j is a mean over the batch (and so the same for each example); a
            weighted one, where the expectation has a weight or an exact sum.

    Raises:
        ValueError: If TFP has no closed form for the two families, and `sampled` is False; if free bits are asked of
            a sampled divergence, or by dimension where the densities do not factorise.

    With free bits the divergence itself is logged beside the term, as `wake/rate_kl` beside `wake/rate`.

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
        number = isinstance(self.free, numbers.Real) and not isinstance(self.free, bool)
        if not number or not 0.0 <= self.free < math.inf:
            raise ValueError(f"Free bits are at least 0, in nats. Received: free={self.free!s}.")
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
        divergence = self._closed(sample)
        if not self.free:
            return divergence
        return tf.maximum(divergence, self.free) if self.per == "example" else self._per_dimension(sample, divergence)

    @property
    def by_draw(self):
        return not self.pooled

    @property
    def pooled(self):
        return bool(self.free) and self.per == "dimension"

    @property
    def beside(self):
        return ("kl",) if self.free else ()

    def values_beside(self, sample):
        return (self._closed(sample),) if self.free else ()

    def describe(self, roles):
        left, right = roles.text(self.left), roles.text(self.right)
        if self.sampled:
            return f"[log {left} - log {right}]"
        divergence = f"KL({left} || {right})"
        if not self.free:
            return divergence
        if self.per == "example":
            return f"max({number(self.free)}, {divergence})"
        return f"sum_j max({number(self.free)}, mean_batch {divergence}_j)"

    def describe_weighted(self, roles):
        return self.describe(roles).replace("mean_batch ", "mean_weighted ")

    @property
    def label(self):
        return f"kl_{self.left}_{self.right}"

    def _closed(self, sample):
        left, right = sample.distribution(self.left), sample.distribution(self.right)
        sample.check_event(self.left, left.event_shape, right.event_shape, "is compared at")
        try:
            return tfd.kl_divergence(left, right)
        except NotImplementedError:
            without = f", without free bits (received: free={number(self.free)})" if self.free else ""
            raise ValueError(
                f"KL('{self.left}', '{self.right}') has no closed form for {self._families(sample)}. Estimate it at "
                f"the draws: KL('{self.left}', '{self.right}', sampled=True){without}; in `vae`, kl='sampled'."
            ) from None

    def _families(self, sample):
        found = [sample.densities[name] for name in (self.left, self.right)]
        return " and ".join(f"{d.family!r}{'' if d.flow is None else f' with a flow, {d.flow.name},'}" for d in found)

    def _per_dimension(self, sample, divergence):
        left, right = sample.distribution(self.left), sample.distribution(self.right)
        if not (isinstance(left, tfd.Independent) and isinstance(right, tfd.Independent)):
            raise ValueError(
                "Free bits by dimension take densities that factorise over the dimensions. Received: "
                f"KL('{self.left}', '{self.right}') of {self._families(sample)}. Use per='example'."
            )
        dimensions = left.event_shape.rank
        each = tfd.kl_divergence(left.distribution, right.distribution)  # [..., *event]
        if sample.weight is None:
            mean = sample.pooled(each, dimensions)
        else:  # of the expectation of weight * term: so that without a binding floor it is what it is of each example
            weight = tf.reshape(sample.weight, tf.concat([tf.shape(sample.weight), [1] * dimensions], 0))
            mean = tf.math.divide_no_nan(sample.pooled(weight * each, dimensions), sample.pooled(sample.weight))
        return tf.broadcast_to(tf.reduce_sum(tf.maximum(mean, self.free)), tf.shape(divergence))
