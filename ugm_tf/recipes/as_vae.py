"""The symmetric VAE: both KL divergences between two joint distributions."""

from ugm_tf.algebra import INFERRED, Ancestral, E, Mean, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["as_vae"]


@recipe
@contestable
def as_vae(cycle: Scale = 1.0) -> Recipe:
    """Adversarial symmetric VAE: minimises KL(q || p) + KL(p || q) between q(x, z) and p(x, z), and keeps cycles.

    The best logit of the joint discriminator is log q(x, z) - log p(x, z): its mean over inferred pairs is one
    divergence, and the negative of its mean over generated ones the other.

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z), of a family with a log-probability, such as "laplace"; its mean is judged.
        encoder: q(z | x), of a family with reparameterised draws.
        discriminator: q(y | x, z), "logit".

    Args:
        cycle: Weight of -log p(x | z) at inferred codes and of -log q(z | x) at generated examples.
        And the options of `ugm_tf.contested`; the original plays "log_ratio".

    Raises:
        ValueError: If `cycle` is negative.

    Example:

    >>> print(as_vae().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ encoder] -log q(y=1 | x, z)
      + E[z ~ prior, x = mean of decoder] -log q(y=0 | x, z)
    generate: minimise over decoder, encoder
        E[z ~ prior, x = mean of decoder] -log[q(y=1 | x, z) / q(y=0 | x, z)]
      + E[x ~ data, z ~ encoder] log[q(y=1 | x, z) / q(y=0 | x, z)]
      + E[x ~ data, z ~ encoder] -log p(x | z)
      + E[z ~ prior, x = mean of decoder] -log q(z | x)

    References:
        Yunchen Pu et al. Adversarial Symmetric Variational Autoencoder. NIPS 2017.
        https://arxiv.org/abs/1711.04915, equation 13.
        Liqun Chen et al. Symmetric Variational Autoencoder and Connections to Adversarial Learning. AISTATS 2018.
        https://arxiv.org/abs/1709.01846.
    """
    if not cycle >= 0.0:
        raise ValueError(f"cycle is a weight of at least 0. Received: cycle={cycle}.")
    generated = Ancestral(("prior", Mean("decoder")))
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z)",
            "encoder": "q(z | x)",
            "discriminator": "q(y | x, z)",
        },
        phases=adversarial(
            fake=generated,
            real=INFERRED,
            updates=("decoder", "encoder"),
            contest="log_ratio",
            extra=(
                E(NegativeLogProb("decoder"), INFERRED, scale=cycle, name="cycle"),
                E(NegativeLogProb("encoder"), generated, scale=cycle, name="recall"),
            ),
        ),
    )
