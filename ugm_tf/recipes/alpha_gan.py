"""alpha-GAN: an autoencoder with a discriminator of data and one of codes."""

from ugm_tf.algebra import INFERRED, Ancestral, E, Mean, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["alpha_gan"]


@recipe
@contestable
def alpha_gan(reconstruction: Scale = 1.0) -> Recipe:
    """alpha-GAN: a VAE whose rate and whose likelihood of samples are ratios that two discriminators estimate.

    The code discriminator's log-ratio stands for KL(q(z) || p(z)), the image discriminator's for how real samples
    and reconstructions are.  Encoder and decoder descend one loss together, so that the encoder learns from how real
    its reconstructions are, too; the authors' code updates the two in turn, each with its own terms.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x), "point" or of a family with reparameterised draws.
        decoder: p(x | z), of a family with a log-probability, such as "laplace"; its mean is judged.
        discriminator: q(y | x), "logit".
        code_discriminator: q(y | z), "logit".

    Args:
        reconstruction: Weight of -log p(x | z), the paper's lambda.
        And the options of `ugm_tf.contested`; the original plays "log_ratio".

    Raises:
        ValueError: If `reconstruction` is negative.

    Example:

    >>> print(alpha_gan().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x = mean of decoder] -log q(y=0 | x)
      + E[x ~ data, z ~ encoder, x = mean of decoder] -log q(y=0 | x)
    discriminate_codes: minimise over code_discriminator
        E[z ~ prior] -log q(y=1 | z)
      + E[x ~ data, z ~ encoder] -log q(y=0 | z)
    generate: minimise over encoder, decoder
        E[z ~ prior, x = mean of decoder] -log[q(y=1 | x) / q(y=0 | x)]
      + E[x ~ data, z ~ encoder, x = mean of decoder] -log[q(y=1 | x) / q(y=0 | x)]
      + E[x ~ data, z ~ encoder] -log[q(y=1 | z) / q(y=0 | z)]
      + E[x ~ data, z ~ encoder] -log p(x | z)

    References:
        Mihaela Rosca et al. Variational Approaches for Auto-Encoding Generative Adversarial Networks. 2017.
        https://arxiv.org/abs/1706.04987, algorithm 1.
    """
    if not reconstruction >= 0.0:
        raise ValueError(f"reconstruction is a weight of at least 0. Received: reconstruction={reconstruction}.")
    updates, prior = ("encoder", "decoder"), Ancestral(("prior",))
    judge_codes, codes = adversarial(
        INFERRED, updates, real=prior, by="code_discriminator", contest="log_ratio", suffix="_codes"
    )
    judge, generate = adversarial(
        fake=(prior.then(Mean("decoder")), INFERRED.then(Mean("decoder"))),
        updates=updates,
        contest="log_ratio",
        extra=(*codes.minimise, E(NegativeLogProb("decoder"), INFERRED, scale=reconstruction, name="distortion")),
    )
    return Recipe(
        densities={
            "prior": "p(z)",
            "encoder": "q(z | x)",
            "decoder": "p(x | z)",
            "discriminator": "q(y | x)",
            "code_discriminator": "q(y | z)",
        },
        phases=(judge, judge_codes, generate),
    )
