"""Predictability minimisation: units that cannot be told from one another."""

from ugm_tf.algebra import INFERRED, E, NegativeLogProb, Phase, Recipe, Rename, Reverse, Scale
from ugm_tf.recipes.registry import recipe

__all__ = ["predictability_minimization"]


@recipe
def predictability_minimization(weight: Scale = 1.0, predictor_steps: int = 1) -> Recipe:
    """Predictability minimisation: a code of units in [0, 1] each of which is what the others do not tell.

    A predictor learns each unit from all the others; the encoder learns the *reversed* units, 1 - u, as a
    GAN's decoder learns the reversed y.  The decoder keeps x readable, so that units do not become constants.  (The
    form is that of this project's notes; the paper's own notation for it was not to be had.)

    Densities:
        encoder: q(z | x), "relaxed_bernoulli".
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".
        predictor: q(u | z), "bernoulli": each unit of u from the others of z; see `ugm_tf.networks.leave_one_out`.

    Args:
        weight: Weight of -log q^r(u | z), in the encoder's phase.
        predictor_steps: Updates of the predictor in one training step, each on fresh draws: the code is to be
            hard for the best predictor, and one that learns as seldom as the encoder lags behind it.

    Raises:
        ValueError: If `weight` is negative, or the predictor does not learn.

    Example:

    >>> print(predictability_minimization().describe())
    predict: minimise over predictor
        E[x ~ data, z ~ encoder, u = z] -log q(u | z)
    code: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder, u = 1 - z] -log q(u | z)

    References:
        Juergen Schmidhuber. Learning Factorial Codes by Predictability Minimization. Neural Computation 4, 1992.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018. https://arxiv.org/abs/1706.00550, section 3.2.
    """
    if not weight >= 0.0:
        raise ValueError(f"weight is at least 0. Received: weight={weight}.")
    if predictor_steps < 1:
        raise ValueError(f"The predictor learns at least once a step. Received: {predictor_steps=}.")
    predicted, reversed_ = INFERRED.then(Rename("z", "u")), INFERRED.then(Reverse("z", "u"))
    return Recipe(
        densities={"encoder": "q(z | x)", "decoder": "p(x | z)", "predictor": "q(u | z)"},
        phases=(
            Phase(
                "predict",
                (E(NegativeLogProb("predictor"), predicted, name="predictability"),),
                updates=("predictor",),
                repeats=predictor_steps,
            ),
            Phase(
                "code",
                (
                    E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                    E(NegativeLogProb("predictor"), reversed_, scale=weight, name="fool"),
                ),
                updates=("encoder", "decoder"),
            ),
        ),
        families={"encoder": "relaxed_bernoulli", "predictor": "bernoulli"},
    )
