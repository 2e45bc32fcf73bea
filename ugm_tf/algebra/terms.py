"""Terms: what an expectation is of.  Each maps a joint sample to nats per example."""

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_probability as tfp

from ugm_tf.algebra.joint_sample import JointSample
from ugm_tf.algebra.role import Role
from ugm_tf.serialization import record

tfd = tfp.distributions

__all__ = ["KL", "DiscriminatorLoss", "ImportanceWeightedBound", "NegativeLogProb", "Term"]

Roles = Mapping[str, Role]


class Term:
    """A pure function from a joint sample to nats, of shape [B] or [k, B].

    Attributes:
        scored: Names of the densities whose log-probability it takes, at values of their variable.
        conditioned: Names of the densities that it asks for a distribution, given values of their parents.
    """

    @property
    def scored(self) -> tuple[str, ...]:
        return ()

    @property
    def conditioned(self) -> tuple[str, ...]:
        return ()

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


@record
class DiscriminatorLoss(Term):
    """-log q(y | .), the cross-entropy of a discriminator, in nats, [B]; reversed, -log q^r(y | .).

    With logit l, q(y=1 | .) = sigmoid(l), and the reversed q^r(y | .) = q(1 - y | .) swaps the sides:

        -log q(y=1 | .) = -log q^r(y=0 | .) = softplus(-l)
        -log q(y=0 | .) = -log q^r(y=1 | .) = softplus(l)

    Args:
        y: The provenance: 1 for data, 0 for generated.
        by: Name of the discriminator, of family "logit".
        reverse: Whether this is the adversary's side.

    References:
        Zhiting Hu, Zichao Yang, Ruslan Salakhutdinov, Eric Xing. On Unifying Deep Generative
        Models. ICLR 2018. https://arxiv.org/abs/1706.00550, equation 3.
    """

    y: int
    by: str = "discriminator"
    reverse: bool = False

    def __post_init__(self) -> None:
        if self.y not in (0, 1):
            raise ValueError(f"The provenance y is 1 for data or 0 for generated. Received: y={self.y}.")

    @property
    def conditioned(self):
        return (self.by,)

    def __call__(self, sample):
        logits = sample.distribution(self.by).logits
        return tf.nn.softplus(logits if bool(self.y) == self.reverse else -logits)

    def describe(self, roles):
        return f"-log q{'^r' if self.reverse else ''}(y={self.y} | {', '.join(roles[self.by].given)})"

    @property
    def label(self):
        return f"{self.by}_y{self.y}{'_reversed' if self.reverse else ''}"


@record
class ImportanceWeightedBound(Term):
    """The importance-weighted bound on -log p(x), in nats, [B].

    Use it where `NegativeLogProb("decoder")` and `KL("encoder", "prior")` would bound the same quantity
    with one draw.  With k draws of z per example it is

        -log(1/k * sum{ p(x | z[i]) * p(z[i]) / q(z[i] | x) : i = 1...k })

    which is never looser in expectation as k grows, and is -log p(x) in the limit.  With k = 1 its
    expectation is the negative ELBO.  What is logged is the bound itself, not a surrogate of its gradient.

    Args:
        encoder: Name of q(z | x), which must have drawn z with `k` draws.
        decoder: Name of p(x | z).
        prior: Name of p(z).

    Raises:
        ValueError: If z has no leading axis of draws.

    Example:

    >>> draws = ugm_tf.Ancestral(("encoder",), k=50)
    >>> wake = ugm_tf.Phase("wake", (ugm_tf.E(ImportanceWeightedBound(), draws),), updates=("encoder", "decoder"))
    >>> print(ugm_tf.Recipe({"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,)).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z_1..50 ~ encoder] -log mean_k[p(x | z) p(z) / q(z | x)]

    References:
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, equation 8.
    """

    encoder: str = "encoder"
    decoder: str = "decoder"
    prior: str = "prior"

    @property
    def scored(self):
        return (self.encoder, self.decoder, self.prior)

    def __call__(self, sample):
        log_w = sample.log_prob(self.decoder) + sample.log_prob(self.prior) - sample.log_prob(self.encoder)
        if log_w.shape.rank < 2:
            raise ValueError(
                "ImportanceWeightedBound takes a leading axis of draws, [k, B]: draw with Ancestral(('encoder',), "
                "k=50). "
                f"Received log-weights of shape {tuple(log_w.shape)}."
            )
        draws = tf.cast(tf.shape(log_w)[0], log_w.dtype)
        return tf.math.log(draws) - tf.reduce_logsumexp(log_w, axis=0)

    def describe(self, roles):
        ratio = f"{roles[self.decoder]} {roles[self.prior]} / {roles[self.encoder]}"
        return f"-log mean_k[{ratio}]"

    @property
    def label(self):
        return "bound"
