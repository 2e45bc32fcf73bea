"""A VAE whose codes are to be independent of one another, by their total correlation in a batch."""

import dataclasses

from ugm_tf.algebra import INFERRED, E, Recipe, TotalCorrelation
from ugm_tf.recipes.registry import recipe
from ugm_tf.recipes.vae import vae

__all__ = ["beta_tc_vae"]


@recipe
def beta_tc_vae(beta: float = 6.0, kl: str = "analytic") -> Recipe:
    """beta-TC-VAE: a VAE that pays beta times for what its codes tell of one another.

    In expectation the rate is the mutual information of x and z, the total correlation KL(q(z) || prod_j q(z_j)), and
    the divergence of each q(z_j) from the prior.  The second of the three counts `beta` times, the others once, as the
    paper recommends.  With beta=1 it is `vae`.

    Densities: as of `vae`, with an encoder of a family that factorises, such as "gaussian".

    Args:
        beta: Weight of the total correlation, at least 1.  As q(z) is estimated in the batch, take large ones.
        kl: As in `vae`.

    Raises:
        ValueError: If `beta` is below 1, or `kl` is not known.

    Example:

    >>> print(beta_tc_vae().describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))
      + 5 E[x ~ data, z ~ encoder] [log q(z) - sum_j log q(z_j)]

    References:
        Ricky Chen, Xuechen Li, Roger Grosse, David Duvenaud. Isolating Sources of Disentanglement in Variational
        Autoencoders. NeurIPS 2018. https://arxiv.org/abs/1802.04942, equation 4.
    """
    if not beta >= 1.0:
        raise ValueError(f"beta weighs the total correlation, which counts once in the rate. Received: beta={beta}.")
    wake = vae(kl=kl).phase("wake")
    more = E(TotalCorrelation("encoder"), INFERRED, scale=beta - 1.0)
    return dataclasses.replace(vae(kl=kl), phases=(dataclasses.replace(wake, minimise=(*wake.minimise, more)),))
