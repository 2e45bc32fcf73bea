"""VAEs whose codes together are to be as the prior's, by their maximum mean discrepancy."""

from ugm_tf.algebra import INFERRED, KL, MMD, E, NegativeLogProb, Phase, Recipe, Rename
from ugm_tf.recipes.registry import recipe

__all__ = ["info_vae"]


@recipe
def info_vae(alpha: float = 0.0, scale: float = 100.0, kernel: str = "gaussian", size: float | None = None) -> Recipe:
    """InfoVAE: a VAE whose codes may tell more of x, and are as the prior's on the whole.

    The mutual information of x and z counts 1 - alpha times, and D(q(z), p(z)) `scale` times, of which the rate holds
    1 - alpha.  With alpha=0 and scale=1 it is `vae`; with alpha=1 it is the MMD-VAE, and `wae` by another kernel.

    Densities: as of `vae`; with alpha=1 nothing scores the encoder, which may be a "point".

    Args:
        alpha: How much of the mutual information is not paid for, from 0 to 1.
        scale: lambda, the weight of the divergence of q(z) from p(z), whose place the squared MMD takes.
        kernel: That of the MMD, "gaussian" or "inverse_multiquadric".
        size: The kernel's; see `ugm_tf.MMD`.

    Raises:
        ValueError: If alpha is not between 0 and 1, the MMD weighs below 0, or the kernel or its size makes no sense.

    Example:

    >>> print(info_vae().describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + 99 E[x ~ data, z ~ encoder, code = z, z ~ prior] MMD^2[gaussian](code, z)
      + E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))

    References:
        Shengjia Zhao, Jiaming Song, Stefano Ermon. InfoVAE: Balancing Learning and Inference in Variational
        Autoencoders. AAAI 2019. https://arxiv.org/abs/1706.02262, equation 6, with the MMD of section 3.3.
    """
    if not 0.0 <= alpha <= 1.0 or not alpha + scale - 1.0 >= 0.0:
        raise ValueError(
            f"alpha is between 0 and 1, and the MMD weighs alpha + scale - 1, at least 0. Received: {alpha=}, {scale=}."
        )
    both = INFERRED.then(Rename("z", "code"), "prior")
    nats = [
        E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
        E(MMD("code", "z", kernel, size), both, scale=alpha + scale - 1.0),
    ]
    if alpha < 1.0:
        nats.append(E(KL("encoder", "prior"), INFERRED, scale=1.0 - alpha, name="rate"))
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"},
        phases=(Phase("wake", tuple(nats), ("encoder", "decoder")),),
    )
