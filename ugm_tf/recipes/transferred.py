"""The paper's transferred models: each is a transfer of another recipe."""

from ugm_tf.algebra import Recipe, adversary_activated, importance_weighted
from ugm_tf.recipes.gan import gan
from ugm_tf.recipes.registry import recipe
from ugm_tf.recipes.vae import vae

__all__ = ["aavae", "iwgan"]


@recipe
def iwgan() -> Recipe:
    """IWGAN, the importance-weighted GAN: `importance_weighted(gan())`.

    Example:

    >>> print(iwgan().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder] w[q^r(y=0 | x) / q(y=0 | x)] * -log q^r(y=0 | x)

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 16.
    """
    return importance_weighted(gan())


@recipe
def aavae(beta: float = 1.0, kl: str = "analytic", temperature: float = 1.0) -> Recipe:
    """AAVAE, the adversary-activated VAE: `adversary_activated(vae())`.

    Args:
        beta: As in `vae`.
        kl: As in `vae`.
        temperature: As in `adversary_activated`.

    Example:

    >>> print(aavae().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
    wake: minimise over encoder, decoder
        0.5 E[x ~ data, z ~ encoder] q(y=1 | x) * -log p(x | z)
      + 0.5 E[z ~ sg(prior), x ~ sg(decoder), z ~ encoder] q(y=1 | x) * -log p(x | z)
      + 0.5 E[x ~ data, z ~ encoder] q(y=1 | x) * KL(q(z | x) || p(z))
      + 0.5 E[z ~ sg(prior), x ~ sg(decoder), z ~ encoder] q(y=1 | x) * KL(q(z | x) || p(z))

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 17.
    """
    return adversary_activated(vae(beta=beta, kl=kl), temperature=temperature)
