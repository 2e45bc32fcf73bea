"""The importance-weighted autoencoder."""

from ugm_tf.algebra import Ancestral, E, ImportanceWeightedBound, Phase, Recipe
from ugm_tf.recipes.registry import recipe

__all__ = ["iwae"]


@recipe
def iwae(k: int = 5, gradient: str = "reparameterised", chunk: int | None = None) -> Recipe:
    """IWAE: a VAE whose bound is of k draws of the code, never looser than the VAE's.

    With one draw it is the VAE with the rate estimated at the draw.  What is logged is the bound itself.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x), of a family with reparameterised draws.
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".

    Args:
        k: Draws of z for each example, at least 1.
        gradient: "reparameterised", or "doubly_reparameterised" for an encoder that learns in a phase of its own by
            a gradient of less variance (DReG), which does not fade as k grows.
        chunk: Draws in memory at a time, at most; None for all.  The gradient is that of all: see `Ancestral`.

    Raises:
        ValueError: If `k` is below 1 or `gradient` is neither.

    Example:

    >>> print(iwae(k=50).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z_1..50 ~ encoder] -log mean_k[p(x | z) p(z) / q(z | x)]
    >>> print(iwae(gradient="doubly_reparameterised").describe())
    wake: minimise over decoder
        E[x ~ data, z_1..5 ~ encoder] -log mean_k[p(x | z) p(z) / q(z | x)]
    infer: minimise over encoder
        E[x ~ data, z_1..5 ~ encoder] -log mean_k[p(x | z) p(z) / q(z | x)], dreg

    References:
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, equations 8 and 14.
        George Tucker et al. Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives. ICLR 2019.
        https://arxiv.org/abs/1810.04152, equation 8.
    """
    draws = Ancestral(("encoder",), k=k, chunk=chunk)
    wake = (E(ImportanceWeightedBound(), draws),)
    if gradient == "reparameterised":
        phases: tuple[Phase, ...] = (Phase("wake", wake, ("encoder", "decoder")),)
    elif gradient == "doubly_reparameterised":
        infer = (E(ImportanceWeightedBound(doubly_reparameterised=True), draws),)
        phases = (Phase("wake", wake, ("decoder",)), Phase("infer", infer, ("encoder",)))
    else:
        raise ValueError(f"gradient is 'reparameterised' or 'doubly_reparameterised'. Received: {gradient=}.")
    return Recipe(densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"}, phases=phases)
