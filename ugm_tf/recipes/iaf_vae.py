"""A VAE with an inverse autoregressive flow for its posterior."""

import dataclasses

from ugm_tf.algebra import Recipe, Scale
from ugm_tf.recipes.registry import recipe
from ugm_tf.recipes.vae import vae

__all__ = ["iaf_vae"]


@recipe
def iaf_vae(beta: Scale = 1.0) -> Recipe:
    """A VAE whose q(z | x) is a Gaussian bent by an inverse autoregressive flow: codes that depend on one another.

    It is `vae(kl="sampled")` with the family "iaf" for its encoder.

    Densities: as of `vae`, with encoder "iaf".

    Args:
        beta: As in `vae`.

    Example:

    >>> print(iaf_vae().describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder] [log q(z | x) - log p(z)]

    References:
        Diederik Kingma et al. Improved variational inference with inverse autoregressive flow.
        NIPS 2016. https://arxiv.org/abs/1606.04934, algorithm 1.
    """
    return dataclasses.replace(vae(beta=beta, kl="sampled"), families={"encoder": "iaf"})
