"""Two GANs that undo each other."""

from ugm_tf.algebra import Ancestral, E, Mean, NegativeLogProb, Recipe, Scale, adversarial
from ugm_tf.recipes.registry import contestable, recipe

__all__ = ["cyclegan"]


@recipe
@contestable
def cyclegan(cycle: Scale = 10.0) -> Recipe:
    """CycleGAN: between two domains without pairs, one GAN each way, each the other's reader.

    Each direction is an InfoGAN whose code is the other domain's example, read back by the other direction's
    generator: the cycle loss is its Laplace log-likelihood.  With `cycle=0.` they are two GANs.

    Densities:
        forward: p(target | x), "laplace"; what it makes of x is its mean.
        decoder: p(x | target), "laplace", likewise.
        discriminator: q(y | x), "logit".
        target_discriminator: q(y | target), "logit".

    Args:
        cycle: Weight of what is not undone, -log p(x | target) - log p(target | x), up to constants an absolute error.
        And the options of `ugm_tf.contested`; the original plays "least_squares".

    Raises:
        ValueError: If `cycle` is negative.

    Example:

    >>> print(cyclegan().describe())
    discriminate: minimise over discriminator
        E[x ~ data] -log q(y=1 | x)
      + E[target ~ data, x = mean of decoder] -log q(y=0 | x)
    discriminate_target: minimise over target_discriminator
        E[target ~ data] -log q(y=1 | target)
      + E[x ~ data, target = mean of forward] -log q(y=0 | target)
    generate: minimise over forward, decoder
        E[target ~ data, x = mean of decoder] -log q^r(y=0 | x)
      + E[x ~ data, target = mean of forward] -log q^r(y=0 | target)
      + 10 E[x ~ data, target = mean of forward] -log p(x | target)
      + 10 E[target ~ data, x = mean of decoder] -log p(target | x)

    References:
        Jun-Yan Zhu et al. Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks. ICCV 2017. https://arxiv.org/abs/1703.10593, equation 3.
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, section 3.2 and its supplement, as derived in this project's notes.
    """
    if not cycle >= 0.0:
        raise ValueError(f"cycle is a weight of at least 0. Received: cycle={cycle}.")
    there, back = Ancestral((Mean("forward"),)), Ancestral((Mean("decoder"),))
    updates = ("forward", "decoder")
    judge_target, forward = adversarial(there, updates, by="target_discriminator", suffix="_target")
    judge, generate = adversarial(
        back,
        updates,
        extra=(
            *forward.minimise,
            E(NegativeLogProb("decoder"), there, scale=cycle, name="cycle"),
            E(NegativeLogProb("forward"), back, scale=cycle, name="cycle_target"),
        ),
    )
    return Recipe(
        densities={
            "forward": "p(target | x)",
            "decoder": "p(x | target)",
            "discriminator": "q(y | x)",
            "target_discriminator": "q(y | target)",
        },
        phases=(judge, judge_target, generate),
        data=("x", "target"),
        families={"forward": "laplace", "decoder": "laplace"},
    )
