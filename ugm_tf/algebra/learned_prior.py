"""A prior that learns, as a function from recipe to recipe."""

import dataclasses

from ugm_tf.algebra.ancestral_steps import Detach, Draw
from ugm_tf.algebra.bounds import ImportanceWeightedBound
from ugm_tf.algebra.phases import Expectation, Phase
from ugm_tf.algebra.recipe import Recipe, check_is_recipe
from ugm_tf.algebra.samplers import Ancestral
from ugm_tf.algebra.step import Step
from ugm_tf.algebra.terms import KL, Term
from ugm_tf.arguments import of_their_kind
from ugm_tf.densities import kinds

__all__ = ["learned_prior"]


@of_their_kind("learned_prior()")
def learned_prior(recipe: Recipe, prior: str, name: str = "prior") -> Recipe:
    """The recipe with a prior that learns: where it is scored, with what learns there.

    A divergence from a prior without a closed form is estimated at the draws.  Draws of the prior that a discriminator
    judges are held fixed: it learns by its likelihood alone, of which half its mass in one place, where a discriminator
    is fooled, costs no more than log 2 nats.  So are all its draws in the phase in which it learns, where they carry no
    gradient.

    Args:
        recipe: A recipe that scores its prior, such as `vae()`.
        prior: "mixture(50)", of 50 Gaussians; "vamp(500)", of the encoder's posteriors at 500 pseudo-inputs;
            "flow", "flow(steps=2, inverse=True)", a bent normal; or a family whose parameters are learned, "gaussian".
        name: Name of the prior.

    Raises:
        ValueError: If there is no such density or it has parents; if no phase scores it, so that there is nothing that
            it would learn from; if free bits are asked of a divergence that has no closed form; if its draws carry no
            gradient and cannot be held fixed alone; if posteriors make it whose gradient is doubly reparameterised.

    Example:

    >>> print(learned_prior(ugm_tf.recipes.vae(), "mixture(50)").describe())
    wake: minimise over encoder, decoder, prior
        E[x ~ data, z ~ encoder] -log p(x | z)
      + E[x ~ data, z ~ encoder] [log q(z | x) - log p(z)]

    References:
        Jakub Tomczak, Max Welling. VAE with a VampPrior. AISTATS 2018. https://arxiv.org/abs/1705.07120, equation 9.
        Xi Chen et al. Variational Lossy Autoencoder. ICLR 2017. https://arxiv.org/abs/1611.02731, section 3.2.
    """
    check_is_recipe("learned_prior", recipe)
    kind = kinds.kind(prior)
    if name not in recipe.roles or recipe.roles[name].given:
        priors = [f"'{n}': {role}" for n, role in recipe.roles.items() if not role.given]
        raise ValueError(
            f"learned_prior() takes the name of a density without parents: this recipe has "
            f"{', '.join(priors) or 'none'}. Received: name='{name}'."
        )
    if name in {n for phase in recipe.phases for n in phase.updates}:
        raise ValueError(f"'{name}' learns in this recipe already. Apply learned_prior() once.")
    learning = [phase for phase in recipe.phases if any(_learns(e, name) for e in phase.minimise)]
    if not learning:
        raise ValueError(
            f"A learned prior learns where it is scored, by -log {recipe.roles[name]} or a KL from it, and no phase of "
            f"this recipe scores '{name}': {', '.join(p.name for p in recipe.phases)} only draw from it, or weigh by "
            "it. Use a recipe such as vae(); or, in one of your own, add E(NegativeLogProb('prior'), ...) to a phase "
            "and 'prior' to its `updates`."
        )
    doubly = [e.label for e in recipe.expectations if _is_doubly_reparameterised(e) and name in e.scored]
    if isinstance(kind, kinds.Vamp) and doubly:
        raise ValueError(
            f"The prior '{prior}' is made of the encoder, and the doubly reparameterised gradient of '{doubly[0]}' is "
            "of an encoder that its draws alone carry. Use the ordinary gradient, or a mixture or a flow."
        )
    drawn = [e for phase in learning for e in phase.minimise if e.under.draws((name,))]
    hold, judged = drawn and not kinds.learns_by_draws(kind), any(e.judges for e in drawn)

    def changed(e: Expectation) -> Expectation:
        under = e.under  # for all phases, which share draws of one sampler
        if hold or (judged and e.judges and not any(_is_beside(side, name) for side in under.sides)):
            under = under.each(lambda side: _held(side, name, prior))
        return dataclasses.replace(e, under=under, of=_estimated(e.of, name, prior) if sampled else e.of)

    def phase(old: Phase) -> Phase:
        updates = (*old.updates, name) if old in learning else old.updates
        return dataclasses.replace(old, minimise=tuple(map(changed, old.minimise)), updates=updates)

    sampled = kinds.needs_draws(kind)
    families = {**recipe.families, name: prior}
    return dataclasses.replace(recipe, phases=tuple(map(phase, recipe.phases)), families=families)


def _learns(e: Expectation, name: str) -> bool:
    """Whether a gradient of the expectation is one of its prior's: of a doubly reparameterised bound it is another."""
    return name in (*e.of.scored, *e.of.conditioned) and not _is_doubly_reparameterised(e)


def _is_doubly_reparameterised(e: Expectation) -> bool:
    return isinstance(e.of, ImportanceWeightedBound) and e.of.doubly_reparameterised


def _estimated(of: Term, name: str, prior: str) -> Term:
    """A divergence from the prior at the draws; any other term as it is."""
    if not isinstance(of, KL) or name not in (of.left, of.right):
        return of
    if of.free:
        raise ValueError(
            f"A KL from the prior '{prior}' has no closed form, which free bits are of: of one draw they are biased. "
            f"Leave out free_bits, or use learned_prior(..., 'gaussian'). Received: {of}."
        )
    return dataclasses.replace(of, sampled=True)


def _is_beside(side: Ancestral, name: str) -> bool:
    """Whether the prior is drawn where other draws carry gradients already, so that it cannot be held fixed alone."""
    live = False
    for step in side.steps:
        if live and isinstance(step, Draw) and step.density == name:
            return True
        live = not step.holds and (live or step.density is not None)
    return False


def _held(side: Ancestral, name: str, prior: str) -> Ancestral:
    """The side with the prior's draws under theta_0."""
    if _is_beside(side, name):
        raise ValueError(
            f"A gradient flows through no draw of the prior '{prior}', and this recipe draws from it beside "
            f"{', '.join(sorted(side.drawn_by() - {name}))}, so that it cannot be held fixed alone. Use a prior "
            "with reparameterised draws: 'flow', or a family such as 'gaussian'."
        )
    steps: list[Step] = []
    for step in side.steps:
        steps += [step, Detach()] if isinstance(step, Draw) and step.density == name else [step]
    return dataclasses.replace(side, steps=tuple(steps))
