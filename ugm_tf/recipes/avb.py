"""Adversarial variational Bayes: a VAE with an implicit posterior."""

from ugm_tf.algebra import Ancestral, E, NegativeLogProb, Recipe, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["avb"]


@recipe
@contestable
def avb() -> Recipe:
    """AVB: a VAE whose posterior is any network of x and noise, as a discriminator estimates its rate.

    The discriminator tells pairs of x and an inferred code (y = 1) from pairs of x and the prior's (y = 0); its best
    logit is log q(z | x) - log p(z), whose mean is KL(q(z | x) || p(z)).

    Densities:
        prior: p(z), such as "gaussian".
        noise: p(e), such as "gaussian".
        encoder: q(z | x, e), "point".
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".
        discriminator: q(y | x, z), "logit".

    Args:
        The options of `ugm_tf.contested`; the original plays "log_ratio".  A pack's log-ratio is the sum of those of
            its examples, so with `pack` the rate counts so many times.

    Example:

    >>> print(avb().describe())
    discriminate: minimise over discriminator
        E[e ~ noise, x ~ data, z ~ encoder] -log q(y=1 | x, z)
      + E[x ~ data, z ~ prior] -log q(y=0 | x, z)
    generate: minimise over encoder, decoder
        E[e ~ noise, x ~ data, z ~ encoder] log[q(y=1 | x, z) / q(y=0 | x, z)]
      + E[e ~ noise, x ~ data, z ~ encoder] -log p(x | z)

    References:
        Lars Mescheder, Sebastian Nowozin, Andreas Geiger. Adversarial Variational Bayes: Unifying Variational
        Autoencoders and Generative Adversarial Networks. ICML 2017. https://arxiv.org/abs/1701.04722, algorithm 1.
    """
    inferred = Ancestral(("noise", "encoder"))
    return Recipe(
        densities={
            "prior": "p(z)",
            "noise": "p(e)",
            "encoder": "q(z | x, e)",
            "decoder": "p(x | z)",
            "discriminator": "q(y | x, z)",
        },
        phases=adversarial(
            fake=Ancestral(("prior",)),
            real=inferred,
            updates=("encoder", "decoder"),
            contest="log_ratio",
            extra=(E(NegativeLogProb("decoder"), inferred, name="distortion"),),
        ),
    )
