"""Two stochastic layers."""

from ugm_tf.algebra import Ancestral, E, ImportanceWeightedBound, Phase, Recipe
from ugm_tf.recipes.registry import recipe

__all__ = ["hierarchical_vae"]


@recipe
def hierarchical_vae(k: int = 1, chunk: int | None = None) -> Recipe:
    """A VAE, or with several draws an IWAE, of two layers of codes: h above z above x.

    Densities:
        prior: p(h), such as "gaussian".
        middle: p(z | h), "gaussian".
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".
        encoder: q(z | x), of a family with reparameterised draws.
        top_encoder: q(h | z), likewise.

    Args:
        k: Draws of (z, h) for each example, at least 1.
        chunk: Draws in memory at a time, at most; None for all.  The gradient is that of all: see `Ancestral`.

    Raises:
        ValueError: If `k` is below 1.

    Example:

    >>> print(hierarchical_vae(k=50).describe())
    wake: minimise over encoder, top_encoder, middle, decoder
        E[x ~ data, z_1..50 ~ encoder, h ~ top_encoder] -log mean_k[p(x | z) p(z | h) p(h) / (q(z | x) q(h | z))]

    References:
        Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted Autoencoders.
        ICLR 2016. https://arxiv.org/abs/1509.00519, equations 1, 2 and 8: the network of two stochastic layers.
    """
    bound = ImportanceWeightedBound(("decoder", "middle", "prior"), ("encoder", "top_encoder"))
    return Recipe(
        densities={
            "prior": "p(h)",
            "middle": "p(z | h)",
            "decoder": "p(x | z)",
            "encoder": "q(z | x)",
            "top_encoder": "q(h | z)",
        },
        phases=(
            Phase(
                "wake",
                (E(bound, Ancestral(("encoder", "top_encoder"), k=k, chunk=chunk)),),
                updates=("encoder", "top_encoder", "middle", "decoder"),
            ),
        ),
    )
