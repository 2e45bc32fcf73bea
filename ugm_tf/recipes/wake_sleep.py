"""Wake-sleep: both phases, each in its half."""

from ugm_tf.algebra import GENERATED, INFERRED, E, NegativeLogProb, Phase, Recipe
from ugm_tf.recipes.registry import recipe

__all__ = ["wake_sleep"]


@recipe
def wake_sleep() -> Recipe:
    """Wake-sleep: the decoder learns data from inferred codes, the encoder learns codes from generated data.

    The VAE is its wake phase, in which the encoder learns too; the GAN is its sleep phase with the provenance y
    in place of z, in which the decoder learns too.  No gradient goes through a draw, so codes may be discrete.

    Densities:
        prior: p(z), such as "gaussian" or "bernoulli".
        encoder: q(z | x), of the prior's support.
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".

    Example:

    >>> print(wake_sleep().describe())
    wake: minimise over decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
    sleep: minimise over encoder
        E[z ~ prior, x ~ decoder] -log q(z | x)

    References:
        Geoffrey Hinton, Peter Dayan, Brendan Frey, Radford Neal. The wake-sleep algorithm for unsupervised neural
        networks. Science 268, 1995.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 14.
    """
    wake = E(NegativeLogProb("decoder"), INFERRED, name="distortion")
    sleep = E(NegativeLogProb("encoder"), GENERATED, name="recall")
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"},
        phases=(Phase("wake", (wake,), ("decoder",)), Phase("sleep", (sleep,), ("encoder",))),
    )
