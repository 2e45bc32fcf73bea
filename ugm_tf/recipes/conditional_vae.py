"""The class-conditional VAE."""

import dataclasses

from ugm_tf.algebra import Recipe, Scale
from ugm_tf.recipes.registry import recipe
from ugm_tf.recipes.vae import vae

__all__ = ["conditional_vae"]


@recipe
def conditional_vae(beta: Scale = 1.0, kl: str = "analytic") -> Recipe:
    """Conditional VAE: the VAE of x given its class c, whose code is left with what the class does not say.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x, c), of a family with reparameterised draws.
        decoder: p(x | z, c), of a family with a log-probability, such as "bernoulli".

    Args:
        beta: As in `vae`.
        kl: As in `vae`.

    Example:

    >>> print(conditional_vae().describe())
    wake: minimise over encoder, decoder
        E[x ~ data, c ~ data, z ~ encoder] -log p(x | z, c)
      + E[x ~ data, c ~ data, z ~ encoder] KL(q(z | x, c) || p(z))

    References:
        Kihyuk Sohn, Honglak Lee, Xinchen Yan. Learning Structured Output Representation using Deep
        Conditional Generative Models. NIPS 2015, equation 4.
        Diederik Kingma et al. Semi-supervised Learning with Deep Generative Models. NIPS 2014.
        https://arxiv.org/abs/1406.5298, equation 6.
    """
    return dataclasses.replace(
        vae(beta=beta, kl=kl),
        densities={"prior": "p(z)", "encoder": "q(z | x, c)", "decoder": "p(x | z, c)"},
        data=("x", "c"),
        families={"c": "one_hot"},
    )
