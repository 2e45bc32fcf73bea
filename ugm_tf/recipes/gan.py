"""The generative adversarial network: the sleep phase."""

from ugm_tf.algebra import GENERATED, Recipe, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["gan"]


@recipe
@contestable
def gan() -> Recipe:
    """GAN: a decoder learns from a discriminator that tells its samples from data.

    In the unified view x is latent and its provenance y is seen: the discriminator is the sleep
    phase's q(y | x), and the decoder learns by reconstructing the reversed y, which descends
    KL(P || Q) minus a Jensen-Shannon divergence (lemma 1).

    Densities:
        prior: p(z), such as "gaussian" or "uniform".
        decoder: p(x | z), usually "point"; its draws must be reparameterised.
        discriminator: q(y | x), "logit".

    Args:
        The options of `ugm_tf.contested`.  contest="minimax" lets the decoder maximise the discriminator's loss
            instead of minimising the reversed one: it saturates when the discriminator wins; its direction is that of
            `iwgan`.

    Example:

    >>> print(gan().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder] -log q^r(y=0 | x)

    References:
        Ian Goodfellow et al. Generative Adversarial Nets. NIPS 2014. https://arxiv.org/abs/1406.2661
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 4 to 6.
    """
    return Recipe(
        densities={"prior": "p(z)", "decoder": "p(x | z)", "discriminator": "q(y | x)"},
        phases=adversarial(fake=GENERATED, updates=("decoder",)),
    )
