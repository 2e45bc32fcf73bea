"""VAE and GAN in one: both directions of the KL divergence."""

from ugm_tf.algebra import INFERRED, KL, Ancestral, E, Mean, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["vae_gan"]


@recipe
@contestable
def vae_gan(beta: Scale = 1.0, adversary: Scale = 1.0) -> Recipe:
    """VAE/GAN: the evidence lower bound, and a discriminator of samples and of reconstructions.

    The VAE's KL(Q || P) covers all modes and blurs; the GAN's KL(P || Q) is sharp and may miss modes.  Their sum
    makes up for both.  What is judged is the decoder's mean, through which gradients flow for every family.  Encoder
    and decoder descend one loss together: the encoder learns from how real its reconstructions are, too, which in
    Larsen et al. the decoder alone does.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x), of a family with reparameterised draws.
        decoder: p(x | z), of a family with a log-probability, such as "laplace" or "gaussian".
        discriminator: q(y | x), "logit".

    Args:
        beta: As in `vae`.
        adversary: Weight of the adversarial expectations; with 0 it is `vae`.
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If a weight is negative.

    Example:

    >>> print(vae_gan().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x = mean of decoder] -log q(y=0 | x)
      + E[x ~ data, z ~ encoder, x = mean of decoder] -log q(y=0 | x)
    generate: minimise over encoder, decoder
        E[z ~ prior, x = mean of decoder] -log q^r(y=0 | x)
      + E[x ~ data, z ~ encoder, x = mean of decoder] -log q^r(y=0 | x)
      + E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))

    References:
        Anders Larsen et al. Autoencoding beyond pixels using a learned similarity metric. ICML 2016.
        https://arxiv.org/abs/1512.09300, whose likelihood is of the discriminator's features.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, section 4: the joint model, as derived in this project's notes.
    """
    if not (beta >= 0.0 and adversary >= 0.0):
        raise ValueError(f"Weights are at least 0. Received: {beta=}, {adversary=}.")
    return Recipe(
        densities={
            "prior": "p(z)",
            "encoder": "q(z | x)",
            "decoder": "p(x | z)",
            "discriminator": "q(y | x)",
        },
        phases=adversarial(
            fake=(Ancestral(("prior", Mean("decoder"))), INFERRED.then(Mean("decoder"))),
            updates=("encoder", "decoder"),
            extra=(
                E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                E(KL("encoder", "prior"), INFERRED, scale=beta, name="rate"),
            ),
            scale=adversary,
        ),
    )
