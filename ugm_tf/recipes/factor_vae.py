"""A VAE whose codes are to be independent of one another, by a discriminator of codes against permuted ones."""

from ugm_tf.algebra import INFERRED, KL, E, NegativeLogProb, Permute, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["factor_vae"]


@recipe
@contestable
def factor_vae(gamma: Scale = 10.0) -> Recipe:
    """FactorVAE: a VAE and a discriminator that tells its codes from the same with each unit of another example.

    Permuted codes are draws of prod_j q(z_j), so the best logit is log q(z) - sum_j log q(z_j), whose mean is the total
    correlation of the codes.  In the unified view the code is what a GAN's image is, and q(z) and its own product of
    marginals are the two sides; codes are permuted under theta_0, so that the encoder learns on the one side alone.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x), of a family with reparameterised draws.
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".
        discriminator: q(y | z), "logit".

    Args:
        gamma: Weight of the total correlation.
        And the options of `ugm_tf.contested`; the original plays "log_ratio".

    Raises:
        ValueError: If `gamma` is negative.

    Example:

    >>> print(factor_vae().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ encoder] -log q(y=1 | z)
      + E[x ~ data, z ~ sg(encoder), z = permuted z] -log q(y=0 | z)
    generate: minimise over encoder, decoder
        10 E[x ~ data, z ~ encoder] log[q(y=1 | z) / q(y=0 | z)]
      + E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))

    References:
        Hyunjik Kim, Andriy Mnih. Disentangling by Factorising. ICML 2018. https://arxiv.org/abs/1802.05983,
        equations 2 and 3 and algorithm 2, which draws the permuted codes from a second batch.
    """
    if not gamma >= 0.0:
        raise ValueError(f"gamma is a weight of at least 0. Received: gamma={gamma}.")
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)", "discriminator": "q(y | z)"},
        phases=adversarial(
            fake=INFERRED.detached().then(Permute("z")),
            real=INFERRED,
            updates=("encoder", "decoder"),
            contest="log_ratio",
            scale=gamma,
            extra=(
                E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                E(KL("encoder", "prior"), INFERRED, name="rate"),
            ),
        ),
    )
