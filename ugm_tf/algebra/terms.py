"""Terms: what an expectation is of.  Each maps a joint sample to nats per example."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Role
from ugm_tf.serialization import record

tfd = tfp.distributions

__all__ = ["KL", "NegativeLogProb", "Term"]

Roles = Mapping[str, Role]


class Term:
    """A pure function from a joint sample to nats, of shape [B] or [k, B].

    Attributes:
        scored: Names of the densities whose log-probability it takes, at values of their variable.
        conditioned: Names of the densities that it asks for a distribution, given values of their parents.
        judges: Names of those among them that it asks for a logit: `by`, if it has that.
    """

    @property
    def scored(self) -> tuple[str, ...]:
        return ()

    @property
    def judges(self) -> tuple[str, ...]:
        return (self.by,) if hasattr(self, "by") else ()

    @property
    def conditioned(self) -> tuple[str, ...]:
        return self.judges

    def __call__(self, sample: JointSample) -> tf.Tensor:
        raise NotImplementedError

    def describe(self, roles: Roles) -> str:
        """The term as the paper writes it."""
        return type(self).__name__

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
        return f"-log {roles[self.density]}"

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

    Raises:
        ValueError: If TFP has no closed form for the two families, and `sampled` is False.
    """

    left: str
    right: str
    sampled: bool = False

    @property
    def scored(self):
        return (self.left, self.right) if self.sampled else ()

    @property
    def conditioned(self):
        return () if self.sampled else (self.left, self.right)

    def __call__(self, sample):
        if self.sampled:
            return sample.log_prob(self.left) - sample.log_prob(self.right)
        try:
            return tfd.kl_divergence(sample.distribution(self.left), sample.distribution(self.right))
        except NotImplementedError:
            families = " and ".join(repr(sample.densities[name].family) for name in (self.left, self.right))
            raise ValueError(
                f"KL('{self.left}', '{self.right}') has no closed form for {families}. "
                f"Estimate it at the draws: KL('{self.left}', '{self.right}', sampled=True); in `vae`, kl='sampled'."
            ) from None

    def describe(self, roles):
        left, right = roles[self.left], roles[self.right]
        return f"[log {left} - log {right}]" if self.sampled else f"KL({left} || {right})"

    @property
    def label(self):
        return f"kl_{self.left}_{self.right}"
