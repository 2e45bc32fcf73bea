"""The semi-supervised VAE on the codes of a VAE, Kingma's M1+M2."""

from ugm_tf.algebra import KL, Ancestral, E, Enumerate, NegativeLogProb, Phase, Recipe, Rename, Scale
from ugm_tf.recipes.registry import recipe

__all__ = ["stacked_semi_supervised_vae"]


@recipe
def stacked_semi_supervised_vae(alpha: Scale = 50.0, labelled: Scale = 0.02) -> Recipe:
    """Stacked semi-supervised VAE (M1+M2): a VAE makes features h of x, and M2 models and classifies the features.

    Both learn at once, each in its phase: the features are held fixed where M2 learns.  As M2's p(h | z, c) is
    of real numbers, its distortion may be negative.

    Densities:
        classes: p(c), "one_hot", fair.
        prior: p(z), such as "gaussian".
        middle: p(h | z, c), "gaussian".
        decoder: p(x | h), of a family with a log-probability, such as "bernoulli".
        features: q(h | x), "gaussian".
        features_prior: q(h), "gaussian": what M1 holds the features to.
        classifier: q(c | h), "one_hot".
        encoder: q(z | h, c), "gaussian".

    Args:
        alpha: As in `semi_supervised_vae`.
        labelled: As in `semi_supervised_vae`.

    Raises:
        ValueError: If a weight is negative.

    Example:

    >>> print(stacked_semi_supervised_vae().describe())
    features: minimise over features, decoder
        E[x ~ data, h ~ features] -log p(x | h)
      + E[x ~ data, h ~ features] KL(q(h | x) || q(h))
    wake: minimise over encoder, middle, classifier
        E[x ~ data, h ~ sg(features), every c ~ classifier, z ~ encoder] -log p(h | z, c)
      + E[x ~ data, h ~ sg(features), every c ~ classifier, z ~ encoder] KL(q(z | h, c) || p(z))
      + E[x ~ data, h ~ sg(features), every c ~ classifier, z ~ encoder] KL(q(c | h) || p(c))
      + 0.02 E[labelled ~ data, x = sg(labelled), h ~ sg(features), c ~ data, z ~ encoder] -log p(h | z, c)
      + 0.02 E[labelled ~ data, x = sg(labelled), h ~ sg(features), c ~ data, z ~ encoder] KL(q(z | h, c) || p(z))
      + 50 E[c ~ data, labelled ~ data, x = sg(labelled), h ~ sg(features)] -log q(c | h)

    References:
        Diederik Kingma et al. Semi-supervised Learning with Deep Generative Models. NIPS 2014.
        https://arxiv.org/abs/1406.5298, section 2.
    """
    if not (alpha >= 0.0 and labelled >= 0.0):
        raise ValueError(f"Weights are at least 0. Received: {alpha=}, {labelled=}.")
    infer = Ancestral(("features",))
    seen, told = infer.detached(), Ancestral((Rename("labelled", "x"), "features")).detached()
    every, known = seen.then(Enumerate("classifier"), "encoder"), told.then("encoder")
    return Recipe(
        densities={
            "classes": "p(c)",
            "prior": "p(z)",
            "middle": "p(h | z, c)",
            "decoder": "p(x | h)",
            "features": "q(h | x)",
            "features_prior": "q(h)",
            "classifier": "q(c | h)",
            "encoder": "q(z | h, c)",
        },
        phases=(
            Phase(
                "features",
                (
                    E(NegativeLogProb("decoder"), infer, name="distortion"),
                    E(KL("features", "features_prior"), infer, name="rate"),
                ),
                updates=("features", "decoder"),
            ),
            Phase(
                "wake",
                (
                    E(NegativeLogProb("middle"), every, name="distortion"),
                    E(KL("encoder", "prior"), every, name="rate"),
                    E(KL("classifier", "classes"), every, name="class_rate"),
                    E(NegativeLogProb("middle"), known, scale=labelled, name="labelled_distortion"),
                    E(KL("encoder", "prior"), known, scale=labelled, name="labelled_rate"),
                    E(NegativeLogProb("classifier"), told, scale=alpha, name="labels"),
                ),
                updates=("encoder", "middle", "classifier"),
            ),
        ),
        data=("x", "labelled", "c"),
        families={"classes": "one_hot", "classifier": "one_hot"},
    )
