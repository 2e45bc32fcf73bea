"""The importance-weighted bound: VAE, IWAE, MIWAE and their hierarchies are this one term."""

import math

import tensorflow as tf

from ugm_tf.algebra.terms import Term
from ugm_tf.serialization import record

__all__ = ["ImportanceWeightedBound"]


@record
class ImportanceWeightedBound(Term):
    """The importance-weighted bound on -log p(x), in nats, [B], or [M, B] of M groups of draws.

    Use it where `NegativeLogProb("decoder")` and `KL("encoder", "prior")` would bound the same quantity
    with one draw.  With k draws of z per example it is

        -log(1/k * sum{ p(x | z[i]) * p(z[i]) / q(z[i] | x) : i = 1...k })

    which is never looser in expectation as k grows, and is -log p(x) in the limit.  With k = 1 its
    expectation is the negative ELBO.  What is logged is the bound itself, not a surrogate of its gradient.

    Args:
        generative: Names of the densities whose product is the joint p(x, z).
        inference: Names of the densities whose product is q(z | x), which must have drawn z with `k` draws.
        group: K: the k draws are k / K groups, with a bound each; the mean over groups has more signal in the
            gradient of the inferring densities (MIWAE).  None for one group of all draws.
        doubly_reparameterised: Give the inferring density the gradient sum{ w~[i]^2 d log w[i] / dz[i] dz[i] / deta },
            which is unbiased and of less variance (DReG).  The gradient of the others is then not that of the bound,
            so they are to learn in a phase of their own.

    Raises:
        ValueError: If z has no leading axis of draws, or its size is no multiple of `group`.

    Example:

    >>> draws = ugm_tf.Ancestral(("encoder",), k=50)
    >>> wake = ugm_tf.Phase("wake", (ugm_tf.E(ImportanceWeightedBound(), draws),), updates=("encoder", "decoder"))
    >>> print(ugm_tf.Recipe({"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}, (wake,)).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z_1..50 ~ encoder] -log mean_k[p(x | z) p(z) / q(z | x)]

    References:
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, equation 8.
        Tom Rainforth et al. Tighter Variational Bounds are Not Necessarily Better. ICML 2018.
        https://arxiv.org/abs/1802.04537, equation 8 (MIWAE).
        George Tucker et al. Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives. ICLR 2019.
        https://arxiv.org/abs/1810.04152, equation 8.
    """

    generative: tuple[str, ...] = ("decoder", "prior")
    inference: tuple[str, ...] = ("encoder",)
    group: int | None = None
    doubly_reparameterised: bool = False

    def __post_init__(self) -> None:
        if self.doubly_reparameterised and len(self.inference) > 1:
            raise ValueError(
                "The doubly reparameterised gradient is for one inferring density: held fixed, the lower ones would "
                f"lose what they owe to the upper ones. Received: inference={self.inference}."
            )

    @property
    def scored(self):
        return (*self.generative, *self.inference)

    def __call__(self, sample):
        log_w = sample.log_weights(self.generative, self.inference, frozen=self.doubly_reparameterised)
        if log_w.shape.rank < 2:
            raise ValueError(
                "ImportanceWeightedBound takes a leading axis of draws, [k, B]: draw with Ancestral(('encoder',), "
                f"k=50). Received log-weights of shape {tuple(log_w.shape)}."
            )
        if self.group is not None:
            k = log_w.shape[0] * (1 if sample.part is None else sample.part[1])
            if k % self.group:
                raise ValueError(f"Groups of {self.group} draws need k to be a multiple of it. Received: k={k}.")
            groups = k // self.group
            log_w = tf.reshape(log_w, tf.concat([[log_w.shape[0] // groups, groups], tf.shape(log_w)[1:]], 0))
        draws = tf.cast(tf.shape(log_w)[0], log_w.dtype)
        bound = tf.math.log(draws) - tf.reduce_logsumexp(log_w, axis=0)
        if not self.doubly_reparameterised:
            return bound
        squares = tf.square(tf.stop_gradient(tf.nn.softmax(log_w, axis=0)))
        surrogate = -tf.reduce_sum(squares * log_w, axis=0)
        return tf.stop_gradient(bound - surrogate) + surrogate

    def log_mass(self, sample, value):
        return -value

    def merged(self, log_mass, chunks):
        return math.log(chunks) - log_mass

    @property
    def power(self):
        return 2 if self.doubly_reparameterised else 1

    def own_axes(self, k):
        return () if self.group is None else (k // self.group,)

    def leading(self, axes, chunks=1):
        """Those of the groups of all draws, if there are several, and of what was drawn before."""
        return axes[1:] if self.group is None or not axes else (axes[0] * chunks // self.group, *axes[1:])

    def describe(self, roles):
        above, below = (" ".join(map(roles.text, names)) for names in (self.generative, self.inference))
        below = f"({below})" if len(self.inference) > 1 else below
        mark = ", dreg" if self.doubly_reparameterised else ""
        groups = "" if self.group is None else f" over groups of {self.group} draws, k/{self.group} apart"
        return f"-log mean_{self.group or 'k'}[{above} / {below}]{mark}{groups}"

    @property
    def label(self):
        return "bound"
