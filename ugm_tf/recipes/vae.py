"""The variational autoencoder: the wake phase."""

from ugm_tf.algebra import INFERRED, KL, E, NegativeLogProb, Phase, Recipe, Scale
from ugm_tf.recipes.registry import recipe

__all__ = ["vae"]


@recipe
def vae(beta: Scale = 1.0, kl: str = "analytic", free_bits: float = 0.0) -> Recipe:
    """VAE: maximises the evidence lower bound over encoder and decoder together.

    In the unified view its discriminator is perfect, so that only data count, and it minimises
    KL(Q || P): the wake phase, in which the encoder learns too.

    Densities:
        prior: p(z), such as "gaussian".
        encoder: q(z | x), of a family with reparameterised draws, such as "gaussian".
        decoder: p(x | z), of a family with a log-probability, such as "bernoulli".

    Args:
        beta: Weight of the rate, KL(q(z | x) || p(z)); 1 makes the loss the negative ELBO.  A schedule such as
            `ugm_tf.schedules.warmup(1000)` warms it up.
        kl: "analytic", or "sampled" for one-draw estimates of the rate where there is no closed form.

        free_bits: Nats of each dimension of z that cost nothing, by the batch's mean; see `KL`.

    Raises:
        ValueError: If `beta` or `free_bits` is negative, `kl` is neither, or free bits are asked of "sampled".

    Example:

    >>> print(vae(beta=4.0).describe())
    wake: minimise over encoder, decoder
        E[x ~ data, z ~ encoder] -log p(x | z)
      + 4 E[x ~ data, z ~ encoder] KL(q(z | x) || p(z))

    References:
        Diederik Kingma, Max Welling. Auto-Encoding Variational Bayes. ICLR 2014.
        https://arxiv.org/abs/1312.6114, equation 3.
        Irina Higgins et al. beta-VAE. ICLR 2017, equation 4.
        Diederik Kingma et al. Improving Variational Inference with Inverse Autoregressive Flow. NIPS 2016.
        https://arxiv.org/abs/1606.04934, equation 15 (free bits).
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 11 to 13.
    """
    if not beta >= 0.0:
        raise ValueError(f"beta weighs the rate and is at least 0. Received: beta={beta}.")
    if kl not in ("analytic", "sampled"):
        raise ValueError(f"kl is 'analytic' or 'sampled'. Received: kl={kl!r}.")
    rate = KL("encoder", "prior", sampled=kl == "sampled", free=free_bits, per="dimension" if free_bits else "example")
    return Recipe(
        densities={"prior": "p(z)", "encoder": "q(z | x)", "decoder": "p(x | z)"},
        phases=(
            Phase(
                "wake",
                (
                    E(NegativeLogProb("decoder"), INFERRED, name="distortion"),
                    E(rate, INFERRED, scale=beta, name="rate"),
                ),
                updates=("encoder", "decoder"),
            ),
        ),
    )
