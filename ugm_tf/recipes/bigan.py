"""BiGAN, also ALI: a GAN of pairs."""

from ugm_tf.algebra import GENERATED, INFERRED, Recipe, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["bigan"]


@recipe
@contestable
def bigan() -> Recipe:
    """BiGAN, or ALI: a discriminator of pairs (x, z) holds what is generated and what is inferred to one distribution.

    It is adversarial domain adaptation between (decoded z, z) and (x, encoded x); both sides learn.  (So derived in
    this project; the paper does not speak of it.)

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z), usually "point".
        encoder: q(z | x), "point" or of a family with reparameterised draws.
        discriminator: q(y | x, z), "logit".

    Args:
        The options of `ugm_tf.contested`.

    Example:

    >>> print(bigan().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ encoder] -log q(y=1 | x, z)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x, z)
    generate: minimise over decoder, encoder
        E[z ~ prior, x ~ decoder] -log q^r(y=0 | x, z)
      + E[x ~ data, z ~ encoder] -log q^r(y=1 | x, z)

    References:
        Jeff Donahue, Philipp Kraehenbuehl, Trevor Darrell. Adversarial Feature Learning. ICLR 2017.
        https://arxiv.org/abs/1605.09782, equation 3.
        Vincent Dumoulin et al. Adversarially Learned Inference. ICLR 2017.
        https://arxiv.org/abs/1606.00704, equation 1.
    """
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z)",
            "encoder": "q(z | x)",
            "discriminator": "q(y | x, z)",
        },
        phases=adversarial(fake=GENERATED, real=INFERRED, updates=("decoder", "encoder")),
    )
