"""The multiply importance-weighted autoencoder."""

from ugm_tf.algebra import Ancestral, E, ImportanceWeightedBound, Phase, Recipe
from ugm_tf.recipes.registry import recipe

__all__ = ["miwae"]


@recipe
def miwae(groups: int = 5, k: int = 5, chunk: int | None = None) -> Recipe:
    """MIWAE: the mean over groups of the importance-weighted bound of k draws each.

    One group is `iwae(k)`; groups of one draw are the VAE with several draws.  In between, the encoder's gradient
    keeps more of its signal than in an IWAE of as many draws.

    Densities: as of `iwae`.

    Args:
        groups: M, at least 1.
        k: K draws of z in each, at least 1.
        chunk: Draws in memory at a time, as many of each group: a multiple of 4 * groups; None for all.

    Raises:
        ValueError: If `groups` or `k` is below 1.

    Example:

    >>> print(miwae(groups=4, k=8).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z_1..32 ~ encoder] -log mean_8[p(x | z) p(z) / q(z | x)] over groups of 8 draws, k/8 apart

    References:
        Tom Rainforth et al. Tighter Variational Bounds are Not Necessarily Better. ICML 2018.
        https://arxiv.org/abs/1802.04537, equation 8.
    """
    if groups < 1 or k < 1:
        raise ValueError(f"There are at least one group and one draw in it. Received: {groups=}, {k=}.")
    bound = E(ImportanceWeightedBound(group=k), Ancestral(("encoder",), k=groups * k, chunk=chunk))
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"},
        phases=(Phase("wake", (bound,), ("encoder", "decoder")),),
    )
