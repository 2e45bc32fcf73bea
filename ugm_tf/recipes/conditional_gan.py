"""The class-conditional GAN."""

from ugm_tf.algebra import GENERATED, Recipe, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["conditional_gan"]


@recipe
@contestable
def conditional_gan() -> Recipe:
    """Conditional GAN: a GAN of images of a class, whose discriminator sees the class too.

    The classes of generated images are those of the batch of data.  How the discriminator's network takes the class
    is its own affair: as another input, or by a projection (`ugm_tf.networks.build(..., conditioning="projection")`).

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z, c), usually "point".
        discriminator: q(y | x, c), "logit".

    Args:
        The options of `ugm_tf.contested`.

    Example:

    >>> print(conditional_gan().describe())
    discriminate: minimise over discriminator
        E[x ~ data, c ~ data] -log q(y=1 | x, c)
      + E[z ~ prior, c ~ data, x ~ decoder] -log q(y=0 | x, c)
    generate: minimise over decoder
        E[z ~ prior, c ~ data, x ~ decoder] -log q^r(y=0 | x, c)

    References:
        Mehdi Mirza, Simon Osindero. Conditional Generative Adversarial Nets. 2014.
        https://arxiv.org/abs/1411.1784, equation 2.
        Takeru Miyato, Masanori Koyama. cGANs with Projection Discriminator. ICLR 2018.
        https://arxiv.org/abs/1802.05637, equation 3.
    """
    return Recipe(
        densities={"prior": "p(z)", "decoder": "p(x | z, c)", "discriminator": "q(y | x, c)"},
        phases=adversarial(fake=GENERATED, updates=("decoder",)),
        data=("x", "c"),
        families={"c": "one_hot"},
    )
