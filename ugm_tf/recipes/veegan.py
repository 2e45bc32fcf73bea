"""VEEGAN: a GAN with a reconstructor of codes."""

from ugm_tf.algebra import GENERATED, INFERRED, E, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["veegan"]


@recipe
@contestable
def veegan(reconstruction: Scale = 1.0) -> Recipe:
    """VEEGAN: a reconstructor maps data and samples to codes; where a mode is missed, its codes are not the prior's.

    The discriminator of pairs tells (decoded z, z) from (x, reconstructed z); the decoder lowers its log-ratio on
    generated pairs.  Both lower the error of the codes of samples, from which alone the reconstructor learns:
    together that is KL(generated || inferred), whose other direction `as_vae` adds.

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z), usually "point".
        encoder: q(z | x), "unit_gaussian": the reconstructor, whose -log density is half the squared error.
        discriminator: q(y | x, z), "logit".

    Args:
        reconstruction: Weight of -log q(z | x) of generated examples.
        And the options of `ugm_tf.contested`; the original plays "log_ratio".

    Raises:
        ValueError: If `reconstruction` is negative.

    Example:

    >>> print(veegan().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ sg(encoder)] -log q(y=1 | x, z)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x, z)
    generate: minimise over decoder, encoder
        E[z ~ prior, x ~ decoder] -log[q(y=1 | x, z) / q(y=0 | x, z)]
      + E[z ~ prior, x ~ decoder] -log q(z | x)

    References:
        Akash Srivastava et al. VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
        Learning. NIPS 2017. https://arxiv.org/abs/1705.07761, equation 4 and algorithm 1.
    """
    if not reconstruction >= 0.0:
        raise ValueError(f"reconstruction is a weight of at least 0. Received: reconstruction={reconstruction}.")
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z)",
            "encoder": "q(z | x)",
            "discriminator": "q(y | x, z)",
        },
        phases=adversarial(
            fake=GENERATED,
            real=INFERRED.detached(),
            updates=("decoder", "encoder"),
            contest="log_ratio",
            extra=(E(NegativeLogProb("encoder"), GENERATED, scale=reconstruction, name="recall"),),
        ),
        families={"encoder": "unit_gaussian"},
    )
