"""The adversarial autoencoder: InfoGAN with x and z exchanged."""

from ugm_tf.algebra import INFERRED, Ancestral, E, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["aae"]


@recipe
@contestable
def aae(reconstruction: Scale = 1.0) -> Recipe:
    """AAE: an autoencoder whose codes of data a discriminator cannot tell from the prior's.

    The code is here what the image is in a GAN: the prior is the real side, the encoder makes the generated one.

    Densities:
        prior: p(z), any family.
        encoder: q(z | x), "point" or of a family with reparameterised draws.
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".
        discriminator: q(y | z), "logit".

    Args:
        reconstruction: Weight of -log p(x | z).
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If `reconstruction` is negative.

    Example:

    >>> print(aae().describe())
    discriminate: minimise over discriminator
        E[z ~ prior] -log q(y=1 | z)
      + E[x ~ data, z ~ encoder] -log q(y=0 | z)
    generate: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log q^r(y=0 | z)
      + E[x ~ data, z ~ encoder] -log p(x | z)

    References:
        Alireza Makhzani et al. Adversarial Autoencoders. 2015. https://arxiv.org/abs/1511.05644, section 2.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, section 3.2; written out in this project's notes.
    """
    if not reconstruction >= 0.0:
        raise ValueError(f"reconstruction is a weight of at least 0. Received: reconstruction={reconstruction}.")
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)", "discriminator": "q(y | z)"},
        phases=adversarial(
            fake=INFERRED,
            real=Ancestral(("prior",)),
            updates=("encoder", "decoder"),
            extra=(E(NegativeLogProb("decoder"), INFERRED, scale=reconstruction, name="distortion"),),
        ),
    )
