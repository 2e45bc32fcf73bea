"""Adversarial domain adaptation: the model that the paper starts from."""

from ugm_tf.algebra import INFERRED, E, NegativeLogProb, Recipe, Rename, Scale, adversarial
from ugm_tf.algebra.samplers import Ancestral
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["adversarial_domain_adaptation"]


@recipe
@contestable
def adversarial_domain_adaptation(supervised: Scale = 1.0, adversary: Scale = 1.0) -> Recipe:
    """Adversarial domain adaptation: features of two domains that a discriminator cannot tell apart.

    The source domain has labels, the target domain has none.  A classifier of the features learns the labels, and
    serves the target as well as far as the features of both look alike.  Both domains learn: the features of the
    source are drawn towards the target's, too (equation 3, unlike in a GAN).

    The term of the labels is, as far as we know, of the paper's appendix, which we could not check; with it the
    recipe is Ganin et al.'s.

    In the paper's letters the data are z and their features x; here data are x, and their features z.

    Densities:
        encoder: q(z | x), "point": the features, shared by both domains.
        classifier: q(c | z), "one_hot".
        discriminator: q(y | z), "logit"; y = 1 for the source and 0 for the target.

    Args:
        supervised: Weight of -log q(c | z) of the source.
        adversary: Weight of the adversarial expectations; 0 trains on the source alone.
        And the options of `ugm_tf.contested`.

    Raises:
        ValueError: If a weight is negative.

    Example:

    >>> print(adversarial_domain_adaptation().describe())
    discriminate: minimise over discriminator
        E[x ~ data, z ~ encoder] -log q(y=1 | z)
      + E[target ~ data, x = target, z ~ encoder] -log q(y=0 | z)
    generate: minimise over encoder, classifier
        E[target ~ data, x = target, z ~ encoder] -log q^r(y=0 | z)
      + E[x ~ data, z ~ encoder] -log q^r(y=1 | z)
      + E[c ~ data, x ~ data, z ~ encoder] -log q(c | z)

    References:
        Yaroslav Ganin et al. Domain-Adversarial Training of Neural Networks. JMLR 17, 2016.
        https://arxiv.org/abs/1505.07818, equation 9.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 1 to 3.
    """
    if not (supervised >= 0.0 and adversary >= 0.0):
        raise ValueError(f"Weights are at least 0. Received: {supervised=}, {adversary=}.")
    source, target = INFERRED, Ancestral((Rename("target", "x"), "encoder"))
    labels = E(NegativeLogProb("classifier"), source, scale=supervised, name="labels")
    return Recipe(
        densities={"encoder": "q(z | x)", "classifier": "q(c | z)", "discriminator": "q(y | z)"},
        phases=adversarial(
            fake=target, real=source, updates=("encoder", "classifier"), extra=(labels,), scale=adversary
        ),
        data=("x", "c", "target"),
        families={"classifier": "one_hot"},
    )
