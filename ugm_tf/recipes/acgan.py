"""The auxiliary-classifier GAN."""

import dataclasses

from ugm_tf.algebra import DATA, GENERATED, E, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["acgan"]


@recipe
@contestable
def acgan(auxiliary: Scale = 1.0) -> Recipe:
    """AC-GAN: a GAN of images of a class, in which a classifier learns with the discriminator and helps the decoder.

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z, c), usually "point".
        classifier: q(c | x), "one_hot"; it learns from data and from generated images.
        discriminator: q(y | x), "logit".

    Args:
        auxiliary: Weight of -log q(c | x) in both phases.
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If `auxiliary` is negative.

    Example:

    >>> print(acgan().describe())
    discriminate: minimise over discriminator, classifier
        E[x ~ data] -log q(y=1 | x)
      + E[z ~ prior, c ~ data, x ~ decoder] -log q(y=0 | x)
      + E[x ~ data, c ~ data] -log q(c | x)
      + E[z ~ prior, c ~ data, x ~ decoder] -log q(c | x)
    generate: minimise over decoder
        E[z ~ prior, c ~ data, x ~ decoder] -log q^r(y=0 | x)
      + E[z ~ prior, c ~ data, x ~ decoder] -log q(c | x)

    References:
        Augustus Odena, Christopher Olah, Jonathon Shlens. Conditional Image Synthesis with Auxiliary
        Classifier GANs. ICML 2017. https://arxiv.org/abs/1610.09585, equations 2 and 3.
    """
    if not auxiliary >= 0.0:
        raise ValueError(f"auxiliary is a weight of at least 0. Received: auxiliary={auxiliary}.")
    told = E(NegativeLogProb("classifier"), GENERATED, scale=auxiliary, name="told_class")
    discriminate, generate = adversarial(fake=GENERATED, updates=("decoder",), extra=(told,))
    learn = (E(NegativeLogProb("classifier"), DATA, scale=auxiliary, name="real_class"), told)
    discriminate = dataclasses.replace(
        discriminate, minimise=(*discriminate.minimise, *learn), updates=("discriminator", "classifier")
    )
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z, c)",
            "classifier": "q(c | x)",
            "discriminator": "q(y | x)",
        },
        phases=(discriminate, generate),
        data=("x", "c"),
        families={"classifier": "one_hot"},
    )
