"""The paper's two transfers, as functions from recipe to recipe."""

import dataclasses

from ugm_tf.algebra.phases import Expectation, Phase, adversarial
from ugm_tf.algebra.recipe import Recipe
from ugm_tf.algebra.samplers import GENERATED, Ancestral, Draw
from ugm_tf.algebra.terms import DiscriminatorLoss
from ugm_tf.algebra.weights import DiscriminatorProbability, ImportanceWeight

__all__ = ["adversary_activated", "importance_weighted"]


def importance_weighted(recipe: Recipe) -> Recipe:
    """Weights each generated draw by how far the discriminator takes it for data: GAN -> IWGAN.

    Every reversed expectation E_fake[-log q^r(y=0 | .)] gets the weights of equation 16,

        w[i] = q^r(y=0 | .) / q(y=0 | .) = exp(logit[i]),   w~ = w / sum(w) = softmax(logit),

    detached and normalised over the batch.  The discriminator learns as before.  For each batch the
    gradient is that of the minimax loss times k / sum(w), with k the batch's size: the direction is the
    minimax one, and the length does not vanish when the discriminator wins.  So compare with `gan(minimax=True)` too.

    Args:
        recipe: A recipe with a phase that fools a discriminator.

    Raises:
        ValueError: If no phase minimises a reversed -log q^r(y=0 | .), or it is weighted already.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equations 15 and 16.
    """

    def applies(e: Expectation) -> bool:
        return isinstance(e.of, DiscriminatorLoss) and e.of.reverse and e.of.y == 0

    def weighted(e: Expectation) -> Expectation:
        if not isinstance(e.of, DiscriminatorLoss) or not applies(e):
            return e
        return dataclasses.replace(e, weight=ImportanceWeight(e.of.by))

    expectations = [e for phase in recipe.phases for e in phase.minimise if applies(e)]
    if not expectations:
        raise ValueError(
            "importance_weighted weights expectations of -log q^r(y=0 | .), the reversed discriminator's, and this "
            "recipe "
            f"minimises none: its phases are {_phases(recipe)}. Apply it to a recipe such as gan() (with "
            "minimax=False)."
        )
    if any(e.weight is not None for e in expectations):
        raise ValueError("The recipe's reversed expectations are weighted already. Apply importance_weighted once.")
    phases = tuple(
        dataclasses.replace(phase, minimise=tuple(weighted(e) for e in phase.minimise)) for phase in recipe.phases
    )
    return dataclasses.replace(recipe, phases=phases)


def adversary_activated(recipe: Recipe, temperature: float = 1.0) -> Recipe:
    """Lets a VAE learn from its own samples, as far as a learned discriminator takes them for data: VAE -> AAVAE.

    Each expectation of the wake phase is taken twice, over data and over generated examples, and weighted
    by q(y=1 | x) where the VAE has a perfect discriminator that counts data alone (equation 17):

        1/2 E_data[q(y=1 | x) * term] + 1/2 E_generated[q(y=1 | x) * term]

    The weights are not normalised, and are detached; generated examples are drawn from the current
    decoder and detached.  The phase `discriminate` trains q(y | x) as in a GAN.  With the optimal
    discriminator the expected gradient is half that of the VAE.

    Args:
        recipe: A recipe with a prior, a decoder of x, and a phase that draws from an encoder given data.
        temperature: T of q(y=1 | x) = sigmoid(logit / T); T > 1 lets generated examples count for more.

    Raises:
        ValueError: If the recipe has a discriminator already, or no such phase.

    References:
        Zhiting Hu et al. On Unifying Deep Generative Models. ICLR 2018.
        https://arxiv.org/abs/1706.00550, equation 17.
    """
    if "discriminator" in recipe.densities:
        raise ValueError(
            "adversary_activated adds a discriminator of x to a recipe that has none; this one has "
            f"'discriminator': {recipe.densities['discriminator']}. Apply it to a recipe such as vae()."
        )
    wakes = [phase for phase in recipe.phases if any(_infers(e) for e in phase.minimise)]
    if not wakes or not {"prior", "decoder"} <= set(recipe.densities):
        raise ValueError(
            "adversary_activated weights a phase that draws codes of data from 'encoder', in a recipe with a "
            "'prior' and a "
            f"'decoder' to generate from. This recipe has the densities {', '.join(recipe.densities)} and the phases "
            f"{_phases(recipe)}. Apply it to a recipe such as vae()."
        )
    weight = DiscriminatorProbability(temperature=temperature)

    def activated(e: Expectation) -> tuple[Expectation, ...]:
        if not isinstance(e.under, Ancestral) or e.weight is not None:
            raise ValueError(
                f"adversary_activated cannot weight {e}, which has a sampler of its own or a weight already."
            )
        generated = Ancestral((*GENERATED.detached().steps, *e.under.steps))
        half = dataclasses.replace(e, scale=0.5 * e.scale, weight=weight)
        return (
            dataclasses.replace(half, name=f"{e.label}_data"),
            dataclasses.replace(half, name=f"{e.label}_generated", under=generated),
        )

    def wake(phase: Phase) -> Phase:
        return dataclasses.replace(phase, minimise=tuple(a for e in phase.minimise for a in activated(e)))

    discriminate, _ = adversarial(fake=GENERATED, updates=("decoder",))
    phases = (discriminate, *(wake(phase) if phase in wakes else phase for phase in recipe.phases))
    return dataclasses.replace(recipe, densities={**recipe.densities, "discriminator": "q(y | x)"}, phases=phases)


def _infers(e: Expectation) -> bool:
    """Whether the expectation draws from the encoder given data, not given what a decoder drew."""
    drawn = [step.density for step in e.under.steps if isinstance(step, Draw)] if isinstance(e.under, Ancestral) else []
    return "encoder" in drawn and "decoder" not in drawn


def _phases(recipe: Recipe) -> str:
    return ", ".join(phase.name for phase in recipe.phases)
