"""Reweighted wake-sleep: the wake phase under the posterior, by weights of several draws."""

from ugm_tf.algebra import GENERATED, Ancestral, E, NegativeLogProb, Phase, PosteriorWeight, Recipe
from ugm_tf.recipes.registry import recipe

__all__ = ["reweighted_wake_sleep"]


@recipe
def reweighted_wake_sleep(k: int = 5, inference: str = "both", chunk: int | None = None) -> Recipe:
    """Reweighted wake-sleep: wake-sleep with k draws of z, weighted by p(x, z) / q(z | x), in the wake phase.

    With one draw and inference="sleep" it is `wake_sleep`.

    Densities: as of `wake_sleep`.

    Args:
        k: Draws of z for each example, at least 1.
        inference: How the encoder learns: from generated data ("sleep"), from the weighted draws ("wake"), or "both".
        chunk: Draws in memory at a time, at most; None for all.  The gradient is that of all: see `Ancestral`.

    Raises:
        ValueError: If `k` is below 1 or `inference` is none of these.

    Example:

    >>> print(reweighted_wake_sleep(k=3).describe())
    wake: minimise over decoder
        E[x ~ data, z_1..3 ~ sg(encoder)] w[p(x | z) p(z) / q(z | x)] * -log p(x | z)
    sleep: minimise over encoder
        E[z ~ prior, x ~ decoder] -log q(z | x)
      + E[x ~ data, z_1..3 ~ sg(encoder)] w[p(x | z) p(z) / q(z | x)] * -log q(z | x)

    References:
        Jorg Bornschein, Yoshua Bengio. Reweighted Wake-Sleep. ICLR 2015.
        https://arxiv.org/abs/1406.2751, equations 5 to 7.
    """
    if inference not in ("sleep", "wake", "both"):
        raise ValueError(f"inference is 'sleep', 'wake' or 'both'. Received: inference={inference!r}.")
    draws, weight = Ancestral(("encoder",), k=k, chunk=chunk).detached(), PosteriorWeight()
    wake = E(NegativeLogProb("decoder"), draws, weight=weight, name="distortion")
    learn = []
    if inference != "wake":
        learn.append(E(NegativeLogProb("encoder"), GENERATED, name="recall"))
    if inference != "sleep":
        learn.append(E(NegativeLogProb("encoder"), draws, weight=weight, name="reweighted"))
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"},
        phases=(Phase("wake", (wake,), ("decoder",)), Phase("sleep", tuple(learn), ("encoder",))),
    )
