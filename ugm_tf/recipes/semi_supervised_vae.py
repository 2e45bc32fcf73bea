"""The semi-supervised VAE, Kingma's M2."""

from ugm_tf.algebra import KL, Ancestral, E, Enumerate, NegativeLogProb, Phase, Recipe, Rename, Scale
from ugm_tf.recipes.registry import recipe

__all__ = ["semi_supervised_vae"]


@recipe
def semi_supervised_vae(alpha: Scale = 50.0, labelled: Scale = 0.02) -> Recipe:
    """Semi-supervised VAE (M2): a conditional VAE that sums over the class where it is not known.

    For examples without a label the bound is the exact sum over classes, weighted by the classifier:

        U(x) = sum_c q(c | x) [-log p(x | z, c) + KL(q(z | x, c) || p(z))] + KL(q(c | x) || p(c))

    With a label it is the conditional VAE's, less log p(c), a constant; and the classifier learns the label, too.

    Densities:
        classes: p(c), "one_hot", fair.
        prior: p(z), such as "gaussian".
        encoder: q(z | x, c), of a family with reparameterised draws.
        decoder: p(x | z, c), of a family with a log-probability, such as "bernoulli".
        classifier: q(c | x), "one_hot".

    Args:
        alpha: Weight of -log q(c | x) on labelled examples.  Kingma's is 0.1 times the number of all examples
            over the number of labelled ones: 50 of 50,000 with 100 labels.
        labelled: Weight of a labelled batch's bound beside an unlabelled one's.  Kingma's is the share of the
            examples that are labelled: 0.002 of 50,000 with 100 labels.  At 1, a few examples are memorised.

    Raises:
        ValueError: If a weight is negative.

    Example:

    >>> print(semi_supervised_vae().describe())
    wake: minimise over encoder, decoder, classifier
        E[x ~ data, every c ~ classifier, z ~ encoder] -log p(x | z, c)
      + E[x ~ data, every c ~ classifier, z ~ encoder] KL(q(z | x, c) || p(z))
      + E[x ~ data, every c ~ classifier, z ~ encoder] KL(q(c | x) || p(c))
      + 0.02 E[labelled ~ data, x = labelled, c ~ data, z ~ encoder] -log p(x | z, c)
      + 0.02 E[labelled ~ data, x = labelled, c ~ data, z ~ encoder] KL(q(z | x, c) || p(z))
      + 50 E[c ~ data, labelled ~ data, x = labelled] -log q(c | x)

    References:
        Diederik Kingma et al. Semi-supervised Learning with Deep Generative Models. NIPS 2014.
        https://arxiv.org/abs/1406.5298, equations 6 to 9.
    """
    if not (alpha >= 0.0 and labelled >= 0.0):
        raise ValueError(f"Weights are at least 0. Received: {alpha=}, {labelled=}.")
    known, every = Ancestral((Rename("labelled", "x"), "encoder")), Ancestral((Enumerate("classifier"), "encoder"))
    return Recipe(
        densities={
            "classes": "p(c)",
            "prior": "p(z)",
            "encoder": "q(z | x, c)",
            "decoder": "p(x | z, c)",
            "classifier": "q(c | x)",
        },
        phases=(
            Phase(
                "wake",
                (
                    E(NegativeLogProb("decoder"), every, name="distortion"),
                    E(KL("encoder", "prior"), every, name="rate"),
                    E(KL("classifier", "classes"), every, name="class_rate"),
                    E(NegativeLogProb("decoder"), known, scale=labelled, name="labelled_distortion"),
                    E(KL("encoder", "prior"), known, scale=labelled, name="labelled_rate"),
                    E(NegativeLogProb("classifier"), Ancestral((Rename("labelled", "x"),)), scale=alpha, name="labels"),
                ),
                updates=("encoder", "decoder", "classifier"),
            ),
        ),
        data=("x", "labelled", "c"),
        families={"classes": "one_hot", "classifier": "one_hot"},
    )
