"""A GAN whose codes can be read back from its samples."""

from ugm_tf.algebra import GENERATED, Ancestral, E, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["infogan"]


@recipe
@contestable
def infogan(info: Scale = 1.0, structured: bool = True) -> Recipe:
    """InfoGAN: a GAN that keeps its codes, a class and some numbers beside noise, recoverable from x.

    The discriminator learns where x comes from; then the decoder fools it, while decoder and recognisers together
    keep the codes readable.  With `info=0.` the decoder learns exactly as in `gan`.

    Densities:
        prior: p(z), the noise, which nobody reads back.
        classes: p(c), "one_hot".
        codes: p(u), such as "uniform".
        decoder: p(x | z, c, u), usually "point".
        class_encoder: q(c | x), "one_hot".
        code_encoder: q(u | x), "gaussian".
        discriminator: q(y | x), "logit".

    Args:
        info: Weight of -log q(c | x) - log q(u | x), which bounds the mutual information of codes and x from below
            up to the constant entropy of the codes.
        structured: False for the form of the paper's equation 10: a code z alone, all of it read back by an encoder
            q(z | x); then it is `aae` with x and z exchanged.
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If `info` is negative.

    Example:

    >>> print(infogan(info=0.5).describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, c ~ classes, u ~ codes, x ~ decoder] -log q(y=0 | x)
    generate: minimise over decoder, class_encoder, code_encoder
        E[z ~ prior, c ~ classes, u ~ codes, x ~ decoder] -log q^r(y=0 | x)
      + 0.5 E[z ~ prior, c ~ classes, u ~ codes, x ~ decoder] -log q(c | x)
      + 0.5 E[z ~ prior, c ~ classes, u ~ codes, x ~ decoder] -log q(u | x)
    >>> print(infogan(structured=False).describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, x ~ decoder] -log q(y=0 | x)
    generate: minimise over decoder, encoder
        E[z ~ prior, x ~ decoder] -log q^r(y=0 | x)
      + E[z ~ prior, x ~ decoder] -log q(z | x)

    References:
        Xi Chen et al. InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
        Adversarial Nets. NIPS 2016. https://arxiv.org/abs/1606.03657, equation 6.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 9 and 10.
    """
    if not info >= 0.0:
        raise ValueError(f"info weighs what is read back and is at least 0. Received: info={info}.")
    if not structured:
        recall = E(NegativeLogProb("encoder"), GENERATED, scale=info, name="recall")
        return Recipe(
            densities={"prior": "p(z)", "decoder": "p(x | z)", "encoder": "q(z | x)", "discriminator": "q(y | x)"},
            phases=adversarial(fake=GENERATED, updates=("decoder", "encoder"), extra=(recall,)),
        )
    generated = Ancestral(("prior", "classes", "codes", "decoder"))
    read_back = (
        E(NegativeLogProb("class_encoder"), generated, scale=info, name="recall_class"),
        E(NegativeLogProb("code_encoder"), generated, scale=info, name="recall_codes"),
    )
    return Recipe(
        densities={
            "prior": "p(z)",
            "classes": "p(c)",
            "codes": "p(u)",
            "decoder": "p(x | z, c, u)",
            "class_encoder": "q(c | x)",
            "code_encoder": "q(u | x)",
            "discriminator": "q(y | x)",
        },
        phases=adversarial(generated, updates=("decoder", "class_encoder", "code_encoder"), extra=read_back),
        families={"classes": "one_hot", "class_encoder": "one_hot", "codes": "uniform", "code_encoder": "gaussian"},
    )
