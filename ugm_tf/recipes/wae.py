"""A Wasserstein autoencoder by the maximum mean discrepancy."""

from ugm_tf.algebra import Recipe
from ugm_tf.recipes.info_vae import info_vae
from ugm_tf.recipes.registry import recipe

__all__ = ["wae"]


@recipe
def wae(penalty: float = 100.0, kernel: str = "inverse_multiquadric", size: float | None = None) -> Recipe:
    """WAE-MMD: an autoencoder whose codes together are to be as the prior's.

    It is `info_vae(alpha=1.0)`, and to `aae`, the WAE-GAN, what an MMD is to a discriminator.

    Densities:
        prior: p(z), any family of vectors.
        encoder: q(z | x), "point" or of a family with reparameterised draws.
        decoder: p(x | z); "gaussian(scale=0.7)" makes the distortion the squared error, as the paper has it.

    Args:
        penalty: lambda, the weight of the squared MMD.
        kernel: "inverse_multiquadric" or "gaussian".
        size: The kernel's; see `ugm_tf.MMD`.

    Raises:
        ValueError: If the penalty is negative, or the kernel or its size makes no sense.

    Example:

    >>> print(wae().describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + 100 E[x ~ data, z ~ encoder, code = z, z ~ prior] MMD^2[inverse_multiquadric](code, z)

    References:
        Ilya Tolstikhin, Olivier Bousquet, Sylvain Gelly, Bernhard Schoelkopf. Wasserstein Auto-Encoders. ICLR 2018.
        https://arxiv.org/abs/1711.01558, equation 4 and algorithm 2.
    """
    if not penalty >= 0.0:
        raise ValueError(f"penalty is a weight of at least 0. Received: penalty={penalty}.")
    return info_vae(alpha=1.0, scale=penalty, kernel=kernel, size=size)
