"""How the two sides of a contest play, as functions from recipe to recipe: other losses, penalties, packs."""

import dataclasses

from ugm_tf.algebra import contests, schedules
from ugm_tf.algebra.ancestral_steps import Pack
from ugm_tf.algebra.judged import DiscriminatorLoss, GradientPenalty
from ugm_tf.algebra.phases import E, Expectation, Phase
from ugm_tf.algebra.recipe import Recipe, check_is_recipe
from ugm_tf.algebra.samplers import Interpolated, Sampler
from ugm_tf.algebra.schedule import Scale
from ugm_tf.algebra.weights import DiscriminatorProbability, ImportanceWeight
from ugm_tf.arguments import of_their_kind

__all__ = ["contested", "judges_of", "packed"]

_PENALTY = 10.0  # of WGAN-GP


@schedules.taken
@of_their_kind("contested()")
def contested(
    recipe: Recipe,
    contest: str | None = None,
    discriminator_steps: int = 1,
    gradient_penalty: Scale | None = None,
    r1: Scale = 0.0,
    pack: int = 1,
) -> Recipe:
    """The recipe with other rules for all its discriminators and those who play against them.

    Args:
        recipe: A recipe with a discriminator.
        contest: What both sides minimise: "logistic", "minimax", "log_ratio", "least_squares", "hinge", "wasserstein",
            or an f-divergence of `tfp.vi`; see `ugm_tf.contests.names`.  None leaves the recipe's own.
        discriminator_steps: Updates of each discriminator in one training step, each on fresh draws and the same data.
        gradient_penalty: Weight of (|dl/dx| - 1)^2 between real and generated examples; None is 10 for "wasserstein",
            which needs it, and 0 otherwise.  A class that conditions both sides is no part of x, here and in r1.
        r1: gamma of the penalty gamma/2 |dl/dx|^2 on real examples.
        pack: Examples that the discriminators judge together; see `packed`.

    Raises:
        ValueError: If the recipe has no discriminator, if a number is out of range, or if a weight of the recipe
            asks for what the contest's discriminator does not tell.

    Example:

    >>> print(contested(ugm_tf.recipes.gan(), "hinge", r1=0.1).describe())
    discriminate: minimise over discriminator
        E[x ~ data] max(0, 1 - l(x))
      + E[z ~ prior, x ~ decoder] max(0, 1 + l(x))
      + 0.05 E[x ~ data] |dl(x)/d(x)|^2
    generate: minimise over decoder
        E[z ~ prior, x ~ decoder] -l(x)
    """
    check_is_recipe("contested", recipe)
    judges = judges_of(recipe)
    if not judges:
        raise ValueError(
            "A contest is between a discriminator and others, and no phase of this recipe trains one: its phases are "
            f"{', '.join(phase.name for phase in recipe.phases)}. Use a recipe such as gan()."
        )
    if discriminator_steps < 1:
        raise ValueError(f"A discriminator learns at least once a step. Received: {discriminator_steps=}.")
    if not (r1 >= 0.0 and (gradient_penalty is None or gradient_penalty >= 0.0)):
        raise ValueError(f"Penalties weigh 0 or more. Received: {gradient_penalty=}, {r1=}.")
    if gradient_penalty is None:
        gradient_penalty = _PENALTY if contest == "wasserstein" else 0.0
    if contest is not None:
        recipe = recipe.each(lambda e: _with_contest(e, contest))

    def phase(old: Phase) -> Phase:
        by = next((name for name in judges if old == judges[name][0]), None)
        if by is None:
            return old
        _, real, fakes = judges[by]
        made = {step.sets(recipe.roles) for sampler in (real, *fakes) for step in sampler.steps}
        held = tuple(variable for variable in recipe.roles[by].given if variable not in made)
        more = [
            E(
                GradientPenalty(by, held=held),
                Interpolated(real, fake),
                gradient_penalty,
                name=_numbered("gradient_penalty", i),
            )
            for i, fake in enumerate(fakes)
            if gradient_penalty
        ]
        if r1:
            more.append(E(GradientPenalty(by, 0.0, held), real, 0.5 * r1, name="r1"))
        steps = old.repeats if discriminator_steps == 1 else discriminator_steps
        return dataclasses.replace(old, minimise=(*old.minimise, *more), repeats=steps)

    judges = judges_of(recipe)
    recipe = dataclasses.replace(recipe, phases=tuple(map(phase, recipe.phases)))
    return packed(recipe, pack) if pack != 1 else recipe


@of_their_kind("packed()")
def packed(recipe: Recipe, size: int) -> Recipe:
    """The recipe with discriminators that judge packs of independent examples: PacGAN of any adversarial recipe.

    Importance weights of a discriminator's own adversary become those of packs, q^r / q of a product of examples: a
    recipe may be packed and then weighted, or weighted and then packed.

    Args:
        recipe: A recipe with a discriminator.
        size: Examples in a pack, m.

    Raises:
        ValueError: If there is no discriminator, `size` is below 2, or terms of single examples are weighted by it, or
            keep its logits, or if weights are normalised within the classes of examples.

    References:
        Zinan Lin et al. PacGAN: The power of two samples in generative adversarial networks. NeurIPS 2018.
        https://arxiv.org/abs/1712.04086
    """
    check_is_recipe("packed", recipe)
    judges = judges_of(recipe)
    if not judges:
        raise ValueError("packed() takes a recipe with a discriminator, such as gan().")
    if size < 2:
        raise ValueError(f"A pack has at least 2 examples. Received: pack={size}.")

    def pack(e: Expectation) -> Expectation:
        asked = [name for name in e.of.judges if name in judges]
        weighs = [] if e.weight is None else [name for name in e.weight.judges if name in judges and name not in asked]
        if weighs:
            raise ValueError(
                f"The recipe weights each example by '{weighs[0]}', which would judge packs of {size} together. "
                "Use pack=1, or a recipe without the weights."
            )
        if not asked:
            return e
        if kept := [step for step in e.under.steps if step.density in judges]:
            raise ValueError(
                f"The recipe keeps the logit of '{kept[0].density}' for each example, which would judge packs of "
                f"{size} together. Use pack=1, or a recipe without {type(kept[0]).__name__}."
            )
        of = e.of
        if isinstance(of, GradientPenalty):
            of = dataclasses.replace(of, held=tuple(f"{v}_pack" for v in of.held))
        variables = dict.fromkeys(v for name in asked for v in recipe.roles[name].given)
        return dataclasses.replace(e, of=of, under=e.under.then(*(Pack(v, f"{v}_pack", size) for v in variables)))

    densities = dict(recipe.densities)
    for by in judges:
        densities[by] = f"q(y | {', '.join(f'{v}_pack' for v in recipe.roles[by].given)})"
    phases = tuple(dataclasses.replace(p, minimise=tuple(map(pack, p.minimise))) for p in recipe.phases)
    return dataclasses.replace(recipe, phases=phases, densities=densities)


def judges_of(recipe: Recipe) -> dict[str, tuple[Phase, Sampler, list[Sampler]]]:
    """By discriminator: the phase in which it learns, and its samplers of the real and of the generated sides."""
    out: dict[str, tuple[Phase, Sampler, list[Sampler]]] = {}
    for phase in dict.fromkeys(recipe.phases):
        for name in phase.updates:
            sides: dict[int, list[Sampler]] = {0: [], 1: []}
            for e in phase.minimise:
                if isinstance(e.of, DiscriminatorLoss) and e.of.by == name and not e.of.reverse:
                    sides[e.of.y].append(e.under)
            if sides[0] and sides[1]:
                out[name] = (phase, sides[1][0], sides[0])
    return out


def _with_contest(e: Expectation, contest: str) -> Expectation:
    if isinstance(e.weight, ImportanceWeight) and contest != "logistic":
        raise ValueError(
            "Importance weights q^r(y=0 | .) / q(y=0 | .) are of the reversed logistic contest (equation 16). "
            f"Received: contest='{contest}'. Use contest='logistic', or the recipe without the weights."
        )
    if isinstance(e.weight, DiscriminatorProbability) and not contests.get(contest).log_ratio:
        raise ValueError(
            f"The recipe weighs examples by q(y=1 | .), which the critic of contest='{contest}' does not tell. Use "
            "contest='logistic' or an f-divergence."
        )
    if not isinstance(e.of, DiscriminatorLoss):
        return e
    return dataclasses.replace(e, of=dataclasses.replace(e.of, contest=contest))


def _numbered(name: str, i: int) -> str:
    return name if i == 0 else f"{name}_{i + 1}"
