"""ALICE: BiGAN with a cycle."""

from ugm_tf.algebra import INFERRED, Ancestral, E, Mean, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["alice"]


@recipe
@contestable
def alice(cycle: Scale = 1.0) -> Recipe:
    """ALICE: a BiGAN whose codes decode to the data they were inferred from.

    A joint distribution does not fix how x and z are paired; -log p(x | z) bounds the conditional entropy H(x | z) from
    above, and makes the pairing one to one.  With `cycle=0.` it is `bigan` on the decoder's means.

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z), of a family with a log-probability, such as "laplace"; its mean is judged.
        encoder: q(z | x), "point" or of a family with reparameterised draws.
        discriminator: q(y | x, z), "logit".

    Args:
        cycle: Weight of -log p(x | z) at inferred codes.
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If `cycle` is negative.

    Example:

    >>> print(alice().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ encoder] -log q(y=1 | x, z)
      + E[z ~ prior, x = mean of decoder] -log q(y=0 | x, z)
    generate: minimise over decoder, encoder
        E[z ~ prior, x = mean of decoder] -log q^r(y=0 | x, z)
      + E[x ~ data, z ~ encoder] -log q^r(y=1 | x, z)
      + E[x ~ data, z ~ encoder] -log p(x | z)

    References:
        Chunyuan Li et al. ALICE: Towards Understanding Adversarial Learning for Joint Distribution
        Matching. NIPS 2017. https://arxiv.org/abs/1709.01215, equations 5 and 6.
    """
    if not cycle >= 0.0:
        raise ValueError(f"cycle is a weight of at least 0. Received: cycle={cycle}.")
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z)",
            "encoder": "q(z | x)",
            "discriminator": "q(y | x, z)",
        },
        phases=adversarial(
            fake=Ancestral(("prior", Mean("decoder"))),
            real=INFERRED,
            updates=("decoder", "encoder"),
            extra=(E(NegativeLogProb("decoder"), INFERRED, scale=cycle, name="cycle"),),
        ),
    )
