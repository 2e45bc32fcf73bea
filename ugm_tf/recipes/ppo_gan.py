"""A GAN with probability-ratio clipping and sample reweighting."""

from ugm_tf.algebra import (
    DATA,
    GENERATED,
    Ask,
    ClippedRatio,
    DiscriminatorLoss,
    E,
    GradientPenalty,
    ImportanceWeight,
    Interpolated,
    Phase,
    Recipe,
    Scale,
)
from ugm_tf.recipes.registry import recipe

__all__ = ["ppo_gan"]


@recipe
def ppo_gan(
    epsilon: float = 0.4,
    moves: int = 2,
    critic_steps: int = 5,
    gradient_penalty: Scale = 10.0,
    ratio_r1: Scale = 0.0,
) -> Recipe:
    """PPO-GAN: the paper's descendant, whose critic weighs samples as IWGAN does and whose decoder moves in bounds.

    The critic is WGAN-GP's, with generated examples weighted by softmax(l).  Then decoder and classifier move in
    turn: the decoder raises min(r l, clip(r) l), where r = p_theta(x) / p_theta0(x) is by how much likelier a draw
    became within the step, as the classifier of data against draws tells it; at the first move r is 1.

    Densities:
        prior: p(z), such as "gaussian".
        decoder: p(x | z), usually "point".
        discriminator: q(y | x), "logit": the critic.
        ratio: q(v | x), "logit": a classifier of data, v = 1, against draws.

    Args:
        epsilon: How far r may move from 1.
        moves: Updates of classifier and decoder in one training step, on the same z; with 1 nothing is ever clipped.
        critic_steps: Updates of the critic in one training step.
        gradient_penalty: Weight of the critic's penalty.
        ratio_r1: gamma of the classifier's penalty gamma/2 |dl/dx|^2 on data, of which the paper has none.  Where data
            fill little of their space a classifier without it becomes certain, every r is clipped, and the decoder
            learns no more.

    Raises:
        ValueError: If a number is out of range.

    Example:

    >>> print(ppo_gan().describe())
    discriminate: minimise over discriminator, 5 times
        E[x ~ data] -l_discriminator(x)
      + E[z ~ sg(prior), x ~ sg(decoder)] w[q^r(y=0 | x) / q(y=0 | x)] * l_discriminator(x)
      + 10 E[between x ~ data and z ~ sg(prior), x ~ sg(decoder)] (|dl_discriminator(x)/d(x)| - 1)^2
    classify: minimise over ratio, 2 times in turn
        E[x ~ data] -log q(v=1 | x)
      + E[z ~ sg(prior), x ~ sg(decoder), x ~ decoder] -log q(v=0 | x)
    generate: minimise over decoder, 2 times in turn
        E[z ~ sg(prior), x ~ sg(decoder), l = sg(logit of ratio), x ~ decoder] -min(r f, clip(r, 1 -+ 0.4) f) with f = l_discriminator(x), r = exp(l - l_ratio(x))

    References:
        Yue Wu, Pan Zhou, Andrew Wilson, Eric Xing, Zhiting Hu. Improving GAN Training with Probability Ratio
        Clipping and Sample Reweighting. NeurIPS 2020. https://arxiv.org/abs/2006.06900, equations 7 to 11.
    """  # noqa: E501
    if not 0.0 < epsilon < 1.0 or min(moves, critic_steps) < 1 or not (gradient_penalty >= 0.0 and ratio_r1 >= 0.0):
        raise ValueError(
            "epsilon is between 0 and 1, moves and critic_steps at least 1, gradient_penalty and ratio_r1 at least 0. "
            f"Received: {epsilon=}, {moves=}, {critic_steps=}, {gradient_penalty=}, {ratio_r1=}."
        )
    held = GENERATED.detached()
    moved = held.then("decoder")  # of the same z
    compared = held.then(Ask("ratio"), "decoder")  # asked at the first move, when the classifier knows these draws
    critic = Phase(
        "discriminate",
        (
            E(DiscriminatorLoss(1, contest="wasserstein"), DATA, name="real"),
            E(DiscriminatorLoss(0, contest="wasserstein"), held, weight=ImportanceWeight(), name="fake"),
            E(GradientPenalty(), Interpolated(DATA, held), gradient_penalty),
        ),
        updates=("discriminator",),
        repeats=critic_steps,
    )
    classify = Phase(
        "classify",
        (
            E(DiscriminatorLoss(1, "ratio"), DATA, name="real"),
            E(DiscriminatorLoss(0, "ratio"), moved, name="fake"),
            *([E(GradientPenalty("ratio", target=0.0), DATA, 0.5 * ratio_r1, name="r1")] if ratio_r1 else []),
        ),
        updates=("ratio",),
    )
    move = Phase("generate", (E(ClippedRatio(epsilon=epsilon), compared, name="fool"),), updates=("decoder",))
    return Recipe(
        densities={
            "prior": "p(z)",
            "decoder": "p(x | z)",
            "discriminator": "q(y | x)",
            "ratio": "q(v | x)",
        },
        phases=(critic, *(classify, move) * moves),
    )
